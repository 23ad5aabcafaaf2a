"""What the command refuses to go on with; no crash was tried."""

from __future__ import annotations

from holdfast.errors import HoldfastError

__all__ = ["ProgramFailed", "ProgramNotFound", "WrongUse"]


class WrongUse(HoldfastError):
    """What was asked for cannot be meant: the message says what to ask for."""

    exit_code = 2


class ProgramFailed(HoldfastError):
    """The program, or what sets it up, fails by itself; what it wrote stands."""

    exit_code = 65


class ProgramNotFound(HoldfastError):
    """There is no such program; nothing was run."""

    exit_code = 127
