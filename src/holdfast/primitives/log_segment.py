"""The segments of a log as files: listing, opening, making one whole.

A segment gets its name when its header, and whatever goes into it at birth, are durable; after a
crash there is none with half a header.
"""

from __future__ import annotations

import errno

from holdfast.errors import CommittedNotDurable, Corruption
from holdfast.formats.log_format import (
    HEADER_BYTES,
    SegmentHeader,
    decode_segment,
    encode_segment,
    first_of,
    seed_of,
    segment_name,
)
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.log_hint import Place
from holdfast.primitives.sweeping import sweep_leftovers
from holdfast.primitives.temp import Made, create, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.vfs import VFS, File, Folder, OpenMode

__all__ = [
    "FILL_BYTES",
    "ZEROS",
    "Segment",
    "first_fill",
    "firsts_of",
    "has_segments",
    "make_segment",
    "open_segment",
    "path_in",
    "remove_before",
    "sync_unknown",
]

FILL_BYTES = 1 << 20
"""How far a segment is filled with zeros at once, when it is no longer small."""
ZEROS = bytes(FILL_BYTES)
_FIRST_FILL_BYTES = 64 << 10

# Where a file that is open for reading cannot be synced. Not EROFS: it says that ext4 has given up.
_CANNOT_SYNC = frozenset({errno.EBADF, errno.EINVAL})


def firsts_of(folder: Folder) -> list[int]:
    """Return the first sequence of each segment, the oldest first."""
    return sorted(first for name in folder.names() if (first := first_of(name)) is not None)


def has_segments(path: str, *, vfs: VFS) -> bool:
    """Look whether the folder of a log is there, and holds a segment.

    Raises:
        OSError: it cannot be looked at.
    """
    try:
        folder = vfs.folder(path)
    except FileNotFoundError:
        return False
    try:
        return bool(firsts_of(folder))
    finally:
        folder.close()


class Segment:
    """An open segment: its file, its header, and what its frames are checked with."""

    __slots__ = ("file", "header", "path", "place", "seed")

    def __init__(self, file: File, header: SegmentHeader, path: str) -> None:
        info = file.stat()
        self.file = file
        self.header = header
        self.path = path
        self.place = Place(info.st_dev, info.st_ino, header.first, header.salt)
        self.seed = seed_of(header.salt)

    def read(self, size: int, offset: int) -> bytes:
        """Read as the scanner asks for it: less than `size` at the end of the file alone."""
        data = self.file.read(size, offset=offset)
        while 0 < len(data) < size:
            more = self.file.read(size - len(data), offset=offset + len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        """Close; what was written through it is another's care."""
        close_quietly(self.file)


def path_in(folder: Folder, first: int) -> str:
    """Return the path of a segment, for messages."""
    return f"{folder.path}/{segment_name(first)}"


def open_segment(folder: Folder, first: int, mode: OpenMode) -> Segment:
    """Open a segment and read its header.

    Raises:
        Corruption: the header is damaged, or belongs to another name; nothing was changed.
        FileNotFoundError: it was dropped meanwhile.
        OSError: it cannot be opened or read.
    """
    path = path_in(folder, first)
    try:
        file = folder.open(segment_name(first), mode)
    except OSError as error:
        error.filename = path
        raise
    try:
        header = decode_segment(file.read(HEADER_BYTES, offset=0), path=path)
        if header.first != first:
            raise Corruption(
                f"{path}: the header says that its first record is {header.first}. "
                "Nothing was changed. Give the file its own name back, or see `holdfast repair`.",
                path=path,
                offset=16,
                expected=first,
                found=header.first,
            )
        return Segment(file, header, path)
    except BaseException:
        close_quietly(file)
        raise


def first_fill(segment_bytes: int) -> int:
    """Return how far a new segment is filled with zeros."""
    return min(_FIRST_FILL_BYTES, segment_bytes)


def make_segment(
    folder: Folder,
    header: SegmentHeader,
    *,
    contents: Iterable[bytes],
    filled: int,
    permissions: int,
    vfs: VFS,
) -> Segment:
    """Make a segment under its name, whole and durable; one of the same name is replaced.

    For who holds the append lock. After a failure, or a crash, there is no such segment, or the old
    one; perhaps a temporary file, which the making of the next one removes.

    Args:
        folder: the log.
        header: what it begins with.
        contents: the frames that it is born with.
        filled: how far it is filled with zeros.
        permissions: the mode, less the umask.
        vfs: the filesystem.

    Raises:
        CommittedNotDurable: it is in place, and the sync of the folder failed: a power cut may take
            the name away. Nothing may be appended to the log before this is repaired.
        OSError: it cannot be made; the log is as it was.
    """
    sweep_leftovers(folder, vfs=vfs)  # first: it makes room
    made = Made()
    name = segment_name(header.first)
    path = path_in(folder, header.first)
    try:
        create(made, folder, name, permissions=permissions, vfs=vfs)
        file = made.file
        write_all(file, encode_segment(header))
        for frame in contents:
            write_all(file, frame)
        position = file.seek(0, 1)
        while position < filled:
            write_all(file, ZEROS[: filled - position])
            position = file.seek(0, 1)
        file.sync()
        segment = Segment(file, header, path)
        folder.rename(str(made.temp), name)  # from here on nothing may fail but the next sync
    except BaseException as error:
        made.end(folder)
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            error.add_note(
                f"{path}: no new segment could be made. The log is as it was. "
                "Make room on the disk, or drop old records (drop_before), and append again."
            )
        raise
    return _named(folder, segment)


def _named(folder: Folder, segment: Segment) -> Segment:
    """Make the new name durable."""
    try:
        folder.sync()
        segment.file.unlock()
    except OSError as error:
        segment.close()
        raise CommittedNotDurable(
            f"{segment.path}: the sync of the folder failed ({error}). The segment is in place, "
            "and a power cut may take it away. Open the log anew when the disk is well.",
            errno=error.errno or errno.EIO,
            path=segment.path,
        ) from error
    except BaseException:
        segment.close()
        raise
    return segment


def sync_unknown(segment: Segment) -> None:
    """Make durable what is about to be shown, since nobody tells how far it is.

    Raises:
        OSError: the sync failed.
    """
    try:
        segment.file.sync_data()
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


def remove_before(folder: Folder, sequence: int) -> int:
    """Remove the segments whose records all lie before `sequence`; return the first that is kept.

    The oldest goes first, and is gone from the disk before the next one: a crash leaves no gap.

    Raises:
        OSError: as the system says; some of the oldest may be gone.
    """
    firsts = firsts_of(folder)
    for at, following in enumerate(firsts[1:]):
        if following > sequence:
            return firsts[at]
        folder.unlink(segment_name(firsts[at]))
        folder.sync()
    return firsts[-1]
