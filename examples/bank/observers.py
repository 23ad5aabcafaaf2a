"""Two observers with the Store open for reading: one audits, one keeps a copy by following."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import holdfast
from audit import out_of_balance

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

_PAUSE_S = 0.05


class Auditor:
    """Looks at all accounts again and again, each time as of one moment."""

    def __init__(self, books: Path) -> None:
        self.audits = 0
        self.wrong: list[str] = []
        self._books = books

    def run(self, end: float) -> None:
        """Audit until then."""
        with holdfast.Store(self._books, read_only=True) as store:
            while time.monotonic() < end:
                accounts = dict(store.items(prefix="account/"))
                self.wrong += out_of_balance(accounts)
                self.audits += 1
                time.sleep(_PAUSE_S)


class Mirror:
    """A copy of the books that is kept by following, commit by commit."""

    def __init__(self, books: Path) -> None:
        self.copy: dict[str, Any] = {}
        self.commits = 0
        self._books = books
        self._next = 1

    def run(self, stop: Event) -> None:
        """Follow until `stop` is set and nothing comes any more."""
        with holdfast.Store(self._books, read_only=True) as store:
            while self._follow(store) or not stop.is_set():
                pass

    def _follow(self, store: holdfast.Store[Any]) -> int:
        """Apply what comes until a moment without anything; return how many commits it was."""
        before = self.commits
        try:
            for commit in store.follow(self._next, timeout_s=0.2):
                self.copy.update(commit.changed)
                for key in commit.deleted:
                    del self.copy[key]
                self._next = commit.sequence + 1
                self.commits += 1
        except holdfast.Truncated:  # a checkpoint has overtaken us: begin from a whole picture
            snapshot = store.snapshot()
            self.copy = dict(snapshot)
            self._next = snapshot.sequence + 1
        return self.commits - before
