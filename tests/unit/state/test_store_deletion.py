"""Every key is deleted, however much the keys have together."""

from __future__ import annotations

from typing import Any

from holdfast.formats.store_format import MAX_ENTRY_BYTES, decode_changes
from holdfast.formats.value_codec import keeper_for
from holdfast.state.store import Store
from holdfast.state.store_deletion import Deletion
from holdfast.state.store_table import Table
from holdfast.vfs.memory import MemoryVFS

LONG = "é" * 30_000


def table_of(keys: list[str]) -> Table:
    table = Table(keeper_for("json"), "x.jrn")
    table.entries = dict.fromkeys(keys, 1)
    return table


def test_all_but_some_are_deleted_in_one_entry() -> None:
    """An empty table needs none."""
    deletion = Deletion({"b"})
    entry = deletion.decide(table_of(["a", "b", "c"]))
    assert entry is not None
    assert [("a", None), ("c", None)] == decode_changes(entry, where="")
    assert deletion.is_done
    deletion = Deletion({"b"})
    assert deletion.decide(table_of(["b"])) is None
    assert deletion.is_done


def test_keys_that_are_too_many_for_an_entry_take_several() -> None:
    """Each as large as an entry may be."""
    table = table_of([f"{n:04}{LONG}" for n in range(2200)])
    deletion, sizes = Deletion(), []
    while not deletion.is_done:
        entry = deletion.decide(table)
        assert entry is not None
        table.apply(entry)
        sizes.append(len(entry))
    assert {} == table.entries
    assert 3 == len(sizes)
    assert all(MAX_ENTRY_BYTES - 61_000 < size <= MAX_ENTRY_BYTES for size in sizes[:-1])


def test_store_with_long_keys_is_cleared() -> None:
    """Also by an import that replaces all."""
    store = Store[Any]("/a.jrn", sync="never", checkpoint_bytes=None, vfs=MemoryVFS())
    keys = [f"{n:04}{LONG}" for n in range(1100)]
    for clear in (store.clear, lambda: store.import_lines([], replace=True)):
        for at in (0, 550):
            store.update(dict.fromkeys(keys[at : at + 550], 1))
        before = store.sequence
        clear()
        assert [] == list(store)
        assert before + 2 == store.sequence
