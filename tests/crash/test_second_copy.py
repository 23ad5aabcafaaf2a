"""The command line and the drop-in, on a filesystem in memory."""

from __future__ import annotations

import sys

import pytest

import holdfast
from holdfast import vfs
from holdfast.vfs.memory import MemoryVFS
from tests.crash import second_copy


def test_command_works_in_memory_alone() -> None:
    """What is written is on the filesystem that was given, and nowhere else."""
    disk = MemoryVFS()
    second_copy.command_line(disk, "write", "/only-in-memory", stdin=b"new")

    assert {"only-in-memory": b"new"} == disk.tree()
    with pytest.raises(FileNotFoundError):
        vfs.SYSTEM.stat("/only-in-memory")


def test_command_that_fails_is_told() -> None:
    """An exit code that is not 0 raises, with what was printed."""
    with pytest.raises(RuntimeError, match=r"exit code 66: holdfast edit: /a\.json"):
        second_copy.command_line(MemoryVFS(), "edit", "/a.json", "--", "cat")


def test_first_copy_is_as_it_was() -> None:
    """The modules that everybody else has are not touched."""
    before = {name: module for name, module in sys.modules.items() if "holdfast" in name}
    system = vfs.SYSTEM
    with second_copy.on(MemoryVFS(), "holdfast.compat.atomicwrites") as module:
        inside, errors = sys.modules["holdfast"], sys.modules["holdfast.errors"]

    assert module is not sys.modules.get("holdfast.compat.atomicwrites")
    assert inside is not holdfast is sys.modules["holdfast"]
    assert errors is sys.modules["holdfast.errors"]
    assert system is vfs.SYSTEM
    assert before.items() <= sys.modules.items()
