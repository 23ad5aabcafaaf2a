"""holdfast's own doors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import holdfast
from benchmarks.crash_peers.states import contents, number

if TYPE_CHECKING:
    from collections.abc import Callable

VARIANTS = {
    "write_bytes": "`write_bytes(path, data)`",
    "open": "`open(path, 'w')`",
    "document": "`Document(path).update()`",
    "write_many": "`write_many({path: data, ...})`, two files",
    "sync-never": "`write_bytes(path, data, sync='never')`",
}


def saver(variant: str) -> Callable[[int], None]:
    return {
        "write_bytes": lambda n: _bytes(n, {}),
        "sync-never": lambda n: _bytes(n, {"sync": "never"}),
        "open": _open,
        "document": _document,
        "write_many": _many,
    }[variant]


def _bytes(n: int, options: dict[str, Any]) -> None:
    holdfast.write_bytes("state", contents(n).encode(), **options)


def _open(n: int) -> None:
    with holdfast.open("state", "w", encoding="ascii") as file:
        file.write(contents(n))


def _document(n: int) -> None:
    holdfast.Document("state.json", default={}).update(lambda _: {"state": contents(n)})


def _many(n: int) -> None:
    data = contents(n).encode()
    holdfast.write_many({"state": data, "other": data})


def _load_file(path: str) -> int:
    with open(path, encoding="ascii") as file:
        return number(file.read())


def load(variant: str) -> int:
    if variant == "document":
        with open("state.json", encoding="ascii") as file:
            return number(json.load(file)["state"])
    if variant == "write_many":  # each file on its own: that is what it promises
        return min(_load_file("state"), _load_file("other"))
    return _load_file("state")
