"""Whether all copies of all records are whole; changes nothing, and may run beside writers.

I1  What a writer may be changing just then is looked at again under the lock of its record, where
    that can be had.
"""

from __future__ import annotations

from holdfast.errors import Corruption, LockTimeout, UnknownFormat
from holdfast.formats.record_format import SECTORS, SLOT_HEAD_BYTES
from holdfast.primitives.check_report import CheckReport, Finding
from holdfast.primitives.record_locks import RecordLocks
from holdfast.primitives.record_place import RecordPlace, newest_of
from holdfast.primitives.record_tally import Tally
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.primitives.record_place import Pair
    from holdfast.vfs import VFS, Clock

__all__ = ["check_place", "check_records", "half_damaged", "locks_of_reader"]

_PATIENCE_S = 5.0
_MAX_FINDINGS = 1000
_KIND = "record file"
_HEAL = "`RecordFile.heal` writes it anew."


def locks_of_reader(path: str, *, vfs: VFS, clock: Clock) -> RecordLocks | None:
    """The locks of a file, if there is a sidecar that can be locked; none is made."""
    import os

    folder_path, name = os.path.split(path)
    try:
        folder = vfs.folder(folder_path)
        try:
            folder.open(name, "write").close()
        finally:
            folder.close()
    except OSError:
        return None
    return RecordLocks(path, vfs=vfs, clock=clock)


def half_damaged(place: RecordPlace, count: int) -> Iterator[int]:
    """Yield the records below `count` of which just one copy is valid."""
    size = place.head.chunk_records
    for chunk in range(-(-count // size)):
        for number, (one, other) in place.scan(chunk):
            if number < count and (one is None) is not (other is None):
                yield number


def check_place(place: RecordPlace, locks: RecordLocks | None) -> CheckReport:
    """Read everything and report.

    Raises:
        OSError: the file cannot be read.
    """
    return _Check(place, locks).run()


def check_records(path: str, *, vfs: VFS = SYSTEM, clock: Clock = CLOCK) -> CheckReport:
    """Return what `RecordFile.check` would of the file at `path`, also where it cannot be opened.

    Raises:
        UnknownFormat: it is of a later format; it is untouched.
        OSError: it cannot be read.
    """
    try:
        place = RecordPlace(path, None, new=None, vfs=vfs)
    except UnknownFormat:
        raise
    except Corruption as error:
        finding = Finding("damage", path, error.offset, str(error))
        return CheckReport(path, _KIND, 0, vfs.stat(path).st_size, (finding,))
    locks = locks_of_reader(place.lock_path, vfs=vfs, clock=clock)
    try:
        return check_place(place, locks)
    finally:
        if locks is not None:
            locks.close()
        place.close()


class _Check:
    def __init__(self, place: RecordPlace, locks: RecordLocks | None) -> None:
        self.place = place
        self.locks = locks
        self.findings: list[Finding] = []
        self.omitted = 0
        self.records = 0
        self.claimed = 0
        self.is_refused = False  # who opens it to write changes nothing, but is told

    def run(self) -> CheckReport:
        """Look at each record in turn, then behind the last one."""
        place, head = self.place, self.place.head
        count = self._count()
        for chunk in range(head.chunks_in(place.size_bytes)):
            for number, pair in place.scan(chunk):
                if number < count:
                    self._record(number, pair)
            self._paddings(chunk, count)
        if self.claimed > count and not self.is_refused:
            self._add(
                "damage",
                head.place(count, 0),
                f"{place.path}: there are {count} records, although {self.claimed} were durable. "
                "Nothing was changed. Take the file from a backup.",
            )
        self._rest()
        if self.omitted:
            message = f"{place.path}: {self.omitted} more findings are not listed."
            self.findings.append(Finding("damage", place.path, None, message))
        return CheckReport(place.path, _KIND, self.records, place.size_bytes, tuple(self.findings))

    def _count(self) -> int:
        tally = Tally(self.place)
        try:
            return tally.survey()
        except Corruption as error:
            self._add("damage", error.offset, str(error))
            self.is_refused = True
            return tally.advance()

    def _add(self, kind: str, offset: int | None, message: str) -> None:
        if len(self.findings) < _MAX_FINDINGS:
            self.findings.append(Finding(kind, self.place.path, offset, message))  # type: ignore[arg-type]
        else:
            self.omitted += 1

    def _record(self, number: int, pair: Pair) -> None:
        if None in pair:
            pair = self._again(number)
        newest = newest_of(pair)
        if newest is not None:
            self.records += 1
            self.claimed = max(self.claimed, *(slot.durable for slot in pair if slot))
        if None not in pair:
            return
        path, head = self.place.path, self.place.head
        array = pair.index(None)
        offset = head.place(number, array)
        if newest is None:
            self._add(
                "damage",
                offset,
                f"{path}: both copies of record {number} are damaged. They are untouched. "
                "Take the file from a backup, or save the others with `holdfast repair`.",
            )
            return
        if self._may_be_torn(self.place.raw(number, 1, array=array)):
            self._add(
                "torn",
                offset,
                f"{path}: one copy of record {number} is of a write that did not end, or damaged. "
                f"The value is that of the other. {_HEAL}",
            )
        else:
            self._add(
                "damage",
                offset,
                f"{path}: one copy of record {number} is damaged. Its value is that of the other, "
                f"which may be the one before it. {_HEAL}",
            )

    def _again(self, number: int) -> Pair:
        """Both copies while nobody writes them (I1)."""
        if self.locks is not None:
            try:
                with self.locks.hold(number, timeout_s=_PATIENCE_S):
                    return self.place.pair(number)
            except (LockTimeout, RuntimeError):
                pass  # what is seen without it is told
        return self.place.pair(number)

    def _may_be_torn(self, block: bytes) -> bool:
        """Whether a crash alone can leave this: nothing at all, or parts of a larger slot."""
        return self.place.head.slot_bytes > SECTORS[0] or not any(block)

    def _paddings(self, chunk: int, count: int) -> None:
        """Look for what is behind the records of a chunk, and behind the last one."""
        place, head = self.place, self.place.head
        first, end = chunk * head.chunk_records, SLOT_HEAD_BYTES + head.record_bytes
        for array in (0, 1):
            for number in range(first, first + head.chunk_records):
                block = place.raw(number, 1, array=array)
                if number < count and any(block[end:]):
                    self._add(
                        "damage",
                        head.place(number, array) + end,
                        f"{place.path}: there is something behind a copy of record {number}. "
                        f"The record is whole. {_HEAL}",
                    )
                elif number >= count and any(block) and not self.is_refused:
                    self._behind(number, array)

    def _behind(self, number: int, array: int) -> None:
        place = self.place
        is_whole = place.pair(number)[array] is not None
        self._add(
            "hole" if is_whole else "torn",
            place.head.place(number, array),
            f"{place.path}: there is {'a record' if is_whole else 'something'} behind the last "
            "record. It never was acknowledged. The next opening for writing removes it.",
        )

    def _rest(self) -> None:
        """A chunk that is not whole: who made it was stopped."""
        place, head = self.place, self.place.head
        start = head.chunk_start(head.chunks_in(place.size_bytes))
        if place.size_bytes > start and not self.findings:
            self._add(
                "torn",
                start,
                f"{place.path}: the file was growing and was stopped. No record is in that part. "
                "The next append completes it.",
            )
