"""What an object has to do in a forked child: forget files, threads and locks of its parent."""

from __future__ import annotations

import os
from weakref import WeakKeyDictionary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["call_in_child"]

_methods: WeakKeyDictionary[object, str] = WeakKeyDictionary()
# Not WeakMethod: one whose object outlives it, at the end of the interpreter, prints an error.


def call_in_child(method: Callable[[], None]) -> None:
    """See to it that a bound method, one for each object, is called in each child forked from now.

    It does not keep its object alive.
    """
    bound: Any = method
    _methods[bound.__self__] = bound.__name__


def _in_child() -> None:
    for owner, name in list(_methods.items()):
        getattr(owner, name)()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
