"""The errors of a log whose files are not what they were: what is wrong, and what to do."""

from __future__ import annotations

import errno
import os

from holdfast.errors import Closed, Corruption, HandlePoisoned
from holdfast.formats.log_format import segment_name
from holdfast.primitives.log_segment import path_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.primitives.log_hint import Tail
    from holdfast.primitives.log_segment import Segment
    from holdfast.vfs import Folder

__all__ = ["closed", "cut_short", "damaged", "exhausted", "gone", "poisoned", "refuse_stranger"]

_RESTORED = (
    "if the log was put here from a backup on purpose, remove the file `lock` in its folder while "
    "no program has it open."
)


def damaged(path: str, offset: int, proof: str) -> Corruption:
    """Return the error for damage to what was acknowledged."""
    return Corruption(
        f"{path}: damaged at offset {offset}: {proof}. Nothing was changed, and nothing is cut. "
        "Take the file from a backup, or salvage what is whole with `holdfast repair`.",
        path=path,
        offset=offset,
    )


def gone(folder: Folder, first: int) -> Corruption:
    """Return the error for a missing segment of which the shared tail still speaks."""
    path = path_in(folder, first)
    return Corruption(
        f"{path}: the segment that was written to last is gone. Nothing was changed. "
        f"Put it back; {_RESTORED}",
        path=path,
    )


def cut_short(segment: Segment, tail: Tail, durable: int) -> Corruption:
    """Return the error for a segment that ends before what is known durable on this very boot."""
    return Corruption(
        f"{segment.path}: records up to {durable} were durable, and it ends after {tail.last} at "
        f"offset {tail.end}. Nothing was changed. Put the file back as it was; {_RESTORED}",
        path=segment.path,
        offset=tail.end,
        expected=durable,
        found=tail.last,
    )


def refuse_stranger(segment: Segment, before: Segment) -> None:
    """Raise if a segment does not follow another by what its header says.

    Raises:
        Corruption: a segment between them is missing, or one is not of this log.
    """
    header = segment.header
    said = (header.previous_first, header.previous_salt)
    if said != (before.header.first, before.header.salt):
        raise Corruption(
            f"{segment.path}: it follows {segment_name(said[0])}, which is missing or replaced by "
            "another file of that name. Nothing was changed. Put the missing segment back, or "
            "salvage the others with `holdfast repair`.",
            path=segment.path,
            offset=40,
            expected=said[0],
            found=before.header.first,
        )


def closed(path: str) -> Closed:
    """Return the error for a handle that is closed."""
    return Closed(f"{path}: is closed. What it acknowledged is on disk. Open it anew.")


def poisoned(path: str, first: BaseException | None, durable: int | None) -> HandlePoisoned:
    """Return the error for a handle from before a failed sync."""
    known = "" if durable is None else f"Records up to {durable} were durable then. "
    return HandlePoisoned(
        f"{path}: an earlier sync failed, so this handle appends no more. {known}"
        "See to the disk, then open it anew: that reads what the disk really has.",
        path=path,
        first=first,
        durable=durable,
    )


def exhausted(path: str, last: int) -> OSError:
    """Return the error for a log whose sequences have come to their end."""
    error = OSError(errno.EOVERFLOW, os.strerror(errno.EOVERFLOW), path)
    error.add_note(
        f"{path}: record {last} is one of the last that 64 bits can count. Nothing was appended. "
        "Go on in another log."
    )
    return error
