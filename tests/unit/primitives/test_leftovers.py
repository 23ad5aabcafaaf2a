"""Temporary files of killed writers, told from those of living ones."""

from __future__ import annotations

from holdfast.primitives.leftovers import leftovers, unheld
from holdfast.vfs.memory import MemoryVFS

TEMP = f".a.{'0' * 16}.holdfast-tmp"
OTHER = f".b.{'1' * 16}.holdfast-tmp"


def test_file_that_nobody_holds_is_a_leftover() -> None:
    """One that a writer holds, and what is no temporary file, is none."""
    vfs = MemoryVFS()
    vfs.write_tree({f"f/{TEMP}": b"", f"f/{OTHER}": b"", "f/a": b""})
    folder = vfs.folder("/f")
    held = folder.open(OTHER, "write")
    assert held.lock()
    found = unheld(folder, vfs=vfs)
    findings = [*leftovers(folder, found, what="log", vfs=vfs)]

    assert [TEMP] == [*found]
    assert [("leftover", f"/f/{TEMP}", None)] == [finding[:3] for finding in findings]
    assert "no part of the log" in findings[0].message


def test_file_that_is_another_one_at_the_second_look_is_none() -> None:
    """A living writer had not locked it yet at the first."""
    vfs = MemoryVFS()
    vfs.write_tree({f"f/{TEMP}": b"", f"f/{OTHER}": b""})
    folder = vfs.folder("/f")
    found = unheld(folder, vfs=vfs)
    folder.unlink(TEMP)
    folder.open(TEMP, "new").close()
    folder.unlink(OTHER)

    assert [] == [*leftovers(folder, found, what="log", vfs=vfs)]
