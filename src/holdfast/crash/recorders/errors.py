"""What can go wrong while a program is recorded: each told apart, none of them ignored."""

from __future__ import annotations

from holdfast.errors import HoldfastError

__all__ = [
    "ProgramNotStarted",
    "ProgramTimedOut",
    "RecorderUnavailable",
    "RecordingError",
    "RecordingRefused",
]


class RecordingError(HoldfastError):
    """No recording came about; what the program wrote stands as it left it."""


class RecorderUnavailable(RecordingError):
    """The kernel or the container forbids this recorder; nothing was run."""

    exit_code = 69


class RecordingRefused(RecordingError):
    """The program did what cannot be recorded faithfully; it was ended, its files stand."""

    exit_code = 65


class ProgramNotStarted(RecordingError):
    """The program could not be executed; nothing was run."""

    exit_code = 126


class ProgramTimedOut(RecordingError):
    """The program did not end in time; it and all its children were killed, its files stand."""

    exit_code = 124
