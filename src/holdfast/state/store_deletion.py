"""Many keys of a store deleted, in as few commits as the size of an entry allows."""

from __future__ import annotations

from holdfast.formats.store_format import MAX_CHANGES, MAX_ENTRY_BYTES, encode_changes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    from holdfast.state.store_table import Table

__all__ = ["Deletion"]

_HEAD_BYTES = 8
_ROW_BYTES = 8


class Deletion:
    """Deletes every key but some; `decide` is committed until `is_done`.

    Args:
        but: the keys that stay.
    """

    def __init__(self, but: Container[str] = ()) -> None:
        self._but = but
        self.is_done = False

    def decide(self, table: Table) -> bytes | None:
        """Return the entry that deletes the rest, or as much of it as fits; None: there is none."""
        keys = self._fitting(table)
        return encode_changes([(key, None) for key in keys]) if keys else None

    def _fitting(self, table: Table) -> list[str]:
        keys: list[str] = []
        size_bytes = _HEAD_BYTES
        for key in table.entries:
            if key in self._but:
                continue
            size_bytes += _ROW_BYTES + (len(key) if key.isascii() else len(key.encode()))
            if size_bytes > MAX_ENTRY_BYTES or len(keys) == MAX_CHANGES:
                self.is_done = False
                return keys
            keys.append(key)
        self.is_done = True
        return keys
