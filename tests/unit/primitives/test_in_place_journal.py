"""The journal of patches: made once, written over, emptied; and nothing else is written to."""

from __future__ import annotations

import pytest

from holdfast.errors import BadFrame
from holdfast.formats.patch_format import EMPTY, Block, Head, encode
from holdfast.primitives.in_place_journal import (
    KEPT_BYTES,
    STEP_BYTES,
    PatchJournal,
    Syncing,
    write_at,
)
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

OLD = b"o" * 600
HEAD = Head(7, 0, 0, 600, 600, 1)
DATA = encode(HEAD, [Block(0, b"n" * 600, OLD)])


def disk(**more: bytes | str | None) -> MemoryVFS:
    """A filesystem with a file."""
    made = MemoryVFS()
    made.write_tree({"f": OLD, **{name.replace("_", "."): data for name, data in more.items()}})
    made.settle()
    return made


def journal(vfs, syncing: Syncing | None = None) -> PatchJournal:
    """The journal of that file."""
    return PatchJournal(vfs.folder("/"), "f", syncing=syncing or Syncing(), vfs=vfs)


def test_there_is_no_journal_before_the_first_patch() -> None:
    """Looking makes none, and there is nothing to drop."""
    vfs = disk()
    this = journal(vfs)

    assert this.head() is None
    assert not this.concerns(0, 600)
    this.drop(synced=True)
    assert {"f": OLD} == vfs.tree()


def test_patch_is_read_as_written_until_it_is_dropped() -> None:
    """By another handle as well; each handle finds a journal that was made meanwhile."""
    vfs = disk()
    mine, other = journal(vfs), journal(vfs)
    assert other.head() is None
    mine.write(DATA, synced=True)

    assert HEAD == other.head()
    assert DATA[512:] == other.body(HEAD)[: len(DATA) - 512]
    assert other.concerns(0, 1)
    assert other.concerns(4095, 10)
    assert not other.concerns(4096, 10)
    mine.drop(synced=True)
    assert other.head() is None
    assert not other.concerns(0, 1)


def test_journal_grows_in_steps_and_is_cut_back() -> None:
    """It keeps its size, so that the next patch writes over blocks that are there."""
    vfs = disk()
    this = journal(vfs)
    this.write(DATA, synced=True)
    assert STEP_BYTES == len(vfs.tree()["f.journal"] or b"")
    this.write(DATA.ljust(STEP_BYTES + 1, b"x"), synced=True)
    this.write(DATA, synced=True)
    assert 2 * STEP_BYTES == len(vfs.tree()["f.journal"] or b"")
    this.write(DATA.ljust(KEPT_BYTES + 1, b"x"), synced=True)
    this.drop(synced=True)
    assert KEPT_BYTES == len(vfs.tree()["f.journal"] or b"")


def test_removed_journal_is_made_anew() -> None:
    """Who finds it gone makes another, instead of writing to one without a name."""
    vfs = disk()
    this = journal(vfs)
    this.write(DATA, synced=True)
    vfs.folder("/").unlink("f.journal")
    assert this.head() is None
    this.write(DATA, synced=True)
    assert HEAD == journal(vfs).head()


@pytest.mark.parametrize("what", [b"a diary", b"", b"\0" * 600, None, "-> f"])
def test_what_is_no_journal_is_left_alone(what) -> None:
    """A file of somebody else, a folder, a symlink: all are refused, and stay."""
    vfs = disk(f_journal=what)
    before = vfs.tree()
    this = journal(vfs)
    for use in (this.head, lambda: this.concerns(0, 1)):
        with pytest.raises(BadFrame, match="Move it elsewhere"):
            use()
    assert before == vfs.tree()


def test_discard_takes_the_name_away() -> None:
    """After a failed sync the next patch makes another file, durably."""
    vfs = disk()
    this = journal(vfs)
    this.write(DATA, synced=True)
    traced = Trace(vfs)
    this = journal(traced)
    this.write(DATA, synced=True)
    traced.clear()
    this.discard()

    assert {"f": OLD} == vfs.tree()
    assert "sync_folder" in traced.operations


def test_name_is_synced_once_by_each_handle() -> None:
    """Who made it may have been killed before his sync."""
    vfs = disk()
    journal(vfs).write(DATA, synced=True)
    traced = Trace(vfs)
    this = journal(traced)
    counts = []
    for _ in range(2):
        traced.clear()
        this.write(DATA, synced=True)
        counts.append(traced.operations.count("sync_folder"))

    assert [1, 0] == counts


def test_failed_sync_is_noted() -> None:
    """The first error is kept; other errors are none of a sync."""
    for operation, is_noted in (("sync_data", True), ("sync_folder", True), ("sync", False)):
        syncing = Syncing()
        this = journal(Faulty(disk(), Fault(operation, 1, effect="EIO")), syncing)
        with pytest.raises(OSError, match="Errno 5"):
            this.write(DATA, synced=True)
        assert is_noted is (syncing.failed is not None)


def test_maker_that_fails_leaves_nothing() -> None:
    """Whatever fails before the journal has its name, no temporary file stays."""
    for operation in ("open", "set_attributes", "write", "sync", "rename"):
        vfs = disk()
        with pytest.raises(OSError, match="Errno 28"):
            journal(Faulty(vfs, Fault(operation, 1, effect="ENOSPC"))).write(DATA, synced=True)
        assert {"f": OLD} == vfs.tree()


def test_new_journal_holds_no_patch() -> None:
    """Its first block is there before it has a name: a head without a patch."""
    vfs = disk()
    with pytest.raises(OSError, match="Errno 28"):
        journal(Faulty(vfs, Fault("write", 2, effect="ENOSPC"))).write(DATA, synced=True)

    assert EMPTY.ljust(STEP_BYTES, b"\0") == vfs.tree()["f.journal"]


def test_write_goes_on_after_a_short_one() -> None:
    """And ends when nothing more is taken."""
    vfs = disk()
    file = Faulty(vfs, Fault("write", 1, effect="short 3")).folder("/").open("f", "write")
    write_at(file, b"abcdef", 10)
    assert b"abcdef" == file.read(6, offset=10)

    class Deaf:
        def write(self, data, *, offset):
            return 0

    with pytest.raises(OSError, match="wrote nothing"):
        write_at(Deaf(), b"x", 0)  # type: ignore[arg-type]
