"""What takes long says so on a terminal, and nowhere else."""

from __future__ import annotations

import io
import sys
from threading import Event

import pytest

from holdfast.cli.progress import Telling

PATIENCE_S = 10.0


class Terminal(io.StringIO):
    """A terminal that tells when something is printed on it."""

    def __init__(self, *, is_one: bool = True) -> None:
        super().__init__()
        self.printed = Event()
        self._is_one = is_one

    def isatty(self) -> bool:
        """Whether it is one."""
        return self._is_one

    def write(self, text: str) -> int:
        """Take it."""
        count = super().write(text)
        self.printed.set()
        return count


def test_long_work_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After half a second, with the verb."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Telling("verify", "reading d"):
        assert terminal.printed.wait(PATIENCE_S)

    assert "holdfast verify: reading d" in terminal.getvalue()


@pytest.mark.parametrize("is_one", [True, False])
def test_short_work_and_a_pipe_are_silent(monkeypatch: pytest.MonkeyPatch, is_one) -> None:
    """Nothing is printed when it was quick, nor where nobody watches."""
    terminal = Terminal(is_one=is_one)
    monkeypatch.setattr(sys, "stderr", terminal)
    with Telling("verify", "reading d"):
        if not is_one:
            assert not terminal.printed.wait(0.7)

    assert "" == terminal.getvalue()
