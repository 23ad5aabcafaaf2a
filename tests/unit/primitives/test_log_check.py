"""`check_log`: every damage is found with its place, and nothing else is called damage."""

from __future__ import annotations

import errno
import os
import re
import tracemalloc

import pytest

from holdfast.errors import ChecksumMismatch, UnknownFormat
from holdfast.formats.log_format import FIRST_OFFSET, frame_bytes, segment_name
from holdfast.primitives.check_report import CheckReport
from holdfast.primitives.log import Log
from holdfast.primitives.log_check import check_log, segments_of
from holdfast.primitives.temp import temp_name
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.interpose import Call, Interposed
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.log_bytes import Segment, as_folder, resealed
from tests.support.log_places import Place

CHANGING = {"write", "truncate", "rename", "unlink", "mkdir", "link", "lock", "sync", "sync_folder"}


@pytest.fixture(params=["memory", "system"])
def place(request, tmp_path) -> Place:
    """An empty place on each filesystem."""
    return Place(tmp_path if request.param == "system" else None)


def three() -> list[Segment]:
    """Three segments: 1 to 4, 5 to 6, 7 and 8, the last with zeros behind."""
    a = Segment().append(b"one").append(b"two", b"three").append(b"four" * 40)
    b = Segment(a.next, after=a).append(b"five").append(b"six")
    c = Segment(b.next, after=b).append(b"seven").append(b"eight")
    return [a, b, c.fill(4096)]


def checked(place: Place, segments: list[Segment], **more: bytes) -> CheckReport:
    """The report on these segments, some files replaced or added; nothing is changed."""
    files = as_folder(segments) | {f"log/{name}": data for name, data in more.items()}
    place.put(files)
    before = place.files()
    report = check_log(place.path, vfs=place.vfs)
    assert before == place.files()
    return report


def kinds(report: CheckReport) -> list[tuple[str, str, int | None]]:
    """The findings: kind, file, offset; each in three sentences that begin with the path."""
    for finding in report.findings:
        text = finding.message.removeprefix(finding.path)
        assert text != finding.message
        assert 3 <= text.replace(".segment", "").replace("byte.", "").count(". ") + 1 <= 4, text
    return [(f.kind, f.path.rpartition("/")[2], f.offset) for f in report.findings]


def test_whole_log_has_no_findings(place) -> None:
    """All records are counted, and all bytes of the segments."""
    segments = three()
    report = checked(place, segments)

    assert (place.path, "log", 8, sum(len(s.data) for s in segments), ()) == report
    assert report.ok


def test_empty_log_is_whole(place) -> None:
    """A folder with a lock and no segment."""
    assert (place.path, "log", 0, 0, ()) == checked(place, [])


def test_missing_log_is_an_error(place) -> None:
    """There is nothing to check."""
    with pytest.raises(FileNotFoundError):
        check_log(place.path, vfs=place.vfs)


def test_damage_is_told_with_what_is_whole_around_it(place) -> None:
    """In a segment that another follows: the place, the records before it and behind it."""
    segments = three()
    at = segments[0].starts[1]
    report = checked(place, segments, **{segments[0].name: segments[0].with_bits(at + 41, 1)})

    assert [("damage", segments[0].name, at)] == kinds(report)
    assert not report.ok
    assert 6 == report.records
    assert "1 records before it and 1 behind it are whole" in report.findings[0].message


@pytest.mark.parametrize(("at", "bit"), [(0, 1), (16, 1), (100, 1), (508, 1)])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_damaged_header_loses_no_frames(place, number, at, bit) -> None:
    """The header is the finding; its frames are checked all the same."""
    segments = three()
    broken = segments[number]
    report = checked(place, segments, **{broken.name: broken.with_bits(at, bit)})

    assert [("damage", broken.name, 0)] == kinds(report)
    assert 8 == report.records


def test_missing_segment_is_damage(place) -> None:
    """From the middle it is missed; the oldest may have been dropped."""
    segments = three()
    middle = checked(place, [segments[0], segments[2]])

    assert [("damage", segments[2].name, 16)] == kinds(middle)
    assert f"{segments[1].name}, which comes before it, is missing" in middle.findings[0].message


def test_dropped_segments_are_not_missed(place) -> None:
    """A log that begins later is whole."""
    segments = three()

    assert checked(place, segments[1:]).findings == ()


def test_stranger_is_damage(place) -> None:
    """A segment of another log with the right name has another salt."""
    segments, other = three(), Segment(salt=77).append(b"a", b"b", b"c", b"d")
    segments[0] = other

    report = checked(place, segments)
    assert ("damage", segments[1].name, 16) in kinds(report)
    assert "another segment had the place" in str(report)


def test_wrong_name_is_damage(place) -> None:
    """A header that belongs to another name is found, and so is one without predecessor."""
    a, b = three()[:2]
    renamed = checked(place, [], **{"00000000000000000009.segment": bytes(b.data)})
    place.put({"log/00000000000000000001.segment": bytes(a.data)})

    assert ("damage", "00000000000000000009.segment", 16) in kinds(renamed)


def test_second_beginning_is_damage(place) -> None:
    """Only the oldest may say that nothing comes before it."""
    a = Segment().append(b"a")
    report = checked(place, [a, Segment(2).append(b"b")])

    assert [("damage", Segment(2).name, 16)] == kinds(report)


def test_gap_of_a_repair_is_none(place) -> None:
    """A segment that states the right end may begin later; one that begins earlier is damage."""
    a = Segment().append(b"a", b"b")
    later, earlier = Segment(9, after=a).append(b"c"), Segment(2, after=a).append(b"c")
    report = checked(place, [a, later])

    assert report.findings == ()
    other = Place(place.root / "x" if place.root else None)
    assert [("damage", earlier.name, 16)] == kinds(checked(other, [a, earlier]))


def test_torn_tail_is_no_damage(place) -> None:
    """What a crash left at the end is told, with its size."""
    a = Segment().append(b"a").append(b"b" * 800)
    report = checked(place, [a], **{a.name: bytes(a.data[:700])})

    assert [("torn", a.name, 560)] == kinds(report)
    assert report.ok
    assert "The 140 bytes from there on" in report.findings[0].message


def test_hole_is_no_damage(place) -> None:
    """Whole records behind a hole were never acknowledged; they are counted in the message."""
    a = Segment().append(b"a", synced=512).append(b"b" * 700, synced=512).append(b"c", synced=512)
    data = bytes(a.data[:560]) + bytes(a.starts[2] - 560) + bytes(a.data[a.starts[2] :])
    report = checked(place, [a], **{a.name: data})

    assert [("hole", a.name, 560)] == kinds(report)
    assert "1 whole records are on disk" in report.findings[0].message


def test_damaged_tail_is_told_with_the_proof(place) -> None:
    """The last segment: a later frame says that the place was synced."""
    a = Segment().append(b"a").append(b"b").close()
    report = checked(place, [a], **{a.name: a.with_bits(600, 1)})

    assert [("damage", a.name, 560)] == kinds(report)
    assert "the frame at byte 608 says that byte 560 had been synced" in str(report)


def test_cut_segment_is_damage(place) -> None:
    """One that ends before the next says; also when it has not even a header."""
    segments = three()
    short = checked(place, segments, **{segments[1].name: bytes(segments[1].data[:570])})
    other = Place(place.root / "x" if place.root else None)
    nothing = checked(other, [], **{segments[1].name: b""})

    assert [("damage", segments[1].name, 560)] == kinds(short)
    assert ("damage", segments[1].name, 0) in kinds(nothing)


@pytest.mark.parametrize("where", ["header", "frame"])
def test_later_format_is_an_error(place, where) -> None:
    """It is no damage: nothing can be said of it."""
    a = Segment().append(b"a")
    data = resealed(a, 512, {4: b"\2"})
    if where == "header":
        from zlib import crc32

        block = bytes(a.data[:8]) + b"\2" + bytes(a.data[9:508])
        data = block + crc32(block).to_bytes(4, "little") + bytes(a.data[512:])
    with pytest.raises(UnknownFormat, match="newer holdfast"):
        checked(place, [a], **{a.name: data})


def test_leftover_is_told(place) -> None:
    """The temporary file of a killed writer, and no other name."""
    name = temp_name(Segment().name, "0123456789abcdef")
    report = checked(place, three(), **{name: b"x", "notes.txt": b"mine"})

    assert [("leftover", name, None)] == kinds(report)
    assert report.ok


def test_temporary_file_of_a_living_writer_is_not_told(place) -> None:
    """Its lock is held."""
    name = temp_name(Segment().name, "0123456789abcdef")
    place.put(as_folder(three()))
    folder = place.vfs.folder(place.path)
    file = folder.open(name, "new")
    assert file.lock(block=False)
    try:
        assert check_log(place.path, vfs=place.vfs).findings == ()
    finally:
        file.close()
        folder.close()


def test_temporary_file_that_comes_or_goes_is_not_told() -> None:
    """Made and not yet locked, or given its name meanwhile: a writer lives."""
    name = temp_name(Segment().name, "0123456789abcdef")
    for there in (True, False):
        vfs = MemoryVFS()
        vfs.write_tree(as_folder(three()) | ({f"log/{name}": b"x"} if there else {}))

        def change(_: int, vfs=vfs, there=there) -> None:
            folder = vfs.folder("/log")
            if there:
                folder.unlink(name)
            folder.close()
            put(vfs, name, b"y")

        watched = Meanwhile(vfs, range(3, 4), change)
        assert check_log("/log", vfs=watched).findings == ()  # type: ignore[arg-type]


def test_check_only_reads(place) -> None:
    """No lock is taken, and nothing written, also where there is much to report."""
    segments = three()
    bad = {segments[0].name: segments[0].with_bits(520, 1), segments[1].name: b"?" * 600}
    place.put(as_folder(segments) | {f"log/{name}": data for name, data in bad.items()})
    trace = Trace(place.vfs)

    assert not check_log(place.path, vfs=trace).ok
    assert [] == [call.text for call in trace.calls if call.operation in CHANGING]


def test_block_that_cannot_be_read_is_damage() -> None:
    """The disk's error is a finding with its place, and the rest is checked."""
    segments = three()
    segments[0].append(b"x" * 9000)
    segments[1] = Segment(segments[0].next, after=segments[0]).append(b"five")
    vfs = MemoryVFS()
    vfs.write_tree(as_folder(segments[:2]))
    faulty = Faulty(vfs, Fault("read", 2, effect="EIO", repeat=True, on=f"*{segments[0].name}"))
    report = check_log("/log", vfs=faulty)

    assert {("damage", segments[0].name, 512)} == set(kinds(report))
    assert "blocks cannot be read" in str(report)
    assert 1 == report.records


def test_other_error_is_raised() -> None:
    """What is no matter of the bytes is not hidden."""
    vfs = MemoryVFS()
    vfs.write_tree(as_folder(three()))
    with pytest.raises(OSError) as caught:
        check_log("/log", vfs=Faulty(vfs, Fault("read", 2, effect="ENOMEM")))
    assert errno.ENOMEM == caught.value.errno


def test_short_reads_are_gone_on_with() -> None:
    """A read that gives less than there is does not look like the end."""
    vfs = MemoryVFS()
    vfs.write_tree(as_folder(three()))
    report = check_log("/log", vfs=Faulty(vfs, Fault("read", 1, effect="short 7", repeat=True)))

    assert (8, ()) == (report.records, report.findings)


class Meanwhile(Interposed):
    """Does something to the disk just before the reads with these numbers."""

    def __init__(self, vfs: MemoryVFS, at: range, what) -> None:
        super().__init__(vfs)
        self.at = at
        self.what = what
        self.reads = 0

    def around(self, call: Call, do):
        """Count the reads."""
        if call.operation == "read":
            self.reads += 1
            if self.reads in self.at:
                self.what(self.reads)
        return do()


def put(vfs: MemoryVFS, name: str, data: bytes) -> None:
    """Write a file in place."""
    folder = vfs.folder("/log")
    file = folder.open(name, "create")
    file.write(data, offset=0)
    file.close()
    folder.close()


def test_frame_that_is_being_written_is_not_told() -> None:
    """At every read of the check, a frame that is half there and then whole is no finding."""
    seen = 0
    for moment in range(1, 9):
        vfs, a = MemoryVFS(), Segment().append(b"a" * 99).append(b"b" * 600).append(b"c" * 99)
        half = bytes(a.data[:900])
        vfs.write_tree({f"log/{a.name}": half.ljust(8192, b"\0")})

        def finish(_: int, vfs=vfs, a=a) -> None:
            put(vfs, a.name, bytes(a.data))

        watched = Meanwhile(vfs, range(moment, moment + 1), finish)
        report = check_log("/log", vfs=watched)  # type: ignore[arg-type]
        if watched.reads >= moment:
            seen += 1
            assert report.findings == (), moment
    assert seen > 3


def test_log_that_grows_at_each_look_is_not_told() -> None:
    """A writer that is always in the middle of a frame does not make it torn; it is overtaken."""
    vfs, a = MemoryVFS(), Segment()
    for _ in range(500):
        a.append(b"x" * 600)
    vfs.write_tree({f"log/{a.name}": bytes(len(a.data))})
    put(vfs, a.name, bytes(a.data[:700]))

    def grow(reads: int) -> None:
        put(vfs, a.name, bytes(a.data[: 700 + reads * 640]))

    watched = Meanwhile(vfs, range(1, 600), grow)
    report = check_log("/log", vfs=watched)  # type: ignore[arg-type]
    assert (500, ()) == (report.records, report.findings)


def test_tail_that_moves_and_then_stays_torn_is_told() -> None:
    """A writer that is killed during the check, at any look: its last write is found."""
    a = Segment().append(b"a" * 99).append(b"b" * 600).append(b"c" * 600)
    places = []
    for moment in range(1, 12):
        vfs = MemoryVFS()
        vfs.write_tree({f"log/{a.name}": bytes(a.data[:900]).ljust(8192, b"\0")})

        def move(_: int, vfs=vfs) -> None:
            put(vfs, a.name, bytes(a.data[: a.starts[2] + 64]))

        watched = Meanwhile(vfs, range(moment, moment + 1), move)
        report = check_log("/log", vfs=watched)  # type: ignore[arg-type]
        places += [place for _, _, place in kinds(report)]
        assert len(places) == moment
    assert a.starts[2] in places
    assert set(places) <= {a.starts[1], a.starts[2]}


def test_segment_that_is_sealed_meanwhile_is_not_told() -> None:
    """Another writer has cut a torn tail between the looks: it is no finding any more."""
    seen = 0
    a = Segment().append(b"a").append(b"b" * 600)
    torn = bytes(a.data[:700]).ljust(4096, b"\0")
    whole = Segment().append(b"a")
    after = Segment(2, after=whole).append(b"b")
    for moment in range(3, 9):
        vfs = MemoryVFS()
        vfs.write_tree({f"log/{a.name}": torn})
        watched = Meanwhile(
            vfs,
            range(moment, moment + 1),
            lambda _, vfs=vfs: put(vfs, after.name, bytes(after.data)),
        )
        report = check_log("/log", vfs=watched)  # type: ignore[arg-type]
        if watched.reads >= moment:
            seen += 1
            assert report.findings == (), moment
    assert seen > 3


def test_segments_that_are_dropped_meanwhile_are_not_told() -> None:
    """Retention may take the oldest at any moment; a segment from the middle is missed."""
    segments = three()
    for dropped, expected in ((segments[:1], 0), (segments[:2], 0), (segments[1:2], 1)):
        for moment in range(4, 9):
            vfs = MemoryVFS()
            vfs.write_tree(as_folder(segments))

            def drop(_: int, vfs=vfs, dropped=dropped) -> None:
                folder = vfs.folder("/log")
                for segment in dropped:
                    folder.unlink(segment.name)
                folder.close()

            watched = Meanwhile(vfs, range(moment, moment + 1), drop)
            report = check_log("/log", vfs=watched)  # type: ignore[arg-type]
            assert len(report.findings) <= expected, (moment, report)


def test_large_log_is_read_once_and_in_little_memory() -> None:
    """A log of 24 MiB, with a batch of 8 MiB in it: less than 16 MiB are held, all is read once."""
    a = Segment().append(*[b"x" * 1000] * 8000)
    while len(a.data) < 12 << 20:
        a.append(b"y" * 50_000)
    b = Segment(a.next, after=a)
    while len(b.data) < 12 << 20:
        b.append(*[b"z" * 90] * 64)
    vfs = MemoryVFS()
    vfs.write_tree(as_folder([a, b]))
    trace = Trace(vfs)
    tracemalloc.start()
    try:
        report = check_log("/log", vfs=vfs)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert check_log("/log", vfs=trace).ok

    assert report.ok
    assert peak < 4 << 20
    asked = [re.search(r", (\d+) bytes", call.text) for call in trace.calls]
    assert sum(int(found[1]) for found in asked if found) < 1.3 * report.size_bytes


def test_facts_of_the_segments(place) -> None:
    """First and last record, end and size; of the last segment from its frames."""
    segments = three()
    segments[2].data = segments[2].data[:-4096]
    segments[2].close().fill(64)
    place.put(as_folder(segments))
    facts = segments_of(place.path, vfs=place.vfs)

    assert [(s.name, len(s.data)) for s in segments] == [(f.name, f.size_bytes) for f in facts]
    assert [(1, 4, 4), (5, 6, 2), (7, 8, 2)] == [(f.first, f.last, f.records) for f in facts]
    assert [(True, None), (True, None), (False, True)] == [(f.sealed, f.closed) for f in facts]
    assert len(segments[2].data) - 64 == facts[2].end


def test_facts_of_an_empty_segment(place) -> None:
    """No record: the last is before the first."""
    place.put(as_folder([Segment(7)]))

    assert [(7, 6, 0, 512, False)] == [
        (f.first, f.last, f.records, f.end, f.closed)
        for f in segments_of(place.path, vfs=place.vfs)
    ]


def test_facts_need_whole_headers(place) -> None:
    """A damaged header is an error there; the check tells more."""
    a = Segment().append(b"a")
    place.put({f"log/{a.name}": a.with_bits(100, 1)})

    with pytest.raises(ChecksumMismatch):
        segments_of(place.path, vfs=place.vfs)


def test_durable_records_that_are_gone_are_damage_on_this_boot(tmp_path) -> None:
    """The shared tail knows them: a file that was cut at a frame's end is not the whole."""
    path = str(tmp_path / "log")
    with Log(path) as log:
        log.append(b"a")
        end = FIRST_OFFSET + frame_bytes([b"a"])
        log.append(b"b")
    os.truncate(f"{path}/{segment_name(1)}", end)
    report = Log(path).check()
    assert not report.ok
    assert "up to 2 were durable, and it ends after 1" in report.findings[0].message
    lost = Log(path).repair(to=tmp_path / "new").lost
    assert [(1, 1)] == [(loss.after_sequence, loss.records) for loss in lost]

    os.unlink(f"{path}/{segment_name(1)}")
    assert ["damage"] == [finding.kind for finding in Log(path).check().findings]
