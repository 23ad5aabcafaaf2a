"""Which files a process has mapped shared: `/proc/PID/maps` read.

The device that stands there is that of the filesystem, which on btrfs is not the one that a file
says it is on. So a file is asked for by the mapping itself, which needs privileges, or by its path.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.tree import identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.crash.recorders.tree import Identity

__all__ = ["Mapping", "parse_mappings", "shared_mappings"]


class Mapping(NamedTuple):
    """One shared mapping of a file.

    `shown` is the identity by the device of the filesystem; `through` opens the file for who may.
    """

    start: int
    stop: int
    offset: int
    shown: Identity
    writable: bool
    process: int
    path: bytes

    @property
    def through(self) -> str:
        """The link of the mapping itself; following it needs privileges."""
        return f"/proc/{self.process}/map_files/{self.start:x}-{self.stop:x}"

    def part(self, start: int, stop: int) -> tuple[int, int]:
        """Return which bytes of the file lie between two addresses."""
        shift = self.offset - self.start
        return max(start, self.start) + shift, min(stop, self.stop) + shift

    def find(self, known: Callable[[Identity], int | None]) -> int | None:
        """Return the number of the file, if it is known; None: it is another one."""
        inode = known(self.shown)
        return known(self.identity()) if inode is None else inode

    def identity(self) -> Identity:
        """Return which file it is, as the file itself says; as it is shown if that is not told."""
        for path in (self.through, self.path):
            try:
                found = os.stat(path)
            except OSError:
                continue
            if found.st_ino == self.shown[1]:
                return identity(found)
        return self.shown

    def open(self) -> int:
        """Return a descriptor of ours, to read the file.

        Raises:
            RecordingRefused: it cannot be opened; nothing was recorded.
        """
        for path in (self.through, self.path):
            try:
                own = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            except OSError:
                continue
            if os.fstat(own).st_ino == self.shown[1]:
                return own
            os.close(own)
        raise RecordingRefused(
            f"{os.fsdecode(self.path)}: process {self.process} has it mapped to be written, and it "
            "cannot be opened to see what is stored into it. It was ended; its files stand. "
            "Map it after the recording began."
        )

    def may_be_written(self) -> bool:
        """Whether it is, or can be made, writable; if the file was open to be read, never."""
        return self.writable or "sh" in _flags(self.process, f"{self.start:08x}-{self.stop:08x} ")


def _flags(process: int, span: str) -> list[str]:
    """Return what the kernel says of one mapping; nothing if it is gone."""
    try:
        with open(f"/proc/{process}/smaps", encoding="utf-8", errors="surrogateescape") as lines:
            below = False
            for line in lines:
                below = below or line.startswith(span)
                if below and line.startswith("VmFlags:"):
                    return line.split()[1:]
    except OSError:
        return []
    return []


def parse_mappings(text: str, process: int) -> Iterator[Mapping]:
    """Read the lines of `/proc/PID/maps`; those of files that are mapped shared."""
    for line in filter(None, text.split("\n")):
        span, flags, offset, device, inode, *path = line.split(maxsplit=5)
        if flags[3] != "s" or inode == "0":
            continue
        start, stop = (int(edge, 16) for edge in span.split("-"))
        major, minor = (int(part, 16) for part in device.split(":"))
        shown = (os.makedev(major, minor), int(inode))
        name = _unescaped(os.fsencode("".join(path)))
        yield Mapping(start, stop, int(offset, 16), shown, flags[1] == "w", process, name)


def _unescaped(path: bytes) -> bytes:
    return re.sub(rb"\\012", b"\n", path)


def shared_mappings(process: int) -> list[Mapping]:
    """Return those that a process has now; none if it is gone."""
    try:
        with open(f"/proc/{process}/maps", encoding="utf-8", errors="surrogateescape") as lines:
            return list(parse_mappings(lines.read(), process))
    except OSError:
        return []
