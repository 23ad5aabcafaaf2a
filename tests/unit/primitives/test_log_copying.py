"""The log that a repair writes: frames keep their bytes, the guard goes last."""

from __future__ import annotations

import errno

import pytest

from holdfast.errors import Corruption
from holdfast.formats.log_format import MAX_SEQUENCE, decode_head, decode_segment, segment_name
from holdfast.primitives.log_copying import GUARD_NAME, Target
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.log_bytes import Segment, reader
from tests.support.log_places import Place, salvaged


def heads(segment: Segment) -> list:
    """The heads of all frames."""
    found = [decode_head(segment.data, at, offset=at, seed=segment.seed) for at in segment.starts]
    assert None not in found
    return found


def test_guard_comes_first_and_goes_last() -> None:
    """It is durable before any segment is there, and goes when all are durable."""
    vfs, segment = MemoryVFS(), Segment().append(b"a").append(b"b")
    trace = Trace(vfs)
    target = Target("/new", vfs=trace)
    target.open(0o700)
    for head in heads(segment):
        target.add(reader(bytes(segment.data)), head)
    target.finish()
    target.end()
    told = [(c.operation, c.name.rpartition("/")[2]) for c in trace.calls]
    steps = [one for one in told if one[0] in {"mkdir", "open", "sync", "sync_folder", "unlink"}]

    assert [
        ("mkdir", "new"),
        ("sync_folder", ""),
        ("open", GUARD_NAME),
        ("sync", GUARD_NAME),
        ("sync_folder", "new"),
        ("open", segment.name),
        ("sync", segment.name),
        ("sync_folder", "new"),
        ("unlink", GUARD_NAME),
        ("sync_folder", "new"),
    ] == steps
    assert segment_name(MAX_SEQUENCE) == GUARD_NAME


def test_frame_keeps_its_body() -> None:
    """Head and checksums are new, and fit; a gap begins a segment that states the end."""
    segment = Segment().append(b"a", b"", b"b" * 9).append(b"c" * 600_000).append(b"d").append(b"e")
    place = Place(None)
    target = Target("/new", vfs=place.vfs)
    target.open(0o777)
    for number, head in enumerate(heads(segment)):
        if number != 2:
            target.add(reader(bytes(segment.data)), head)
    target.finish()
    target.end()
    records, tail = salvaged(place, "new")

    assert {1: b"a", 2: b"", 3: b"b" * 9, 4: b"c" * 600_000, 6: b"e"} == records
    assert tail.verdict == "clean"
    assert [1, 6] == [decode_segment(d[:512], path="s").first for d in place.segments("new")]


@pytest.mark.parametrize(("size", "nth"), [(9, 1), (600_000, 1), (600_000, 2)])
def test_what_reads_otherwise_the_second_time_is_not_sealed(size, nth) -> None:
    """A disk that gives other bytes than before: an error, never a right checksum on them."""
    segment = Segment().append(b"a" * size)
    data, reads = bytes(segment.data), []

    def read(asked: int, offset: int) -> bytes:
        reads.append(offset)
        got = data[offset : offset + asked]
        late = reads.count(offset) >= nth
        return bytes([got[0] ^ 1]) + got[1:] if late else got

    vfs = MemoryVFS()
    target = Target("/new", vfs=vfs)
    target.open(0o777)
    try:
        with pytest.raises(OSError, match="read in two ways") as caught:
            target.add(read, heads(segment)[0])
        assert errno.EIO == caught.value.errno
    finally:
        target.end()
    assert {} == vfs.tree()


def test_log_that_is_not_done_is_refused() -> None:
    """The guard is no segment for anybody."""
    vfs = MemoryVFS()
    target = Target("/new", vfs=vfs)
    target.open(0o777)
    guard = Place(None)
    guard.vfs = vfs
    with pytest.raises(Corruption):
        decode_segment(guard.files("new")[GUARD_NAME], path="new")
    target.end()

    assert {} == guard.files("new")
    with pytest.raises(OSError):
        _ = Target("/new", vfs=vfs).folder
