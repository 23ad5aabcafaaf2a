"""`holdfast log follow`."""

from __future__ import annotations

import json
import signal

from holdfast.primitives.log import Log
from tests.support.command_line import LIMIT_S, start_program


def test_everything_is_printed_until_nothing_comes(cli, tmp_path) -> None:
    """With --timeout it ends; from the first, or from --from on."""
    with Log(tmp_path / "log") as log:
        log.append_many([b"one", b"two"])
    words = ("log", "follow", "--timeout", 0.01)

    assert (0, "one\ntwo\n", "") == cli(*words, tmp_path / "log")
    assert (0, "two\n", "") == cli(*words, "--from", 2, tmp_path / "log")
    assert (0, "", "") == cli(*words, "--from", 3, tmp_path / "log")
    assert {"sequence": 2, "data": "two"} == json.loads(
        cli(*words, "--from", 2, "--jsonl", tmp_path / "log").out
    )


def test_records_are_printed_as_they_come_across_segments(tmp_path) -> None:
    """None is missed and none is printed twice."""
    with Log(tmp_path / "log", segment_bytes=1024) as log:
        log.append(b"0" * 300)
        program = start_program("log", "follow", "--sequence", tmp_path / "log")
        assert program.stdout is not None
        assert b"1\t" + b"0" * 300 + b"\n" == program.stdout.readline()
        for number in range(2, 12):
            log.append(b"%d" % number * 300)
            assert b"%d\t" % number + b"%d" % number * 300 + b"\n" == program.stdout.readline()
        program.send_signal(signal.SIGTERM)
        out, err = program.communicate(timeout=LIMIT_S)

    assert (143, b"", b"") == (program.returncode, out, err)


def test_written_records_are_shown_on_request(cli, tmp_path) -> None:
    """What is not durable yet is not printed, unless --written."""
    words = ("log", "follow", "--timeout", 0.01)
    with Log(tmp_path / "log", sync="never") as log:
        log.append(b"one")
        log.barrier()
        log.append(b"two")

        assert "one\n" == cli(*words, tmp_path / "log").out
        assert "one\ntwo\n" == cli(*words, "--written", tmp_path / "log").out


def test_log_that_is_not_there_yet_is_waited_for(tmp_path) -> None:
    """It says so, once, and prints what comes."""
    program = start_program("log", "follow", tmp_path / "log")
    assert program.stdout is not None
    assert program.stderr is not None
    said = program.stderr.readline().decode()
    with Log(tmp_path / "log") as log:
        log.append(b"one")
        assert b"one\n" == program.stdout.readline()
    program.send_signal(signal.SIGTERM)
    out, err = program.communicate(timeout=LIMIT_S)

    assert f"holdfast log follow: {tmp_path}/log: is not there yet, and is waited for\n" == said
    assert (143, b"", b"") == (program.returncode, out, err)


def test_wait_for_a_log_has_a_limit(cli, tmp_path) -> None:
    """With --timeout a missing folder is told when the time is over."""
    code, out, err = cli("log", "follow", "--timeout", "0", tmp_path / "no")

    assert (66, "") == (code, out)
    assert err == f"holdfast log follow: {tmp_path}/no: No such file or directory\n"


def test_empty_folder_is_a_log_without_records(cli, tmp_path) -> None:
    """A log is made in a folder that may be there before it."""
    assert (0, "", "") == cli("log", "follow", "--timeout", "0", tmp_path)
