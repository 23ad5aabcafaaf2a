"""The segments of a log as they lie there: headers, neighbours, seeds, and disks that fail."""

from __future__ import annotations

import pytest

from holdfast.errors import BadFrame, ChecksumMismatch
from holdfast.primitives.log_survey import (
    Reading,
    find_seed,
    firsts_in,
    followed,
    misfit,
    stated_end,
    survey,
)
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.log_bytes import Segment, as_folder


def folder_of(files: dict[str, bytes], vfs: MemoryVFS | None = None):
    """The open folder of a log in memory."""
    vfs = vfs or MemoryVFS()
    vfs.write_tree(files)
    return vfs.folder("/log")


def pair() -> tuple[Segment, Segment]:
    """Two segments that fit."""
    a = Segment().append(b"a" * 5000).append(b"b")
    return a, Segment(a.next, after=a).append(b"c")


def test_segments_come_in_the_order_of_their_sequences() -> None:
    """Other names are left out, and what is wrong with a header is kept."""
    a, b = pair()
    c = Segment(9)
    files = as_folder([a, b]) | {f"log/{c.name}": b"", "log/notes": b"x", "log/1.segment": b"y"}
    files[f"log/{a.name}"] = a.with_bits(200, 1)
    folder = folder_of(files)
    found = survey(folder)

    assert [1, 3, 9] == firsts_in(folder) == [one.first for one in found]
    assert [ChecksumMismatch, type(None), BadFrame] == [type(one.problem) for one in found]
    assert [None, b.salt, None] == [one.header and one.header.salt for one in found]
    assert [a.name, b.name, c.name] == [one.name for one in found]
    assert [f"/log/{a.name}", f"/log/{b.name}", f"/log/{c.name}"] == [one.path for one in found]
    assert [(1, 3), (3, 9), (9, None)] == [
        (this.first, after and after.first) for this, after in followed(found)
    ]
    assert [] == list(followed([]))


def test_end_is_stated_by_a_segment_that_fits() -> None:
    """One that fits states it; none, a damaged or a strange one does not."""
    a, b = pair()
    this, after = survey(folder_of(as_folder([a, b])))
    broken = after._replace(header=None)
    assert after.header is not None
    strange = after._replace(header=after.header._replace(previous_salt=1))

    assert len(a.data) == stated_end(this, after)
    assert len(a.data) == stated_end(this._replace(header=None), after)
    assert [None] * 3 == [stated_end(this, other) for other in (None, broken, strange)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"first": 4}, "its header says that its first record is 4"),
        ({"previous_first": 0}, "nothing comes before it"),
        ({"previous_first": 2}, "00000000000000000002.segment, which comes before it, is missing"),
        ({"previous_salt": 2}, "another segment had the place"),
    ],
)
def test_misfit_is_named(change, reason) -> None:
    """Whatever does not agree with the name or the neighbour."""
    this, after = survey(folder_of(as_folder(pair())))
    assert after.header is not None
    found = misfit(after._replace(header=after.header._replace(**change)), this)

    assert bool(reason) is bool(found)
    assert reason in found
    assert not misfit(after._replace(header=None), this)
    assert not misfit(this, None)


def test_reading_goes_on_after_short_reads_and_holes_of_the_disk() -> None:
    """Short reads are continued; a block that fails reads as zeros and is counted."""
    a, _ = pair()
    vfs = MemoryVFS()
    folder_of(as_folder([a]), vfs)
    for effect in ("short 100", "EIO"):
        whole = Faulty(vfs, Fault("read", 1, effect=effect, repeat=effect != "EIO"))
        with Reading(whole.folder("/log"), a.name) as reading:
            assert bytes(a.data) == reading.read(1 << 20, 0)  # the second try succeeds
            assert (len(a.data), set()) == (reading.size, reading.unread)
            assert bytes(a.data[100:200]) == reading.read(100, 100)
            assert reading.read(10, len(a.data)) == b""
    dead = Faulty(vfs, Fault("read", 2, effect="EIO", repeat=True))
    with Reading(dead.folder("/log"), a.name) as reading:
        assert bytes(a.data[:8]) == reading.read(8, 0)
        assert bytes(5000) == reading.read(5000, 3)
        assert {3, 4096} == reading.unread


def test_other_errors_of_reading_are_raised() -> None:
    """Only what the disk cannot read is passed over."""
    a, _ = pair()
    vfs = MemoryVFS()
    folder_of(as_folder([a]), vfs)
    for nth, effect in ((1, "EBADF"), (2, "EBADF")):
        faulty = Faulty(vfs, Fault("read", nth, effect=effect))
        with Reading(faulty.folder("/log"), a.name) as reading, pytest.raises(OSError):
            reading.read(8, 0)
            reading.read(8, 0)


@pytest.mark.parametrize("lost", ["nothing", "checksum", "salt", "all"])
@pytest.mark.parametrize("alone", [True, False])
def test_seed_is_found(lost, alone) -> None:
    """From the header, its remains, the next one, or the frames."""
    a, b = pair()
    block = bytearray(a.data)
    if lost == "checksum":
        block[300] ^= 1
    elif lost == "salt":
        block[24] ^= 1
    elif lost == "all":
        block[:512] = bytes(512)
    files = as_folder([a] if alone else [a, b]) | {f"log/{a.name}": bytes(block)}
    folder = folder_of(files)
    this, after = next(followed(survey(folder)))
    with Reading(folder, a.name) as reading:
        assert a.seed == find_seed(reading, this, after)


def test_seed_of_rubbish_is_none() -> None:
    """No frame tells it."""
    folder = folder_of({f"log/{Segment().name}": b"FRM1" * 5000})
    this = survey(folder)[0]
    with Reading(folder, this.name) as reading:
        assert find_seed(reading, this, None) is None
