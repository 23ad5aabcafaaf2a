"""Snapshots: one moment of a store, whatever happens later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from holdfast.state.store import Store


@pytest.fixture
def store(tmp_path) -> Iterator[Store[Any]]:
    with Store(tmp_path / "a.jrn", sync="never") as made:
        yield made


def test_snapshot_stands_still(store) -> None:
    """Commits, clearing, checkpoints and closing change nothing in it."""
    store.update({"a/1": 1, "a/2": [2], "b": 3})
    snapshot = store.snapshot()
    early = snapshot.items("a/")
    store.update({"a/1": 5, "c": 6})
    store.checkpoint()
    store.clear()
    store.close()

    assert {"a/1": 1, "a/2": [2], "b": 3} == snapshot == dict(snapshot)
    assert 1 == snapshot.sequence
    assert (3, 2) == (len(snapshot), len(early))
    assert [("a/1", 1), ("a/2", [2])] == list(early) == list(snapshot.items("a/"))
    assert ["a/1", "a/2"] == list(snapshot.keys("a/"))
    assert [3] == list(snapshot.values("b"))
    assert ("b" in snapshot, "c" in snapshot, 5 in snapshot) == (True, False, False)
    with pytest.raises(KeyError):
        snapshot["c"]
    assert "3 keys" in repr(snapshot)


def test_snapshot_is_a_mapping_that_nobody_can_change(store) -> None:
    """What it gives is the caller's own."""
    store["a"] = [1]
    snapshot = store.snapshot()
    snapshot["a"].append(2)
    assert {"a": [1]} == snapshot
    assert isinstance(snapshot, Mapping)
    assert not hasattr(snapshot, "__setitem__")


def test_iteration_goes_on_while_others_write(store) -> None:
    """In order, and with the values of its moment."""
    store.update({f"{n:03}": n for n in range(100)})
    seen = []
    for key, value in store.items():
        seen.append((key, value))
        store[key] = -1
        store.pop(f"{99 - value:03}", None)
        store[f"{value:03}x"] = 0
    assert [(f"{n:03}", n) for n in range(100)] == seen


def test_snapshot_shows_no_half_of_a_transaction(store, tmp_path) -> None:
    """However often it is taken while another handle moves what there is."""
    store.update(a=50, b=50)
    with Store(tmp_path / "a.jrn", sync="never") as other:
        for n in range(50):
            with other.transaction() as tx:
                tx["a"] -= n
                tx["b"] += n
            assert 100 == sum(store.snapshot().values())
    assert 51 == store.snapshot().sequence


@pytest.mark.parametrize("prefix", [None, 5, b"a"])
def test_only_text_is_a_prefix(store, prefix) -> None:
    """It is refused at once."""
    store["a"] = 1
    for call in (store.keys, store.values, store.items, store.snapshot().items):
        with pytest.raises(TypeError):
            call(prefix)
