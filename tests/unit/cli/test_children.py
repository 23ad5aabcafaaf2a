"""Commands that verbs run."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from holdfast.cli.children import Ended, run, shell_words
from holdfast.cli.exits import Failure


def test_output_and_code_are_returned() -> None:
    """With data given, the command reads it, and its output and code come back."""
    assert Ended(3, b"DATA", 0) == run(["sh", "-c", "tr a-z A-Z; exit 3"], data=b"data")


def test_output_goes_through_without_data(capfd) -> None:
    """Without data, the command prints where this process does."""
    assert Ended(0, b"", 0) == run(["echo", "hi"])
    assert "hi\n" == capfd.readouterr().out


def test_only_the_named_descriptor_is_inherited() -> None:
    """A descriptor reaches the command only if it is named."""
    read, write = os.pipe()
    try:
        probe = [sys.executable, "-c", f"import os; os.fstat({write})"]
        assert 0 == run(probe, inherit=[write]).code
        assert (
            1
            == run(
                [
                    *probe[:2],
                    f"import os, sys\ntry: os.fstat({write})\nexcept OSError: sys.exit(1)",
                ]
            ).code
        )
    finally:
        os.close(read)
        os.close(write)


@pytest.mark.parametrize(("name", "code"), [("no-such-command", 127), ("/etc", 126)])
def test_what_cannot_run_is_told(name, code) -> None:
    """A command that is not there is 127, one that cannot be run 126."""
    with pytest.raises(Failure) as caught:
        run([name])

    assert code == caught.value.exit_code


def test_signal_is_passed_on_and_told() -> None:
    """A signal here reaches the command, is told to the caller, and the handlers come back."""
    before = signal.getsignal(signal.SIGTERM)
    command = f"kill -TERM {os.getpid()}; sleep 30"

    ended = run(["sh", "-c", command])

    assert (128 + signal.SIGTERM, signal.SIGTERM) == (ended.code, ended.interrupted)
    assert before is signal.getsignal(signal.SIGTERM)


def test_command_dies_of_a_broken_pipe() -> None:
    """The command has the default SIGPIPE, which Python itself ignores."""
    assert 0 == run(["sh", "-c", "yes | head -n 1 > /dev/null; exit 0"], data=b"").code
    line = "exec bash -c 'yes | head -n 1 > /dev/null; exit ${PIPESTATUS[0]}'"
    assert 128 + signal.SIGPIPE == run(["sh", "-c", line]).code


def test_line_goes_to_the_shell_of_the_user(monkeypatch) -> None:
    """A line is run by $SHELL, or by sh."""
    monkeypatch.setenv("SHELL", "/bin/zsh")
    assert ["/bin/zsh", "-c", "a b"] == shell_words("a b")
    monkeypatch.delenv("SHELL")
    assert ["/bin/sh", "-c", "a"] == shell_words("a")
