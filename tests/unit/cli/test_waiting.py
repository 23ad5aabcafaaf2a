"""Waiting for a lock that a time limit or a signal can end."""

from __future__ import annotations

import errno
import io
import sys
import threading

import pytest

from holdfast import LockTimeout
from holdfast.cli.waiting import take, telling
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


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("timeout_s", "tried"), [(None, [0.5, None]), (5.0, [0.5, 4.5]), (0.2, [0.2]), (0.0, [0.0])]
)
def test_long_wait_is_told_on_a_terminal(monkeypatch, timeout_s, tried) -> None:
    """After half a second it says who holds the lock, and waits for the rest of the time."""
    waits: list[float | None] = []
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)

    def attempt(wait_s: float | None) -> str:
        waits.append(wait_s)
        if wait_s == 0.5:
            raise LockTimeout("busy", path="a.lock", waited_s=0.5, holder="pid 7 (vim) on h")
        return "held"

    assert "held" == telling("set", timeout_s, attempt)
    assert tried == waits
    said = "holdfast set: waiting for a.lock, held by pid 7 (vim) on h\n"
    assert (said if len(tried) > 1 else "") == screen.getvalue()


def test_all_of_the_wait_is_told(monkeypatch) -> None:
    """What was waited before the notice counts."""
    monkeypatch.setattr(sys, "stderr", Terminal())

    def attempt(wait_s: float | None) -> None:
        raise LockTimeout("busy", path="a.lock", waited_s=wait_s or 0.0)

    with pytest.raises(LockTimeout) as caught:
        telling("set", 0.75, attempt)

    assert 0.75 == caught.value.waited_s
