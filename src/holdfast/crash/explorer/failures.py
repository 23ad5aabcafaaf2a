"""What keeps an exploration from being made at all; none of these is a finding."""

from __future__ import annotations

from holdfast.errors import HoldfastError

__all__ = ["CheckFails", "ExplorerError", "TreeRefused", "UnknownState"]


class ExplorerError(HoldfastError):
    """The parent: nothing was explored, and the program's own folder was not touched."""

    exit_code = 2


class CheckFails(ExplorerError):
    """The check fails without any crash, so whatever it says about crashes means nothing.

    Attributes: `kind` (`violated`, `crashed`, `hung` or `exited`) and `said`, the check's words.
    """

    def __init__(self, message: str, *, kind: str, said: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.said = said


class TreeRefused(ExplorerError, ValueError):
    """A tree has names that no folder can hold, or more than can be written; nothing was made."""


class UnknownState(ExplorerError):
    """No state has this id: the program does something else now, or the options differ."""
