"""What stands at the end of a log after its last newline: made a line, or kept beside the log.

A crash, a full disk or another program may leave an end that is no line: half a record, or zeros
where the size of the file reached the disk and the bytes did not. Whoever appends next, under the
lock, settles it, so that its own record begins a line.

I1  A whole record that merely lacks its newline gets it (`line_log_records`, I3).
I2  Anything else is moved to NAME.torn: appended there, with a newline behind it, and synced with
    its name before it is cut from the log. A crash in between leaves it in both, never in none.
I3  What was done is reported; nothing before the last newline is touched.
I4  However long it is, memory is bounded, and stretches of zeros take no room in NAME.torn.
"""

from __future__ import annotations

from errno import EIO

from holdfast.primitives.folders import close_quietly
from holdfast.primitives.line_log_names import TORN
from holdfast.primitives.line_log_records import LINE_MAX_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NamedTuple

    from holdfast.vfs import File, Folder
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["TornEnd", "find_torn", "find_zeros", "is_whole", "move_away", "write_at"]

_PIECE_BYTES = 1 << 16
_ZEROS = bytes(_PIECE_BYTES)


class TornEnd(NamedTuple):
    """What stood at the end of a log and was no line, and what became of it.

    `path` is the log, `offset` where it began there, `size_bytes` how long it was. `moved_to`: the
    file that holds it now; None: it was a whole record, and got the newline that it lacked.
    """

    path: str
    offset: int
    size_bytes: int
    moved_to: str | None


def find_torn(file: File, size: int) -> int:
    """Return where the end begins that has no newline; `size` if the last line has one."""
    end = size
    while end > 0:
        start = max(0, end - _PIECE_BYTES)
        piece = file.read(end - start, offset=start)
        at = piece.rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def find_zeros(file: File, end: int) -> int:
    """Return where the zeros begin that stand right before `end`; `end` if none do."""
    while end > 0:
        start = max(0, end - _PIECE_BYTES)
        rest = file.read(end - start, offset=start).rstrip(b"\0")
        if rest:
            return start + len(rest)
        end = start
    return 0


def is_whole(file: File, start: int, *, size: int, judge: Callable[[bytes], bool]) -> bool:
    """Say whether the bytes from `start` to the end are a record without its newline (I1)."""
    if size - start > LINE_MAX_BYTES:
        return False
    fragment = b"".join(_pieces(file, start, size))
    return len(fragment) == size - start and judge(fragment)


def move_away(file: File, folder: Folder, name: str, *, span: tuple[int, int]) -> str:
    """Append a stretch of the log to NAME.torn, durably, and return that name (I2, I4).

    Raises:
        OSError: it could not be kept; the log is as it was, and NAME.torn may hold a part.
    """
    torn = folder.open(name + TORN, "create")
    try:
        offset = torn.stat().st_size
        for piece in _pieces(file, *span):
            if piece != _ZEROS:
                write_at(torn, piece, offset)
            offset += len(piece)
        write_at(torn, b"\n", offset)
        torn.sync_data()
        folder.sync()
    finally:
        close_quietly(torn)
    return name + TORN


def _pieces(file: File, start: int, end: int) -> Iterator[bytes]:
    """Read a stretch; shorter only where the file is."""
    while start < end and (piece := file.read(min(_PIECE_BYTES, end - start), offset=start)):
        yield piece
        start += len(piece)


def write_at(file: File, data: bytes, offset: int) -> None:
    """Write all of it; the system may take it in pieces.

    Raises:
        OSError: a part may be written.
    """
    while data:
        count = file.write(data, offset=offset)
        if count <= 0:
            raise OSError(EIO, "a write wrote nothing")
        data, offset = data[count:], offset + count
