"""What a check of a patched file finds, and the copy that a repair makes."""

from __future__ import annotations

from contextlib import closing

import pytest

from holdfast.errors import UnknownFormat
from holdfast.formats.patch_format import EMPTY, Block, Head, encode
from holdfast.primitives.in_place import InPlaceFile
from holdfast.primitives.in_place_check import (
    PATCHES_BYTE,
    check_in_place,
    has_patches,
    repair_in_place,
)
from holdfast.vfs.memory import MemoryVFS

OLD, NEW = b"o" * 5000, b"n" * 4500 + b"o" * 500 + b"n" * 4000
HEAD = Head(7, 11, 0, len(OLD), len(NEW), 3)
BLOCKS = [Block(at, NEW[at : at + 4096], OLD[at : at + 4096]) for at in (0, 4096, 8192)]
JOURNAL = encode(HEAD, BLOCKS)
HALF = NEW[:10] + OLD[10:]
FOREIGN = b"?" + OLD[1:]
BAD = JOURNAL[:-1] + b"?"


def disk(file: bytes = OLD, journal: bytes | None = JOURNAL) -> MemoryVFS:
    """A file, and perhaps its journal."""
    made = MemoryVFS()
    made.write_tree({"f": file} if journal is None else {"f": file, "f.journal": journal})
    made.settle()
    return made


@pytest.mark.parametrize(
    ("file", "journal", "kind", "text"),
    [
        (OLD, None, None, ""),
        (OLD, EMPTY, None, ""),
        (OLD, JOURNAL, "torn", "next opening finishes it"),
        (HALF, JOURNAL, "torn", "a patch of 3 blocks was committed"),
        (OLD, JOURNAL[:-1], "torn", "The file is as it was"),
        (FOREIGN, JOURNAL, "damage", "another file took this place"),
        (HALF, BAD, "damage", "holds it in part"),
        (OLD, JOURNAL[:20] + b"?" + JOURNAL[21:], "damage", "head of this journal"),
        (OLD, b"a diary", "damage", "Move it elsewhere"),
    ],
)
def test_check_says_what_the_next_opening_does(file, journal, kind, text) -> None:
    """And changes nothing."""
    vfs = disk(file, journal)
    before = vfs.tree()
    report = check_in_place("/f", vfs=vfs)

    assert before == vfs.tree()
    assert [kind] * bool(kind) == [found.kind for found in report.findings]
    assert (kind != "damage") is report.ok
    assert all(text in found.message for found in report.findings)
    assert ("patched file", len(file) + len(journal or b"")) == (report.kind, report.size_bytes)
    assert (report.records == 1) is (journal == JOURNAL)


def test_patch_of_a_living_writer_is_no_finding() -> None:
    """Its journal is its own while it holds the lock."""
    vfs = disk()
    with closing(vfs.folder("/").open("f.lock", "create")) as lock:
        lock.lock_range(PATCHES_BYTE, 1)
        assert () == check_in_place("/f", vfs=vfs).findings
    assert 1 == len(check_in_place("/f", vfs=vfs).findings)


def test_later_format_is_no_damage() -> None:
    """A newer program made it."""
    from zlib import crc32

    head = JOURNAL[:8] + b"\2" + JOURNAL[9:508]
    vfs = disk(OLD, head + crc32(head).to_bytes(4, "little"))
    for use in (check_in_place, lambda path, vfs: repair_in_place(path, "/to", vfs=vfs)):
        with pytest.raises(UnknownFormat):
            use("/f", vfs=vfs)


def test_file_with_a_journal_is_recognised() -> None:
    """By what the journal begins with."""
    assert has_patches("/f", vfs=disk())
    assert has_patches("/f", vfs=disk(OLD, EMPTY))
    for journal in (None, b"", b"a diary", b"\0" * 600):
        assert not has_patches("/f", vfs=disk(OLD, journal))
    vfs = disk(OLD, None)
    vfs.write_tree({"f.journal": None})
    assert not has_patches("/f", vfs=vfs)


@pytest.mark.parametrize(
    ("file", "journal", "copy", "is_lossy"),
    [
        (OLD, None, OLD, False),
        (HALF, JOURNAL, NEW, False),
        (OLD, JOURNAL[:-1], OLD, False),
        (FOREIGN, JOURNAL, NEW, True),
        (HALF, BAD, NEW[:8192], True),
        (OLD, b"a diary", OLD, True),
    ],
)
def test_repair_copies_the_file_with_its_patch(file, journal, copy, is_lossy) -> None:
    """Both stay as they are; what is in doubt is told."""
    vfs = disk(file, journal)
    before = vfs.tree()
    report = repair_in_place("/f", "/to", vfs=vfs)

    assert {**before, "to": copy} == vfs.tree()
    assert is_lossy is bool(report.lost)
    assert -(-len(copy) // 4096) == report.records


def test_repair_does_not_clobber() -> None:
    """What is there stays."""
    vfs = disk()
    vfs.write_tree({"to": b"mine"})
    with pytest.raises(FileExistsError):
        repair_in_place("/f", "/to", vfs=vfs)
    assert b"mine" == vfs.tree()["to"]


def test_check_of_an_open_file_is_the_same() -> None:
    """A handle at rest finds nothing."""
    with InPlaceFile("/f", vfs=disk(OLD, None)) as file:
        file.patch([(0, b"x")])
        assert file.check().ok
        assert () == file.check().findings
