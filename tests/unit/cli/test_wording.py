"""Errors in the words of a shell."""

from __future__ import annotations

import errno
import os

import pytest

from holdfast import errors
from holdfast.cli.wording import describe, path_of


def test_line_has_path_reason_and_notes() -> None:
    """An error of the system reads: path, reason, and what its notes say of the disk."""
    error = OSError(errno.ENOSPC, "No space left on device", "state.json")
    error.add_note("The old contents are intact.\nFree some space.")

    line = "state.json: No space left on device. The old contents are intact. Free some space."
    assert line == describe(error)


def test_line_cannot_steer_the_terminal() -> None:
    """Control characters and lone surrogates of a file's name are written as escapes."""
    error = FileNotFoundError(errno.ENOENT, "No such file", "a\x1b[31m\udcff")

    assert r"a\x1b[31m\udcff: No such file" == describe(error)


def test_busy_lock_names_its_holder() -> None:
    """A lock that was not free says who has it."""
    error = errors.LockTimeout("m", path="l", waited_s=2.0, holder="pid 7 (x) on h")

    assert "l: held by pid 7 (x) on h, waited 2 s. Nothing was changed." == describe(error)
