"""Rotation by size: the log becomes number 1, what was number 1 becomes number 2, and so on.

Guarantee: whatever moment a crash strikes at, every line that was durable is in one of the files,
and the numbers are in the order of age; only what goes beyond `keep` is lost, and the oldest first.

I1  Files are moved from the highest number down, so that each moves to a free name.
I2  The folder is synced before each rename: of two changes of names that no sync parts, a power
    cut may keep the second alone, and that would put one file in the place of another.
I3  Files move only as far as the first free number: a rotation that was cut short, and left one
    free, is thereby finished by the next.
"""

from __future__ import annotations

from holdfast.primitives.folders import forget
from holdfast.primitives.line_log_names import numbered, numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from holdfast.vfs import Folder, Stat
else:
    from holdfast.light_typing import Protocol

__all__ = ["Rotation", "SizeRotation", "Watched"]


class Rotation(Protocol):
    """When the log gives its name to a new file, and what the old one is called then.

    All of it happens under the lock of the log.
    """

    def opened(self, info: Stat) -> None:
        """Take note of the file that is appended to from now on."""
        ...

    def is_due(self, size: int, more: int) -> bool:
        """Say whether a log of `size` bytes must be rotated before `more` are appended."""
        ...

    def rotate(self, folder: Folder, name: str, watched: Watched) -> None:
        """Give the log its next name, after making room for it.

        Args:
            folder: where it is; the caller syncs it after the last change.
            name: what it is called.
            watched: what a sync is made in.
        """
        ...


class Watched:
    """`with` this, a sync is made, and its failure remembered: it must be the last."""

    __slots__ = ("failed",)

    def __init__(self) -> None:
        self.failed: OSError | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError) and self.failed is None:
            self.failed = error


class SizeRotation:
    """Numbers, by size, as `RotatingFileHandler` and logrotate have them.

    Args:
        max_bytes: no file grows beyond it, but by a single longer record; None: only when asked.
        keep: how many old files stay; None: all.
    """

    __slots__ = ("keep", "max_bytes")

    def __init__(self, max_bytes: int | None, keep: int | None) -> None:
        self.max_bytes = max_bytes
        self.keep = keep

    def opened(self, info: Stat) -> None:
        """Nothing depends on the file."""

    def is_due(self, size: int, more: int) -> bool:
        """Say whether the log would grow too large; an empty one is never rotated."""
        return self.max_bytes is not None and size > 0 and size + more > self.max_bytes

    def rotate(self, folder: Folder, name: str, watched: Watched) -> None:
        """Move NAME to NAME.1, and what is in its way one further (I1, I2, I3).

        What is beyond `keep` is removed.

        Raises:
            OSError: not all was moved; every file has its old name or its new one.
        """
        taken = set(numbers(folder, name))
        free = next(number for number in range(1, len(taken) + 2) if number not in taken)
        last = free if self.keep is None else min(free, self.keep)
        for number in range(free - 1, last, -1):
            forget(folder, numbered(name, number))
        _settle(folder, watched)
        for number in range(last, 0, -1):
            if number < last:
                with watched:
                    folder.sync()
            folder.rename(numbered(name, number - 1), numbered(name, number))


def _settle(folder: Folder, watched: Watched) -> None:
    """Make durable what a rotation that was cut short may have left (I2)."""
    with watched:
        folder.sync()
