"""Frames are written at the end and published; what fails is cut back, or `BUSY` says so."""

from __future__ import annotations

import errno

import pytest

from holdfast.formats.log_format import encode_frame, segment_name
from holdfast.primitives.log import Log
from holdfast.primitives.log_hint import BUSY, END, LAST, POISON, WORDS, Tail, tail_of
from holdfast.primitives.log_segment import FILL_BYTES, open_segment
from holdfast.primitives.log_tip import Tip, agrees
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.memory_words import MemoryWords
from holdfast.vfs.trace import Trace
from tests.support.log_bytes import Segment, as_folder

DATA = Segment().append(b"a", b"b")
END_BYTES = len(DATA.data)
TAIL = Tail(END_BYTES, 2, END_BYTES, 512)
PATH = f"log/{segment_name(1)}"


def frame_of(*records: bytes) -> bytes:
    """The frame that comes next."""
    return encode_frame(list(records), first=3, offset=END_BYTES, synced=512, seed=DATA.seed)


def disk_of(data: bytes = bytes(DATA.data)) -> MemoryVFS:
    """A log of one segment."""
    disk = MemoryVFS()
    disk.write_tree(as_folder([]) | {PATH: data})
    return disk


def tip_on(vfs, tail: Tail = TAIL) -> tuple[Tip, MemoryWords]:
    """The tip of that log, and its words."""
    words = MemoryWords([0] * WORDS, WORDS, writable=True)
    words[END], words[LAST] = tail.end, tail.last
    return Tip(open_segment(vfs.folder("/log"), 1, "write"), tail, words), words


def contents(disk: MemoryVFS) -> bytes:
    """What the segment holds."""
    data = disk.tree()[PATH]
    assert isinstance(data, bytes)
    return data


def faulty(disk: MemoryVFS, *faults: str) -> Faulty:
    """The same disk with faults, by their texts."""
    return Faulty(disk, *(Fault.parse(fault) for fault in faults))


def test_written_frame_is_published() -> None:
    """It stands at the end, and the words say so."""
    disk = disk_of()
    tip, words = tip_on(disk)
    frame = frame_of(b"c", b"d", b"e")
    tip.write(frame, 3)
    end = END_BYTES + len(frame)
    assert bytes(DATA.data) + frame == contents(disk)
    assert (end, 5) == (tip.end, tip.last)
    assert Tail(end, 5, end, END_BYTES) == tail_of(words, tip.segment.place)


def test_busy_is_said_before_the_first_byte() -> None:
    """Who dies in the middle has told everybody to look."""
    traced = Trace(disk_of())
    tip, words = tip_on(traced)
    seen: list[tuple[str, int, int]] = []
    traced.subscribe(lambda call: seen.append((call.operation, words[BUSY], words[END])))
    tip.write(frame_of(b"c"), 1)
    assert [("write", END_BYTES, END_BYTES)] == seen
    assert 0 == words[BUSY]


def test_write_that_came_short_is_completed() -> None:
    """The system may take a part of it, without an error."""
    disk = disk_of()
    tip, _ = tip_on(faulty(disk, "write 1 -> short 7", "write 2 -> short 11"))
    frame = frame_of(b"c" * 100)
    tip.write(frame, 1)
    assert bytes(DATA.data) + frame == contents(disk)


def test_write_of_nothing_is_an_error() -> None:
    """It would be tried for ever."""
    disk = disk_of()
    tip, _ = tip_on(faulty(disk, "write 1+ -> short 0"))
    with pytest.raises(OSError, match="wrote nothing"):
        tip.write(frame_of(b"c"), 1)
    assert bytes(DATA.data) == contents(disk)


def test_failed_write_is_cut_back_and_told() -> None:
    """Nothing was appended, the tail stands, and the next frame goes to the same place."""
    disk = disk_of()
    tip, words = tip_on(faulty(disk, "write 1 -> short 20", "write 2 -> ENOSPC"))
    with pytest.raises(OSError, match="No space") as caught:
        tip.write(frame_of(b"c"), 1)
    assert str(caught.value.filename).endswith(segment_name(1))
    assert "Nothing was appended" in caught.value.__notes__[0]
    assert bytes(DATA.data) == contents(disk)
    assert TAIL._replace(last_at=0) == tail_of(words, tip.segment.place)
    tip.write(frame_of(b"d"), 1)
    assert bytes(DATA.data) + frame_of(b"d") == contents(disk)


def test_cut_is_synced_before_anything_else_is_written() -> None:
    """No sector of the old bytes may come back beside one of the new."""
    traced = Trace(faulty(disk_of(), "write 1 -> ENOSPC"))
    tip, _ = tip_on(traced)
    traced.clear()
    with pytest.raises(OSError):
        tip.write(frame_of(b"c"), 1)
    assert ["write", "truncate", "sync_data"] == traced.operations


def test_what_cannot_be_cut_back_stays_busy() -> None:
    """The next writer looks at what there is."""
    tip, words = tip_on(faulty(disk_of(), "write 1 -> ENOSPC", "truncate 1 -> EIO"))
    with pytest.raises(OSError):
        tip.write(frame_of(b"c"), 1)
    assert END_BYTES == words[BUSY]


def test_cut_that_cannot_be_synced_poisons() -> None:
    """The next sync of that file would succeed, and cover nothing."""
    tip, words = tip_on(faulty(disk_of(), "write 1 -> ENOSPC", "sync_data 1 -> EIO"))
    with pytest.raises(OSError, match="Input/output"):
        tip.write(frame_of(b"c"), 1)
    assert errno.EIO == words[POISON]
    assert END_BYTES == words[BUSY]


@pytest.mark.parametrize(
    ("needed", "most", "filled"),
    [
        (END_BYTES + 8, 1 << 30, 2 * END_BYTES),
        (END_BYTES + 8, END_BYTES + 16, END_BYTES + 16),
        (5000, 4096, 5000),
    ],
)
def test_zeros_go_as_far_as_it_pays(needed, most, filled) -> None:
    """Twice what there is, within the segment, and in any case what is needed."""
    disk = disk_of()
    tip, words = tip_on(disk)
    tip.fill(needed, most=most)
    assert bytes(DATA.data) + bytes(filled - END_BYTES) == contents(disk)
    assert filled == tip.filled
    assert TAIL._replace(filled=filled, last_at=0) == tail_of(words, tip.segment.place)


def test_zeros_grow_by_a_mebibyte_at_most() -> None:
    """However large the segment is already."""
    disk = disk_of(bytes(DATA.data) + bytes((3 << 20) - END_BYTES))
    tip, _ = tip_on(disk, TAIL._replace(filled=3 << 20))
    tip.fill((3 << 20) + 8, most=1 << 30)
    assert (3 << 20) + FILL_BYTES == tip.filled


def test_zeros_that_do_not_fit_are_no_error_while_the_frame_does() -> None:
    """A full disk spares the zeros first, whether it took a part of them or none."""
    for faults in (["write 1 -> ENOSPC"], ["write 1 -> short 24", "write 2 -> ENOSPC"]):
        disk = disk_of()
        tip, _ = tip_on(faulty(disk, *faults))
        tip.fill(END_BYTES + 24, most=4096)
        assert END_BYTES + 24 == tip.filled == len(contents(disk))


def test_frame_that_does_not_fit_is_an_error() -> None:
    """Nothing was appended, and the tail is believed as before."""
    tip, words = tip_on(faulty(disk_of(), "write 1+ -> ENOSPC"))
    with pytest.raises(OSError, match="No space") as caught:
        tip.fill(END_BYTES + 24, most=4096)
    assert "no room for the record" in caught.value.__notes__[0]
    assert TAIL._replace(last_at=0) == tail_of(words, tip.segment.place)


def test_segment_without_frames_is_empty() -> None:
    """A close mark or a record ends that."""
    disk = disk_of()
    assert tip_on(disk, Tail(512, 0, 512, 0))[0].is_empty
    assert not tip_on(disk)[0].is_empty


def opened(data: bytes):
    """A segment with these bytes."""
    return open_segment(disk_of(data).folder("/log"), 1, "read")


@pytest.mark.parametrize("behind", [0, 4, 8, 5000])
def test_tail_that_the_segment_bears_out_agrees(behind) -> None:
    """The last frame is whole, and zeros or the end follow."""
    assert agrees(opened(bytes(DATA.data) + bytes(behind)), TAIL)


@pytest.mark.parametrize(
    "change",
    [
        {"end": END_BYTES + 8},
        {"end": END_BYTES - 8},
        {"end": 0},
        {"end": 1 << 40},
        {"last": 3},
        {"last_at": 520},
        {"last_at": 8},
        {"last_at": END_BYTES},
        {"last_at": 0},
    ],
)
def test_tail_that_the_segment_contradicts_does_not_agree(change) -> None:
    """Whatever is wrong with it."""
    assert not agrees(opened(bytes(DATA.data) + bytes(64)), TAIL._replace(**change))


@pytest.mark.parametrize("at", range(512, END_BYTES + 8, 5))
def test_damaged_last_frame_does_not_agree(at) -> None:
    """A bit anywhere in it, or right behind it."""
    data = bytearray(bytes(DATA.data) + bytes(8))
    data[at] ^= 1
    assert not agrees(opened(bytes(data)), TAIL)


def test_new_segment_agrees_while_it_is_empty() -> None:
    """No frame, and none is claimed."""
    empty = Tail(512, 0, 512, 0)
    assert agrees(opened(bytes(Segment().data)), empty)
    assert not agrees(opened(bytes(Segment().data)), empty._replace(last=1))
    assert not agrees(opened(bytes(DATA.data)), empty)


def test_zeros_of_which_nothing_is_taken_are_an_error() -> None:
    """It does not loop for ever; what was there is as it was."""
    disk = MemoryVFS()
    with Log("/log", segment_bytes=1 << 20, vfs=disk) as log:
        log.append(b"a")
    faulty = Faulty(disk, Fault("write", 1, effect="short 0", on="*.segment", repeat=True))
    with (
        Log("/log", segment_bytes=1 << 20, vfs=faulty) as log,
        pytest.raises(OSError, match="wrote nothing"),
    ):
        log.append(b"b" * 100_000)
    assert [b"a"] == [record.data for record in Log("/log", vfs=disk).read()]
