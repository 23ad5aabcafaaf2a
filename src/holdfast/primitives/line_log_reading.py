"""Reading a line log: its old files and the log itself, oldest first, while others append.

Takes no lock and changes nothing. Guarantee: each line that stands in the log from the beginning of
the reading to its end is given once, in order, whatever rotates meanwhile: by holdfast, by a rename
(logrotate), and, as far as the copy that it makes tells, by copy and truncate.

I1  A line is given when it has its newline. An end without one, which may be half of a line that
    somebody is writing, is given only when the file has been rotated and the end is a record.
I2  Files are told apart by what they are, not by their names; the one that is read stays open, so
    that no other can be taken for it. Before it is left for the next one, it is read to its end.
I3  Memory is bounded: files are read in pieces, and a line has at most `LINE_MAX_BYTES`.
I4  What stands before our place is looked at again before anything behind it is believed: so a log
    that was cut and has grown again is noticed, and read from its beginning.
"""

from __future__ import annotations

import os

from holdfast.errors import DecodeError
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.line_log_names import kept_files, numbered, open_kept
from holdfast.primitives.line_log_records import LINE_MAX_BYTES, LineRecord, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.primitives.line_log_names import Identity, Kept
    from holdfast.vfs import VFS, File

__all__ = ["Reader"]

_PIECE_BYTES = 1 << 16
_ANCHOR_BYTES = 64
_OPENINGS_MAX = 100


class Reader:
    """A place in a log, from its oldest line on. Close it: it holds a file open.

    Attributes: `position`, in the file that is read.
    """

    __slots__ = (
        *("_anchor", "_file", "_identity", "_is_whole", "_line"),
        *("_name", "_older", "_path", "_vfs", "position"),
    )

    def __init__(self, path: str, *, is_whole: Callable[[bytes], bool], vfs: VFS) -> None:
        self._path = path
        self._is_whole = is_whole
        self._vfs = vfs
        self._file: File | None = None
        self._identity: Identity | None = None
        self._older: frozenset[Identity] = frozenset()
        self._begin("")

    def _begin(self, name: str) -> None:
        """Stand at the beginning of a file."""
        self._name = name
        self.position = self._line = 0
        self._anchor = b""

    def close(self) -> None:
        """Close the file; nothing else is held."""
        file, self._file = self._file, None
        close_quietly(file)

    # ------------------------------------------------------------ from file to file

    def lines(self) -> Iterator[LineRecord]:
        """Give every line that stands behind our place now (I1, I2).

        Raises:
            DecodeError: a line is too long.
            OSError: a file cannot be read.
        """
        while True:
            yield from self._lines()
            successor = self._successor()
            if successor is None:
                return
            yield from self._lines()  # what came between the last look and the rotation
            yield from self._end()
            self._enter(*successor)

    def skip(self) -> None:
        """Go behind all that stands there now."""
        for _ in self.lines():
            pass

    def _enter(self, kept: Kept, file: File) -> None:
        self.close()
        self._file, self._identity = file, kept.identity
        self._begin(kept.name)

    def _successor(self) -> tuple[Kept, File] | None:
        """Open the file after ours; None if there is none yet."""
        for _ in range(_OPENINGS_MAX):
            files = kept_files(self._path, vfs=self._vfs)
            younger = self._younger(files)
            if not younger:
                return None
            file = open_kept(self._path, younger[0], vfs=self._vfs)
            if file is not None:
                before = files[: len(files) - len(younger)]
                self._older = frozenset(kept.identity for kept in before)
                return younger[0], file
        return None

    def _younger(self, files: list[Kept]) -> list[Kept]:
        """The files after ours.

        When ours is gone, so are those before it, unless somebody has removed it by hand: then they
        stand first.
        """
        for at, kept in enumerate(files):
            if kept.identity == self._identity:
                self._name = kept.name
                self._older = frozenset(older.identity for older in files[:at])
                return files[at + 1 :]
        at = 0
        while at < len(files) and files[at].identity in self._older:
            at += 1
        return files[at:]

    # ------------------------------------------------------------ within a file

    def _lines(self) -> Iterator[LineRecord]:
        """Give the lines of our file behind our place."""
        file = self._file
        if file is None:
            return
        if not self._is_continued(file):
            yield from self._copied()
            self._begin(self._name)
        yield from self._lines_of(file)

    def _is_continued(self, file: File) -> bool:
        """Say whether what we have read still stands before our place (I4)."""
        start = self.position - len(self._anchor)
        return file.read(len(self._anchor), offset=start) == self._anchor

    def _lines_of(self, file: File) -> Iterator[LineRecord]:
        parts: list[bytes] = []
        long = 0
        offset = self.position
        while piece := file.read(_PIECE_BYTES, offset=offset):
            offset += len(piece)
            first, newline, rest = piece.partition(b"\n")
            parts.append(first)
            long += len(first)
            if long > LINE_MAX_BYTES:
                raise self._too_long()
            if newline:
                yield self._passed(b"".join(parts))
                *lines, last = rest.split(b"\n")
                for line in lines:
                    yield self._passed(line)
                parts, long = [last], len(last)

    def _passed(self, line: bytes) -> LineRecord:
        """Go behind a line, and return it."""
        self.position += len(line) + 1
        self._anchor = (self._anchor + line[-_ANCHOR_BYTES:] + b"\n")[-_ANCHOR_BYTES:]
        return self._record(line)

    def _record(self, line: bytes) -> LineRecord:
        self._line += 1
        return LineRecord(self._line, decode(line), self._place())

    def _place(self) -> str:
        return os.path.join(os.path.dirname(self._path), self._name)

    def _too_long(self) -> DecodeError:
        return DecodeError(
            f"{self._place()}: line {self._line + 1} has more than {LINE_MAX_BYTES} bytes. "
            "It is as it was. This is no log of lines, or it is damaged there: look at it.",
            path=self._place(),
            line=self._line + 1,
        )

    def _end(self) -> Iterator[LineRecord]:
        """Give the end of a file that nobody appends to any more, if it is a record (I1)."""
        size = self.rest_bytes
        if self._file is not None and 0 < size <= LINE_MAX_BYTES:
            end = self._file.read(size, offset=self.position)
            if len(end) == size and self._is_whole(end):
                yield self._record(end)

    @property
    def rest_bytes(self) -> int:
        """How many bytes stand behind our place: after `lines`, an end that has no newline."""
        return 0 if self._file is None else max(0, self._file.stat().st_size - self.position)

    def _copied(self) -> Iterator[LineRecord]:
        """Our file was cut: give what a copy of it holds behind our place (copy and truncate)."""
        name = numbered(os.path.basename(self._path), 1)
        for kept in kept_files(self._path, vfs=self._vfs):
            if kept.name != name or self._name == name:
                continue
            copy = open_kept(self._path, kept, vfs=self._vfs)
            if copy is None:
                return
            try:
                if self._is_continued(copy):
                    yield from self._lines_of(copy)
            finally:
                close_quietly(copy)
