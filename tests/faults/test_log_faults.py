"""Logs whose disk is damaged, full, hostile or ill: nothing acknowledged goes unseen."""

from __future__ import annotations

import errno
import os
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from holdfast.errors import Corruption, HandlePoisoned, HoldfastError, UnknownFormat
from holdfast.formats.log_format import SegmentHeader, encode_segment, segment_name
from holdfast.primitives.log import Log
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.log_bytes import Segment, as_folder, resealed

SIZES = (20, 300, 0, 150, 200, 100, 64, 90, 5)
BATCH = [b"x", b"", b"yy"]
EXPECTED = [bytes([65 + number]) * size for number, size in enumerate(SIZES)] + BATCH
ALL, REFUSED = "all", "refused"
LONGEST_S = 10.0


def written(*, zeros: bool) -> MemoryVFS:
    """A closed log of three segments."""
    disk = MemoryVFS()
    disk.place = disk.place._replace(zero_filling=zeros)
    with Log("/log", segment_bytes=1024, vfs=disk, clock=ManualClock()) as log:
        for data in EXPECTED[: len(SIZES)]:
            log.append(data)
        log.append_many(BATCH)
    return disk


def segments_of(disk: MemoryVFS) -> dict[str, bytes]:
    return {
        name: value
        for name, value in disk.tree().items()
        if name.endswith(".segment") and isinstance(value, bytes)
    }


def on_another_disk(disk: MemoryVFS, name: str, data: bytes) -> MemoryVFS:
    other = MemoryVFS()
    other.place = disk.place
    other.write_tree({**disk.tree(), name: data})
    return other


def outcome(disk: MemoryVFS) -> str:
    """What reading, appending and reading again come to: all, refused, or how many are left."""
    with Log("/log", segment_bytes=1024, vfs=disk) as log:
        before, said = reads(log), ""
        try:
            log.append(b"new")
        except (Corruption, UnknownFormat):
            assert before in (None, EXPECTED)
            return REFUSED
        if log.recovered is not None:
            said = f", {log.recovered.kind}"
        after = reads(log)
    if after is None:
        return REFUSED
    assert before is not None, "what was refused was read after an append"
    assert after == [*before, b"new"]
    assert before == EXPECTED[: len(before)]
    return ALL if before == EXPECTED else f"{len(before)}{said}"


def reads(log: Log) -> list[bytes] | None:
    try:
        return [record.data for record in log.read()]
    except (Corruption, UnknownFormat):
        return None


@pytest.mark.parametrize("zeros", [False, True])
def test_no_flipped_bit_loses_a_record(zeros: bool) -> None:
    """A bit of each byte: all is read, or it is damage; in the last frame, too."""
    disk = written(zeros=zeros)
    found: Counter[str] = Counter()
    for name, data in segments_of(disk).items():
        for at in range(len(data)):
            changed = bytearray(data)
            changed[at] ^= 1 << at * 5 % 8
            found[outcome(on_another_disk(disk, name, bytes(changed)))] += 1

    assert {ALL, REFUSED} >= {*found}
    assert found[REFUSED] > 2500
    assert (found[ALL] > 0) is zeros


@pytest.mark.parametrize("zeros", [False, True])
def test_cut_segment_loses_nothing_but_its_last_frames(zeros: bool) -> None:
    """What the last one lost is told, but where it was cut at the end of a frame."""
    disk = written(zeros=zeros)
    *sealed, last = segments_of(disk)
    for name in sealed:
        data = segments_of(disk)[name]
        for at in range(len(data)):
            assert outcome(on_another_disk(disk, name, data[:at])) in {ALL, REFUSED}, (name, at)
    data = segments_of(disk)[last]
    found = [outcome(on_another_disk(disk, last, data[:at])) for at in range(len(data))]
    silent = [one for one in found if one not in {ALL, REFUSED} and "torn" not in one]

    assert {REFUSED} == {*found[:512]}
    assert ["5", "6", "7", "8", "9"] == silent


@pytest.mark.parametrize("zeros", [False, True])
def test_cut_while_the_hint_knows_better_is_refused(zeros: bool) -> None:
    """On the boot on which it was written, no cut of what was durable goes unseen, nor is cut."""
    last, data = [*segments_of(written(zeros=zeros)).items()][-1]
    found = []
    for at in range(0, len(data), 3):
        disk = written(zeros=zeros)
        folder = disk.folder("/log")
        file = folder.open(last.rpartition("/")[2], "write")
        file.truncate(at)
        file.close()
        folder.close()
        found.append(outcome(disk))

    assert {ALL, REFUSED} == {*found}
    assert found[: found.index(ALL)] == [REFUSED] * found.index(ALL)


# ------------------------------------------------------------ a full disk


@pytest.mark.parametrize("zeros", [False, True])
def test_disk_that_is_full_at_any_byte(zeros: bool) -> None:
    """What returned is there; what raised is not, in part or in whole; with room it goes on."""
    outcomes, errors = Counter[int](), Counter[int | None]()
    for capacity in range(0, 9000, 7):
        disk = MemoryVFS(capacity_bytes=capacity)
        disk.place = disk.place._replace(zero_filling=zeros)
        with Log("/log", segment_bytes=1024, vfs=disk) as log:
            acked = []
            for data in EXPECTED:
                try:
                    assert len(acked) + 1 == log.append(data)
                    acked.append(data)
                except OSError as error:
                    errors[error.errno] += 1
                    break
            assert acked == reads(log)
            disk.core.capacity_bytes = None
            log.append(b"with room")
            assert [*acked, b"with room"] == reads(log)
        assert [] == disk.held_locks
        assert not [name for name in disk.tree() if "holdfast-tmp" in name]
        outcomes[len(acked)] += 1

    assert {errno.ENOSPC} == {*errors}
    assert {0, len(EXPECTED)} <= {*outcomes}
    assert len(outcomes) > 4


# ------------------------------------------------------------ failed syncs


def test_sync_that_fails_when_a_frame_is_cut_back_poisons() -> None:
    """The next sync would succeed and cover nothing, so nobody is told that he is durable."""
    disk = MemoryVFS()
    faulty = Faulty(disk)
    with (
        Log("/log", sync="never", vfs=faulty) as log,
        Log("/log", sync="never", vfs=faulty) as other,
    ):
        log.append(b"durable")
        log.barrier()
        other.append(b"not synced")
        faulty.faults = (
            Fault("write", 1, on="*segment*", effect="ENOSPC"),
            Fault("sync_data", 1, effect="EIO"),
        )
        with pytest.raises(OSError):
            log.append(b"no room")
        for handle in (log, other):
            with pytest.raises(HandlePoisoned):
                handle.barrier()
            with pytest.raises(HandlePoisoned):
                handle.append(b"never")
    with Log("/log", vfs=disk) as log:
        log.append(b"new")
        assert [b"durable", b"not synced", b"new"] == reads(log)


def test_rescue_refuses_what_was_damaged_meanwhile() -> None:
    """What was durable when the sync failed is checked before a new segment follows it."""
    disk = MemoryVFS()
    faulty = Faulty(disk)
    with Log("/log", vfs=faulty) as log:
        log.append(b"durable")
        faulty.faults = (Fault("sync_data", 1, effect="EIO"),)
        with pytest.raises(OSError):
            log.append(b"perhaps")
    folder = disk.folder("/log")
    file = folder.open(segment_name(1), "write")
    file.write(b"D", offset=552)
    file.close()
    folder.close()
    before = segments_of(disk)
    with Log("/log", vfs=disk) as log, pytest.raises(Corruption, match="durable"):
        log.append(b"new")

    assert before == segments_of(disk)


def test_write_that_writes_nothing_does_not_loop() -> None:
    """It is an error, and nothing was appended."""
    disk = MemoryVFS()
    faulty = Faulty(disk)
    with Log("/log", vfs=faulty) as log:
        log.append(b"one")
        faulty.faults = (Fault("write", 1, on="*segment*", effect="short 0", repeat=True),)
        with pytest.raises(OSError, match="nothing"):
            log.append(b"two")
        faulty.faults = ()
        assert 2 == log.append(b"three")


# ------------------------------------------------------------ clocks


class JumpingClock(ManualClock):
    """Its wall clock can be set; the monotonic one goes on."""

    jump_ns = 0

    def now_ns(self) -> int:
        """Nanoseconds since 1970, as somebody says."""
        return max(super().now_ns() + self.jump_ns, 0)


YEARS_NS = 10 * 365 * 86400 * 10**9


@pytest.mark.parametrize("jumps", [[1], [-1], [1, 0], [-1, 0], [-1, 1, -1, 0]])
def test_jumps_of_the_wall_clock_drop_nothing(jumps: list[int]) -> None:
    """Ten years ahead, back, and there again: what is a minute old is kept for an hour."""
    clock = JumpingClock()
    disk = MemoryVFS(clock=clock)
    with Log("/log", segment_bytes=1024, keep_s=3600, vfs=disk, clock=clock) as log:
        count = log.append(b"r" * 300)
        for jump in jumps:
            clock.jump_ns = jump * YEARS_NS
            for _ in range(5):
                clock.advance(10)
                count = log.append(b"r" * 300)
                log.apply_retention()
        assert [*range(1, count + 1)] == [record.sequence for record in log.read()]


# ------------------------------------------------------------ hostile folders


def refused(path: Path, error: type[HoldfastError]) -> str:
    """Reading and appending are refused, soon and with little memory; no file is replaced."""
    before = {entry.name: entry.lstat().st_ino for entry in path.iterdir() if entry.name != "lock"}
    tracemalloc.start()
    began_s = time.monotonic()
    try:
        with Log(path) as log:
            with pytest.raises(error):
                list(log.read())
            with pytest.raises(error) as caught:
                log.append(b"new")
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began_s < LONGEST_S
    after = {entry.name: entry.lstat().st_ino for entry in path.iterdir() if entry.name != "lock"}
    assert before == after
    return str(caught.value)


def put(path: Path, *segments: Segment, **more: bytes) -> Path:
    folder = path / "log"
    folder.mkdir()
    for name, data in {**as_folder(segments), **more}.items():
        (folder / name.rpartition("/")[2]).write_bytes(data)
    return folder


def with_header(segment: Segment, **fields: int) -> Segment:
    """The segment, its header says something else and is whole."""
    header = SegmentHeader(segment.first, segment.salt, 0)._replace(**fields)
    segment.data[:512] = encode_segment(header)
    return segment


@pytest.mark.parametrize("place", [8, 10, 12, 100])
def test_header_of_a_later_version_is_left_alone(tmp_path: Path, place: int) -> None:
    """Version, checksum, flags and reserved bytes: whatever is new, nothing is changed."""
    from zlib import crc32

    segment = Segment().append(b"x")
    segment.data[place] += 1
    segment.data[508:512] = crc32(segment.data[:508]).to_bytes(4, "little")

    assert "newer holdfast" in refused(put(tmp_path, segment), UnknownFormat)


@pytest.mark.parametrize("place", [4, 6])
def test_frame_of_a_later_version_is_left_alone(tmp_path: Path, place: int) -> None:
    """An unknown flag, or a reserved field that is used."""
    segment = Segment().append(b"x").append(b"y")
    segment.data[:] = resealed(segment, segment.starts[1], {place: b"\x02"})

    assert "newer holdfast" in refused(put(tmp_path, segment), UnknownFormat)


def test_header_that_names_itself_as_its_predecessor(tmp_path: Path) -> None:
    """A loop of headers is refused at the first."""
    segment = with_header(Segment(7), previous_first=7, previous_salt=1, previous_end=512)

    refused(put(tmp_path, segment), Corruption)


def test_headers_that_name_each_other(tmp_path: Path) -> None:
    """Who comes later cannot be the predecessor."""
    first, second = Segment(1).append(b"x"), Segment(2)
    with_header(first, previous_first=2, previous_salt=second.salt, previous_end=512)
    with_header(second, previous_first=1, previous_salt=first.salt, previous_end=560)

    refused(put(tmp_path, first, second), Corruption)


def test_lengths_that_nobody_can_hold(tmp_path: Path) -> None:
    """A frame that says it has 64 MiB and two million records is not believed."""
    segment = Segment().append(b"x").append(b"y")
    start = segment.starts[1]
    huge = {8: (64 << 20).to_bytes(4, "little"), 12: (1 << 21).to_bytes(4, "little")}
    segment.data[:] = resealed(segment, start, huge)
    segment.append(b"behind", synced=start + 8)

    refused(put(tmp_path, segment), Corruption)


def test_a_million_heads_that_all_say_they_are_large(tmp_path: Path) -> None:
    """To look at each of their bodies would take hours."""
    segment = Segment().append(b"x")
    end = len(segment.data)
    head = Segment().append(b"y" * 30, synced=512).data[512:]
    segment.data += b"\1" * 64 + bytes(head) * 20_000 + b"FRM1\0\0\0\0" * 200_000

    assert f"offset {end}" in refused(put(tmp_path, segment), Corruption)


def test_sparse_file_of_a_terabyte(tmp_path: Path) -> None:
    """It is larger than a segment can be, and is not read through."""
    folder = put(tmp_path, Segment().append(b"x"))
    os.truncate(folder / segment_name(1), 1 << 40)

    assert "at most" in refused(folder, Corruption)


@pytest.mark.parametrize("kind", ["fifo", "folder", "symlink", "dangling symlink", "empty", "text"])
def test_something_else_that_is_named_like_a_segment(tmp_path: Path, kind: str) -> None:
    """It is no segment: an error at once, and the log is not gone on with."""
    folder = put(tmp_path, Segment().append(b"x"))
    path = folder / segment_name(2)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind.endswith("symlink"):
        path.symlink_to("/dev/zero" if kind == "symlink" else "nowhere")
    else:
        path.write_bytes(b"" if kind == "empty" else b"some text\n" * 100)

    with Log(folder) as log:
        with pytest.raises((HoldfastError, OSError)):
            log.append(b"new")
        if kind != "dangling symlink":  # for readers it is not there
            with pytest.raises((HoldfastError, OSError)):
                list(log.read())


def test_names_that_no_sequence_has(tmp_path: Path) -> None:
    """Zero, and what has no 64 bits, are names of something else."""
    folder = put(tmp_path, Segment().append(b"x"))
    for name in ("0" * 20, "9" * 20, "1" * 19, "1" * 21):
        (folder / f"{name}.segment").write_bytes(b"of somebody else")
    with Log(folder) as log:
        assert 2 == log.append(b"new")
        assert [b"x", b"new"] == reads(log)


def test_last_sequence_that_there_is(tmp_path: Path) -> None:
    """Behind it comes none: a clear error, and what is there is read."""
    first = (1 << 64) - 3
    folder = put(tmp_path, Segment(first, salt=5 - first).append(b"last but one"))
    with Log(folder) as log:
        assert first + 1 == log.append(b"last")
        for _ in range(2):
            with pytest.raises(OSError, match="too large"):
                log.append(b"one too many")
        assert [b"last but one", b"last"] == reads(log)


def test_segments_of_another_log_are_told(tmp_path: Path) -> None:
    """A segment put in the place of another one is not read on with."""
    first = Segment().append(b"x")
    folder = put(tmp_path, first, Segment(2, after=first).append(b"y"))
    (folder / segment_name(1)).write_bytes(Segment(salt=77).append(b"z").data)

    refused(folder, Corruption)
