"""Recorders: they watch a program and give one `Recording` of what it did to a folder."""

from __future__ import annotations

from holdfast.crash.recorders.door import record_call, record_command
from holdfast.crash.recorders.errors import (
    ProgramNotStarted,
    ProgramTimedOut,
    RecorderUnavailable,
    RecordingError,
    RecordingRefused,
)
from holdfast.crash.recorders.faults import CallFault

__all__ = [
    "CallFault",
    "ProgramNotStarted",
    "ProgramTimedOut",
    "RecorderUnavailable",
    "RecordingError",
    "RecordingRefused",
    "record_call",
    "record_command",
]
