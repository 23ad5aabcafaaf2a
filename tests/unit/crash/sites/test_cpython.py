"""Frames read from outside: memory that is not what it is taken for gives no lines."""

from __future__ import annotations

import random
import struct

import pytest

from holdfast.crash.sites.cpython import (
    FRAMES_MAX,
    SYMBOLS,
    TEXT_MAX,
    THREADS_MAX,
    PythonFrames,
    python_frames,
)
from holdfast.crash.sites.layouts import TABLE_BYTES, layout_of
from holdfast.crash.sites.memory import Memory, Unreadable

RUNTIME, INTERPRETER, THREAD, CFRAME, FRAME, CODE = (n << 16 for n in range(1, 7))
FILENAME, QUALNAME, LINES = (n << 16 for n in range(7, 10))
CODE_TYPE, TEXT_TYPE, BYTES_TYPE, VERSION = (n << 16 for n in range(10, 14))
TID = 77
ADDRESSES: dict[str, int] = dict(
    zip(SYMBOLS, (RUNTIME, VERSION, CODE_TYPE, TEXT_TYPE, BYTES_TYPE), strict=True)
)
ASCII, LATIN, WIDE = (
    kind << 2 | 1 << 5 | is_ascii << 6 for kind, is_ascii in ((1, 1), (1, 0), (2, 0))
)


class Laid(Memory):
    """A made memory, laid out as that of 3.12."""

    def __init__(self) -> None:
        layout = layout_of(0x030C01F0, b"")
        assert layout is not None
        assert layout.thread_cframe is not None
        self.layout = layout
        self.thread_cframe = layout.thread_cframe
        self.bytes: dict[int, int] = {}
        self.reads = 0

    def read_some(self, address: int, size: int) -> bytes:
        """As the memory of a process."""
        self.reads += 1
        try:
            return bytes(self.bytes[address + n] for n in range(size))
        except KeyError:
            raise Unreadable(hex(address)) from None

    def put(self, address: int, data: bytes) -> None:
        """Lay bytes."""
        self.bytes.update(enumerate(data, start=address))

    def put_number(self, address: int, number: int) -> None:
        """Lay a pointer."""
        self.put(address, struct.pack("<Q", number))

    def put_text(self, address: int, text: str, *, state: int = ASCII) -> None:
        """Lay a str object."""
        data = text.encode({ASCII: "ascii", LATIN: "latin-1", WIDE: "utf-16-le"}[state])
        head = struct.pack("<QQQqI4x", 1, TEXT_TYPE, len(text), -1, state)
        self.put(address, head + (b"" if state == ASCII else bytes(16)) + data)

    def frames(self) -> PythonFrames:
        """The reader under test."""
        found = python_frames(self, ADDRESSES)
        assert found is not None
        return found


@pytest.fixture
def laid() -> Laid:
    """One interpreter, one thread, one frame: `save` in a.py at line 10."""
    laid = Laid()
    at = laid.layout
    for start in (RUNTIME, INTERPRETER, THREAD, CFRAME, FRAME, CODE, LINES):
        laid.put(start, bytes(TABLE_BYTES))
    laid.put_number(VERSION, 0x030C01F0)
    laid.put_number(RUNTIME + at.runtime_interpreters, INTERPRETER)
    laid.put_number(INTERPRETER + at.interpreter_threads, THREAD)
    laid.put_number(THREAD + at.thread_native_id, TID)
    laid.put_number(THREAD + laid.thread_cframe, CFRAME)
    laid.put_number(CFRAME + at.thread_frame, FRAME)
    laid.put_number(FRAME + at.frame_code, CODE)
    laid.put_number(FRAME + at.frame_instruction, CODE + at.code_instructions)
    laid.put_number(CODE + at.object_type, CODE_TYPE)
    laid.put_number(CODE + at.code_filename, FILENAME)
    laid.put_number(CODE + at.code_qualname, QUALNAME)
    laid.put_number(CODE + at.code_line_table, LINES)
    laid.put(CODE + at.code_first_line, struct.pack("<i", 10))
    laid.put(LINES, struct.pack("<QQQq", 1, BYTES_TYPE, 2, -1) + b"\x80\x00")
    laid.put_text(FILENAME, "a.py")
    laid.put_text(QUALNAME, "save")
    return laid


def test_a_frame_is_read(laid):
    """Thread, frame, code and line table lead to one line."""
    assert [("a.py", 10, "save")] == [tuple(site) for site in laid.frames().sites(TID)]


@pytest.mark.parametrize(
    ("text", "state"), [("a.py", ASCII), ("é.py", LATIN), ("π.py", WIDE)], ids=str
)
def test_texts_of_each_width_are_read(laid, text, state):
    """One byte a character, one with a longer head, and two bytes."""
    laid.put_text(FILENAME, text, state=state)
    assert [text] == [site.path for site in laid.frames().sites(TID)]


def test_a_thread_without_python_has_no_lines(laid):
    """Only threads that the interpreter knows have frames."""
    assert [] == list(laid.frames().sites(TID + 1))


@pytest.mark.parametrize("where", [FILENAME + 8, QUALNAME + 8, LINES + 8])
def test_i1_another_type_is_not_believed(laid, where):
    """A file name that is no str, and a line table that is no bytes, are refused."""
    laid.put_number(where, CODE_TYPE + 16)
    with pytest.raises(Unreadable):
        list(laid.frames().sites(TID))


def test_i1_a_frame_of_something_else_is_left_out(laid):
    """Frames that the interpreter keeps for calls from C have no code object."""
    laid.put_number(CODE + 8, TEXT_TYPE)
    assert [] == list(laid.frames().sites(TID))


@pytest.mark.parametrize("distance", [-2, 2, 2**40])
def test_i1_an_instruction_of_other_code_has_no_line(laid, distance):
    """Before the first, behind the last, far away."""
    first = CODE + laid.layout.code_instructions
    laid.put_number(FRAME + laid.layout.frame_instruction, first + distance)
    assert [] == list(laid.frames().sites(TID))


def test_i1_another_code_object_in_the_same_place_is_noticed(laid):
    """What was learnt of a code object is not said of the one that came after it."""
    frames = laid.frames()
    assert [10] == [site.line for site in frames.sites(TID)]
    laid.put(CODE + laid.layout.code_first_line, struct.pack("<i", 20))
    assert [20] == [site.line for site in frames.sites(TID)]


@pytest.mark.parametrize("length", [0, TEXT_MAX + 1, 2**63])
def test_i2_a_name_of_impossible_length_is_refused(laid, length):
    """No more is read than a path can be long."""
    laid.put_number(FILENAME + 16, length)
    with pytest.raises(Unreadable):
        list(laid.frames().sites(TID))


def test_i2_a_line_table_of_impossible_length_is_refused(laid):
    """No more is read than a function can be long."""
    laid.put_number(LINES + 16, 2**40)
    with pytest.raises(Unreadable):
        list(laid.frames().sites(TID))


def test_i2_a_frame_that_leads_to_itself_ends(laid):
    """A ring of frames is walked no further than a stack may be deep."""
    laid.put_number(FRAME + laid.layout.frame_previous, FRAME)
    assert FRAMES_MAX == len(list(laid.frames().sites(TID)))


def test_i2_a_ring_of_threads_ends(laid):
    """A list that changed underway is walked no further than threads may be many."""
    laid.put_number(THREAD + laid.layout.thread_next, THREAD)
    assert [] == list(laid.frames().sites(TID + 1))
    assert laid.reads < THREADS_MAX + 20


def test_an_unknown_version_has_no_reader(laid):
    """Rather no lines than those of another layout."""
    laid.put_number(VERSION, 0x031000F0)
    assert python_frames(laid, ADDRESSES) is None


def test_any_damage_ends_with_lines_or_unreadable(laid):
    """Pointers and bytes at random: no hang, and no other exception."""
    whole = dict(laid.bytes)
    chance = random.Random(1)
    for _ in range(400):
        laid.bytes = dict(whole)
        for _ in range(3):
            at = chance.choice((RUNTIME, INTERPRETER, THREAD, CFRAME, FRAME, CODE, FILENAME, LINES))
            laid.put_number(at + 8 * chance.randrange(24), chance.choice((0, 1, FRAME, 2**64 - 1)))
        try:
            found = list(laid.frames().sites(TID))
        except Unreadable:
            continue
        assert all(site.line for site in found)
