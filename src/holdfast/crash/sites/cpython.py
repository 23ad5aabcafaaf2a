"""Reads the Python frames of a thread from outside, as the interpreter itself would walk them.

The thread stands still in a system call, but others may run on: a list that changes underway, a
layout that is not what it was taken for and a process that lies all end as `Unreadable` or as fewer
frames. What is called a code object, a string and bytes has the interpreter's own types, else it is
not believed.

I1. No wrong line: a frame is given only if its code, file name, qualified name and line table are
    of the types that they must be, and its instruction is one of that code.
I2. Bounded: no more than `FRAMES_MAX` frames, `THREADS_MAX` threads, `TEXT_MAX` characters of a
    name and `TABLE_MAX` bytes of a line table are read, whatever the memory says.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.recording import Site
from holdfast.crash.sites.layouts import TABLE_BYTES, layout_of
from holdfast.crash.sites.line_table import line_at
from holdfast.crash.sites.memory import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdfast.crash.sites.layouts import Layout
    from holdfast.crash.sites.memory import Memory

__all__ = ["SYMBOLS", "PythonFrames", "python_frames"]

SYMBOLS = ("_PyRuntime", "Py_Version", "PyCode_Type", "PyUnicode_Type", "PyBytes_Type")
"""What has to be found in the interpreter's file."""

INTERPRETERS_MAX = 16
THREADS_MAX = 1024
FRAMES_MAX = 200
TEXT_MAX = 8192
TABLE_MAX = 4 << 20
_SITES_MAX = 20_000

_POINTER = struct.Struct("<Q")
_LINE = struct.Struct("<i")
_TAG_BITS = 3  # 3.14 keeps marks in the low bits of a reference from a frame
_KINDS = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}
_KIND_SHIFTS = (2, 16, 8)  # where the bits after `interned` begin, which has had three widths


class _Types(NamedTuple):
    """Addresses of the interpreter's type objects."""

    code: int
    text: int
    data: int


def python_frames(memory: Memory, addresses: Mapping[str, int]) -> PythonFrames | None:
    """A reader for the interpreter whose `SYMBOLS` are there; None if its version is not known.

    Raises:
        Unreadable: There is no such interpreter in this memory.
    """
    version = memory.number(addresses["Py_Version"])
    runtime = addresses["_PyRuntime"]
    layout = layout_of(version, memory.read(runtime, TABLE_BYTES))
    if layout is None:
        return None
    types = _Types(*(addresses[name] for name in SYMBOLS[2:]))
    return PythonFrames(memory, layout, runtime=runtime, types=types)


class PythonFrames:
    """The Python frames of the threads of one process."""

    def __init__(self, memory: Memory, layout: Layout, *, runtime: int, types: _Types) -> None:
        self._memory = memory
        self._layout = layout
        self._runtime = runtime
        self._types = types
        self._code_type = _POINTER.pack(types.code)
        # By place of the code object, instruction, and those bytes of the object that never change
        # while it lives: another one may come to the same place.
        self._sites: dict[tuple[int, int, bytes], Site | None] = {}
        at = layout
        self._thread_bytes = 8 + max(
            at.thread_next, at.thread_native_id, at.thread_cframe or at.thread_frame
        )
        self._frame_bytes = 8 + max(at.frame_previous, at.frame_code, at.frame_instruction)
        self._frame = struct.Struct(f"<{self._frame_bytes // 8}Q")
        self._code_bytes = 8 + max(at.code_filename, at.code_qualname, at.code_line_table)

    def sites(self, tid: int) -> Iterator[Site]:
        """The lines that the thread is in, innermost first; none if it runs no Python.

        Raises:
            Unreadable: The memory is not that of an interpreter of this layout.
        """
        layout = self._layout
        code_at, instruction_at = layout.frame_code // 8, layout.frame_instruction // 8
        previous_at = layout.frame_previous // 8
        frame = self._current_frame(tid)
        for _ in range(FRAMES_MAX):
            if not frame:
                return
            words = self._frame.unpack(self._memory.read(frame, self._frame_bytes))
            code = words[code_at] & ~_TAG_BITS
            site = self._site(code, words[instruction_at]) if code else None
            if site is not None:
                yield site
            frame = words[previous_at]

    def _current_frame(self, tid: int) -> int:
        layout = self._layout
        interpreter = self._memory.number(self._runtime + layout.runtime_interpreters)
        for _ in range(INTERPRETERS_MAX):
            if not interpreter:
                return 0
            thread = self._thread(interpreter, tid)
            if thread is not None:
                return self._frame_of(thread)
            interpreter = self._memory.number(interpreter + layout.interpreter_next)
        return 0

    def _thread(self, interpreter: int, tid: int) -> bytes | None:
        layout = self._layout
        thread = self._memory.number(interpreter + layout.interpreter_threads)
        for _ in range(THREADS_MAX):
            if not thread:
                return None
            raw = self._memory.read(thread, self._thread_bytes)
            if _pointer(raw, layout.thread_native_id) == tid:
                return raw
            thread = _pointer(raw, layout.thread_next)
        return None

    def _frame_of(self, thread: bytes) -> int:
        layout = self._layout
        if layout.thread_cframe is None:
            return _pointer(thread, layout.thread_frame)
        cframe = _pointer(thread, layout.thread_cframe)
        return self._memory.number(cframe + layout.thread_frame) if cframe else 0

    def _site(self, code: int, instruction: int) -> Site | None:
        """The line of an instruction; None in a frame of C, whose object is none of code."""
        layout = self._layout
        raw = self._memory.read(code, self._code_bytes)
        if raw[layout.object_type : layout.object_type + 8] != self._code_type:
            return None
        key = (code, instruction, raw[layout.code_first_line :])
        if key not in self._sites:
            if len(self._sites) >= _SITES_MAX:
                self._sites.clear()
            self._sites[key] = self._decoded(raw, instruction - code - layout.code_instructions)
        return self._sites[key]

    def _decoded(self, code: bytes, offset: int) -> Site | None:
        """The line of the instruction; None where the compiler put none, or where it is not one."""
        if offset < 0:  # the frame has not begun
            return None
        layout = self._layout
        (first_line,) = _LINE.unpack_from(code, layout.code_first_line)
        table = self._data(_pointer(code, layout.code_line_table))
        try:
            line = line_at(table, first_line, offset)
        except ValueError:
            return None
        if not line:
            return None
        path = self._text(_pointer(code, layout.code_filename))
        return Site(path, line, self._text(_pointer(code, layout.code_qualname)))

    def _data(self, address: int) -> bytes:
        size_at = self._layout.object_bytes
        head = self._memory.read_unnoted(address, size_at + 8)
        size = _pointer(head, size_at)
        if _pointer(head, self._layout.object_type) != self._types.data or size > TABLE_MAX:
            raise Unreadable(f"no bytes at {address:#x}")
        return self._memory.read_unnoted(address + size_at + 16, size)  # a hash stands between

    def _text(self, address: int) -> str:
        layout = self._layout
        head = self._memory.read_unnoted(address, layout.string_bytes)
        length = _pointer(head, layout.object_bytes)
        if _pointer(head, layout.object_type) != self._types.text or not 0 < length <= TEXT_MAX:
            raise Unreadable(f"no text at {address:#x}")
        (state,) = struct.unpack_from("<I", head, layout.object_bytes + 16)
        width, is_ascii = _kind_of(state)
        start = address + (layout.string_bytes if is_ascii else layout.wide_string_bytes)
        return self._memory.read_unnoted(start, length * width).decode(_KINDS[width], "replace")


def _kind_of(state: int) -> tuple[int, bool]:
    """Bytes a character, and whether all of them are ASCII."""
    for shift in _KIND_SHIFTS:
        kind, is_compact, is_ascii = state >> shift & 7, state >> shift & 8, state >> shift & 16
        if kind in _KINDS and is_compact and not (is_ascii and kind != 1):
            return kind, bool(is_ascii)
    raise Unreadable(f"no state of a text: {state:#x}")


def _pointer(raw: bytes, offset: int) -> int:
    number: int = _POINTER.unpack_from(raw, offset)[0]
    return number
