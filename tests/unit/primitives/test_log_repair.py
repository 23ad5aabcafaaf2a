"""`repair_log`: every whole frame is in the new log, all at once; the old one is untouched."""

from __future__ import annotations

import stat
import tracemalloc
from random import Random

import pytest

from holdfast.errors import CommittedNotDurable, Corruption, UnknownFormat
from holdfast.formats.log_format import decode_segment
from holdfast.primitives.check_report import RepairReport
from holdfast.primitives.log import Log
from holdfast.primitives.log_check import check_log
from holdfast.primitives.log_copying import GUARD_NAME
from holdfast.primitives.log_repair import repair_log
from holdfast.vfs.fault import Fault, Faulty, Stopped, each_fault
from holdfast.vfs.memory import MemoryVFS
from tests.support.log_bytes import Segment, as_folder, resealed
from tests.support.log_places import Place, salvaged


@pytest.fixture(params=["memory", "system"])
def place(request, tmp_path) -> Place:
    """An empty place on each filesystem."""
    return Place(tmp_path if request.param == "system" else None)


def two() -> list[Segment]:
    """Two segments: 1 to 5 in three frames, 6 to 8 in two, and zeros."""
    a = Segment().append(b"1").append(b"2", b"", b"4").append(b"5" * 99)
    b = Segment(a.next, after=a).append(b"6", b"7").append(b"8" * 9)
    return [a, b.fill(999)]


ALL = {1: b"1", 2: b"2", 3: b"", 4: b"4", 5: b"5" * 99, 6: b"6", 7: b"7", 8: b"8" * 9}


def repaired(place: Place, segments: list[Segment], **other: bytes) -> RepairReport:
    """The report on repairing these segments, some replaced or (empty) left out, to `new`."""
    files = as_folder(segments) | {f"log/{name}": data for name, data in other.items()}
    place.put({name: data for name, data in files.items() if data})
    before = place.files()
    report = repair_log(place.path, place.at("new"), vfs=place.vfs)
    assert before == place.files()
    assert report[:2] == (place.path, place.at("new"))
    again = check_log(place.at("new"), vfs=place.vfs)
    assert ((), report.records) == (again.findings, again.records)
    return report


def test_whole_log_is_copied(place) -> None:
    """Same records, same sequences, same segments and batches; closed at its end."""
    report = repaired(place, two())
    records, tail = salvaged(place, "new")

    assert (8, ()) == report[2:4]
    assert (ALL, "clean") == (records, tail.verdict)
    assert [s.name for s in two()] == [*place.files("new")]
    sizes = [len(s.data) for s in two()]
    assert [sizes[0], sizes[1] - 999 + 40] == [len(data) for data in place.segments("new")]


def test_age_and_salt(place) -> None:
    """A segment keeps its age, and gets a salt of its own."""
    repaired(place, two())
    new = [decode_segment(data[:512], path="new") for data in place.segments("new")]

    assert [0, 0] == [header.created_ns for header in new]
    assert {header.salt for header in new}.isdisjoint(segment.salt for segment in two())


def test_damaged_frame_leaves_a_gap(place) -> None:
    """All before and behind it is saved; a segment begins behind the gap, and it is reported."""
    a, b = two()
    at = a.starts[1]
    report = repaired(place, [a, b], **{a.name: a.with_bits(at + 44, 1)})
    records, _ = salvaged(place, "new")

    assert {n: record for n, record in ALL.items() if n not in {2, 3, 4}} == records
    assert ((1, f"{a.name} is damaged at byte {at}", 3),) == report.lost
    assert 3 == len(place.segments("new"))


def test_damaged_close_mark_loses_nothing(place) -> None:
    """Where no sequence is missing, nothing is reported as lost."""
    a = Segment().append(b"1").close().append(b"2")
    report = repaired(place, [a], **{a.name: a.with_bits(a.starts[1] + 9, 1)})

    assert (2, ()) == report[2:4]


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("at", [0, 17, 25, 300, 509])
def test_damaged_header_loses_no_frames(place, number, at) -> None:
    """The salt is taken from the block, from the next header, or worked out from the frames."""
    segments = two()
    broken = segments[number]
    report = repaired(place, segments, **{broken.name: broken.with_bits(at, 4)})

    assert (8, ()) == report[2:4]
    assert ALL == salvaged(place, "new")[0]


def test_header_that_is_all_zero_loses_no_frames(place) -> None:
    """Of the last segment, too, whose salt stands nowhere else: its frames tell."""
    a, b = two()
    report = repaired(place, [a, b], **{b.name: bytes(512) + bytes(b.data[512:])})

    assert (8, ()) == report[2:4]
    assert ALL == salvaged(place, "new")[0]


def test_age_of_a_damaged_header_is_that_of_the_file(place) -> None:
    """So retention by age does not take it at once."""
    a = Segment().append(b"1")
    repaired(place, [a], **{a.name: a.with_bits(300, 1)})
    header = decode_segment(place.segments("new")[0][:512], path="new")

    folder = place.vfs.folder(place.path)
    assert folder.stat(a.name).st_mtime_ns == header.created_ns
    folder.close()


def test_missing_segments_are_reported(place) -> None:
    """From the middle: the gap stays; from the beginning: they may have been dropped."""
    a, b = two()
    c = Segment(b.next, after=b).append(b"9")
    report = repaired(place, [a, b, c], **{b.name: b""})

    assert {**{n: ALL[n] for n in range(1, 6)}, 9: b"9"} == salvaged(place, "new")[0]
    assert ((5, f"the records before those of {c.name} are missing", 3),) == report.lost
    other = Place(place.root / "x" if place.root else None)
    assert () == repaired(other, [b, c]).lost


def test_segment_of_rubbish_is_reported(place) -> None:
    """Nothing in it is whole; what is around it is saved."""
    a, b = two()
    c = Segment(b.next, after=b).append(b"9")
    report = repaired(place, [a, b, c], **{b.name: b"?" * 5000})

    assert [1, 2, 3, 4, 5, 9] == [*salvaged(place, "new")[0]]
    assert ((5, f"{b.name} has no whole frame", 3),) == report.lost


def test_torn_and_damaged_tails_are_reported(place) -> None:
    """What stood there is unknown, and said so; with a torn one, that it was not acknowledged."""
    a = Segment().append(b"1").append(b"2" * 800)
    report = repaired(place, [a], **{a.name: bytes(a.data[:700])})
    assert 1 == report.records
    assert "torn at byte 560, and was never acknowledged" in report.lost[0].reason

    other = Place(place.root / "x" if place.root else None)
    report = repaired(other, [a], **{a.name: a.with_bits(700, 1)})
    assert (1, 1) == (report.records, report.lost[0].after_sequence)
    assert "damaged at byte 560: the body of the frame" in report.lost[0].reason


def test_cut_end_of_a_sealed_segment_is_reported(place) -> None:
    """The next header says how far it went."""
    a, b = two()
    report = repaired(place, [a, b], **{a.name: bytes(a.data[: a.starts[2] + 10])})

    assert [1, 2, 3, 4, 6, 7, 8] == [*salvaged(place, "new")[0]]
    expected = f"{a.name} is damaged from byte {a.starts[2]} to byte {len(a.data)}"
    assert ((4, expected, 1),) == report.lost


def test_what_this_boot_knows_counts_a_loss_at_the_end(tmp_path) -> None:
    """A damaged last frame is told once: where it is, and how many records were in it."""
    place = Place(tmp_path)
    with Log(place.path) as log:
        log.append(b"one")
        log.append_many([b"two", b"three"])
        (segment,) = (tmp_path / "log").glob("*.segment")
        segment.write_bytes(segment.read_bytes().replace(b"three", b"thrEE"))
    (lost,) = repair_log(place.path, place.at("new")).lost

    assert (1, 2) == (lost.after_sequence, lost.records)
    assert "damaged at byte 560" in lost.reason
    assert lost.reason.endswith("; records up to 3 were durable")


def test_what_was_cut_is_not_reborn(place) -> None:
    """Whole frames past the end that the next segment states are none."""
    a = Segment().append(b"1")
    b = Segment(2, after=a).append(b"2")
    a.append(b"old 2").append(b"old 3")

    assert (2, ()) == repaired(place, [a, b])[2:4]
    assert {1: b"1", 2: b"2"} == salvaged(place, "new")[0]


def test_record_that_is_there_twice_is_taken_once(place) -> None:
    """Two segments that overlap: the first stands, and it is reported."""
    a = Segment().append(b"1").append(b"2")
    b = Segment(2, salt=5).append(b"other 2").append(b"3")
    report = repaired(place, [a, b])

    assert {1: b"1", 2: b"2", 3: b"3"} == salvaged(place, "new")[0]
    assert ((2, f"{b.name} has record 2 again; what came first was taken", None),) == report.lost


def test_many_losses_are_cut_short() -> None:
    """A report has bounds."""
    vfs, a = MemoryVFS(), Segment()
    b = Segment(2, salt=5)
    a.append(*[b"x"] * 2000)
    for _ in range(1200):
        b.append(b"y")
    vfs.write_tree(as_folder([a, b]))
    report = repair_log("/log", "/new", vfs=vfs)

    assert 1001 == len(report.lost)
    assert "more" in report.lost[-1].reason
    assert 2000 == report.records


def test_empty_log_gives_an_empty_one(place) -> None:
    """A folder without segments."""
    assert (0, ()) == repaired(place, [])[2:4]
    assert {} == place.files("new")


def test_empty_folder_is_filled(place) -> None:
    """It keeps being the folder that it was."""
    place.put(as_folder(two()))
    place.vfs.folder(place.at("")).mkdir("new") if not place.root else (place.root / "new").mkdir()
    assert 8 == repair_log(place.path, place.at("new"), vfs=place.vfs).records


@pytest.mark.parametrize("to", ["new", "log", "lock"])
def test_what_is_there_is_not_touched(place, to) -> None:
    """A folder that has something in it, the log itself, or a file: an error, and nothing done."""
    place.put(as_folder(two()) | {"new/mine": b"x"})
    before = place.files(), place.files("new")
    target = f"{place.path}/lock" if to == "lock" else place.at(to)
    with pytest.raises((FileExistsError, NotADirectoryError)):
        repair_log(place.path, target, vfs=place.vfs)
    assert before == (place.files(), place.files("new"))


def test_later_format_leaves_nothing(place) -> None:
    """Nothing is salvaged in part from what is not understood."""
    a, b = two()
    place.put(as_folder([a]) | {f"log/{b.name}": resealed(b, 512, {4: b"\2"})})
    with pytest.raises(UnknownFormat):
        repair_log(place.path, place.at("new"), vfs=place.vfs)
    with pytest.raises(FileNotFoundError):
        place.vfs.stat(place.at("new"))


def test_privacy_is_kept(tmp_path) -> None:
    """The new folder and its segments are as private as the old ones."""
    place = Place(tmp_path).put(as_folder(two()))
    (tmp_path / "log").chmod(0o710)
    for name in place.files():
        (tmp_path / "log" / name).chmod(0o600)
    repair_log(place.path, place.at("new"))

    assert 0o710 == stat.S_IMODE((tmp_path / "new").stat().st_mode)
    modes = {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "new").iterdir()}
    assert {0o600} == modes


def test_failure_leaves_nothing() -> None:
    """Whatever call fails, or is the last: no new log, a refused one, or a whole one."""
    count = 0
    for fault in each_fault("EIO", "ENOSPC", "short 9", "stop"):
        vfs = MemoryVFS()
        vfs.write_tree(as_folder(two()))
        before = vfs.tree()
        try:
            repair_log("/log", "/new", vfs=Faulty(vfs, fault))
        except CommittedNotDurable:
            assert 8 == check_log("/new", vfs=vfs).records
        except OSError:
            assert before == vfs.tree(), fault
        except Stopped:
            _refused_or_whole(vfs)
        else:
            assert (
                not fault.fired or fault.effect != "stop" or 8 == check_log("/new", vfs=vfs).records
            )
        assert before == {name: x for name, x in vfs.tree().items() if not name.startswith("new")}
        count += fault.fired
    assert count > 100


def _refused_or_whole(vfs: MemoryVFS) -> None:
    """No new log, one that is refused, or all of it."""
    try:
        report = check_log("/new", vfs=vfs)
    except FileNotFoundError:
        return
    assert not report.ok or report.records in {0, 8}, report


def test_every_crash_leaves_all_or_a_refused_log() -> None:
    """In every state that a power cut leaves, the new log is whole, refused, empty or not there."""
    vfs = MemoryVFS()
    vfs.write_tree(as_folder(two()))
    before = len(vfs.core.operations)
    repair_log("/log", "/new", vfs=vfs)
    states = 0
    for at in range(before, len(vfs.core.operations) + 1):
        for number, state in enumerate(vfs.crash_states(at=at)):
            if number >= 40:
                break
            states += 1
            _refused_or_whole(state)
            assert 8 == check_log("/log", vfs=state).records
    last = check_log("/new", vfs=vfs.crash())
    assert (8, True) == (last.records, last.ok)
    assert states > 30


def test_killed_repair_is_refused_with_a_word_what_to_do(place) -> None:
    """A reader that knows nothing of repairs refuses it, and who looks into it reads why."""
    place.put(as_folder(two()))
    with pytest.raises(Stopped):
        repair_log(
            place.path, place.at("new"), vfs=Faulty(place.vfs, Fault("unlink", 1, effect="stop"))
        )
    files = place.files("new")
    with pytest.raises(Corruption):
        decode_segment(files[GUARD_NAME][:512], path="new")
    assert b"Remove the whole folder" in files[GUARD_NAME]
    report = check_log(place.at("new"), vfs=place.vfs)
    assert not report.ok
    assert "the log is not complete" in str(report)


def test_large_frames_are_copied_in_little_memory() -> None:
    """A batch of 12 MiB and many small frames: less than 16 MiB are held."""
    a = Segment().append(*[b"x" * 1000] * 12_000)
    for _ in range(20_000):
        a.append(b"y" * 100)
    vfs = MemoryVFS()
    vfs.write_tree(as_folder([a]))
    vfs.core.operations.clear()
    place = Place(None)
    place.vfs = vfs
    tracemalloc.start()
    try:
        report = repair_log("/log", "/new", vfs=vfs)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 32_000 == report.records
    assert peak < 60 << 20  # the disk of this test is memory, too
    assert check_log("/new", vfs=vfs).records == 32_000


@pytest.mark.parametrize("seed", range(6))
def test_any_rot_costs_what_it_hits(seed) -> None:
    """Some bytes changed anywhere: all frames that no change has hit are saved, unaltered."""
    rng = Random(seed)
    segments, after = [], None
    for _ in range(3):
        segment = Segment(after.next if after else 1, after=after)
        for _ in range(20):
            segment.append(*[rng.randbytes(rng.randrange(200)) for _ in range(rng.choice((1, 3)))])
        segments.append(segment)
        after = segment
    hit: set[tuple[int, int]] = set()
    bad = {}
    for number, segment in enumerate(segments):
        data = bytearray(segment.data)
        for at in rng.sample(range(len(data)), 4):
            data[at] ^= 1 << rng.randrange(8)
            frame = max((s for s in segment.starts if s <= at), default=None)
            hit.add((number, frame or 0))
        bad[segment.name] = bytes(data)
    place = Place(None)
    place.put({f"log/{name}": data for name, data in bad.items()})
    repair_log("/log", "/new", vfs=place.vfs)
    records, _ = salvaged(place, "new")
    for number, segment in enumerate(segments):
        found = Place(None).put({f"log/{segment.name}": bytes(segment.data)})
        whole = salvaged(found, "log")[0]
        frames = [*zip(segment.starts, [*segment.starts[1:], len(segment.data)], strict=True)]
        assert len(frames) == 20
        sequence = segment.first
        for start, end in frames:
            count = int.from_bytes(segment.data[start + 12 : start + 16], "little")
            for n in range(sequence, sequence + count):
                if (number, start) in hit:
                    assert n not in records, (number, start, end)
                else:
                    assert whole[n] == records[n]
            sequence += count
