"""The end of a log is found, made durable, and begun anew where a crash has torn it."""

from __future__ import annotations

import errno

import pytest

from holdfast.errors import BadFrame, CommittedNotDurable, Corruption
from holdfast.formats.log_format import FIRST_OFFSET, MAX_SEQUENCE, decode_segment, segment_name
from holdfast.primitives.log_hint import Tail
from holdfast.primitives.log_recovery import (
    Durable,
    Maker,
    Recovered,
    Recovery,
    Settings,
    find_end,
    rescue,
)
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.log_bytes import Segment, as_folder
from tests.support.log_crashes import read_log

SYNCED = FIRST_OFFSET


class Scene:
    """A log on some disk, and what became of a recovery."""

    def __init__(self, disk: MemoryVFS, vfs=None, *, zero_filling: bool = False) -> None:
        self.disk = disk
        self.vfs = vfs or disk
        self.clock = ManualClock()
        self.published: list[Recovered] = []
        self.unsynced: list[int] = []
        self.refusal: Exception | None = None
        self.asked: list[Tail] = []
        self.folder = self.vfs.folder("/log")
        settings = Settings("/log", 4096, 0o666, self.vfs, self.clock)
        self.maker = Maker(
            self.folder, settings=settings, zero_filling=zero_filling, unsynced=self.unsynced.append
        )

    def refuse(self, _segment: object, tail: Tail) -> None:
        """A sync has failed since, or not."""
        self.asked.append(tail)
        if self.refusal is not None:
            raise self.refusal

    def find_end(self) -> Recovery | None:
        """Recover."""
        return find_end(self.folder, self.maker, self.published.append, refuse=self.refuse)

    def rescue(self, durable: Durable) -> Recovery:
        """Recover after a failed sync."""
        return rescue(self.folder, self.maker, self.published.append, durable=durable)

    def files(self) -> dict[str, bytes]:
        """The segments, by their names."""
        found = {name[4:]: data for name, data in self.disk.tree().items() if "segment" in name}
        return {name: data for name, data in found.items() if isinstance(data, bytes)}

    def data(self) -> list[bytes]:
        """What a reader of the files sees."""
        return list(read_log(list(self.files().values())).records.values())


def scene_of(*segments: Segment, faults: tuple[str, ...] = ()) -> Scene:
    """A log of these segments."""
    disk = MemoryVFS()
    disk.write_tree(as_folder(segments) if segments else {"log": None})
    return Scene(disk, Faulty(disk, *map(Fault.parse, faults)) if faults else None)


def torn() -> Segment:
    """Two records, and the beginning of a third; its end stands where that begins."""
    segment = Segment().append(b"a", b"b")
    whole = len(segment.data)
    segment.append(b"c" * 2000, synced=SYNCED)
    segment.data[1024:] = bytes(len(segment.data) - 1024)
    assert whole < 1024
    return segment


def test_first_segment_begins_with_record_one() -> None:
    """In an empty folder; nothing had to be recovered."""
    scene = scene_of()
    assert scene.find_end() is None
    [(segment, tail)] = scene.published
    assert (1, 0) == (segment.header.first, segment.header.previous_first)
    assert Tail(FIRST_OFFSET, 0, FIRST_OFFSET, 0) == tail
    assert [segment_name(1)] == list(scene.files())


def test_clean_end_is_gone_on_from() -> None:
    """In the same segment, behind the last frame; what is filled with zeros counts as filled."""
    data = Segment().append(b"a").append(b"b", b"c")
    end = len(data.data)
    data.fill(100)
    scene = scene_of(data)
    assert scene.find_end() is None
    [(segment, tail)] = scene.published
    assert f"/log/{data.name}" == segment.path
    assert Tail(end, 3, end + 100, data.starts[-1]) == tail


def test_what_is_found_is_durable_before_it_is_published() -> None:
    """Segment and folder; under the lock of the segment."""
    disk = MemoryVFS()
    disk.write_tree(as_folder([Segment().append(b"a")]))
    traced = Trace(disk)
    scene = Scene(disk, traced)
    seen: list[list[str]] = []
    find_end(
        scene.folder,
        scene.maker,
        lambda _: seen.append([*traced.operations, *disk.held_locks]),
        refuse=scene.refuse,
    )
    [before] = seen
    assert before.index("lock") < before.index("sync_data") < before.index("sync_folder")
    assert f"/log/{segment_name(1)}".endswith(before[-1].rpartition("/")[2])
    assert [] == disk.held_locks


def test_torn_end_is_cut_by_a_new_segment() -> None:
    """Its header says where the old one ends, of which no byte is changed."""
    data = torn()
    scene = scene_of(data)
    recovery = scene.find_end()
    assert recovery is not None
    end = data.starts[1]
    assert ("torn", f"/log/{data.name}", end, 0) == recovery[:4]
    assert recovery.tail_bytes > 0
    files = scene.files()
    assert bytes(data.data) == files[data.name]
    header = decode_segment(files[segment_name(3)][:512], path="")
    assert (1, data.salt, end) == header[-3:]
    [(segment, tail)] = scene.published
    assert (3, 2) == (segment.header.first, tail.last)
    assert [b"a", b"b"] == scene.data()


def test_whole_records_behind_a_hole_are_counted() -> None:
    """They never were acknowledged, as what stood before them was not."""
    data = Segment().append(b"a")
    hole = len(data.data)
    data.append(b"b" * 500, synced=SYNCED).append(b"c", b"d", synced=SYNCED)
    data.data[hole : hole + 100] = bytes(100)
    data.data[hole + 100 : data.starts[2]] = bytes(data.starts[2] - hole - 100)
    recovery = scene_of(data).find_end()
    assert recovery is not None
    assert ("hole", hole, 2) == (recovery.kind, recovery.offset, recovery.dropped_records)
    assert "2 whole records" in recovery.message


def test_segment_without_frames_is_replaced_under_its_name() -> None:
    """Torn from its beginning on: what it says of the one before stays."""
    before = Segment().append(b"a")
    data = Segment(2, after=before)
    data.append(b"b" * 2000, synced=SYNCED)
    data.data[1024:] = bytes(len(data.data) - 1024)
    scene = scene_of(before, data)
    recovery = scene.find_end()
    assert recovery is not None
    assert FIRST_OFFSET == recovery.offset
    found = decode_segment(scene.files()[data.name][:512], path="")
    old = decode_segment(bytes(data.data[:512]), path="")
    assert old[3:] == found[3:]
    assert old.salt != found.salt
    assert [b"a"] == scene.data()


def test_damage_is_corruption_and_nothing_is_changed() -> None:
    """Neither published nor made durable."""
    data = Segment().append(b"a").append(b"b")
    data.data[data.starts[0] + 41] ^= 1
    scene = scene_of(data)
    before = scene.disk.tree()
    with pytest.raises(Corruption, match="offset 512") as caught:
        scene.find_end()
    assert 512 == caught.value.offset
    assert (before, []) == (scene.disk.tree(), scene.published)
    assert [] == scene.disk.held_locks


def test_missing_segment_is_corruption() -> None:
    """A header names the one before it."""
    one = Segment().append(b"a")
    two = Segment(2, after=one).append(b"b")
    scene = scene_of(one, Segment(3, after=two).append(b"c"))
    with pytest.raises(Corruption, match="missing"):
        scene.find_end()
    assert [] == scene.published


def test_repaired_log_with_a_gap_goes_on() -> None:
    """The second segment follows by its header, and begins later."""
    one = Segment().append(b"a")
    scene = scene_of(one, Segment(7, after=one).append(b"g"))
    assert scene.find_end() is None
    assert 7 == scene.published[0].tail.last


def test_unfinished_repair_is_refused() -> None:
    """The file that a repair makes first is no segment."""
    disk = MemoryVFS()
    disk.write_tree({f"log/{segment_name(MAX_SEQUENCE)}": b"repair under way"})
    with pytest.raises(BadFrame):
        Scene(disk).find_end()


def test_refusal_under_the_lock_ends_it() -> None:
    """A sync has failed meanwhile: nothing is published, nothing stays locked."""
    scene = scene_of(Segment().append(b"a"))
    scene.refusal = Corruption("no", path="/log")
    with pytest.raises(Corruption):
        scene.find_end()
    assert ([], []) == (scene.published, scene.disk.held_locks)
    assert [1] == [tail.last for tail in scene.asked]


@pytest.mark.parametrize("fault", ["sync_data 1 -> EIO", "sync_folder 1 -> EIO"])
def test_end_that_cannot_be_synced_poisons(fault) -> None:
    """Nothing of that segment counts as durable, and nothing is published."""
    scene = scene_of(Segment(5).append(b"a"), faults=(fault,))
    with pytest.raises(OSError) as caught:
        scene.find_end()
    assert errno.EIO == caught.value.errno
    assert ([5], []) == (scene.unsynced, scene.published)


def test_new_segment_whose_name_cannot_be_synced_poisons() -> None:
    """From its first record on."""
    scene = scene_of(faults=("sync_folder 1 -> EIO",))
    with pytest.raises(CommittedNotDurable):
        scene.find_end()
    assert ([1], []) == (scene.unsynced, scene.published)


def test_maker_gives_time_salt_and_zeros() -> None:
    """Each segment has a salt of its own; zeros where they pay."""
    disk = MemoryVFS()
    disk.write_tree({"log": None})
    scene = Scene(disk, zero_filling=True)
    one, other = scene.maker.header(1), scene.maker.header(1)
    assert one.salt != other.salt
    assert scene.clock.now_ns() == one.created_ns
    _, tail = scene.maker.make(one)
    assert 4096 == tail.filled == len(scene.files()[segment_name(1)])


def poisoned(*, synced_frames: int) -> tuple[Segment, Durable]:
    """Three frames of two records each, so many of them known durable."""
    data = Segment()
    for letters in (b"ab", b"cd", b"ef"):
        data.append(letters[:1], letters[1:], synced=SYNCED)
    ends = [FIRST_OFFSET, *data.starts[1:], len(data.data)]
    return data, Durable(1, 2 * synced_frames, ends[synced_frames])


@pytest.mark.parametrize("synced_frames", [0, 1, 2, 3])
def test_rescued_records_keep_their_numbers_in_a_new_segment(synced_frames) -> None:
    """What was durable stays where it is; what the disk gives back besides is written anew."""
    data, durable = poisoned(synced_frames=synced_frames)
    scene = scene_of(data)
    recovery = scene.rescue(durable)
    assert ("sync", durable.end) == (recovery.kind, recovery.offset)
    assert f"{6 - durable.last} later records" in recovery.message
    assert [b"a", b"b", b"c", b"d", b"e", b"f"] == scene.data()
    [(segment, tail)] = scene.published
    assert (durable.last + 1, 6) == (segment.header.first, tail.last)


def test_rescued_records_are_durable() -> None:
    """After a crash right behind it, they are there."""
    data, durable = poisoned(synced_frames=1)
    scene = scene_of(data)
    scene.rescue(durable)
    crashed = Scene(scene.disk.crash())
    assert [b"a", b"b", b"c", b"d", b"e", b"f"] == crashed.data()


def test_cache_is_dropped_before_anything_is_read() -> None:
    """It may show what the disk has not got."""
    data, durable = poisoned(synced_frames=1)
    disk = MemoryVFS()
    disk.write_tree(as_folder([data]))
    traced = Trace(disk)
    Scene(disk, traced).rescue(durable)
    after = traced.operations[traced.operations.index("drop_cache") :]
    assert "read" in after
    assert "write" not in traced.operations[: traced.operations.index("drop_cache")]


def test_close_mark_is_not_rescued() -> None:
    """It has no records."""
    data, durable = poisoned(synced_frames=1)
    data.close()
    scene = scene_of(data)
    scene.rescue(durable)
    assert 6 == scene.published[0].tail.last
    assert [b"a", b"b", b"c", b"d", b"e", b"f"] == scene.data()


def test_records_that_the_disk_lost_are_not_made_up() -> None:
    """A hole: what is whole behind it is counted, and not kept."""
    data, durable = poisoned(synced_frames=1)
    data.data[data.starts[1] : data.starts[2]] = bytes(data.starts[2] - data.starts[1])
    scene = scene_of(data)
    assert 2 == scene.rescue(durable).dropped_records
    assert [b"a", b"b"] == scene.data()


def test_damage_of_what_was_durable_is_no_matter_of_rescue() -> None:
    """It is corruption, and nothing is changed."""
    data, durable = poisoned(synced_frames=2)
    data.data[data.starts[0] + 48] ^= 1
    scene = scene_of(data)
    before = scene.disk.tree()
    with pytest.raises(Corruption, match="records up to 4 were durable"):
        scene.rescue(durable)
    assert (before, []) == (scene.disk.tree(), scene.published)


def test_segment_that_is_gone_cannot_be_rescued() -> None:
    """It is told by its name."""
    with pytest.raises(Corruption, match=f"{segment_name(9)}.*is gone"):
        scene_of(Segment().append(b"a")).rescue(Durable(9, 9, 512))
