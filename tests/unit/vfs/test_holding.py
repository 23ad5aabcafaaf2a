"""The holder's line: short, whole, and harmless to read whatever stands there."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.vfs import Holder
from holdfast.vfs.holding import SIZE_BYTES, decode, encode, own


def test_line_reads_back() -> None:
    """What is written is what is read."""
    holder = Holder(42, "box", "python app.py --now")

    assert b"42 box python app.py --now\n" == encode(holder)
    assert holder == decode(encode(holder))


def test_own_line_names_this_process() -> None:
    """The pid is that of this process, and the program is not empty."""
    found = decode(encode(own()))

    assert found is not None
    assert os.getpid() == found.pid
    assert found.program


def test_rest_of_a_longer_line_means_nothing() -> None:
    """A short line written over a longer one is read alone."""
    assert Holder(1, "a", "b") == decode(b"1 a b\nger line\n")


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"1", b"1 a b", b"x a b\n", b"-1 a b\n", b"1 a\n", b"1  b\n", bytes(300)]
)
def test_other_bytes_name_nobody(data) -> None:
    """A lock file of another program is no error and no holder."""
    assert None is decode(data)


@given(st.binary(max_size=2 * SIZE_BYTES))
def test_any_bytes_can_be_read(data) -> None:
    """Hostile bytes give no crash and nothing that steers a terminal."""
    found = decode(data)

    assert found is None or (str(found).isprintable() and len(found.program) <= 80)


@given(st.integers(1, 2**31), st.text(max_size=300), st.text(min_size=1, max_size=300))
def test_any_holder_fits(pid, host, program) -> None:
    """Every line has one newline at its end, at most 256 bytes, and names the pid."""
    line = encode(Holder(pid, host, program))
    found = decode(line)

    assert len(line) <= SIZE_BYTES
    assert 1 == line.count(b"\n")
    assert found is None or pid == found.pid
