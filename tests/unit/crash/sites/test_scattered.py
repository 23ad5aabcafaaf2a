"""Many places of a memory in one call: this process reads itself."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest

from holdfast.crash.sites.scattered import Scattered

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has this call")


def test_places_are_read_in_their_order():
    """And told apart again; what they hold now, each time."""
    one, other = ctypes.create_string_buffer(b"abc"), ctypes.create_string_buffer(b"12345")
    places = [(ctypes.addressof(other), 5), (ctypes.addressof(one), 2)]
    scattered = Scattered(os.getpid(), places)

    assert b"12345ab" == scattered.read()
    one[0] = b"x"
    raw = scattered.read()
    assert {places[0]: b"12345", places[1]: b"xb"} == scattered.parts(raw or b"")


@pytest.mark.parametrize("bad", [0, 1])
def test_places_that_are_not_there_are_none(bad):
    """Wherever the bad one stands among them."""
    held = ctypes.create_string_buffer(b"abc")
    places = [(ctypes.addressof(held), 3), (ctypes.addressof(held), 3)]
    places[bad] = (8, 8)
    assert Scattered(os.getpid(), places).read() is None
