"""Many places of a memory in one call: this process reads itself."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest

from holdfast.crash.sites.scattered import Scattered

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has this call")


def test_places_are_told_apart():
    """Wherever they lie, also within each other; what they hold now, each time."""
    one, other = ctypes.create_string_buffer(b"abcdef"), ctypes.create_string_buffer(b"12345")
    start = ctypes.addressof(one)
    places = [(ctypes.addressof(other), 5), (start + 4, 2), (start, 2), (start + 1, 1)]
    scattered = Scattered(os.getpid(), places)

    for expected in (b"ab", b"xb"):
        one[0] = expected[:1]
        pieces = scattered.read()
        assert pieces is not None
        found = scattered.parts(pieces)
        assert [b"12345", b"ef", expected, b"b"] == [found[place] for place in places]


def test_what_lies_between_does_not_count():
    """It may change, and what is read is the same."""
    held = ctypes.create_string_buffer(b"abcdef")
    start = ctypes.addressof(held)
    scattered = Scattered(os.getpid(), [(start, 2), (start + 4, 2)])

    before = scattered.read()
    held[2] = held[3] = b"x"
    assert (b"ab", b"ef") == before == scattered.read()
    held[4] = b"x"
    assert (b"ab", b"xf") == scattered.read()


@pytest.mark.parametrize("bad", [0, 1])
def test_places_that_are_not_there_are_none(bad):
    """Wherever the bad one stands among them."""
    held = ctypes.create_string_buffer(b"abc")
    places = [(ctypes.addressof(held), 3), (ctypes.addressof(held), 3)]
    places[bad] = (8, 8)
    assert Scattered(os.getpid(), places).read() is None
