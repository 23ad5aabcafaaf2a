"""`holdfast log tail`."""

from __future__ import annotations

import json
import signal

from holdfast.primitives.log import Log
from tests.support.command_line import LIMIT_S, start_program


def test_last_records_are_printed(cli, tmp_path) -> None:
    """Ten, or as many as asked for, or as there are."""
    with Log(tmp_path / "log") as log:
        log.append_many([b"%d" % number for number in range(1, 13)])

    assert [str(n) for n in range(3, 13)] == cli("log", "tail", tmp_path / "log").out.split()
    assert "11\n12\n" == cli("log", "tail", "-n", 2, tmp_path / "log").out
    assert 12 == len(cli("log", "tail", "-n", 99, tmp_path / "log").out.split())
    assert [{"sequence": 12, "data": "12"}] == json.loads(
        cli("log", "tail", "-n", 1, "--json", tmp_path / "log").out
    )


def test_emptied_log_has_no_tail(cli, tmp_path) -> None:
    """Nothing is printed; it is no error."""
    with Log(tmp_path / "log") as log:
        log.append(b"one")
        log.drop_before(2)

    assert (0, "", "") == cli("log", "tail", tmp_path / "log")


def test_bare_count_is_told_how_to_write_it(cli, tmp_path) -> None:
    """As it may be written with tail(1); a folder of that name is given behind `--`."""
    for words in (("-2", tmp_path), (tmp_path, "-2"), ("-f", "-12", tmp_path)):
        code, out, err = cli("log", "tail", *words)
        assert (2, "") == (code, out)
        assert "write -n " in err
    assert "'-2' is not a number from 1 on" in cli("log", "tail", "-n", "-2", tmp_path).err
    assert 66 == cli("log", "tail", "--", "-2").code


def test_follow_prints_what_comes(tmp_path) -> None:
    """As soon as it is durable, until a signal ends it."""
    with Log(tmp_path / "log") as log:
        log.append_many([b"one", b"two"])
        program = start_program("log", "tail", "-f", "-n", "1", tmp_path / "log")
        assert program.stdout is not None
        assert b"two\n" == program.stdout.readline()
        log.append(b"three")
        assert b"three\n" == program.stdout.readline()
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=LIMIT_S)

    assert (130, b"", b"") == (program.returncode, out, err)


def test_follow_has_no_end_for_one_document(cli, tmp_path) -> None:
    """--json with -f is wrong usage."""
    assert 2 == cli("log", "tail", "-f", "--json", tmp_path).code
