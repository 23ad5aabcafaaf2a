"""Checked by mypy and pyright, never run: a store keeps the type of its values."""

from __future__ import annotations

from collections.abc import ItemsView
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_type

from holdfast import Commit, Store, StoreSnapshot, Transaction


@dataclass
class User:
    """What a program may keep."""

    name: str
    age: int = 0


class Points:
    """A codec of one's own."""

    name = "points"

    def encode(self, value: tuple[int, int], /) -> bytes:
        """Two bytes."""
        return bytes(value)

    def decode(self, data: bytes, /) -> tuple[int, int]:
        """Two numbers."""
        return data[0], data[1]


def kinds(path: Path) -> None:
    """Type and codec say what the values are."""
    assert_type(Store(path), Store[Any])
    assert_type(Store(path, User), Store[User])
    assert_type(Store(path, int, sync=0.5), Store[int])
    assert_type(Store(path, codec="bytes"), Store[bytes])
    assert_type(Store(path, codec="text"), Store[str])
    assert_type(Store(path, codec=Points()), Store[tuple[int, int]])
    Store(path, codec="yaml")  # type: ignore[call-overload]
    Store(path, User, codec=Points())  # type: ignore[call-overload]


def mapping(store: Store[User]) -> None:
    """It is a mapping of text to values."""
    assert_type(store["a"], User)
    assert_type(store.get("a"), User | None)
    assert_type(store.get("a", 5), User | int)
    assert_type(store.pop("a"), User)
    assert_type(store.pop("a", None), User | None)
    assert_type(store.popitem(), tuple[str, User])
    assert_type(store.setdefault("a", User("x")), User)
    assert_type(store.items("a/"), ItemsView[str, User])
    assert_type(store.snapshot(), StoreSnapshot[User])
    store["a"] = User("x")
    store["a"] = {"name": "x"}  # type: ignore[assignment]
    store[5] = User("x")  # type: ignore[index]


def updated(store: Store[User], counts: Store[int]) -> None:
    """A key by a function of its value, or many by a mapping."""

    def older(user: User) -> User:
        return User(user.name, user.age + 1)

    def confuse(user: User) -> str:
        return user.name

    assert_type(store.update("a", older), User)
    assert_type(counts.update("n", lambda n: n + 1, default=0), int)
    store.update("a", confuse)  # type: ignore[arg-type]
    store.update({"a": User("x")}, b=User("y"))
    store.update([("a", User("x"))])
    store.update(a=User("x"))
    store.update({"a": 5})  # type: ignore[dict-item]


def together(store: Store[User]) -> None:
    """A transaction has the types of its store; so has what is followed."""
    with store.transaction() as tx:
        assert_type(tx, Transaction[User])
        assert_type(tx["a"], User)
        assert_type(tx.update("a", lambda user: user), User)
    for commit in store.follow(timeout_s=1):
        assert_type(commit, Commit[User])
        assert_type(commit.changed["a"], User)


async def twins(store: Store[User]) -> None:
    """The twins for asyncio keep the type as well."""
    assert_type(await store.aget("a"), User | None)
    assert_type(await store.aupdate("a", lambda user: user, default=User("x")), User)
    await store.aput("a", User("x"))
    await store.aput("a", 5)  # type: ignore[arg-type]
    assert_type(await store.aitems(), ItemsView[str, User])
    assert_type(await store.asnapshot(), StoreSnapshot[User])
    async with store.atransaction() as tx:
        assert_type(tx["a"], User)
    async for commit in store.afollow(1):
        assert_type(commit, Commit[User])
