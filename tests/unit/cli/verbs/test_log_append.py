"""`holdfast log append`."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from holdfast.formats.log_format import MAX_BODY_BYTES
from holdfast.primitives.log import Log
from tests.support.command_line import LIMIT_S, start_program


def records(folder: Path) -> list[bytes]:
    with Log(folder) as log:
        return [record.data for record in log.read()]


def test_arguments_are_records(cli, tmp_path) -> None:
    """Each is one; the last sequence is printed."""
    assert (0, "2\n", "") == cli("log", "append", tmp_path / "log", "one", "and two")
    assert (0, "3\n", "") == cli("log", "append", tmp_path / "log", "three")
    assert [b"one", b"and two", b"three"] == records(tmp_path / "log")


def test_lines_of_the_input_are_records(cli, tmp_path) -> None:
    """An empty one is an empty record; the last one needs no newline."""
    result = cli("log", "append", tmp_path / "log", stdin=b"one\n\n\xff\r\nlast")

    assert (0, "4\n", "") == result
    assert [b"one", b"", b"\xff\r", b"last"] == records(tmp_path / "log")


def test_records_that_end_with_nul(cli, tmp_path) -> None:
    """With --null a newline is a byte as any other."""
    cli("log", "append", "--null", tmp_path / "log", stdin=b"a\nb\0c\0")

    assert [b"a\nb", b"c"] == records(tmp_path / "log")


def test_whole_input_is_one_record(cli, tmp_path) -> None:
    """With --whole; an empty input is what a failed command looks like, and is refused."""
    assert 0 == cli("log", "append", "--whole", tmp_path / "log", stdin=b"a\nb\n").code
    code, out, err = cli("log", "append", "--whole", tmp_path / "log")

    assert (65, "") == (code, out)
    assert "the input was empty. Nothing was appended." in err
    assert [b"a\nb\n"] == records(tmp_path / "log")


def test_no_input_appends_nothing(cli, tmp_path) -> None:
    """Nothing is printed, and no log is made."""
    assert (0, "", "") == cli("log", "append", tmp_path / "log")
    assert not (tmp_path / "log").exists()
    assert {"records": 0, "last": None} == json.loads(
        cli("log", "append", "--json", tmp_path / "log").out
    )


def test_json_and_quiet(cli, tmp_path) -> None:
    """--json prints how many and the last; -q nothing."""
    folder = tmp_path / "log"

    assert {"records": 2, "last": 2} == json.loads(
        cli("log", "append", "--json", folder, stdin=b"a\nb\n").out
    )
    assert (0, "", "") == cli("log", "append", "-q", folder, "c")


@pytest.mark.parametrize("when", ["always", "never", "0.5"])
def test_sync_is_chosen(cli, tmp_path, when) -> None:
    """Whenever it is synced, the record is there for other readers."""
    assert (0, "1\n", "") == cli("log", "append", "--sync", when, tmp_path / "log", "one")
    with Log(tmp_path / "log", sync="never") as log:
        assert [b"one"] == [record.data for record in log.read()]


@pytest.mark.parametrize(
    "words",
    [("--sync", "now"), ("--sync", "0"), ("--null", "--whole"), ("--whole", "log", "record")],
)
def test_words_without_meaning_are_wrong_usage(cli, tmp_path, words) -> None:
    """Nothing is made."""
    code, out, err = cli("log", "append", *words, tmp_path / "log")

    assert (2, "", 1) == (code, out, err.count("\n"))
    assert [] == list(tmp_path.iterdir())


def test_record_that_is_too_large_is_refused(cli, tmp_path) -> None:
    """What came before it is appended, and told."""
    large = b"first\n" * 100_000 + b"x" * (MAX_BODY_BYTES + 1)
    code, _, err = cli("log", "append", tmp_path / "log", stdin=large)

    assert 65 == code
    assert "a record has more than 67108864 bytes" in err
    assert "Before that 100000 records were appended, the last is 100000." in err
    assert 100_000 == len(records(tmp_path / "log"))


def test_largest_record_goes_in_behind_a_small_one(cli, tmp_path) -> None:
    """The largest that can be is not refused for the sake of its neighbours."""
    data = b"small\n" + b"x" * MAX_BODY_BYTES + b"\nsmall\n"

    assert (0, "3\n", "") == cli("log", "append", tmp_path / "log", stdin=data)


def test_path_that_is_no_folder_is_told(cli, state) -> None:
    """A file is no log: exit code 66."""
    assert 66 == cli("log", "append", state, "one").code


def test_lines_of_a_pipe_are_durable_as_they_come(tmp_path) -> None:
    """Each is told when it is; a signal leaves what was read whole, and drops the half line."""
    program = start_program("log", "append", "--each", tmp_path / "log")
    assert program.stdin is not None
    assert program.stdout is not None
    for number in (1, 2, 3):
        program.stdin.write(b"line\n")
        program.stdin.flush()
        assert b"%d\n" % number == program.stdout.readline()
    program.stdin.write(b"half a li")
    program.stdin.flush()
    program.send_signal(signal.SIGTERM)
    _, err = program.communicate(timeout=LIMIT_S)

    assert 143 == program.returncode
    assert b"stopped. Before that 3 records were appended, the last is 3." in err
    assert [b"line"] * 3 == records(tmp_path / "log")
