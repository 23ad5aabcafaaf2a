"""The store: what is put is there, for everybody, once; what fails changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from errno import errorcode
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import Closed, DecodeError, UnknownFormat
from holdfast.state.store import Store
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS


@dataclass
class User:
    name: str
    age: int = 0


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "a.jrn"


@pytest.fixture
def store(path) -> Iterator[Store[Any]]:
    with Store(path) as made:
        yield made


@pytest.fixture
def other(path, store) -> Iterator[Store[Any]]:
    """The same store, as another process would have it open."""
    with Store(path) as made:
        yield made


def test_missing_store_reads_as_empty_and_reading_makes_nothing(path, store) -> None:
    """Nor does deleting what is not there (I3)."""
    assert {} == store
    assert 0 == store.sequence == len(store)
    assert ("a" in store, store.get("a"), store.get("a", 5)) == (False, None, 5)
    assert [] == [*store.items()] == [*store.snapshot()]
    for call in (
        lambda: store["a"],
        lambda: store.pop("a"),
        store.popitem,
        lambda: store.update("a", int),
    ):
        with pytest.raises(KeyError):
            call()
    with pytest.raises(KeyError):
        del store["a"]
    store.clear()
    assert 7 == store.pop("a", 7)
    assert not path.exists()


def test_what_is_put_is_there_when_it_is_opened_anew(path) -> None:
    """With its type; with and without a checkpoint."""
    values = {"n": 1, "f": 0.5, "t": "é", "l": [1, {"a": None}], "": True, "big": 2**70, "no": None}
    with Store(path) as store:
        store.update(values)
        del store["n"]
    values.pop("n")
    for _ in range(2):
        with Store(path) as store:
            assert values == dict(store)
            store.checkpoint()


def test_others_see_each_change(store, other) -> None:
    """Before their next read returns."""
    store["a"] = 1
    assert 1 == other["a"]
    other["a"] = [2]
    assert [2] == store["a"]
    del store["a"]
    assert other.get("a") is None
    assert 3 == store.sequence == other.sequence


def test_what_was_got_is_the_callers_own(store) -> None:
    """Changing it changes nothing in the store; nor does changing what was put (I1)."""
    mine = {"list": [1]}
    store["a"] = mine
    mine["list"].append(2)
    store["a"]["list"].append(3)
    store.get("a")["list"].append(4)
    store.setdefault("a", None)["list"].append(5)
    assert {"list": [1]} == store["a"] == store.snapshot()["a"]


def test_update_is_one_step(store, other) -> None:
    """Threads with two handles lose no change."""

    def count(handle: Store[Any]) -> None:
        for _ in range(50):
            handle.update("n", lambda n: n + 1, default=0)

    threads = [threading.Thread(target=count, args=(h,)) for h in (store, other) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert 200 == store["n"] == other["n"]


def test_update_gives_the_new_value_as_it_is_stored(store) -> None:
    """A tuple is a list then; a default is as if it had been stored."""
    assert [1, 2] == store.update("t", lambda t: (*t, 2), default=(1,))
    assert [1, 2] == store["t"]
    default: list[int] = []
    assert [1] == store.update("l", lambda old: [*old, 1], default=default)
    store.update("m", lambda m: m.append(1) or m, default=default)
    assert [] == default


def test_update_calls_the_function_once_and_in_this_thread(store) -> None:
    """With the store readable in it, and not to be changed (I2)."""
    store.update(a=1, b=2)
    calls = []

    def fn(old: int) -> int:
        calls.append((old, threading.get_ident(), store["b"], dict(store)))
        with pytest.raises(RuntimeError, match="Nothing"):
            store["b"] = 5
        return old + 1

    store.update("a", fn)
    assert [(1, threading.get_ident(), 2, {"a": 1, "b": 2})] == calls
    assert {"a": 2, "b": 2} == store


def test_update_that_fails_writes_nothing(store) -> None:
    """Whatever the reason; the next one is not held up."""
    store["a"] = [1]
    failures: list[tuple[type[Exception], Any]] = [
        (ZeroDivisionError, lambda _: 1 // 0),
        (TypeError, lambda _: {1, 2}),
        (ValueError, lambda _: float("nan")),
        (TypeError, lambda old: old.append(2)),
    ]
    for error, fn in failures:
        with pytest.raises(error):
            store.update("a", fn)
    with pytest.raises(KeyError):
        store.update("b", lambda b: b)
    assert {"a": [1]} == store
    assert 1 == store.sequence
    assert store.update("a", lambda _: None) is None


def test_only_text_is_a_key(store) -> None:
    """In reading and in writing; at most 64 KiB of it, without lone surrogates."""
    calls = [
        lambda: store[5],
        lambda: store.get(5),
        lambda: store.update({5: 1}),
        lambda: 5 in store,
        lambda: store.pop(None),
        lambda: store.setdefault(5, 1),
        lambda: store.__setitem__(5, 1),
        lambda: store.__delitem__(5),
        lambda: store.update(5, int, default=1),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()
    for key in ("\ud800", "k" * 65_537):
        with pytest.raises(ValueError, match="key"):
            store[key] = 1
        assert key not in store
    store["k" * 65_536] = 1
    assert 1 == len(store)


class Color(str, Enum):  # noqa: UP042 - a StrEnum would be printed as its text
    """Text that is printed as something else."""

    RED = "red"


def test_text_of_another_class_is_the_text_beneath(store) -> None:
    """Wherever it stands as a key."""
    store[Color.RED] = 1
    with store.transaction() as tx:
        tx[Color.RED] += 1
        tx.update({Color.RED: 3})
        assert 4 == tx.update(Color.RED, lambda n: n + 1)
    assert Color.RED in store
    assert {"red": 4} == dict(store)
    assert [str] == [*map(type, store)]
    del store[Color.RED]
    assert {} == store


def test_what_cannot_be_a_value_changes_nothing(store) -> None:
    """It is refused where it is put."""
    for value in ({1: 2}, {1}, b"x", float("inf")):
        with pytest.raises((TypeError, ValueError)):
            store["a"] = value
    assert {} == store


def test_each_item_is_taken_by_one_caller(store, other) -> None:
    """`pop` and `popitem` give what they delete; the first key comes first."""
    store.update({f"{n:02}": n for n in range(40)})
    taken: list[tuple[str, int]] = []

    def take(handle: Store[Any]) -> None:
        taken.extend(handle.popitem() for _ in range(10))

    threads = [threading.Thread(target=take, args=(h,)) for h in (store, other) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [(f"{n:02}", n) for n in range(40)] == sorted(taken)
    assert {} == store == other
    store["a"] = [1]
    assert [1] == other.pop("a", None)
    assert "a" not in store


def test_value_that_does_not_decode_is_not_taken(path, store) -> None:
    """It is told with its key, and stays."""
    store.update({"a": {"name": "x", "age": "old"}, "b": {"name": "y"}})
    with Store(path, User) as users:
        for call in (lambda: users["a"], lambda: users.pop("a"), users.popitem):
            with pytest.raises(DecodeError, match=r"the value of 'a' does not fit") as caught:
                call()
            assert ("a", "age") == caught.value.key
            assert str(path) == caught.value.path
        assert User("y") == users["b"]
        with pytest.raises(DecodeError):
            users.update("a", lambda user: user)
    assert {"a", "b"} == store.keys()


def test_typed_values(path) -> None:
    """What is put is got with its type; another type is refused."""
    with Store(path, User) as users:
        users["a"] = User("x", 5)
        users.update("a", lambda user: User(user.name, user.age + 1))
        assert User("x", 6) == users["a"] == users.setdefault("a", User("z"))
        with pytest.raises(TypeError):
            users["a"] = {"name": "x"}  # type: ignore[assignment]
    with Store(path) as store:
        assert {"name": "x", "age": 6} == store["a"]


def test_counters_can_be_typed(path) -> None:
    """Scalars are types as well; a bool is no int."""
    with Store(path, int) as counts:
        assert 1 == counts.update("n", lambda n: n + 1, default=0)
        with pytest.raises(TypeError):
            counts["n"] = True
    with Store(path) as store:
        store.update(n=True, f=1)
    with Store(path, int) as counts:
        with pytest.raises(DecodeError):
            counts["n"]
        assert 1 == counts["f"]


def test_a_store_is_opened_with_its_own_codec_alone(path) -> None:
    """Bytes are no JSON."""
    with Store(path, codec="bytes") as store:
        store["a"] = b"\xff"
        assert b"\xff" == store["a"]
    with Store(path) as store:
        with pytest.raises(UnknownFormat):
            store.get("a")
        with pytest.raises(UnknownFormat):
            store["a"] = 1
    with Store(path, codec="bytes") as store:
        assert {"a": b"\xff"} == store


class Upper:
    """Keeps text in capitals, and notes the threads that ask."""

    name = "upper"

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def encode(self, value: str) -> bytes:
        self.threads.add(threading.get_ident())
        return value.upper().encode()

    def decode(self, data: bytes) -> str:
        self.threads.add(threading.get_ident())
        return data.decode()


def test_own_codec_runs_in_the_callers_thread_alone(path) -> None:
    """Whatever else goes on in other threads (I2)."""
    codec = Upper()
    with Store(path, codec=codec, checkpoint_bytes=1) as store, Store(path, codec=codec) as other:
        for n in range(20):
            store[str(n)] = "a"
            store.update(str(n), lambda text: text + "b")
        assert "AB" == store["3"] == other.pop("3")
        assert 19 == len(dict(store.items()))
    assert {threading.get_ident()} == codec.threads


def test_read_only_store_is_read_and_not_written(path, store) -> None:
    """It follows what others write."""
    with Store(path, read_only=True) as reader:
        assert {} == reader
        store["a"] = [1]
        assert [1] == reader["a"]
        store["a"] = 2
        assert {"a": 2} == dict(reader.items())
        for call in (lambda: reader.update(a=1), lambda: reader.pop("a")):
            with pytest.raises(OSError, match="read only"):
                call()
    assert {"a": 2} == store


@pytest.mark.parametrize("effect", ["EACCES", "EROFS"])
def test_store_that_may_only_be_read_says_how(effect) -> None:
    """Of another user, or on a mount that is read only; any other error says nothing of it."""
    disk = MemoryVFS()
    Store[Any]("/a.jrn", vfs=disk)["a"] = 1
    refusing = Faulty(disk, Fault("open", 1, effect=effect, on="*lock", repeat=True))
    for call in (lambda store: store["a"], lambda store: store.update(a=2)):
        with pytest.raises(OSError) as caught:
            call(Store[Any]("/a.jrn", vfs=refusing))
        assert (effect, "/a.jrn/log/lock") == (
            errorcode[caught.value.errno or 0],
            caught.value.filename,
        )
        assert "read_only=True" in caught.value.__notes__[0]
    assert {"a": 1} == Store[Any]("/a.jrn", vfs=disk, read_only=True)
    refusing.faults = (Fault("open", 1, effect="EMFILE", on="*lock"),)
    with pytest.raises(OSError, match="Too many open files") as caught:
        Store[Any]("/a.jrn", vfs=refusing).get("a")
    assert not any("read_only" in note for note in getattr(caught.value, "__notes__", []))


def test_closed_store_is_closed(path) -> None:
    """Closing twice is closing once."""
    store: Store[Any] = Store(path)
    store["a"] = 1
    store.close()
    store.close()
    for call in (lambda: store["a"], lambda: store.update(a=1), lambda: len(store)):
        with pytest.raises(Closed):
            call()
    assert "closed" in repr(store)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"sync": "sometimes"}, ValueError),
        ({"keep": -1}, ValueError),
        ({"checkpoint_bytes": 0}, ValueError),
        ({"codec": "yaml"}, ValueError),
        ({"type": object()}, TypeError),
    ],
)
def test_wrong_options_are_refused_at_once(path, options, error) -> None:
    """Nothing is made."""
    with pytest.raises(error):
        Store(path, **options)
    assert not path.exists()


def test_checkpoints_happen_by_themselves(path) -> None:
    """The store holds after them what it held before."""
    with Store(path, sync="never", checkpoint_bytes=20_000) as store:
        for n in range(2000):
            store[f"{n % 50}"] = {"n": n, "text": "x" * 50}
    with Store(path) as store:
        assert 50 == len(store)
        assert 1999 == store["49"]["n"]
        assert store.checkpoint() == store.sequence == 2000
