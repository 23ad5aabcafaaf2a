"""A fork waits until what is being opened is listed: so the child finds it there, and closes it.

Otherwise the child would keep a copy of an open description that nobody knows of, and with it the
lock that its parent takes on it. Files are opened side by side: one on a server that does not
answer holds up no other, and a fork for no more than `FORK_WAITS_S`.
"""

from __future__ import annotations

import os
from weakref import ref

from holdfast.light_threading import Lock, RLock
from holdfast.vfs import CLOCK

__all__ = ["FORK_WAITS_S", "Opening"]

FORK_WAITS_S = 1.0
"""How long a fork waits at most; it goes on then, and the child may keep a copy."""

_entry = RLock()  # held by a fork
_under_way: set[ref[Opening]] = set()  # weak: an interrupted one must not stay


class Opening:
    """`with Opening():` opens and lists; no fork of another thread comes in between."""

    __slots__ = ("__weakref__", "_done", "_listed")

    def __init__(self) -> None:
        self._done = Lock()
        self._done.acquire()
        self._listed: ref[Opening] = ref(self, _under_way.discard)

    def __enter__(self) -> None:
        with _entry:
            _under_way.add(self._listed)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        _under_way.discard(self._listed)
        self._done.release()

    def wait(self, timeout_s: float) -> None:
        """Wait for the end of the block."""
        self._done.acquire(timeout=timeout_s)


def _before_fork() -> None:
    _entry.acquire()
    end_s = CLOCK.monotonic() + FORK_WAITS_S
    for listed in list(_under_way):
        opening = listed()
        if opening is not None:
            opening.wait(max(0.0, end_s - CLOCK.monotonic()))


def _after_fork_in_parent() -> None:
    _entry.release()


def _after_fork_in_child() -> None:
    global _entry
    _entry = RLock()
    _under_way.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
