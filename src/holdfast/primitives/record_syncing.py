"""One sync for all threads of a handle that have written, and the first failure for good.

I1  One sync at a time: the system tells an error once, to whoever syncs; so that nobody takes the
    silence after it for success, the next one begins only when the outcome of the last is known.
I2  Who waits returns when a sync that began after his write has ended well; after a failure, or an
    interrupt in the middle of a sync, nobody does.
"""

from __future__ import annotations

import errno

from holdfast.errors import HandlePoisoned
from holdfast.light_threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SharedSync"]


class SharedSync:
    """Syncs a file for the threads of one handle.

    Args:
        path: For messages.
        sync: Does it.
    """

    __slots__ = ("_covered", "_first", "_guard", "_in_doubt", "_path", "_sync", "_turn", "_written")

    def __init__(self, path: str, sync: Callable[[], None]) -> None:
        self._path = path
        self._sync = sync
        self._first: BaseException | None = None
        self._in_doubt = False
        self._written = self._covered = 0
        self.renew()

    def renew(self) -> None:
        """Forget who waits, in a forked child."""
        self._guard = Lock()
        self._turn = Lock()

    @property
    def failed(self) -> bool:
        """Whether a sync has failed."""
        return self._first is not None

    @property
    def is_settled(self) -> bool:
        """Whether a sync has covered all that was written."""
        return self._covered >= self._written

    @property
    def is_in_doubt(self) -> bool:
        """Whether a sync was interrupted, unless one is under way."""
        return self._in_doubt

    def check(self) -> None:
        """Pass unless a sync has failed.

        Raises:
            HandlePoisoned: one has.
        """
        if self._first is not None:
            raise HandlePoisoned(
                f"{self._path}: a sync of this handle has failed ({self._first}). What it had "
                "acknowledged is on disk, the last changes may be or not. Open it anew.",
                path=self._path,
                first=self._first,
            )

    def note(self) -> int:
        """Something was written; return what `wait` is to be told."""
        with self._guard:
            self._written += 1
            return self._written

    def wait(self, ticket: int) -> None:
        """Return when what was written up to then is durable (I2).

        Raises:
            HandlePoisoned: an earlier sync has failed; it may be on disk or not.
            OSError: this one has; the same.
        """
        with self._turn:
            if self._in_doubt:
                self._first = self._first or OSError(errno.EIO, "a sync was interrupted")
            self.check()
            if self._covered >= ticket:
                return
            covered, self._in_doubt = self._written, True
            try:
                self._sync()
            except OSError as error:
                self._first = error
                raise
            self._covered, self._in_doubt = covered, False
