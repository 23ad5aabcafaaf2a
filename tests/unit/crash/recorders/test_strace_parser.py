"""The log of strace, line by line: strings, interrupted calls, ends of threads, other lines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.crash.recorders.strace_parser import (
    AT_FDCWD,
    Descriptor,
    Ended,
    Finished,
    births_in,
    descriptor_of,
    flags_of,
    number_of,
    read_log,
    text_of,
    vectors_of,
)
from tests.support.strace_logs import encoded


def parsed(text: str) -> list[Any]:
    """The calls of a log."""
    return list(read_log(encoded(text)))


def hexed(data: bytes) -> str:
    """Bytes as `-xx` writes them."""
    return "".join(f"\\x{byte:02x}" for byte in data)


def test_a_call_has_its_arguments_its_result_and_its_error():
    """Commas in brackets and braces cut nothing."""
    calls = parsed("""
        10 openat(AT_FDCWD</r>, "a b", O_WRONLY|O_CREAT, 0644) = 3</r/a b>
        10 writev(3</r/a b>, [{iov_base="x", iov_len=1}, {iov_base="yz", iov_len=2}], 2) = 3
        10 rename("a", "b")                        = -1 ENOENT (No such file or directory)
        10 sync()                                  = 0
        10 mmap(NULL, 4096, PROT_READ, MAP_SHARED, 3</r/a b>, 0) = 0x7f00
    """)
    assert ["openat", "writev", "rename", "sync", "mmap"] == [call.name for call in calls]
    assert [4, 3, 2, 0, 6] == [len(call.arguments) for call in calls]
    assert [3, 3, -1, 0, 0x7F00] == [call.result for call in calls]
    assert [None, None, "ENOENT", None, None] == [call.error for call in calls]
    assert b"xyz" == vectors_of(calls[1].arguments[1])


def test_an_interrupted_call_stands_where_it_ended():
    """Two threads: the call that began first ends last."""
    calls = parsed("""
        10 write(3</r/a>, "one", 3 <unfinished ...>
        11 fsync(4</r/b>)          = 0
        10 <... write resumed>)    = 3
        11 read(5</r/c>,  <unfinished ...>
        11 <... read resumed>"two", 3) = 3
    """)
    expected = [("fsync", 11), ("write", 10), ("read", 11)]
    assert expected == [(call.name, call.thread) for call in calls]
    assert b"one" == text_of(calls[1].arguments[1])
    assert b"two" == text_of(calls[2].arguments[1])


def test_ends_of_threads_are_told_and_signals_are_not():
    """Exit codes, killing signals, and calls that never returned."""
    calls = parsed("""
        10 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---
        10 write(3</r/a>, "x", 1 <unfinished ...>
        11 +++ exited with 7 +++
        10 <... write resumed> <unfinished ...>) = ?
        10 +++ killed by SIGABRT (core dumped) +++
        12 +++ superseded by execve in pid 10 +++
    """)
    assert [Ended(11, 7), Ended(10, "SIGABRT")] == calls


def test_threads_are_known_by_what_made_them():
    """The flags stand in the first half of a call that was interrupted."""
    calls = parsed("""
        10 clone(child_stack=NULL, flags=CLONE_VM|CLONE_FILES <unfinished ...>
        11 fsync(4</r/b>) = 0
        10 <... clone resumed>, child_tidptr=0x7f) = 11
        10 vfork() = 12
        10 fork() = -1 EAGAIN (Resource temporarily unavailable)
    """)
    expected = [(11, 10, frozenset({"CLONE_VM", "CLONE_FILES"})), (12, 10, frozenset())]
    assert expected == list(births_in(calls))


@pytest.mark.parametrize(
    "line", ["", "write(3) = 1", "10 write(3", "[ Process PID=9 runs in 32 bit"]
)
def test_a_line_of_another_shape_is_refused(line):
    """A call that is not understood is never left out."""
    with pytest.raises(ValueError, match="not a"):
        list(read_log([line]))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_back(data):
    """Quotes, commas, brackets and line ends of the data are not the log's."""
    (call,) = read_log([f'1 write(3<{hexed(data)}>, "{hexed(data)}", {len(data)}) = {len(data)}\n'])
    assert isinstance(call, Finished)
    assert data == text_of(call.arguments[1])
    assert Descriptor(3, data, is_deleted=False) == descriptor_of(call.arguments[0])


def test_descriptors_have_a_path_and_may_be_of_deleted_files():
    """The current folder is one too."""
    (line,) = encoded("3</r/a>(deleted)")
    assert Descriptor(3, b"/r/a", is_deleted=True) == descriptor_of(line)
    assert Descriptor(AT_FDCWD, b"", is_deleted=False) == descriptor_of("AT_FDCWD")
    assert Descriptor(-1, b"", is_deleted=False) == descriptor_of("-1")


@pytest.mark.parametrize("argument", ['"\\x61"...', "0x7ffc", "NULL", '"a"'])
def test_a_string_that_is_not_whole_is_refused(argument):
    """Cut off, or an address that could not be read."""
    with pytest.raises(ValueError, match="whole string"):
        text_of(argument)


@pytest.mark.parametrize(
    "argument",
    ['[{iov_base="\\x61"..., iov_len=9}]', "[{iov_base=0x7f, iov_len=9}]"],
)
def test_vectors_that_are_not_whole_are_refused(argument):
    """Data that is missing is never taken for none."""
    with pytest.raises(ValueError, match="not a"):
        vectors_of(argument)


@pytest.mark.parametrize(
    ("argument", "number"),
    [("0644", 0o644), ("0", 0), ("-1", -1), ("0x1f", 31), ("S_IFIFO|0600", 0o600)],
)
def test_numbers_are_decimal_octal_or_hexadecimal(argument, number):
    """Modes are octal, with names beside them."""
    assert number == number_of(argument)


def test_flags_are_names():
    """Joined by a stroke."""
    assert frozenset({"O_RDWR", "O_CREAT"}) == flags_of("O_RDWR|O_CREAT")


@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_lines_are_calls_or_refused(lines):
    """No other exception, and no hang."""
    try:
        found = list(read_log(f"1 {line}" for line in lines))
    except ValueError:
        return
    assert all(call.thread == 1 for call in found)
