"""The journal under a store, with the quick look that most reads are."""

from __future__ import annotations

from holdfast.formats.plain import MISSING
from holdfast.state.machine import Machine
from holdfast.state.store_table import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["UNSURE", "StoreMachine"]


class _Unsure:
    """The type of `UNSURE`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSURE"


UNSURE: Final[Any] = _Unsure()
"""Stands for an answer that takes a lock."""


class StoreMachine(Machine[Table]):
    """A journal whose state is a table."""

    def glance(self, key: str) -> Any:
        """Return what is kept of a key without a lock, `UNSURE` where that cannot be.

        It is what the key had at one moment after the call began: the table stood for the same
        commit before and after the look, and that commit was the last one.
        """
        table, check = self.replica.state, self._check  # in this order: a table that is only
        # being loaded, or was left by a failed commit, is then another one or has no check
        kept = table.entries.get(key, MISSING)
        if self.is_fresh() and check == self._check and table is self.replica.state:
            return kept
        return UNSURE

    def look_up(self, key: str) -> Any:
        """Return what is kept of a key, `MISSING` if it is not there.

        Raises:
            Exception: as `read`.
        """
        return self.settled(key, self.glance(key))

    def settled(self, key: str, kept: Any) -> Any:
        """Return what a glance has found, and where it was unsure, what there is.

        Raises:
            Exception: as `read`.
        """
        if kept is UNSURE:
            return self.read(lambda table: table.entries.get(key, MISSING))
        return kept

    def may_have(self, key: str | None = None) -> bool:
        """Return whether a key is there, or any; False only if that is durable.

        Who would delete what is not there asks first, so that a missing store is not made for it.

        Raises:
            Exception: as `read`.
        """

        def has(table: Table) -> bool:
            return bool(table.entries) if key is None else key in table.entries

        return self.peek(has) or self.read(has)
