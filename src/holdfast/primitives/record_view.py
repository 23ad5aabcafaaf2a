"""Reading a file of records: by number, in turn, and as a check or a repair does.

I1  Nothing of this changes the file, or makes another one but the copy that a repair was asked for.
"""

from __future__ import annotations

import os

from holdfast.primitives.record_reading import RecordReading
from holdfast.primitives.record_tally import Tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.formats.record_layout import Record
    from holdfast.primitives.check_report import CheckReport, RepairReport
    from holdfast.primitives.record_locks import RecordLocks
    from holdfast.primitives.record_place import RecordPlace
    from holdfast.vfs import VFS, Clock

__all__ = ["RecordView"]


class RecordView:
    """What can be read of an open file.

    Args:
        place: The file.
        vfs: The filesystem.
        clock: The time.
    """

    def __init__(self, place: RecordPlace, *, vfs: VFS, clock: Clock) -> None:
        self._place = place
        self._path = place.path
        self._vfs = vfs
        self._clock = clock
        self._locks: RecordLocks | None = None
        self._tally = Tally(place)
        self._reading = RecordReading(place, self._tally, self._record_locks)

    def _record_locks(self) -> RecordLocks | None:
        """The locks for a reader: of a file that may not be written, where they can be had."""
        if self._locks is None:
            from holdfast.primitives.record_check import locks_of_reader

            self._locks = locks_of_reader(self._place.lock_path, vfs=self._vfs, clock=self._clock)
        return self._locks

    @property
    def path(self) -> str:
        """Where it is."""
        return self._path

    @property
    def layout(self) -> dict[str, str]:
        """The struct code of each field by its name."""
        return dict(self._place.layout.fields)

    def __len__(self) -> int:
        """How many records there are now, those of other processes with them."""
        return self._tally.advance()

    def __getitem__(self, number: int) -> Record:
        """Return a record; a negative number counts from the end. Takes no lock.

        Raises:
            IndexError: There is no such record.
            Corruption: Both of its copies are damaged; they are untouched.
            Closed: After `close`.
            OSError: It cannot be read.
        """
        return self._unpack(number, self._reading.read(self._index(number)).payload)

    def read(self, number: int) -> Record:
        """Return a record, as `records[number]` does.

        Raises:
            IndexError: There is no such record.
            Corruption: Both of its copies are damaged; they are untouched.
        """
        return self[number]

    def __iter__(self) -> Iterator[Record]:
        """Yield all records in turn, with those that are appended meanwhile; each as it is then.

        Raises:
            Corruption: Both copies of one are damaged.
            OSError: The file cannot be read.
        """
        for number, payload in enumerate(self._reading.all()):
            yield self._unpack(number, payload)

    def _unpack(self, number: int, payload: bytes) -> Record:
        try:
            return self._place.layout.unpack(payload)
        except ValueError as error:
            from holdfast.errors import Corruption

            raise Corruption(
                f"{self._path}: record {number} is whole, and {error}. It is untouched. "
                "Write it anew.",
                path=self._path,
            ) from None

    def _index(self, number: int) -> int:
        """The number from the start of a record that is there."""
        found = number
        if not 0 <= number < self._tally.count:
            count = self._tally.advance()
            found = number + count if number < 0 else number
            if not 0 <= found < count:
                raise IndexError(f"{self._path}: there is no record {number}: it has {count}")
        return found

    def check(self) -> CheckReport:
        """Read all copies of all records and say what is wrong; change nothing.

        Raises:
            OSError: The file cannot be read.
        """
        from holdfast.primitives.record_check import check_place

        return check_place(self._place, self._record_locks())

    def repair(self, to: str | os.PathLike[str]) -> RepairReport:
        """Copy every record of which a copy is whole to a new file; this one is only read.

        Numbers stay. A record that is lost is there with zeros in all fields, and is told.

        Args:
            to: The new file; it must not be there.

        Raises:
            FileExistsError: There is something at `to`; nothing was done.
            OSError: It cannot be copied; no file is left at `to`.
        """
        from holdfast.primitives.record_repair import copy_records

        return copy_records(self._place, os.fsdecode(to), vfs=self._vfs)
