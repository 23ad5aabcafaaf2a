"""Which files a process has mapped shared: `/proc/PID/maps` read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.crash.recorders.tree import Identity

__all__ = ["Mapping", "parse_mappings", "shared_mappings"]


class Mapping(NamedTuple):
    """One shared mapping of a file."""

    start: int
    stop: int
    offset: int
    identity: Identity
    writable: bool
    through: str

    def part(self, start: int, stop: int) -> tuple[int, int]:
        """Return which bytes of the file lie between two addresses."""
        shift = self.offset - self.start
        return max(start, self.start) + shift, min(stop, self.stop) + shift


def parse_mappings(text: str, process: int) -> Iterator[Mapping]:
    """Read the lines of `/proc/PID/maps`; those of files that are mapped shared."""
    for line in text.splitlines():
        span, flags, offset, device, inode, *_ = line.split(maxsplit=5)
        if flags[3] != "s" or inode == "0":
            continue
        start, stop = (int(edge, 16) for edge in span.split("-"))
        major, minor = (int(part, 16) for part in device.split(":"))
        identity = (os.makedev(major, minor), int(inode))
        through = f"/proc/{process}/map_files/{span}"
        yield Mapping(start, stop, int(offset, 16), identity, flags[1] == "w", through)


def shared_mappings(process: int) -> list[Mapping]:
    """Return those that a process has now; none if it is gone."""
    try:
        with open(f"/proc/{process}/maps", encoding="utf-8", errors="surrogateescape") as lines:
            return list(parse_mappings(lines.read(), process))
    except OSError:
        return []
