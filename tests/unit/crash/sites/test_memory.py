"""The memory of another process: what is there is read, all else is said to be unreadable."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest

from holdfast.crash.sites.memory import Memory, Unreadable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux: /proc/PID/mem")


def test_bytes_of_this_process_are_read():
    """What a buffer holds is what is read at its address."""
    buffer = ctypes.create_string_buffer(b"holdfast" + (513).to_bytes(8, "little"))
    memory = Memory(os.getpid())
    assert b"holdfast" == memory.read(ctypes.addressof(buffer), 8)
    assert 513 == memory.number(ctypes.addressof(buffer) + 8)
    memory.close()
    memory.close()


@pytest.mark.parametrize("address", [0, 8, 2**63, 2**64 - 8, -1])
def test_an_address_that_leads_nowhere_is_unreadable(address):
    """Null, and what no pointer can be, are no crash."""
    memory = Memory(os.getpid())
    with pytest.raises(Unreadable):
        memory.read(address, 8)
    memory.close()


def test_a_process_that_is_not_there_cannot_be_opened():
    """The error is the system's own."""
    with pytest.raises(FileNotFoundError):
        Memory(2**31 - 1)
