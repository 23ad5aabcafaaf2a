"""The file of a `RecordFile`: found or made, open, and read slot by slot.

I1  A file has its name only when its head is whole and durable, and never over another file.
I2  Before it has its name, the sidecar says that nothing in it awaits a sync (`record_marks`).
I3  When the first sync returns, the name is durable as well, whoever made it.
"""

from __future__ import annotations

import errno
import os

from holdfast.errors import Closed, UnknownFormat
from holdfast.formats.record_format import (
    HEAD_BYTES,
    Slot,
    decode_record_head,
    decode_slot,
    encode_record_head,
    head_for,
    newest,
)
from holdfast.formats.record_layout import RecordLayout
from holdfast.primitives.beside import beside
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.record_marks import clear_all
from holdfast.primitives.regular_files import is_same, open_regular, read_block
from holdfast.primitives.replacement import Creation
from holdfast.primitives.target import find, how
from holdfast.primitives.temp import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from holdfast.vfs import VFS, Clock, File

__all__ = ["LOCK_SUFFIX", "NewFile", "Pair", "RecordPlace", "newest_of"]

LOCK_SUFFIX = ".lock"
_STEP_BYTES = 1 << 17

Pair = tuple[Slot | None, Slot | None]
"""What the slots of a record in A and B say."""


def newest_of(pair: Pair) -> Slot | None:
    """The one that counts."""
    return newest(*pair)


class NewFile:
    """How a file is made that is missing."""

    __slots__ = ("chunk_bytes", "clock", "permissions", "sector_bytes")

    def __init__(
        self, *, permissions: int, sector_bytes: int, chunk_bytes: int, clock: Clock
    ) -> None:
        self.permissions = permissions
        self.sector_bytes = sector_bytes
        self.chunk_bytes = chunk_bytes
        self.clock = clock


class RecordPlace:
    """An open file of records, and where its sidecar is.

    Attributes: `path` as it was given, `head`, `layout`, `lock_path`.
    """

    def __init__(
        self, path: str, layout: RecordLayout | None, *, new: NewFile | None, vfs: VFS
    ) -> None:
        """Open the file; with `new`, make it when it is missing (I1), to be written.

        Raises:
            FileNotFoundError: it is missing, and is not to be made or has no layout.
            Corruption: it is none, or its head is damaged; it is untouched.
            OSError: it cannot be opened or made; nothing was changed.
        """
        self.path = path
        self._vfs = vfs
        self._writes = new is not None
        self._file: File | None = None
        self._is_named = False
        target = self._target = find(path, how("always", None, None, vfs=vfs))
        self.lock_path = os.path.join(
            vfs.resolve(target.folder.path), beside(target.name, LOCK_SUFFIX)
        )
        try:
            self._file = self._open()
            if self._file is None:
                if new is None or layout is None:
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
                self._file = self._make(layout, new)
            self.head = decode_record_head(read_block(self._file, HEAD_BYTES, offset=0), path=path)
            self.layout = RecordLayout.parse(self.head.layout)
            self._refuse_another(layout)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError) and error.filename == target.name:
                error.filename = path
            raise

    def _open(self) -> File | None:
        """Open the file; None if there is none."""
        try:
            file = open_regular(
                self._target.folder, self._target.name, mode="write" if self._writes else "read"
            )
        except FileNotFoundError:
            return None
        if file is None:
            message = f"{self.path}: is no regular file. It is untouched. Give another path."
            raise UnknownFormat(message, path=self.path)
        return file

    def _make(self, layout: RecordLayout, new: NewFile) -> File:
        """Make the file, or open the one that somebody else has just made (I1, I2)."""
        number = int(self._vfs.token(), 16) or 1
        head = head_for(
            layout,
            number=number,
            created_ns=new.clock.now_ns(),
            sector_bytes=new.sector_bytes,
            chunk_bytes=new.chunk_bytes,
        )
        permissions = new.permissions
        clear_all(self.lock_path, number, permissions=permissions, vfs=self._vfs)
        creation = Creation(self._target, how("always", None, None, vfs=self._vfs))
        try:
            creation.begin()
            if permissions != 0o666:
                mode = creation.info.st_mode & permissions
                creation.file.set_attributes(mode=mode & 0o7777, owner=None, xattrs={})
            write_all(creation.file, encode_record_head(head))
            creation.commit()
        except FileExistsError:
            creation.discard()
        except BaseException as error:
            creation.give_up(error)
            raise
        file = self._open()
        if file is None:
            raise OSError(errno.ESTALE, "was removed while it was being made", self.path)
        return file

    def _refuse_another(self, layout: RecordLayout | None) -> None:
        if layout is None or layout.text == self.head.layout:
            return
        mine, found = layout.fields, self.layout.fields
        names = [name for name in (*mine, *found) if mine.get(name) != found.get(name)]
        what = (
            f"{names[0]!r} is {found.get(names[0], 'missing')} in it and "
            f"{mine.get(names[0], 'missing')} in yours"
            if names
            else "the order of the fields differs"
        )
        raise UnknownFormat(
            f"{self.path}: has records of another layout: {what}. It is untouched. "
            "Open it without a layout, or copy its records to a new file.",
            path=self.path,
            expected=layout.text,
            found=self.head.layout,
        )

    # ------------------------------------------------------------ reading and writing

    @property
    def file(self) -> File:
        """The open file.

        Raises:
            Closed: it is not open any more.
        """
        if self._file is None:
            raise Closed(f"{self.path}: is closed. What was acknowledged is on disk. Open it anew.")
        return self._file

    @property
    def size_bytes(self) -> int:
        """How large the file is now."""
        return self.file.stat().st_size

    def pair(self, number: int) -> Pair:
        """What both slots of a record say."""
        head, read = self.head, self.file.read
        size, at = head.slot_bytes, head.place(number, 0)
        return (
            decode_slot(read(size, offset=at), head=head, number=number, array=0),
            decode_slot(
                read(size, offset=at + head.array_bytes), head=head, number=number, array=1
            ),
        )

    def scan(self, chunk: int, *, start: int = 0) -> Iterator[tuple[int, Pair]]:
        """Yield the numbers of a chunk from index `start` on, and what both slots of each say.

        A row of slots of one array is read, then that of the other.
        """
        head = self.head
        step = max(1, _STEP_BYTES // head.slot_bytes)
        for index in range(start, head.chunk_records, step):
            first = chunk * head.chunk_records + index
            count = min(step, head.chunk_records - index)
            rows = [self._row(first, count, array=array) for array in (0, 1)]
            yield from zip(range(first, first + count), zip(*rows, strict=True), strict=True)

    def _row(self, first: int, count: int, *, array: int) -> list[Slot | None]:
        head, size = self.head, self.head.slot_bytes
        data = memoryview(self.raw(first, count, array=array))
        return [
            decode_slot(
                data[at * size : (at + 1) * size], head=head, number=first + at, array=array
            )
            for at in range(count)
        ]

    def raw(self, first: int, count: int, *, array: int) -> bytes:
        """The bytes of `count` slots of one array and chunk, as far as they are there."""
        head = self.head
        return read_block(self.file, count * head.slot_bytes, offset=head.place(first, array))

    def write(self, data: Buffer, offset: int) -> None:
        """Write all of `data` at `offset`.

        Raises:
            OSError: a part may be written.
        """
        rest = memoryview(data).cast("B")
        while rest:
            count = self.file.write(rest, offset=offset)
            if count <= 0:  # looping on it would never end
                raise OSError(errno.EIO, "a write wrote nothing", self.path)
            rest, offset = rest[count:], offset + count

    def sync(self) -> None:
        """Return when all that is written is durable, and with the first time the name (I3).

        Raises:
            OSError: how much is durable is not known; it must not be synced again.
        """
        if self._is_named:
            self.file.sync_data()
            return
        self.file.sync()
        self._target.folder.sync()
        self._is_named = True

    def reopen(self) -> None:
        """Open it anew: a forked child shares what its parent has open, also its errors of syncs.

        Raises:
            OSError: the path leads to another file by now (ESTALE), or to none.
        """
        mine, file = self.file, self._open()
        if file is None or not is_same(file.stat(), mine.stat()):
            close_quietly(file)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), self.path)
        self._file = file
        close_quietly(mine)

    def close(self) -> None:
        """Close; idempotent."""
        file, self._file = self._file, None
        close_quietly(file)
        close_quietly(self._target.folder)
