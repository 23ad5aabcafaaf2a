"""Ranges of bytes that are locked: what they have in common, and what is left of them."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Span", "check_range", "left_of"]


class Span(NamedTuple):
    """A range of bytes, as one open file description has it or wants it."""

    start: int
    stop: int
    shared: bool

    def meets(self, other: Span) -> bool:
        """Whether they have a byte in common."""
        return self.start < other.stop and other.start < self.stop


def check_range(start: int, size: int) -> None:
    """Refuse what is no range of bytes that a file can have.

    Raises:
        OSError: EINVAL; nothing was asked for.
    """
    if start < 0 or not 1 <= size < 2**63 or start + size > 2**63:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def left_of(spans: Iterable[Span], gone: Span) -> list[Span]:
    """Return the parts of the spans that are not in `gone`."""
    left: list[Span] = []
    for span in spans:
        if not span.meets(gone):
            left.append(span)
            continue
        pieces = (span.start, gone.start), (gone.stop, span.stop)
        left += [Span(start, stop, span.shared) for start, stop in pieces if start < stop]
    return left
