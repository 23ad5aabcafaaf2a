"""Where in a compiled program a thread is: return addresses on its stack.

A word of the stack counts if it points into the program's own instructions just behind a call. No
unwinding: a word that an earlier call left behind may be taken for a caller, so the lines are a
good hint, of which the innermost is the surest. addr2line(1) gives the line where it is installed
and the program was compiled with `-g`; otherwise an address that a debugger understands is given.
"""

from __future__ import annotations

import os
import re
import struct
from itertools import islice
from typing import TYPE_CHECKING

from holdfast.crash.sites.addresses import LineTable
from holdfast.crash.sites.mappings import Ranges
from holdfast.crash.sites.memory import Unreadable
from holdfast.crash.sites.origin import SITES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.crash.recording import Site
    from holdfast.crash.sites.mappings import Mapping
    from holdfast.crash.sites.memory import Memory

__all__ = ["NativeFrames", "follows_a_call", "is_interpreter", "stack_pointer"]

STACK_BYTES_MAX = 64 << 10
_CHUNK_BYTES = 4096
_WORD_BYTES = 8
_CALL_BYTES = 7  # the longest call that is known here

# What runs programs that are not made of machine instructions: their lines are not on the stack.
_INTERPRETER = re.compile(
    r"(ash|bash|bun|busybox|dash|deno|java|julia|ksh|lua|mksh|node|perl|php|pypy|python|R|ruby|sh|"
    r"tclsh|zsh)[-.\d]*t?"
)


def is_interpreter(program: str) -> bool:
    """Whether the program at that path runs other people's text: by its name, with any version."""
    return _INTERPRETER.fullmatch(os.path.basename(program)) is not None


def stack_pointer(text: str) -> int:
    """The stack pointer in what /proc/PID/task/TID/syscall says (proc_pid_syscall(5)); 0 if none.

    Raises:
        ValueError: It is not of that shape.
    """
    fields = text.split()
    return int(fields[-2], 16) if len(fields) >= 3 else 0


def follows_a_call(before: bytes, *, machine: str) -> bool:
    """Whether the bytes before an address end with a call instruction."""
    if machine == "aarch64":
        word = int.from_bytes(before[-4:], "little")
        return word >> 26 == 0b100101 or word & 0xFFFFFC1F == 0xD63F0000  # bl; blr
    if before[-5] == 0xE8:  # call with a distance of 32 bits
        return True
    # call through a register or memory: FF /2, 2 to 7 bytes long
    return any(before[-n] == 0xFF and before[1 - n] >> 3 & 7 == 2 for n in (2, 3, 4, 6, 7))


class NativeFrames:
    """The frames of the threads of one compiled program."""

    def __init__(
        self, pid: int, memory: Memory, *, program: str, mappings: Sequence[Mapping]
    ) -> None:
        self._pid = pid
        self._memory = memory
        self._program = program
        own = [m for m in mappings if m.path == program]
        self._start = min((m.start for m in own), default=0)
        self._code = [(m.start, m.end) for m in own if m.is_executable]
        self._stacks = Ranges((m.start, m.end) for m in mappings if "rw" in m.permissions)
        self._lines = LineTable(pid, program, start=self._start)
        self._behind_calls: dict[int, bool] = {}

    def sites(self, tid: int) -> tuple[Site, ...]:
        """Where the thread is, innermost first.

        Raises:
            OSError: The thread is gone.
            ValueError: It does not stand in a system call.
            Unreadable: Its stack is gone.
        """
        with open(f"/proc/{self._pid}/task/{tid}/syscall", encoding="ascii") as file:
            top = stack_pointer(file.read())
        return self._lines.sites(list(islice(self._return_addresses(top), SITES_MAX)))

    def _return_addresses(self, top: int) -> Iterator[int]:
        end = min(self._stacks.end_of(top) or top + STACK_BYTES_MAX, top + STACK_BYTES_MAX)
        for at in range(top, end, _CHUNK_BYTES):
            raw = self._memory.read_some(at, min(_CHUNK_BYTES, end - at))
            words = struct.unpack(f"<{len(raw) // _WORD_BYTES}Q", raw[: len(raw) & -_WORD_BYTES])
            for low, high in self._code:
                yield from (word for word in words if low < word < high and self._is_return(word))

    def _is_return(self, address: int) -> bool:
        if address not in self._behind_calls:
            try:
                before = self._memory.read(address - _CALL_BYTES, _CALL_BYTES)
            except Unreadable:
                before = bytes(_CALL_BYTES)
            self._behind_calls[address] = follows_a_call(before, machine=os.uname().machine)
        return self._behind_calls[address]
