"""Finds the line of the program that a thread's system call came from.

The thread has to stand still in the call. Nothing is asked of the program: no debugger, no
start-up hook, no signal. Python is read frame by frame; in a compiled program return addresses are
looked for on the stack.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, TypeAlias

from holdfast.crash.sites.cpython import SYMBOLS, PythonFrames, python_frames
from holdfast.crash.sites.elf import read_elf
from holdfast.crash.sites.mappings import Ranges, parse_maps
from holdfast.crash.sites.memory import Memory, Unreadable
from holdfast.crash.sites.native import NativeFrames, is_interpreter
from holdfast.crash.sites.origin import program_sites
from holdfast.crash.sites.repeats import Repeats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.crash.recording import Site
    from holdfast.crash.sites.mappings import Mapping

    # of each file that may be an interpreter: its symbols, and the bias if mapped at 0
    FileKey: TypeAlias = tuple[int, int, int, int]
    Symbols: TypeAlias = dict[FileKey, tuple[dict[str, int], int]]

__all__ = ["SiteFinder"]

PROCESSES_MAX = 64
FAILURES_MAX = 3
_FILES_MAX = 256
# What reading a hostile process may end with; anything else is a fault of this package.
_UNKNOWN = (OSError, ValueError, OverflowError, struct.error)


class SiteFinder:
    """Answers for many processes, and remembers what it learnt of each.

    A process that runs another program is noticed when its memory is gone or its calls come from
    where nothing was mapped; who sees the exec says so by `forget`, which is surer.
    """

    def __init__(self) -> None:
        self._processes: dict[int, _Process] = {}
        self._symbols: Symbols = {}

    def sites(self, pid: int, tid: int, instruction_pointer: int) -> tuple[Site, ...]:
        """The program's lines that led to the call, innermost first; none where they are not known.

        Args:
            pid: The process, as this process numbers it.
            tid: The thread of it that stands still.
            instruction_pointer: Where the call was made; 0 if that is not known.
        """
        try:
            process = self._processes.get(pid)
            if process is None or not process.may_run_at(instruction_pointer):
                process = self._look_at(pid, instruction_pointer)
            try:
                found = process.sites(tid, instruction_pointer)
            except Unreadable:  # it runs another program by now, or its threads changed underway
                process = self._look_again(pid, instruction_pointer, process.failures + 1)
                found = process.sites(tid, instruction_pointer)
            process.failures = 0
            return found
        except _UNKNOWN:
            return ()

    def forget(self, pid: int) -> None:
        """Drop what is known of a process: it ended, or runs another program."""
        process = self._processes.pop(pid, None)
        if process is not None:
            process.close()

    def close(self) -> None:
        """Drop all, and close every descriptor."""
        for pid in list(self._processes):
            self.forget(pid)

    def _look_at(self, pid: int, instruction_pointer: int) -> _Process:
        self.forget(pid)
        if len(self._processes) >= PROCESSES_MAX:
            self.forget(next(iter(self._processes)))
        process = _Process(pid, instruction_pointer, self._symbols)
        self._processes[pid] = process
        return process

    def _look_again(self, pid: int, instruction_pointer: int, failures: int) -> _Process:
        """Not for ever: a look takes as long as many calls."""
        process = self._look_at(pid, instruction_pointer)
        process.failures = failures
        if failures >= FAILURES_MAX:
            process.give_up()
        return process


class _Process:
    """One process while it runs one program."""

    def __init__(self, pid: int, instruction_pointer: int, symbols: Symbols) -> None:
        self.failures = 0
        self._code: Ranges | None = None
        self._memory: Memory | None = None
        self._frames: Repeats | NativeFrames | None = None
        try:
            mappings = _mappings(pid)
            code = [(m.start, m.end) for m in mappings if m.is_executable]
            self._code = Ranges([*code, (instruction_pointer, instruction_pointer + 1)])
            self._frames = self._reader(pid, mappings, symbols)
        except _UNKNOWN:  # remembered, for a look takes long: the next would find no more
            self.close()

    def _reader(
        self, pid: int, mappings: Sequence[Mapping], symbols: Symbols
    ) -> Repeats | NativeFrames | None:
        memory = Memory(pid)
        self._memory = memory
        program = os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")
        for mapping in _interpreter_files(mappings, program):
            is_program = mapping.path == program
            path = f"/proc/{pid}/exe" if is_program else f"/proc/{pid}/root{mapping.path}"
            addresses = _symbol_addresses(path, mapping, symbols)
            if len(addresses) == len(SYMBOLS):
                return _repeats(pid, memory, python_frames(memory, addresses))
        if is_interpreter(program):
            return None
        try:
            return NativeFrames(pid, memory, program=program, mappings=mappings)
        except _UNKNOWN:  # such as a 32-bit program
            return None

    def may_run_at(self, instruction_pointer: int) -> bool:
        """Whether the address held instructions when the process was looked at."""
        if self._code is None:
            return True
        return not instruction_pointer or instruction_pointer in self._code

    def sites(self, tid: int, instruction_pointer: int) -> tuple[Site, ...]:
        """Where the thread is."""
        if isinstance(self._frames, Repeats):
            return self._frames.sites(tid, instruction_pointer)
        return self._frames.sites(tid) if self._frames else ()

    def give_up(self) -> None:
        """Take it for a process of which nothing can be said."""
        self._frames = None

    def close(self) -> None:
        """Let go of the memory."""
        if self._memory is not None:
            self._memory.close()


def _repeats(pid: int, memory: Memory, frames: PythonFrames | None) -> Repeats | None:
    if frames is None:
        return None
    return Repeats(pid, memory, lambda tid: program_sites(frames.sites(tid)))


def _mappings(pid: int) -> list[Mapping]:
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as maps:
        return list(parse_maps(maps.read()))


def _interpreter_files(mappings: Sequence[Mapping], program: str) -> list[Mapping]:
    """The lowest mapping of the program, and of each libpython: where an interpreter may be."""
    lowest: dict[str, Mapping] = {}
    for mapping in mappings:
        if mapping.path == program or "/libpython3" in mapping.path:
            lowest.setdefault(mapping.path, mapping)
    return list(lowest.values())


def _symbol_addresses(path: str, mapping: Mapping, known: Symbols) -> dict[str, int]:
    """Where the interpreter's symbols are in the process; none if this is not the file of one."""
    try:
        symbols, bias_at_0 = _symbols_of(path, mapping.offset, known)
    except _UNKNOWN:
        return {}
    return {name: mapping.start + bias_at_0 + address for name, address in symbols.items()}


def _symbols_of(path: str, offset: int, known: Symbols) -> tuple[dict[str, int], int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if key not in known:
            if len(known) >= _FILES_MAX:
                known.clear()
            elf = read_elf(lambda offset, size: os.pread(descriptor, size, offset))
            known[key] = elf.symbols(SYMBOLS), elf.load_bias(0, offset)
        return known[key]
    finally:
        os.close(descriptor)
