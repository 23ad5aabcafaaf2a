"""The locks of `threading`, without the rest of it.

`threading` loads `functools`, `collections` and more: a fifth of what a whole command may take. Who
starts a thread imports it then. Type checkers are shown `threading` itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import TIMEOUT_MAX, Lock, RLock, local
else:
    try:
        from _thread import TIMEOUT_MAX, RLock
        from _thread import _local as local
        from _thread import allocate_lock as Lock  # noqa: N812 - as `threading` does
    except ImportError:  # an interpreter with names of its own
        from threading import TIMEOUT_MAX, Lock, RLock, local

__all__ = ["TIMEOUT_MAX", "Lock", "RLock", "local"]
