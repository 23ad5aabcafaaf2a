"""The table of a store: changes, order of keys, views, and checkpoints of it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import BadFrame
from holdfast.formats.plain import MISSING
from holdfast.formats.store_format import decode_blocks, encode_changes
from holdfast.formats.value_codec import keeper_for
from holdfast.state.key_order import KeyOrder, Sorting
from holdfast.state.store_table import Table, TableView, keys_then, put_in_order, rules_of
from tests.support.interrupts import interrupted

T = TypeVar("T")
KEYS = st.text("ab/é\U0010ffff", max_size=3)
COMMITS = st.lists(
    st.dictionaries(KEYS, st.none() | st.sampled_from([b"1", b'"x"', b"[2]"]), min_size=1),
    max_size=8,
)


def table_of(*commits: dict[str, bytes | None]) -> Table:
    table = Table(keeper_for("json"), "x.jrn")
    for changes in commits:
        table.apply(encode_changes(list(changes.items())))
    return table


MANY: dict[str, bytes | None] = {f"{n:05}": b"1" for n in range(10_000)}
"""More than are noted while keys are sorted."""


def change(table: Table, changes: dict[str, bytes | None]) -> None:
    table.apply(encode_changes(list(changes.items())))


def looked(table: Table) -> tuple[list[str], Sorting]:
    """What somebody sees who is about to sort the keys."""
    look = table.unsorted()
    assert look is not None
    return look


class Slices:
    """Looks at a table; between two of them somebody may change it."""

    def __init__(self, table: Table, between: Callable[[int], object] = lambda _: None) -> None:
        self.table = table
        self.between = between
        self.looks = 0

    def locked(self, look: Callable[[Table], T]) -> T:
        seen = look(self.table)
        self.looks += 1
        self.between(self.looks)
        return seen


def test_scalars_are_kept_decoded_and_all_else_as_bytes() -> None:
    """So that nothing that is given out can change what is stored."""
    table = table_of({"a": b"1", "b": b'"x"', "c": b"[1]"}, {"d": b"null"}, {"a": None})

    assert {"b": "x", "c": b"[1]", "d": None} == table.entries


def test_entry_that_is_none_changes_nothing() -> None:
    """It is refused as a whole."""
    table = table_of({"a": b"1"})
    with pytest.raises(BadFrame, match=r"x\.jrn"):
        table.apply(b"\x01\0\0\0")
    assert {"a": 1} == table.entries


@given(COMMITS, COMMITS, KEYS)
def test_keys_are_in_order_and_views_stand_still(before, after, prefix) -> None:
    """Whatever is changed while the order is known, and whenever it is asked for."""
    table = table_of(*before)
    then = dict(table.entries)
    view = table.view()
    sorted_then = sorted(then)
    assert sorted_then == table.keys()
    for changes in after:
        table.apply(encode_changes(list(changes.items())))
        now = sorted(key for key in table.entries if key.startswith(prefix))
        assert now == table.keys(prefix)
        assert min(table.entries, default=None) == table.first()

    assert len(then) == view.size
    assert [key for key in sorted_then if key.startswith(prefix)] == keys_then(view, prefix, Lock())
    assert then == dict(zip(sorted_then, map(view.get, sorted_then), strict=True))
    assert all(view.get(key) is MISSING for key in table.entries if key not in then)


def test_order_follows_many_changes_too() -> None:
    """More than are put in one by one, and more than are remembered."""
    table = table_of({f"{n:05}": b"1" for n in range(1000)})
    assert 1000 == len(table.keys())
    for start, end in ((0, 500), (2000, 30_000)):
        changes: dict[str, bytes | None] = {f"{n:05}": b"2" for n in range(start, end)}
        changes |= {f"{n:05}": None for n in range(end, end + 100)}
        table.apply(encode_changes(list(changes.items())))
        assert sorted(table.entries) == table.keys()
    assert [f"{n:05}" for n in range(2000, 2010)] == table.keys("0200")


class Watched:
    """A lock that counts the calls made while it is held, and lets others change things then."""

    def __init__(self, released: Callable[[], object]) -> None:
        self.calls = 0
        self.released = released

    def count(self, *_: object) -> None:
        self.calls += 1

    def __enter__(self) -> None:
        sys.setprofile(self.count)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        self.released()


def test_past_keys_are_listed_while_others_go_on() -> None:
    """The lock is held for a few calls, however many keys there are."""
    table = table_of({f"{n:05}": b"1" for n in range(1000)})
    view = table.view()
    then = table.keys()
    change(table, {f"{n:05}": None for n in range(300, 600)} | {"00299x": b"1"})
    table.keys()
    lock = Watched(lambda: change(table, {"00001": None, "00001x": b"1", "00601": None}))

    assert then == keys_then(view, "00", lock)
    assert then[300:400] == keys_then(view, "003", lock)
    assert lock.calls < 300


def test_several_views_stand_at_their_own_moments() -> None:
    """Each sees what was there when it was made."""
    table = table_of({"a": b"1"})
    first = table.view()
    table.apply(encode_changes([("a", b"2")]))
    second = table.view()
    table.apply(encode_changes([("a", None)]))

    assert (1, 2, MISSING) == (first.get("a"), second.get("a"), table.view().get("a"))


def test_view_that_nobody_holds_costs_nothing() -> None:
    """It is forgotten with the next change."""
    table = table_of({"a": b"1"})
    table.view()
    gc.collect()
    table.apply(encode_changes([("a", b"2")]))
    assert [] == table._views


class Suspended(dict[str, Any]):
    """Entries during whose lookup the table is changed by another thread."""

    def __init__(self, entries: dict[str, Any], change: Callable[[], None]) -> None:
        super().__init__(entries)
        self.change = change

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        change, self.change = self.change, lambda: None
        change()
        return found


def test_view_takes_no_lock_and_is_right_all_the_same() -> None:
    """A change between its two looks is put aside before it is made (I2)."""
    table = table_of({"a": b"1"})
    view: TableView = table.view()
    table.entries = Suspended(table.entries, lambda: table.apply(encode_changes([("a", b"2")])))

    assert (1, 2) == (view.get("a"), table.entries["a"])


@given(COMMITS)
def test_checkpoint_holds_the_table(commits) -> None:
    """What is dumped is loaded."""
    table = table_of(*commits)
    rules = rules_of(keeper_for("json"), "x")

    assert table.entries == rules.load(iter(rules.dump(Slices(table)))).entries
    assert {} == rules.initial().entries


def test_checkpoint_of_a_table_that_changes_becomes_right_by_replay() -> None:
    """Between looks others commit; replaying what was committed since gives the state (I3)."""
    rules = rules_of(keeper_for("json"), "x")
    table = table_of({f"{n:05}": b"1" for n in range(5000)})
    commits = [{"00001": None}, {"00001": b"2", "04999": None}, {"x": b"3"}, {"04999": b"4"}]
    entries = [encode_changes(list(changes.items())) for changes in commits]

    def commit(looks: int) -> None:
        if looks <= len(entries):
            table.apply(entries[looks - 1])

    slices = Slices(table, commit)
    loaded = rules.load(iter(list(rules.dump(slices))))
    assert table.entries != loaded.entries
    for entry in entries:
        rules.apply(loaded, entry)
    assert table.entries == loaded.entries
    assert 4 == slices.looks


def test_large_values_are_dumped_in_blocks_of_a_bounded_size() -> None:
    """A block is not much larger than its largest value."""
    rules = rules_of(keeper_for("bytes"), "x")
    table = rules.initial()
    for n in range(20):
        table.apply(encode_changes([(str(n), bytes(100_000))]))
    blocks = list(decode_blocks(rules.dump(Slices(table)), where="x"))

    assert 7 == len(blocks)
    assert max(map(len, blocks)) < 400_000


def test_long_keys_are_dumped_in_blocks_of_a_bounded_size() -> None:
    """Keys count as values do; what is dumped is loaded."""
    rules = rules_of(keeper_for("json"), "x")
    table = rules.initial()
    for n in range(20):
        table.apply(encode_changes([(f"{n:02}" + "k" * 60_000, b"1")]))
    blocks = list(decode_blocks(rules.dump(Slices(table)), where="x"))

    assert 4 == len(blocks)
    assert table.entries == rules.load(iter(rules.dump(Slices(table)))).entries


def test_table_whose_order_is_known_is_dumped_in_order() -> None:
    """Otherwise as the keys came."""
    rules = rules_of(keeper_for("json"), "x")
    table = table_of({"b": b"1"}, {"a": b"1"})
    assert ["b", "a"] == list(rules.load(iter(rules.dump(Slices(table)))).entries)
    table.keys()
    assert ["a", "b"] == list(rules.load(iter(rules.dump(Slices(table)))).entries)


def test_keys_are_put_in_order_while_others_change_them() -> None:
    """What comes and goes meanwhile is noted; a second one who does the same changes nothing."""
    table = table_of({"b": b"1", "a": b"1", "c": b"1"})
    first, sorting = looked(table)
    assert ["b", "a", "c"] == first
    change(table, {"d": b"1", "a": None})
    second, _ = looked(table)
    change(table, {"e": b"1", "b": b"2"})
    sorting.adopt(KeyOrder(first))
    sorting.adopt(KeyOrder(second))

    assert ["b", "c", "d", "e"] == table.keys()
    assert table.unsorted() is None


def test_order_is_not_taken_when_too_much_has_changed() -> None:
    """It is made anew when it is asked for."""
    table = table_of({"b": b"1"})
    keys, sorting = looked(table)
    change(table, MANY)
    change(table, {"b": None})
    sorting.adopt(KeyOrder(keys))
    assert sorted(table.entries) == table.keys()


def test_order_of_a_look_that_was_given_up_is_not_taken_for_a_later_look() -> None:
    """Too much changes, another one begins to sort, and only then the first one comes with his."""
    table = table_of({"b": b"1", "a": b"1"})
    keys, sorting = looked(table)
    change(table, MANY)
    later, another = looked(table)
    sorting.adopt(KeyOrder(keys))
    assert sorted(table.entries) == table.keys()
    another.adopt(KeyOrder(later))
    assert sorted(table.entries) == table.keys()


def test_checkpoint_holds_every_key_though_the_order_lacks_some() -> None:
    """What it lacked would be lost with the log (I4)."""
    rules = rules_of(keeper_for("json"), "x")
    table = table_of({"b": b"1", "a": b"1", "c": b"1"})
    _, sorting = looked(table)
    sorting.adopt(KeyOrder(["a", "gone"]))
    assert ["a", "gone"] == table.keys()

    assert table.entries == rules.load(iter(rules.dump(Slices(table)))).entries


def test_order_is_right_after_an_interrupt_in_the_midst_of_it() -> None:
    """What was being put in its place is put in order anew."""
    nth = 0
    for nth in range(1, 500):
        table = table_of({f"{n:05}": b"1" for n in range(8192)})
        table.keys()
        change(table, {"00005x": b"1", "00006": None, "00007x": b"1"})
        is_over = not interrupted(table.keys, nth=nth, places=("holdfast/state/key_order",))
        change(table, {"00008": None})
        assert sorted(table.entries) == table.keys(), f"event {nth}"
        if is_over:
            break
    assert 10 < nth < 499


def test_order_can_be_known_before_it_is_asked_for() -> None:
    """The lock is free while keys are sorted."""
    table = table_of({"b": b"1", "a": b"1"})
    put_in_order(table, Lock())
    assert table.unsorted() is None
    put_in_order(table, Lock())
    assert ["a", "b"] == table.keys()


def test_changes_are_undone() -> None:
    """For whoever looks: by key, in order, and through the views of before."""
    table = table_of({"a": b"1", "b": b"[2]", "c": b"3"})
    then, view = dict(table.entries), table.view()
    assert ["a", "b", "c"] == table.keys()
    undo = table.undoing()
    change(table, {"a": None, "b": b"5", "x": b"6"})
    change(table, {"x": b"7", "b": None, "a": b"8"})
    assert ["a", "c", "x"] == table.keys()
    after = undo()
    assert after is not table
    change(after, {"c": None})

    assert {"a": 1, "b": b"[2]"} == after.entries
    assert ["a", "b"] == after.keys()
    assert then == dict(zip("abc", map(view.get, "abc"), strict=True))
    assert ["a", "b", "c"] == keys_then(view, "", Lock())


def test_views_that_are_gone_are_forgotten_though_nobody_commits() -> None:
    """And those that live stand still."""
    table = table_of({"a": b"1"})
    living = [table.view() for _ in range(100)]
    for _ in range(10_000):
        table.view()
    assert 100 <= len(table._views) <= 300
    table.apply(encode_changes([("a", b"2")]))
    assert [1] * 100 == [view.get("a") for view in living]
    assert 100 == len(table._views)
