"""The log that a repair writes: frames are copied to new places, and all appears at once.

Guarantee: no reader takes it for a log before it is whole and durable; what fails leaves nothing
    of it, and a repair that is killed leaves a folder that every reader refuses.

I1  A file that has the name of the last segment that can be, and no header, is made first and
    durable, and removed last. It says what to do, to who looks into it.
I2  A gap in the sequences stays one: a segment begins there, whose header has the end of the one
    before, and a first sequence that is larger than what comes next.
I3  What gets a new checksum is held against its old one, as it was read for that.
I4  The last frame is a close mark, so whatever is changed later is proven.
"""

from __future__ import annotations

import errno
import os
import stat
from zlib import crc32

from holdfast.errors import CommittedNotDurable
from holdfast.formats.log_format import (
    FIRST_OFFSET,
    FRAME_BYTES,
    MAX_SEGMENT_BYTES,
    MAX_SEQUENCE,
    SegmentHeader,
    encode_close_mark,
    encode_head,
    encode_segment,
    seed_of,
    segment_name,
)
from holdfast.formats.log_search import PIECE_BYTES
from holdfast.primitives.folders import close_quietly, forget, open_folder
from holdfast.primitives.temp import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.formats.log_format import FrameHead
    from holdfast.formats.log_search import Read
    from holdfast.primitives.log_survey import Lying
    from holdfast.vfs import VFS, File, Folder

__all__ = ["GUARD_NAME", "Target"]

GUARD_NAME = segment_name(MAX_SEQUENCE)
"""Stands in a log that is not done; no header is in it, so every reader refuses the log."""

_GUARD = (
    b"This log is not complete: it is being written by a repair, or one was killed.\n"
    b"Remove the whole folder, and repair again.\n"
)


class Target:
    """The new log: its folder, and the segment that is being written."""

    def __init__(self, path: str, *, vfs: VFS) -> None:
        self.path = path
        self._vfs = vfs
        self._folder: Folder | None = None
        self._made_in: Folder | None = None
        self._names: list[str] = []
        self._segment: _Segment | None = None
        self._like: Lying | None = None
        self._done = False

    @property
    def folder(self) -> Folder:
        """The open folder.

        Raises:
            OSError: EBADF before `open` and after `end`.
        """
        if self._folder is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), self.path)
        return self._folder

    def open(self, mode: int) -> None:
        """Make the folder, if it is missing, with this mode, and the guard in it (I1).

        Raises:
            FileExistsError: there is something in the folder; it is untouched.
            OSError: it cannot be made; `end` removes what was.
        """
        above, name = os.path.split(self.path.rstrip("/") or self.path)
        parent = open_folder(above, sync="always", vfs=self._vfs)
        try:
            parent.mkdir(name, permissions=mode | 0o700)
            self._made_in = parent
            parent.sync()
        except FileExistsError:
            close_quietly(parent)
        self._folder = self._vfs.folder(self.path, readable=True)
        if self._folder.names():
            raise FileExistsError(errno.EEXIST, "there is something in the folder", self.path)
        guard = self._new(GUARD_NAME, 0o666)
        try:
            write_all(guard, _GUARD)
            guard.sync()
        finally:
            close_quietly(guard)
        self._folder.sync()

    def _new(self, name: str, mode: int) -> File:
        self._names.append(name)
        try:
            return self.folder.open(name, "new", permissions=mode)
        except FileExistsError:
            self._names.pop()  # not ours
            raise

    def begin(self, like: Lying) -> None:
        """Begin a segment with the next frame, of the age and mode of an old one."""
        self._like = like

    def add(self, read: Read, head: FrameHead) -> None:
        """Write a frame that is whole in the old log."""
        segment, size = self._segment, head.end - head.offset
        if (
            segment is None
            or segment.like is not self._like
            or segment.next != head.first
            or segment.end + size > MAX_SEGMENT_BYTES
        ):
            segment = self._make(head.first)
        segment.add(read, head)

    def begin_at(self, first: int, *, permissions: int) -> None:
        """Begin a segment with this sequence, so that an empty log goes on with it."""
        self._like = None
        self._make(first, permissions=permissions)

    def _make(self, first: int, *, permissions: int = 0o666) -> _Segment:
        before, like = self._segment, self._like
        salt = int(self._vfs.token(), 16)
        created_ns, mode = 0, permissions
        if like is not None:
            created_ns = like.header.created_ns if like.header else max(0, like.info.st_mtime_ns)
            mode = stat.S_IMODE(like.info.st_mode)
        header = SegmentHeader(first, salt, created_ns)
        if before is not None:
            before.finish()
            old = before.header
            header = SegmentHeader(first, salt, created_ns, old.first, old.salt, before.end)
        segment = _Segment(self._new(segment_name(first), mode), header, like)
        self._segment = segment
        return segment

    def finish(self) -> None:
        """Make all durable, then take the guard away (I1).

        Raises:
            CommittedNotDurable: the last sync failed; all is there, and a power cut may bring the
                guard back.
            OSError: it is not done; `end` removes what was made.
        """
        if self._segment is not None:
            self._segment.close_mark()
            self._segment.finish()
        self.folder.sync()
        self.folder.unlink(GUARD_NAME)
        self._done = True
        try:
            self.folder.sync()
        except OSError as error:
            raise CommittedNotDurable(
                f"{self.path}: the last sync failed ({error}). The new log is whole, and after a "
                "power cut it may be refused as not complete. Repair again, to another folder.",
                errno=error.errno or errno.EIO,
                path=self.path,
            ) from error

    def end(self) -> None:
        """Close all; remove what was made, unless it is done."""
        if self._segment is not None:
            close_quietly(self._segment.file)
        if not self._done and self._is_undone() and self._made_in is not None:
            _remove(self._made_in, os.path.basename(self.path.rstrip("/")))
        close_quietly(self._folder)
        close_quietly(self._made_in)

    def _is_undone(self) -> bool:
        """Remove what was made; the guard goes when a crash can bring nothing else back (I1)."""
        guard, segments = self._names[:1], self._names[1:]
        if segments:
            left = [name for name in reversed(segments) if not forget(self.folder, name)]
            if left:
                return False
            try:
                self.folder.sync()
            except OSError:
                return False
        return all(forget(self.folder, name) for name in guard)


def _remove(parent: Folder, name: str) -> None:
    try:
        parent.rmdir(name)
    except OSError:
        pass  # somebody uses it already; an empty folder is no log


class _Segment:
    """A segment of the new log; what is added is written in pieces."""

    def __init__(self, file: File, header: SegmentHeader, like: Lying | None) -> None:
        self.file = file
        self.header = header
        self.like = like
        self.end = FIRST_OFFSET
        self.next: int = header.first
        self._seed = seed_of(header.salt)
        self._waiting = bytearray(encode_segment(header))

    def add(self, read: Read, head: FrameHead) -> None:
        """Write the frame at the end; its body is the same, its head says the new place (I3)."""
        start = encode_head(head, offset=self.end, synced=self.end, seed=self._seed)
        new_crc = int.from_bytes(start[32:36], "little")
        size = head.end - head.offset - FRAME_BYTES
        if size <= PIECE_BYTES:
            body = read(size, head.offset + FRAME_BYTES)
            _refuse_change(head, crc32(body, head.head_crc))
            self._put(start[:36] + crc32(body, new_crc).to_bytes(4, "little") + body)
        else:
            old_crc = head.head_crc
            for piece in _body(read, head):
                old_crc, new_crc = crc32(piece, old_crc), crc32(piece, new_crc)
            _refuse_change(head, old_crc)
            self._put(start[:36] + new_crc.to_bytes(4, "little"))
            self._put_large(read, head)
        self.end += FRAME_BYTES + size
        self.next = head.first + head.count

    def close_mark(self) -> None:
        """End the log (I4), where there is room."""
        if self.end + FRAME_BYTES <= MAX_SEGMENT_BYTES:
            place = {"first": self.next, "offset": self.end, "synced": self.end}
            self._put(encode_close_mark(**place, seed=self._seed))

    def _put_large(self, read: Read, head: FrameHead) -> None:
        check = head.head_crc
        for piece in _body(read, head):
            check = crc32(piece, check)
            self._put(piece)
        _refuse_change(head, check)

    def _put(self, data: bytes) -> None:
        self._waiting += data
        if len(self._waiting) >= PIECE_BYTES:
            self._flush()

    def _flush(self) -> None:
        write_all(self.file, bytes(self._waiting))
        self._waiting.clear()

    def finish(self) -> None:
        """Write what waits, make it durable, and close it."""
        self._flush()
        self.file.sync()
        self.file.close()


def _body(read: Read, head: FrameHead) -> Iterator[bytes]:
    """The body of a frame with its padding, in pieces."""
    for at in range(head.offset + FRAME_BYTES, head.end, PIECE_BYTES):
        yield read(min(PIECE_BYTES, head.end - at), at)


def _refuse_change(head: FrameHead, check: int) -> None:
    """Never seal what was read otherwise than when it was found whole (I3)."""
    if check != head.body_crc:
        raise OSError(errno.EIO, f"the frame at byte {head.offset} was read in two ways")
