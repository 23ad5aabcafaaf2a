"""The segments of a log as they lie in its folder, whole or damaged, for who looks at all of it.

Opens files to read them, one at a time, takes no lock and changes nothing. Writers may go on
meanwhile: a segment may come, and the oldest may go.
"""

from __future__ import annotations

import errno
from itertools import pairwise

from holdfast.errors import Corruption, UnknownFormat
from holdfast.formats.log_format import (
    FIRST_OFFSET,
    HEADER_BYTES,
    SegmentHeader,
    decode_segment,
    first_of,
    seed_of,
    segment_name,
)
from holdfast.formats.log_search import islands
from holdfast.formats.log_seed import derive_seed
from holdfast.primitives.folders import close_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import NamedTuple, Self

    from holdfast.vfs import Folder, Stat
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "Lying",
    "Reading",
    "find_seed",
    "firsts_in",
    "followed",
    "misfit",
    "stated_end",
    "survey",
]

_BLOCK = 4096


class Lying(NamedTuple):
    """A segment in its folder: `first` by its name, and its header or what is wrong with it."""

    first: int
    path: str
    info: Stat
    header: SegmentHeader | None
    problem: Corruption | None

    @property
    def name(self) -> str:
        """Its file name."""
        return segment_name(self.first)


class Reading:
    """An open segment; what the disk cannot read is taken for zeros, and counted."""

    def __init__(self, folder: Folder, name: str) -> None:
        try:
            self._file = folder.open(name, "read")
        except OSError as error:
            error.filename = f"{folder.path}/{name}"
            raise
        self.unread: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        close_quietly(self._file)

    @property
    def info(self) -> Stat:
        """What the file is now."""
        return self._file.stat()

    @property
    def size(self) -> int:
        """The size of the file now."""
        return self._file.stat().st_size

    def read(self, size: int, offset: int) -> bytes:
        """Read `size` bytes; less at the end of the file alone."""
        try:
            return self._read_whole(size, offset)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
        end = min(offset + size, self.size)
        edges = [offset, *range(offset - offset % _BLOCK + _BLOCK, end, _BLOCK), max(offset, end)]
        return b"".join(self._read_block(start, stop) for start, stop in pairwise(edges))

    def _read_whole(self, size: int, offset: int) -> bytes:
        data = self._file.read(size, offset=offset)
        while data and len(data) < size:
            more = self._file.read(size - len(data), offset=offset + len(data))
            if not more:
                break
            data += more
        return data

    def _read_block(self, start: int, stop: int) -> bytes:
        try:
            return self._read_whole(stop - start, start).ljust(stop - start, b"\0")
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self.unread.add(start)
            return bytes(stop - start)


def firsts_in(folder: Folder) -> list[int]:
    """Return the first sequence of each segment by its name, the oldest first."""
    return sorted(first for name in folder.names() if (first := first_of(name)) is not None)


def survey(folder: Folder) -> list[Lying]:
    """Return the segments by their names, the oldest first; one that goes meanwhile is left out.

    Raises:
        UnknownFormat: one is of a later format.
        OSError: one cannot be opened.
    """
    found: list[Lying] = []
    for first in firsts_in(folder):
        try:
            found.append(_look(folder, first))
        except FileNotFoundError:
            continue
    return found


def followed(lying: list[Lying]) -> Iterator[tuple[Lying, Lying | None]]:
    """Yield each segment with the one that follows it, None for the last."""
    return zip(lying, [*lying[1:], None], strict=False)


def _look(folder: Folder, first: int) -> Lying:
    path = f"{folder.path}/{segment_name(first)}"
    with Reading(folder, segment_name(first)) as reading:
        info = reading.info
        try:
            header = decode_segment(reading.read(HEADER_BYTES, 0), path=path)
        except UnknownFormat:
            raise
        except Corruption as problem:
            return Lying(first, path, info, None, problem)
    return Lying(first, path, info, header, None)


def misfit(this: Lying, before: Lying | None) -> str:
    """Why a segment does not fit its name or the one before it; empty if it does."""
    header = this.header
    if header is None:
        return ""
    if header.first != this.first:
        return f"its header says that its first record is {header.first}"
    if before is None:
        return ""
    if header.previous_first == 0:
        return f"its header says that nothing comes before it, and {before.name} does"
    if header.previous_first != before.first:
        return f"{segment_name(header.previous_first)}, which comes before it, is missing"
    if before.header is not None and header.previous_salt != before.header.salt:
        return f"another segment had the place of {before.name} when it was made"
    return ""


def stated_end(this: Lying, after: Lying | None) -> int | None:
    """Return where a segment ends as the next one says; None if there is none that fits."""
    if after is None or after.header is None or misfit(after, this):
        return None
    return after.header.previous_end


def find_seed(reading: Reading, this: Lying, after: Lying | None) -> int | None:
    """Return the seed of a segment, of a damaged header too; None if no frame tells it.

    Tried in this order: the salt in the header, however damaged; the salt that the next segment
    states; the frames.
    """
    if this.header is not None:
        return seed_of(this.header.salt)
    size = reading.size
    salts = [int.from_bytes(reading.read(8, 24), "little")]
    if after is not None and after.header is not None:
        salts.append(after.header.previous_salt)
    for seed in map(seed_of, salts):
        if next(islands(reading.read, start=FIRST_OFFSET, limit=size, seed=seed), None):
            return seed
    return derive_seed(reading.read, size=size)
