"""Standard streams that are closed or full."""

from __future__ import annotations

import sys

import pytest

from tests.support.command_line import run_shell

FULL = "standard output: No space left on device"
CLOSED = "standard output: Bad file descriptor"


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("line", "code", "err"),
    [
        ("get state.json n >&-", 74, f"holdfast get: {CLOSED}\n"),
        ("get --json state.json >&-", 74, f"holdfast get: {CLOSED}\n"),
        ("get --jsonl state.json list >&-", 74, f"holdfast get: {CLOSED}\n"),
        ("inspect state.json >&-", 74, f"holdfast inspect: {CLOSED}\n"),
        ("get state.json n >/dev/full", 74, f"holdfast get: {FULL}\n"),
        ("completion bash >/dev/full", 74, f"holdfast completion: {FULL}\n"),
        ("--help >/dev/full", 74, f"holdfast --help: {FULL}\n"),
        ("--help >&-", 74, f"holdfast --help: {CLOSED}\n"),
        ("--version >/dev/full", 74, f"holdfast --version: {FULL}\n"),
        ("get --help >/dev/full", 74, f"holdfast get: {FULL}\n"),
        ("get --json no.json >/dev/full", 66,
         f"holdfast get: no.json: No such file or directory\nholdfast get: {FULL}\n"),
    ],
)  # fmt: skip
def test_i2_lost_output_is_told_once(line, code, err, unbuffered, state) -> None:
    """An answer that cannot be printed is one line, exit code 74, and no traceback."""
    result = run_shell(f"PYTHONUNBUFFERED={unbuffered} holdfast {line}", cwd=state.parent)

    assert (code, "", err) == result


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["--help", "get --help", "--version"])
def test_reader_that_has_seen_enough_is_no_error(words, unbuffered, state) -> None:
    """A help whose reader is gone ends in silence."""
    line = f"PYTHONUNBUFFERED={unbuffered} holdfast {words} | true; exit ${{PIPESTATUS[0]}}"

    code, _, err = run_shell(line, cwd=state.parent)

    assert (True, "") == (code in (0, 141), err)


@pytest.mark.parametrize("place", ["-", "/dev/full"])
@pytest.mark.parametrize(
    ("words", "code"), [("get state.json no", 1), ("nosuch", 2), ("set -v state.json n=2", 0)]
)
def test_i2_lost_messages_go_nowhere(words, code, place, state) -> None:
    """A message that cannot be printed changes neither the output nor the exit code."""
    where = "2>&-" if place == "-" else f"2>{place}"

    assert (code, "", "") == run_shell(f"holdfast {words} {where}", cwd=state.parent)


def test_closed_input_is_told(state) -> None:
    """Input that is closed is no empty input."""
    line = "holdfast write new <&-; echo $?; holdfast get - n <&-; echo $?"

    assert ("66\n66\n", 2) == (
        (result := run_shell(line, cwd=state.parent)).out,
        result.err.count("standard input is closed"),
    )
    assert not state.with_name("new").exists()


@pytest.mark.parametrize("closed", ["<&-", "<&- >&-", "<&- >&- 2>&-", ">&- 2>&-"])
def test_i1_no_file_gets_the_number_of_a_stream(closed, state) -> None:
    """What CMD has as its standard streams is no file that was opened here."""
    script = "import os; a = [os.readlink(f'/proc/self/fd/{n}') for n in range(3)]\n"
    state.with_name("probe.py").write_text(
        f"{script}print(*a, sep='\\n', file=open('streams', 'w'))"
    )

    line = f"holdfast lock -F l -- {sys.executable} probe.py {closed}"
    assert 0 == run_shell(line, cwd=state.parent).code

    streams = state.with_name("streams").read_text().splitlines()
    assert 3 == len(streams)
    assert [] == [name for name in streams if name.startswith(str(state.parent))]
