"""A folder to be recorded, and what a recording is asked about."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from holdfast.crash.recording import Recording
from holdfast.vfs.operations import Mark, Operation

if sys.platform != "linux":
    collect_ignore_glob = ["*.py"]


class Recorded:
    """Records functions and commands on a folder, and shows what came out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def call(self, function: Callable[[], object], **options: object) -> Recording:
        """Record a function; it must end well."""
        from holdfast.crash.recorders import record_call

        recording = record_call(function, root=str(self.folder), **options)  # type: ignore[arg-type]
        assert 0 == recording.status
        return recording

    def command(self, *argv: str, status: int = 0, **options: object) -> Recording:
        """Record a command."""
        from holdfast.crash.recorders import record_command

        recording = record_command(argv, root=str(self.folder), **options)  # type: ignore[arg-type]
        assert status == recording.status
        return recording

    def operations(self, function: Callable[[], object]) -> list[Operation]:
        """Record a function and return its operations alone."""
        return list(self.call(function).operations)


@cache
def unavailable() -> str | None:
    """Say why nothing can be recorded by seccomp here."""
    import tempfile

    from holdfast.crash.recorders import RecorderUnavailable, record_call

    with tempfile.TemporaryDirectory() as folder:
        try:
            record_call(int, root=folder)
        except RecorderUnavailable as error:
            return str(error)
    return None


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    """A folder to be recorded by seccomp; skipped where that is forbidden."""
    if (reason := unavailable()) is not None:
        pytest.skip(reason)
    return Recorded(tmp_path)


@pytest.fixture
def marks() -> Callable[[Recording], list[str]]:
    """The acknowledgements of a recording."""

    def texts(recording: Recording) -> list[str]:
        return [operation.text for operation in recording.operations if isinstance(operation, Mark)]

    return texts
