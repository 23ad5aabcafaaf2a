"""A segment gets its name when it is whole and durable, and the oldest goes first."""

from __future__ import annotations

import errno
from contextlib import suppress

import pytest

from holdfast.errors import ChecksumMismatch, CommittedNotDurable, Corruption
from holdfast.formats.log_format import SegmentHeader, encode_frame, seed_of, segment_name
from holdfast.primitives.log_segment import (
    first_fill,
    firsts_of,
    make_segment,
    open_segment,
    path_in,
    remove_before,
)
from holdfast.primitives.temp import Made, create
from holdfast.vfs.fault import Fault, Faulty, Stopped, each_fault
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.log_bytes import Segment, as_folder

HEADER = SegmentHeader(
    first=5, salt=77, created_ns=1, previous_first=1, previous_salt=2, previous_end=512
)
FRAME = encode_frame([b"born with it"], first=5, offset=512, synced=512, seed=seed_of(77))


def make(vfs, header: SegmentHeader = HEADER, *, filled: int = 0, permissions: int = 0o640):
    """A segment that is born with one frame."""
    folder = vfs.folder("/log")
    return make_segment(
        folder, header, contents=[FRAME], filled=filled, permissions=permissions, vfs=vfs
    )


def empty_log() -> MemoryVFS:
    """A folder."""
    disk = MemoryVFS()
    disk.write_tree({"log": None})
    return disk


def three() -> MemoryVFS:
    """Segments that begin with 1, 11 and 21."""
    disk = MemoryVFS()
    disk.write_tree(as_folder([Segment(1), Segment(11), Segment(21)]))
    return disk


def names(disk: MemoryVFS) -> list[str]:
    """What is in the folder."""
    return sorted(disk.folder("/log").names())


def test_segments_are_listed_by_their_sequences() -> None:
    """Whatever else is there is none."""
    disk = three()
    disk.write_tree({"log/1.segment": b"", "log/.x.holdfast-tmp": b"", "log/sub": None})
    assert [1, 11, 21] == firsts_of(disk.folder("/log"))


def test_opened_segment_knows_its_file_and_header() -> None:
    """Its place is that of the file, its seed that of the salt."""
    disk, bytes_of = three(), Segment(11)
    segment = open_segment(disk.folder("/log"), 11, "read")
    info = disk.stat(f"/log/{bytes_of.name}")
    assert (info.st_dev, info.st_ino, 11, bytes_of.salt) == segment.place
    assert bytes_of.seed == segment.seed
    assert f"/log/{bytes_of.name}" == segment.path == path_in(disk.folder("/log"), 11)
    assert bytes(bytes_of.data[3:13]) == segment.read(10, 3)


def test_segment_under_another_name_is_corruption() -> None:
    """A whole header does not make it the one that was asked for."""
    disk = MemoryVFS()
    disk.write_tree({f"log/{segment_name(2)}": bytes(Segment(1).data)})
    with pytest.raises(Corruption, match="its first record is 1") as caught:
        open_segment(disk.folder("/log"), 2, "read")
    assert (2, 1) == (caught.value.expected, caught.value.found)


def test_damaged_header_leaves_no_file_open() -> None:
    """The error is told, and the descriptor given back."""
    disk = MemoryVFS()
    disk.write_tree({f"log/{segment_name(1)}": Segment(1).with_bits(100, 1)})
    with pytest.raises(ChecksumMismatch):
        open_segment(disk.folder("/log"), 1, "read")
    assert [] == disk.open_files


def test_missing_segment_is_told_by_the_system() -> None:
    """It was dropped meanwhile, perhaps: the caller decides."""
    with pytest.raises(FileNotFoundError):
        open_segment(empty_log().folder("/log"), 1, "read")


def test_new_segment_has_header_frames_and_zeros() -> None:
    """And the mode that was asked for, and no lock left on it."""
    disk = empty_log()
    disk.core.umask = 0
    segment = make(disk, filled=4096)
    path = f"log/{segment_name(5)}"
    data = disk.tree()[path]
    assert isinstance(data, bytes)
    assert FRAME == data[512 : 512 + len(FRAME)]
    assert bytes(4096 - 512 - len(FRAME)) == data[512 + len(FRAME) :]
    assert HEADER == open_segment(disk.folder("/log"), 5, "read").header == segment.header
    assert 0o640 == disk.stat(path).st_mode & 0o777
    assert [] == disk.held_locks


def test_it_is_synced_before_it_has_its_name() -> None:
    """And the folder afterwards."""
    traced = Trace(empty_log())
    make(traced)
    steps = [o for o in traced.operations if o in {"write", "sync", "rename", "sync_folder"}]
    assert ["sync", "rename", "sync_folder"] == [step for step in steps if step != "write"]
    assert "write" not in steps[steps.index("sync") :]


def test_after_a_crash_it_is_whole_or_not_there() -> None:
    """In every state that the model allows."""
    disk = empty_log()
    make(disk)
    found = set()
    for crashed in disk.crash_states():
        firsts = firsts_of(crashed.folder("/log"))
        found.add(tuple(firsts))
        if firsts:
            segment = open_segment(crashed.folder("/log"), 5, "read")
            assert (HEADER, FRAME) == (segment.header, segment.read(len(FRAME), 512))
    assert {(), (5,)} == found


def test_one_of_the_same_name_is_replaced() -> None:
    """At every moment the name leads to the one or the other."""
    disk = MemoryVFS()
    old = Segment(5)
    disk.write_tree(as_folder([old]))
    make(disk)
    states = {c.tree()[f"log/{old.name}"] for c in disk.crash_states()}
    assert {bytes(old.data), disk.tree()[f"log/{old.name}"]} == states


def outcome_of(vfs) -> str:
    """What becomes of the making of a segment."""
    try:
        make(vfs).close()
    except CommittedNotDurable:
        return "in place"
    except OSError:
        return "failed"
    return "made"


def test_failure_leaves_no_segment_or_says_that_it_is_there() -> None:
    """Whatever call fails; nothing of it stays open or locked."""
    outcomes = set()
    for fault in each_fault("EIO", "short 1"):
        disk = empty_log()
        outcome = outcome_of(Faulty(disk, fault))
        outcomes.add(outcome)
        assert (outcome != "failed") is (segment_name(5) in names(disk)), str(fault)
        assert [] == [path for path in disk.open_files if "segment" in path], str(fault)
        assert [] == disk.held_locks, str(fault)
    assert {"made", "in place", "failed"} == outcomes


def test_what_killed_makers_have_left_goes_with_the_next_one() -> None:
    """Whatever call they died at; what a living one has stays, and so does what is no leftover."""
    left = set()
    for fault in each_fault("stop"):
        disk = empty_log()
        with suppress(Stopped):
            make(Faulty(disk, fault))
        left.update(name.endswith("holdfast-tmp") for name in names(disk))
        living = Made()
        create(living, disk.folder("/log"), "of a writer", permissions=0o600, vfs=disk)
        disk.folder("/log").open("letter.txt", "create")
        make(disk, HEADER._replace(first=9))
        expected = {str(living.temp), "letter.txt", segment_name(9)}
        assert {segment_name(5)} >= {*names(disk)} - expected, str(fault)
        assert expected <= {*names(disk)}, str(fault)
    assert {True, False} == left


def test_leftovers_that_cannot_be_removed_are_no_hindrance() -> None:
    """They only take room."""
    left = f".{segment_name(3)}.0123456789abcdef.holdfast-tmp"
    for operation in ("names", "unlink"):
        disk = empty_log()
        disk.write_tree({f"log/{left}": b"x"})
        fault = Fault(operation, 1, effect="EIO")
        make(Faulty(disk, fault))
        assert fault.fired
        assert [left, segment_name(5)] == names(disk)


def test_folder_that_cannot_be_synced_leaves_it_in_place() -> None:
    """The name may go with the power, and that is said."""
    disk = empty_log()
    with pytest.raises(CommittedNotDurable, match="a power cut may take it away") as caught:
        make(Faulty(disk, Fault("sync_folder", 1, effect="EIO")))
    assert errno.EIO == caught.value.errno
    assert [segment_name(5)] == names(disk)


def test_full_disk_is_told_with_what_to_do() -> None:
    """The system's own error, and a note."""
    disk = empty_log()
    with pytest.raises(OSError, match="No space") as caught:
        make(Faulty(disk, Fault("write", 1, effect="ENOSPC")))
    assert "drop_before" in caught.value.__notes__[0]
    assert [] == names(disk)


@pytest.mark.parametrize(
    ("sequence", "kept"), [(1, 1), (10, 1), (11, 11), (20, 11), (21, 21), (999, 21)]
)
def test_segments_before_a_sequence_go(sequence, kept) -> None:
    """Those whose records all lie before it; the last one stays."""
    disk = three()
    assert kept == remove_before(disk.folder("/log"), sequence)
    assert [first for first in (1, 11, 21) if first >= kept] == firsts_of(disk.folder("/log"))


def test_oldest_is_gone_from_the_disk_before_the_next_one_goes() -> None:
    """A crash leaves no gap."""
    disk = three()
    remove_before(disk.folder("/log"), 21)
    left = {tuple(firsts_of(crashed.folder("/log"))) for crashed in disk.crash_states()}
    assert {(1, 11, 21), (11, 21), (21,)} == left


def test_what_was_removed_stays_removed() -> None:
    """On return the removal is durable."""
    disk = three()
    remove_before(disk.folder("/log"), 21)
    assert [21] == firsts_of(disk.crash().folder("/log"))


@pytest.mark.parametrize(("segment_bytes", "filled"), [(1024, 1024), (1 << 26, 1 << 16)])
def test_first_fill_is_no_more_than_a_segment(segment_bytes, filled) -> None:
    """And small, as many logs are."""
    assert filled == first_fill(segment_bytes)
