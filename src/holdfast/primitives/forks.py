"""What an object has to do in a forked child: forget files, threads and locks of its parent."""

from __future__ import annotations

import os
from weakref import WeakMethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["call_in_child"]

_methods: set[WeakMethod[Callable[[], None]]] = set()


def call_in_child(method: Callable[[], None]) -> None:
    """See to it that a bound method is called in each child that is forked from now on.

    It does not keep its object alive.
    """
    _methods.add(WeakMethod(method, _methods.discard))


def _in_child() -> None:
    for reference in list(_methods):
        if (method := reference()) is not None:
            method()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
