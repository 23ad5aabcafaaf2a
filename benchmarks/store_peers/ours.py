"""holdfast.Store with values of bytes, as its peers have them, and with small documents of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.store_peers.shape import Change, Pairs, StorePeer

__all__ = ["Holdfast", "open_json", "open_store"]

_DOCUMENT = {"name": "Ada Lovelace", "balance": 1200, "tags": ["one", "two"], "open": True}


class Holdfast:
    """Values are bytes."""

    def __init__(self, path: str, **options: Any) -> None:
        from holdfast.state.store import Store

        self.store: Any = Store(path, **options)
        self.put = self.store.__setitem__
        self.get = self.store.__getitem__
        self.aput = self.store.aput

    def put_many(self, pairs: Pairs) -> None:
        with self.store.transaction() as tx:
            for key, value in pairs:
                tx[key] = value

    def update(self, key: str, change: Change) -> None:
        self.store.update(key, change)

    def scan(self, prefix: str) -> int:
        return len(list(self.store.items(prefix=prefix)))

    def settle(self) -> None:
        self.store.checkpoint()

    def close(self) -> None:
        self.store.close()


class _Documents(Holdfast):
    """Values are small dicts, whatever is asked for; each get makes a new one."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        assign, aput = self.store.__setitem__, self.store.aput
        self.put = lambda key, value: assign(key, _DOCUMENT)
        self.aput = lambda key, value: aput(key, _DOCUMENT)

    def put_many(self, pairs: Pairs) -> None:
        super().put_many([(key, _DOCUMENT) for key, _ in pairs])  # type: ignore[misc]

    def update(self, key: str, change: Change) -> None:
        self.store.update(key, _pay)


def _pay(document: dict[str, Any]) -> dict[str, Any]:
    document["balance"] += 1
    return document


def open_store(path: str, *, sync: str = "always") -> StorePeer:
    """Values of bytes."""
    return Holdfast(path, codec="bytes", sync=sync)


def open_json(path: str) -> StorePeer:
    """Values of JSON, as a store has them by default."""
    return _Documents(path)
