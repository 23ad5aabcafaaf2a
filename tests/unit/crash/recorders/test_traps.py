"""Calls taken apart; what they do is recorded by the other tests."""

from __future__ import annotations

import ctypes
import os
import select

import pytest

from holdfast.crash.recorders.notify import Notification
from holdfast.crash.recorders.tasks import Tasks
from holdfast.crash.recorders.traps import Trap


@pytest.fixture
def trap():
    """Make a stopped call of this very process."""
    tasks, made = Tasks(select.poll()), []

    def make(name, *arguments):
        full = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
        told = Notification(1, os.getpid(), 0, 0, 0, full)
        made.append(Trap(name, told, tasks.of(os.getpid())))
        return made[-1]

    yield make
    for one in made:
        one.close()
    tasks.close()


def test_numbers_are_of_their_c_types(trap):
    """An int is the lower half; an offset is signed."""
    call = trap("pwrite64", 0xFFFFFF9C, 0, 0, 2**64 - 1)
    assert -100 == call.value(0)
    assert -1 == call.offset(3)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/proc/self/fd/3", b"/proc/%d/fd/3"),
        (b"/proc/self", b"/proc/%d"),
        (b"/dev/fd/3", b"/proc/%d/fd/3"),
        (b"/dev/stdout", b"/proc/%d/fd/1"),
        (b"/proc/selfish", b"/proc/selfish"),
        (b"self", b"self"),
    ],
)
def test_paths_that_mean_the_thread_itself(trap, path, expected):
    """They are those of the thread, not of the recorder."""
    held = ctypes.create_string_buffer(path)
    call = trap("mkdir", ctypes.addressof(held))
    wanted = expected % os.getpid() if b"%d" in expected else expected
    assert wanted == call.string(0)


def test_descriptors_are_copies(trap, tmp_path):
    """Each once, and gone with the call."""
    with open(tmp_path / "f", "wb") as file:
        call = trap("fsync", file.fileno())
        copy = call.descriptor(0)
        assert copy == call.descriptor(0) != file.fileno()
        call.close()
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(copy)
