"""From an address in a compiled program to a line of its source, by addr2line(1).

Each address is asked for once. Without the tool, or without debug information, a site is
`program+0x1234`, and its function where the symbol table tells it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from holdfast.crash.recording import Site
from holdfast.crash.sites.elf import read_elf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["LineTable", "parse_lines"]

ANSWER_TIMEOUT_S = 10.0
_UNKNOWN = "??"
_ADDRESS = re.compile("0x[0-9a-f]{1,16}")


def parse_lines(text: str) -> dict[int, tuple[Site, ...]]:
    """What `addr2line -a -i -f` says: an address, then two lines for each function that it is in.

    A function that was inlined comes before the one that it was inlined into.
    """
    found: dict[int, tuple[Site, ...]] = {}
    address, function = 0, ""
    for line in text.split("\n"):
        if _ADDRESS.fullmatch(line):
            address, function = int(line, 16), ""
            found[address] = ()
        elif not function:
            function = line
        else:
            found[address] = (*found.get(address, ()), _site(function, line))
            function = ""
    return found


def _site(function: str, place: str) -> Site:
    path, _, number = place.partition(" (discriminator ")[0].rpartition(":")
    line = int(number) if number.isascii() and number.isdecimal() else 0
    return Site(path if line else "", line, "" if function == _UNKNOWN else function)


class LineTable:
    """The lines of one program that is mapped in one process."""

    def __init__(self, pid: int, program: str, *, start: int) -> None:
        self._name = os.path.basename(program)
        self._file = f"/proc/{pid}/exe"
        self._bias = self._load_bias(start)
        self._start = start
        self._known: dict[int, tuple[Site, ...]] = {}

    def sites(self, addresses: Sequence[int]) -> tuple[Site, ...]:
        """The lines of return addresses, up to `main`; what has no line only if nothing has one."""
        new = [address for address in dict.fromkeys(addresses) if address not in self._known]
        if new:
            self._learn(new)
        found = list(_up_to_main([s for address in addresses for s in self._known[address]]))
        return tuple([site for site in found if site.line] or found)

    def _learn(self, addresses: Sequence[int]) -> None:
        # A return address is the start of what comes after the call: one byte before is the call.
        offsets = {address: address - 1 - self._bias for address in addresses}
        answers = parse_lines(self._ask(offsets.values()))
        for address, offset in offsets.items():
            plain = Site(f"{self._name}+{address - self._start:#x}", 0, "")
            self._known[address] = tuple(
                site if site.line else plain._replace(function=site.function)
                for site in answers.get(offset) or (plain,)
            )

    def _ask(self, offsets: Iterable[int]) -> str:
        tool = shutil.which("addr2line")
        if tool is None:
            return ""
        command = [tool, "-a", "-i", "-f", "-C", "-e", self._file, *map(hex, offsets)]
        try:
            done = subprocess.run(  # noqa: S603 - a list, found on PATH
                command, capture_output=True, timeout=ANSWER_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.decode("utf-8", "surrogateescape")

    def _load_bias(self, start: int) -> int:
        descriptor = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            elf = read_elf(lambda offset, size: os.pread(descriptor, size, offset))
        finally:
            os.close(descriptor)
        return elf.load_bias(start, 0)


def _up_to_main(sites: Iterable[Site]) -> Iterator[Site]:
    """What lies beyond `main` on the stack is of no call of the program."""
    for site in sites:
        yield site
        if site.function == "main":
            return
