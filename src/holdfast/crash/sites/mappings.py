"""What is mapped where in a process: the lines of /proc/PID/maps (proc_pid_maps(5)). Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Mapping", "Ranges", "parse_maps"]

_LINE = re.compile(
    r"([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([r-][w-][x-][ps]) ([0-9a-f]{1,16}) "
    r"[0-9a-f]+:[0-9a-f]+ \d+ *(.*)"
)
_DELETED = " (deleted)"


class Mapping(NamedTuple):
    """One range of addresses; `path` is empty where no file is behind it."""

    start: int
    end: int
    permissions: str
    offset: int
    path: str

    @property
    def is_executable(self) -> bool:
        """Whether instructions may run from it."""
        return "x" in self.permissions


class Ranges:
    """Ranges of addresses, asked whether one is inside."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(ranges)
        self._starts = [start for start, _ in ordered]
        self._ends = [end for _, end in ordered]

    def __contains__(self, address: int) -> bool:
        return self.end_of(address) > 0

    def end_of(self, address: int) -> int:
        """Where the range that holds the address ends; 0 where none does."""
        at = bisect_right(self._starts, address) - 1
        return self._ends[at] if at >= 0 and address < self._ends[at] else 0


def parse_maps(text: str) -> Iterator[Mapping]:
    """Each line of the file; a line of another shape is left out."""
    for line in text.split("\n"):
        if match := _LINE.fullmatch(line):
            start, end, permissions, offset, path = match.groups()
            plain = path.replace("\\012", "\n").removesuffix(_DELETED)
            yield Mapping(int(start, 16), int(end, 16), permissions, int(offset, 16), plain)
