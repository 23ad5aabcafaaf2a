"""Find the end of a log by reading it, and make it fit to be appended to again.

Guarantee: what was acknowledged is there afterwards, or `Corruption` is raised and nothing changed.
    What lies past the end that is found was never acknowledged; it stays where it is, and is told.
    Everything that is found is durable when this returns.

For who holds the append lock. No byte of an old segment is written: where it ends in something
torn, a new segment begins, whose header says where the old one ended. After a failed sync, what was
not durable is read from the disk and written again, to a new segment, before anything is served.
"""

from __future__ import annotations

from holdfast.errors import CommittedNotDurable
from holdfast.formats.log_format import (
    FIRST_OFFSET,
    SegmentHeader,
    encode_frame,
    seed_of,
)
from holdfast.formats.log_scan import examine, frames, reach
from holdfast.primitives.log_errors import damaged, gone, refuse_stranger
from holdfast.primitives.log_hint import Tail
from holdfast.primitives.log_segment import first_fill, firsts_of, make_segment, open_segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NamedTuple

    from holdfast.formats.log_format import Frame
    from holdfast.primitives.log_segment import Segment
    from holdfast.vfs import VFS, Clock, Folder
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "Durable",
    "Maker",
    "Recovered",
    "Recovery",
    "Settings",
    "find_end",
    "rescue",
]


class Settings(NamedTuple):
    """Where a log is and how it is written; see `Log`."""

    path: str
    segment_bytes: int
    permissions: int
    vfs: VFS
    clock: Clock


class Durable(NamedTuple):
    """How far a log was durable when a sync failed: segment, last sequence, offset behind it."""

    first: int
    last: int
    end: int


class Recovery(NamedTuple):
    """What opening a log had to do: `kind` is `torn`, `hole` or `sync`.

    `path` of the segment, `offset` where it ends now, `dropped_records` that were whole and never
    acknowledged, `tail_bytes` past that end that are not zero, and a sentence.
    """

    kind: str
    path: str
    offset: int
    dropped_records: int
    tail_bytes: int
    message: str


class Recovered(NamedTuple):
    """The segment to append to, and its tail, durable up to there."""

    segment: Segment
    tail: Tail


class Maker:
    """Makes segments of one log: with a new salt, the time, and zeros where they pay."""

    def __init__(
        self,
        folder: Folder,
        *,
        settings: Settings,
        zero_filling: bool,
        unsynced: Callable[[int], None],
    ) -> None:
        self.folder = folder
        self.zero_filling = zero_filling
        self.unsynced = unsynced
        self._settings = settings
        clock = settings.clock
        self._start_ns = clock.now_ns() - round(clock.monotonic() * 1e9)

    def header(self, first: int, *, after: Segment | None = None, end: int = 0) -> SegmentHeader:
        """Return a new header, of a segment that follows `after`, which ends at `end`."""
        salt = int(self._settings.vfs.token(), 16)
        now_ns = self._now_ns()
        if after is None:
            return SegmentHeader(first, salt, now_ns)
        return SegmentHeader(first, salt, now_ns, after.header.first, after.header.salt, end)

    def _now_ns(self) -> int:
        """The time; a wall clock that is put back meanwhile makes no segment look old."""
        clock = self._settings.clock
        return max(clock.now_ns(), self._start_ns + round(clock.monotonic() * 1e9), 0)

    def anew(self, old: SegmentHeader) -> SegmentHeader:
        """Return a header for the segment that takes the place of one without frames."""
        return self.header(old.first)._replace(
            previous_first=old.previous_first,
            previous_salt=old.previous_salt,
            previous_end=old.previous_end,
        )

    def make(self, header: SegmentHeader, survivors: Sequence[Frame] = ()) -> Recovered:
        """Make it, with these frames in it, written anew.

        Raises:
            CommittedNotDurable, OSError: as `make_segment`.
        """
        frames_of, tail = _anew(header, survivors)
        settings = self._settings
        filled = first_fill(settings.segment_bytes) if self.zero_filling else 0
        try:
            segment = make_segment(
                self.folder,
                header,
                contents=frames_of,
                filled=filled,
                permissions=settings.permissions,
                vfs=settings.vfs,
            )
        except CommittedNotDurable:
            self.unsynced(header.first)
            raise
        return Recovered(segment, tail._replace(filled=max(filled, tail.end)))


def _anew(header: SegmentHeader, survivors: Sequence[Frame]) -> tuple[list[bytes], Tail]:
    """Encode frames for their new place; where they end there."""
    seed = seed_of(header.salt)
    tail = Tail(FIRST_OFFSET, header.first - 1, 0, 0)
    encoded: list[bytes] = []
    for frame in survivors:
        data = encode_frame(
            frame.records(), first=tail.last + 1, offset=tail.end, synced=FIRST_OFFSET, seed=seed
        )
        tail = Tail(tail.end + len(data), tail.last + frame.count, 0, tail.end)
        encoded.append(data)
    return encoded, tail


def find_end(
    folder: Folder,
    maker: Maker,
    publish: Callable[[Recovered], None],
    *,
    refuse: Callable[[Segment, Tail], None],
) -> Recovery | None:
    """Scan the last segment; begin a new one where it is torn, or where there is none.

    Args:
        folder: the log.
        maker: makes segments.
        publish: is given what is found, while the sync lock of the old segment is held.
        refuse: is asked under that lock, before anything is changed: it raises if a sync has failed
            since, or if more than what was found is known to have been durable.

    Raises:
        Corruption: something acknowledged is damaged, or missing; nothing was changed.
        OSError: it cannot be read, or not synced, or no segment can be made; nothing was changed.
    """
    firsts = firsts_of(folder)
    if not firsts:
        publish(maker.make(maker.header(1)))
        return None
    _refuse_gaps(folder, firsts)
    segment = open_segment(folder, firsts[-1], "write")
    keep = False
    try:
        segment.file.lock()
        recovery = _look(segment, maker, publish, refuse=refuse)
        keep = recovery is None
        return recovery
    finally:
        try:
            segment.file.unlock()
        except BaseException:  # interrupted at its entry
            segment.file.unlock()
            raise
        finally:
            if not keep:
                segment.close()


def _refuse_gaps(folder: Folder, firsts: list[int]) -> None:
    """Raise if a segment between two others is missing, by what their headers say."""
    before: Segment | None = None
    for first in firsts:
        segment = open_segment(folder, first, "read")
        segment.close()
        if before is not None:
            refuse_stranger(segment, before)
        before = segment


def _look(
    segment: Segment,
    maker: Maker,
    publish: Callable[[Recovered], None],
    *,
    refuse: Callable[[Segment, Tail], None],
) -> Recovery | None:
    size = segment.file.stat().st_size
    tail = _tail_of(segment, size)
    found = examine(segment.read, at=tail.end, first=tail.last + 1, size=size, seed=segment.seed)
    if found.verdict == "damaged":
        raise damaged(segment.path, found.offset, found.proof)
    refuse(segment, tail)
    try:
        segment.file.sync_data()
        maker.folder.sync()
    except OSError:
        maker.unsynced(segment.header.first)
        raise
    if found.verdict == "clean":
        publish(Recovered(segment, tail))
        return None
    publish(maker.make(_following(segment, tail.end, tail.last, maker=maker)))
    return Recovery(
        found.verdict,
        segment.path,
        tail.end,
        found.dropped_records,
        found.tail_bytes,
        f"{segment.path}: cut at {tail.end}: {found.proof}. "
        f"{found.tail_bytes} bytes and {found.dropped_records} whole records that nobody was told "
        "of were dropped; their bytes stay in the file. Nothing needs to be done.",
    )


def _tail_of(segment: Segment, size: int) -> Tail:
    first = segment.header.first
    end, last, last_at = FIRST_OFFSET, first - 1, 0
    for frame in frames(segment.read, start=end, limit=size, first=first, seed=segment.seed):
        end, last, last_at = frame.end, frame.last, frame.offset
    return Tail(end, last, max(size, end), last_at)


def _following(segment: Segment, end: int, last: int, *, maker: Maker) -> SegmentHeader:
    """Return the header of what begins after `end`; it takes the place of one that is empty."""
    if end == FIRST_OFFSET:
        return maker.anew(segment.header)
    return maker.header(last + 1, after=segment, end=end)


def rescue(
    folder: Folder, maker: Maker, publish: Callable[[Recovered], None], *, durable: Durable
) -> Recovery:
    """After a failed sync: keep what is durable, and write anew what else the disk gives back.

    The page cache of the segment may show what the disk has not got, so it is dropped first. The
    survivors lie in a new, synced segment when this returns.

    Args:
        folder: the log.
        maker: makes the segment.
        publish: as in `find_end`.
        durable: how far the log was durable.

    Raises:
        Corruption: the segment is missing or damaged; nothing was changed.
        OSError: as the system says; nothing was changed.
    """
    try:
        segment = open_segment(folder, durable.first, "write")
    except FileNotFoundError:
        raise gone(folder, durable.first) from None
    try:
        segment.file.lock()
        segment.file.drop_cache()
        return _rescue(segment, maker, publish, durable=durable)
    finally:
        segment.file.unlock()
        segment.close()


def _rescue(
    segment: Segment, maker: Maker, publish: Callable[[Recovered], None], *, durable: Durable
) -> Recovery:
    size, seed = segment.file.stat().st_size, segment.seed
    kept = _durable_last(segment, durable)
    found = list(frames(segment.read, start=durable.end, limit=size, first=kept + 1, seed=seed))
    end, last = (found[-1].end, found[-1].last) if found else (durable.end, kept)
    rest = examine(segment.read, at=end, first=last + 1, size=size, seed=seed)
    if rest.verdict == "damaged":
        raise damaged(segment.path, rest.offset, rest.proof)
    header = _following(segment, durable.end, kept, maker=maker)
    publish(maker.make(header, [frame for frame in found if frame.count]))
    return Recovery(
        "sync",
        segment.path,
        durable.end,
        rest.dropped_records,
        rest.tail_bytes,
        f"{segment.path}: a sync failed behind offset {durable.end}. {last - kept} later "
        "records that the disk gave back were written anew and synced; others, never acknowledged "
        f"as durable, may be lost ({rest.dropped_records} of them are still whole in this file). "
        "See to the disk.",
    )


def _durable_last(segment: Segment, durable: Durable) -> int:
    """Read what is known durable; its last sequence, which a killed writer may not have told.

    Raises:
        Corruption: it is not all there.
    """
    first = segment.header.first
    found = reach(
        segment.read, start=FIRST_OFFSET, limit=durable.end, first=first, seed=segment.seed
    )
    if found.offset != durable.end or found.next <= durable.last:
        proof = f"records up to {durable.last} were durable, up to offset {durable.end}"
        raise damaged(segment.path, found.offset, proof)
    return found.next - 1
