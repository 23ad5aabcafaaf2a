"""The check of a log: reads all of it, takes no lock and changes nothing.

Guarantee: every byte of every frame is held against its checksums, every segment against its
    neighbours, and what does not fit is reported with its place. What living writers do meanwhile
    (a tail that is not synced, a frame half written, a segment made or dropped) is no finding.
Not guaranteed: what docs/reference/log-format.md says cannot be decided.

I1  A place that is not whole is looked at again, with the size and the names as they are then; it
    is reported when two looks say the same.
I2  Memory: a few pieces of 256 KiB, whatever the files claim.
"""

from __future__ import annotations

from itertools import pairwise

from holdfast.formats.log_format import FIRST_OFFSET, MAX_SEGMENT_BYTES
from holdfast.formats.log_scan import examine, reach
from holdfast.formats.log_search import islands
from holdfast.primitives.check_report import CheckReport, Finding
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.leftovers import leftovers, unheld
from holdfast.primitives.log_copying import GUARD_NAME
from holdfast.primitives.log_known import known_of
from holdfast.primitives.log_survey import (
    Reading,
    find_seed,
    firsts_in,
    followed,
    misfit,
    stated_end,
    survey,
)
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NamedTuple

    from holdfast.formats.log_scan import Reach, Tail
    from holdfast.primitives.log_known import Known
    from holdfast.primitives.log_survey import Lying
    from holdfast.vfs import VFS, Folder
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["SegmentFacts", "check_log", "segments_of"]

_LOOKS = 10
_ADVICE = "Salvage what is whole with `holdfast repair`, or take the log from a backup."


class SegmentFacts(NamedTuple):
    """A segment: its records from `first` to `last` (before `first`: none), and where they end.

    `sealed`: another follows, and states that end; otherwise it was found by reading. `closed`: its
    last frame is a close mark (of the last segment alone; None elsewhere).
    """

    name: str
    first: int
    last: int
    records: int
    end: int
    size_bytes: int
    sealed: bool
    closed: bool | None
    created_ns: int


def segments_of(path: str, *, vfs: VFS = SYSTEM) -> tuple[SegmentFacts, ...]:
    """Return what the headers say, and for the last segment what its frames say.

    Raises:
        Corruption: a header is damaged, or does not fit its neighbour; see `check_log`.
        OSError: the log cannot be read.
    """
    folder = vfs.folder(path, readable=True)
    try:
        lying = survey(folder)
        for this in lying:
            if this.problem is not None:
                raise this.problem
        return tuple(_facts(folder, this, after) for this, after in followed(lying))
    finally:
        close_quietly(folder)


def _facts(folder: Folder, this: Lying, after: Lying | None) -> SegmentFacts:
    end = stated_end(this, after)
    created_ns = this.header.created_ns if this.header else 0
    if after is not None and end is not None:
        last = after.first - 1
        return SegmentFacts(
            this.name,
            this.first,
            last,
            records=last - this.first + 1,
            end=end,
            size_bytes=this.info.st_size,
            sealed=True,
            closed=None,
            created_ns=created_ns,
        )
    with Reading(folder, this.name) as reading:
        seed = find_seed(reading, this, after) or 0
        limit = min(reading.size, MAX_SEGMENT_BYTES)
        far = reach(
            reading.read,
            start=FIRST_OFFSET,
            limit=limit,
            first=this.first,
            seed=seed,
            path=this.path,
        )
        size_bytes = reading.size
    return SegmentFacts(
        this.name,
        this.first,
        far.next - 1,
        records=far.records,
        end=far.offset,
        size_bytes=size_bytes,
        sealed=False,
        closed=far.closed,
        created_ns=created_ns,
    )


def check_log(path: str, *, vfs: VFS = SYSTEM) -> CheckReport:
    """Return what is found in a log.

    Raises:
        UnknownFormat: a segment or a frame is of a later format.
        OSError: the log cannot be read at all. What its disk cannot read of a segment is a finding.
    """
    folder = vfs.folder(path, readable=True)
    try:
        return _Check(folder, path, vfs).run()
    finally:
        close_quietly(folder)


class _Check:
    def __init__(self, folder: Folder, path: str, vfs: VFS) -> None:
        self.folder = folder
        self.path = path
        self.vfs = vfs
        self.records = self.size_bytes = self.last = 0
        self.findings: list[Finding] = []

    def run(self) -> CheckReport:
        """Look at all segments in turn, then for what writers have left."""
        known = known_of(self.path, vfs=self.vfs)
        left = unheld(self.folder, vfs=self.vfs)
        lying = self._steady()
        before: Lying | None = None
        for this, after in followed(lying):
            if reason := misfit(this, before):
                self._damage(this, 16, f"{this.path}: {reason}. Nothing was changed. {_ADVICE}")
            try:
                with Reading(self.folder, this.name) as reading:
                    self._segment(reading, this, after)
            except FileNotFoundError:
                self._vanished(this)
            before = this
        self._missing(known)
        self.findings += leftovers(self.folder, left, what="log", vfs=self.vfs)
        findings = tuple(self.findings)
        return CheckReport(self.path, "log", self.records, self.size_bytes, findings)

    def _steady(self) -> list[Lying]:
        """The segments; listed again while they do not fit and writers change them (I1)."""
        lying = survey(self.folder)
        for _ in range(_LOOKS):
            if not any(misfit(this, before) for before, this in pairwise(lying)):
                break
            again = survey(self.folder)
            if [(one.first, one.header) for one in again] == [
                (one.first, one.header) for one in lying
            ]:
                break
            lying = again
        return lying

    def _segment(self, reading: Reading, this: Lying, after: Lying | None) -> None:
        """Read one segment and report what is wrong in it."""
        self.size_bytes += reading.size
        if this.problem is not None and this.name == GUARD_NAME:
            message = (
                f"{self.path}: the log is not complete: a repair is writing it, or was killed. "
                "What it was made from is untouched. Remove the whole folder, and repair again."
            )
            self.findings.append(Finding("damage", self.path, None, message))
        elif this.problem is not None:
            self._damage(this, this.problem.offset, str(this.problem))
        seed = find_seed(reading, this, after)
        if seed is not None:
            look = _Look(reading, this, seed)
            end = stated_end(this, after)
            if after is not None and end is not None:
                self._sealed(look, after, end)
            else:
                self._unsealed(look)
            self.records += look.records
            self.last = look.last
        if reading.unread:
            self._damage(
                this,
                min(reading.unread),
                f"{this.path}: {len(reading.unread)} blocks cannot be read: the disk reports an "
                f"error, first at byte {min(reading.unread)}. Nothing was changed. {_ADVICE}",
            )

    def _sealed(self, look: _Look, after: Lying, end: int) -> None:
        """A segment that another one follows, which says where it ends."""
        far = look.go_on(end)
        if far.offset != end:
            far = look.go_on(end)
        if far.offset != end:
            proof = f"{after.name} says that it ends at byte {end}"
            self._tell_damage(look, far.offset, proof, limit=end)
        elif far.next > after.first:
            self._damage(
                after,
                16,
                f"{after.path}: begins with record {after.first}, although record {far.next - 1} "
                f"stands before it. Nothing was changed. {_ADVICE}",
            )

    def _unsealed(self, look: _Look) -> None:
        """The last segment: writers may be at work in it (I1)."""
        tail = look.tail()
        for _ in range(_LOOKS):
            if tail.verdict == "clean":
                return
            again = look.tail()
            if again == tail:
                break
            tail = again
        else:
            return  # it moved at each look: somebody is writing
        after = self._sealed_since(look.this)
        end = stated_end(look.this, after)
        if after is not None and end is not None:
            self._sealed(look, after, end)
        elif tail.verdict == "damaged":
            self._tell_damage(look, tail.offset, tail.proof, limit=look.reading.size)
        else:
            self._tell_cut(look.this, tail.verdict, tail)

    def _sealed_since(self, this: Lying) -> Lying | None:
        """The segment that was made after this one meanwhile."""
        later = [one for one in survey(self.folder) if one.first > this.first]
        return later[0] if later else None

    def _tell_damage(self, look: _Look, offset: int, proof: str, *, limit: int) -> None:
        this, before = look.this, look.records
        behind = look.count_behind(offset, limit)
        self._damage(
            this,
            offset,
            f"{this.path}: damaged at byte {offset}: {proof}. {before} records before it and "
            f"{behind} behind it are whole, and nothing was changed. {_ADVICE}",
        )

    def _tell_cut(
        self, this: Lying, kind: Literal["clean", "torn", "hole", "damaged"], tail: Tail
    ) -> None:
        where = f"{this.path}: the last write is torn at byte {tail.offset}"
        if kind == "hole":
            where = (
                f"{this.path}: of writes that were never synced, {tail.dropped_records} whole "
                f"records are on disk and those before them, at byte {tail.offset}, are not"
            )
        message = (
            f"{where}. The {tail.tail_bytes} bytes from there on were left by a crash, as far as "
            "can be told, and never acknowledged. The next append leaves them behind."
        )
        self.findings.append(
            Finding("hole" if kind == "hole" else "torn", this.path, tail.offset, message)
        )

    def _missing(self, known: Known) -> None:
        """Tell what this boot knows to be durable and was not found, unless damage tells why."""
        if not any(finding.kind == "damage" for finding in self.findings):
            message = known.missing_after(self.last, self.path)
            if message is not None:
                self.findings.append(Finding("damage", self.path, None, message))

    def _vanished(self, this: Lying) -> None:
        """It was there a moment ago: dropped with all before it, or gone from the middle."""
        if any(first <= this.first for first in firsts_in(self.folder)):
            message = f"{this.path}: the segment is gone. Those around it are there. {_ADVICE}"
            self._damage(this, None, message)

    def _damage(self, this: Lying, offset: int | None, message: str) -> None:
        self.findings.append(Finding("damage", this.path, offset, message))


class _Look:
    """How far the frames of one segment were found whole; it can be gone on with."""

    def __init__(self, reading: Reading, this: Lying, seed: int) -> None:
        self.reading = reading
        self.this = this
        self.seed = seed
        self.records = 0
        self._at = FIRST_OFFSET
        self._next: int = this.first

    @property
    def last(self) -> int:
        """The last sequence that was found."""
        return self._next - 1

    def go_on(self, limit: int) -> Reach:
        """Read on up to the limit."""
        far = reach(
            self.reading.read,
            start=self._at,
            limit=limit,
            first=self._next,
            seed=self.seed,
            path=self.this.path,
        )
        self._at, self._next = far.offset, far.next
        self.records += far.records
        return far

    def tail(self) -> Tail:
        """Read on to the end, and say what stands there."""
        size = self.reading.size
        self.go_on(min(size, MAX_SEGMENT_BYTES))
        return examine(
            self.reading.read,
            at=self._at,
            first=self._next,
            size=size,
            seed=self.seed,
            path=self.this.path,
        )

    def count_behind(self, offset: int, limit: int) -> int:
        """Count the whole records behind a damaged place, and add them."""
        found = islands(
            self.reading.read,
            start=offset + 8,
            limit=min(limit, MAX_SEGMENT_BYTES),
            seed=self.seed,
            path=self.this.path,
        )
        behind = sum(head.count for head in found)
        self.records += behind
        return behind
