"""Where CPython keeps what a traceback needs: offsets inside its structures, by version.

From 3.13 on the interpreter says it itself, in a table at the start of `_PyRuntime`; what stands
where in that table is in Include/internal/pycore_debug_offsets.h. For 3.11 and 3.12 the offsets are
those of the released headers, compiled for a 64-bit system; nothing in them changed within 3.11.x
and 3.12.x. Pure: the table is bytes here.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

__all__ = ["TABLE_BYTES", "Layout", "layout_of"]

TABLE_BYTES = 448
"""How much of `_PyRuntime` is looked at."""

_COOKIE = b"xdebugpy"
_OFFSET_MAX = 1 << 20  # the largest of them, in the runtime, is under a thousandth of that


class Layout(NamedTuple):
    """Offsets in bytes, and the sizes of what comes before the characters of a text.

    `thread_cframe` is None where the thread knows its frame directly. A text that is not all ASCII
    is a wide one.
    """

    runtime_interpreters: int
    interpreter_next: int
    interpreter_threads: int
    thread_next: int
    thread_native_id: int
    thread_cframe: int | None
    thread_frame: int
    frame_previous: int
    frame_code: int
    frame_instruction: int
    code_filename: int
    code_qualname: int
    code_line_table: int
    code_first_line: int
    code_instructions: int
    object_type: int
    object_bytes: int
    string_bytes: int
    wide_string_bytes: int


_LAYOUTS = {
    0x030B: Layout(
        runtime_interpreters=40,
        interpreter_next=0,
        interpreter_threads=16,
        thread_next=8,
        thread_native_id=160,
        thread_cframe=56,
        thread_frame=8,
        frame_previous=48,
        frame_code=32,
        frame_instruction=56,
        code_filename=112,
        code_qualname=128,
        code_line_table=136,
        code_first_line=72,
        code_instructions=184,
        object_type=8,
        object_bytes=16,
        string_bytes=48,
        wide_string_bytes=72,
    ),
    0x030C: Layout(
        runtime_interpreters=40,
        interpreter_next=0,
        interpreter_threads=72,
        thread_next=8,
        thread_native_id=144,
        thread_cframe=56,
        thread_frame=0,
        frame_previous=8,
        frame_code=0,
        frame_instruction=56,
        code_filename=112,
        code_qualname=128,
        code_line_table=136,
        code_first_line=68,
        code_instructions=192,
        object_type=8,
        object_bytes=16,
        string_bytes=40,
        wide_string_bytes=56,
    ),
}

# For each version, where in the interpreter's own table the parts for its state, a thread, a frame,
# a code object and any object begin, counted in numbers of eight bytes.
_PARTS = {0x030D: (6, 19, 28, 34, 44), 0x030E: (6, 22, 31, 39, 50)}


def layout_of(version: int, table: bytes) -> Layout | None:
    """The layout of the interpreter of that version (`Py_Version`), if it is known.

    `table` is the start of its `_PyRuntime`.
    """
    minor = version >> 16
    if minor in _PARTS:
        return _layout_by_table(version, table)
    return _LAYOUTS.get(minor)


def _layout_by_table(version: int, table: bytes) -> Layout | None:
    if len(table) < TABLE_BYTES or not table.startswith(_COOKIE):
        return None
    numbers = struct.unpack_from(f"<{TABLE_BYTES // 8}Q", table)
    if numbers[1] != version:
        return None
    interpreter, thread, frame, code, obj = _PARTS[version >> 16]
    object_bytes = numbers[obj]
    layout = Layout(
        runtime_interpreters=numbers[5],
        interpreter_next=numbers[interpreter + 2],
        interpreter_threads=numbers[interpreter + 3],
        thread_next=numbers[thread + 2],
        thread_native_id=numbers[thread + 6],
        thread_cframe=None,
        thread_frame=numbers[thread + 4],
        frame_previous=numbers[frame + 1],
        frame_code=numbers[frame + 2],
        frame_instruction=numbers[frame + 3],
        code_filename=numbers[code + 1],
        code_qualname=numbers[code + 3],
        code_line_table=numbers[code + 4],
        code_first_line=numbers[code + 5],
        code_instructions=numbers[code + 9],
        object_type=numbers[obj + 1],
        object_bytes=object_bytes,
        string_bytes=object_bytes + 24,  # length, hash, state
        wide_string_bytes=object_bytes + 40,  # and the length and place of its UTF-8 form
    )
    return layout if max(number or 0 for number in layout) < _OFFSET_MAX else None
