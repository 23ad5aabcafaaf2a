"""Copy what is whole of a file of records to a new one.

Guarantee: when it returns, the new file has every record of which a copy is valid, under its
    number, durably; what is missing among them is told and has zeros in all fields. The old file is
    only read. After a crash there is the whole new file or none.
"""

from __future__ import annotations

import os

from holdfast.errors import Corruption
from holdfast.formats.record_format import HEAD_BYTES, Slot, encode_record_head, encode_slot
from holdfast.primitives.beside import beside
from holdfast.primitives.check_report import Lost, RepairReport
from holdfast.primitives.record_marks import clear_all
from holdfast.primitives.record_place import LOCK_SUFFIX, RecordPlace, newest_of
from holdfast.primitives.record_tally import Tally
from holdfast.primitives.replacement import Creation
from holdfast.primitives.target import find, how
from holdfast.primitives.temp import write_all
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.vfs import VFS, File

__all__ = ["copy_records", "repair_records"]

_MAX_LOST = 1000


def copy_records(place: RecordPlace, to: str, *, vfs: VFS) -> RepairReport:
    """Copy them.

    Raises:
        FileExistsError: there is something at `to`; nothing was done.
        OSError: no file is left at `to`.
    """
    chosen = how("always", None, None, vfs=vfs)
    target = find(to, chosen, new=True)
    copying, number = _Copying(place), int(vfs.token(), 16) or 1
    try:
        lock_path = os.path.join(target.folder.path, beside(target.name, LOCK_SUFFIX))
        clear_all(lock_path, number, permissions=0o666, vfs=vfs)
        creation = Creation(target, chosen)
        try:
            creation.begin()
            copying.write(creation.file, number)
            creation.commit()
        except BaseException as error:
            creation.give_up(error)
            raise
    finally:
        target.close()
    return RepairReport(place.path, to, copying.records, tuple(copying.lost), copying.notes())


def repair_records(path: str, to: str, *, vfs: VFS = SYSTEM) -> RepairReport:
    """Do as `RecordFile.repair`, also for a file whose records are too damaged to open it.

    Raises:
        FileExistsError: there is something at `to`; nothing was done.
        Corruption: the head is damaged, without which nothing can be read; nothing was done.
        OSError: it cannot be copied; no file is left at `to`.
    """
    place = RecordPlace(path, None, new=None, vfs=vfs)
    try:
        return copy_records(place, to, vfs=vfs)
    finally:
        place.close()


class _Copying:
    def __init__(self, place: RecordPlace) -> None:
        self._place = place
        self._omitted = 0
        self.records = 0
        self.lost: list[Lost] = []

    def notes(self) -> tuple[str, ...]:
        """What else there is to say."""
        return (f"{self._omitted} more lost records are not listed",) if self._omitted else ()

    def write(self, file: File, number: int) -> None:
        """Write the new file, whose id is `number`, chunk by chunk."""
        head = self._place.head._replace(id=number)
        count, size = self._count(), head.chunk_records
        write_all(file, encode_record_head(head))
        for chunk in range(-(-count // size)):
            first = chunk * size
            payloads = [*self._payloads(chunk, min(size, count - first))]
            for array in (0, 1):
                slots = (Slot(array + 1, first, payload) for payload in payloads)
                parts = [encode_slot(head, first + at, slot) for at, slot in enumerate(slots)]
                write_all(file, b"".join(parts).ljust(head.array_bytes, b"\0"))

    def _count(self) -> int:
        """How many records there are, or were, as far as something says so."""
        tally = Tally(self._place)
        try:
            return tally.survey()
        except Corruption:
            return self._last_known()

    def _last_known(self) -> int:
        head, place, last, claimed = self._place.head, self._place, 0, 0
        chunks = -(-max(0, place.size_bytes - HEAD_BYTES) // head.chunk_bytes)
        for chunk in range(chunks):
            for number, pair in place.scan(chunk):
                slot = newest_of(pair)
                if slot is not None:
                    last, claimed = number + 1, max(claimed, slot.durable)
        return max(last, min(claimed, chunks * head.chunk_records))

    def _payloads(self, chunk: int, count: int) -> Iterator[bytes]:
        first = chunk * self._place.head.chunk_records
        for number, pair in self._place.scan(chunk):
            if number >= first + count:
                return
            slot = newest_of(pair)
            if slot is None:
                self._lose(number)
                yield bytes(self._place.head.record_bytes)
            else:
                self.records += 1
                yield slot.payload

    def _lose(self, number: int) -> None:
        if len(self.lost) < _MAX_LOST:
            reason = f"both copies of record {number} are damaged; it has zeros in all fields"
            self.lost.append(Lost(number - 1, reason, 1))
        else:
            self._omitted += 1
