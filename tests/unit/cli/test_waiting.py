"""Waiting for a lock that a time limit or a signal can end."""

from __future__ import annotations

import errno
import threading

import pytest

from holdfast.cli.waiting import take
from holdfast.vfs import SYSTEM


@pytest.fixture
def open_lock(tmp_path):
    """Open the lock file anew at each call."""

    def opened():
        folder = SYSTEM.folder(str(tmp_path))
        file = folder.open("l", "create")
        folder.close()
        return file

    return opened


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "holdfast-lock"]


def test_free_lock_is_taken_at_once(open_lock) -> None:
    """A free lock is taken without a thread; shared ones go together."""
    first, second = open_lock(), open_lock()

    assert take(first, shared=True, timeout_s=0)
    assert take(second, shared=True, timeout_s=None)
    assert [] == threads()
    first.close()
    second.close()


def test_busy_lock_is_not_waited_for(open_lock) -> None:
    """With no time at all a busy lock is False, and the file is closed."""
    holder, other = open_lock(), open_lock()
    take(holder, shared=False, timeout_s=0)

    assert not take(other, shared=False, timeout_s=0)
    with pytest.raises(OSError) as caught:
        other.stat()
    assert errno.EBADF == caught.value.errno
    holder.close()


def test_lock_that_comes_too_late_is_given_back(open_lock) -> None:
    """After a time-out nothing is held, also when the kernel grants the lock later."""
    holder, late = open_lock(), open_lock()
    take(holder, shared=False, timeout_s=0)
    assert not take(late, shared=False, timeout_s=0.01)

    holder.close()
    for thread in threads():
        thread.join(30)

    again = open_lock()
    assert again.lock(block=False)
    again.close()


def test_lock_that_becomes_free_is_won(open_lock) -> None:
    """A wait ends when the lock is free."""
    holder, waiter = open_lock(), open_lock()
    take(holder, shared=False, timeout_s=0)
    freeing = threading.Timer(0.01, holder.close)
    freeing.start()

    assert take(waiter, shared=False, timeout_s=30)
    freeing.join()
    waiter.close()


def test_refusal_of_the_system_is_raised(open_lock) -> None:
    """What the system refuses is raised, and the file is closed."""
    file = open_lock()
    file.close()

    with pytest.raises(OSError) as caught:
        take(file, shared=False, timeout_s=None)

    assert errno.EBADF == caught.value.errno
