"""The quick look of a store: what it gives was the newest at some moment of the call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from holdfast.formats.plain import MISSING
from holdfast.formats.store_format import encode_changes
from holdfast.state.store import Store
from holdfast.state.store_machine import UNSURE, StoreMachine
from holdfast.state.store_table import Table
from holdfast.vfs.clock import ManualClock


@pytest.fixture
def store(tmp_path) -> Iterator[Store[Any]]:
    # The clock stands still, so that the folder is looked at once.
    with Store(tmp_path / "a.jrn", sync="never", clock=ManualClock()) as made:
        made["a"] = 1
        yield made


def test_glance_gives_what_is_there_or_is_not(store) -> None:
    """Nobody else has written."""
    assert 1 == store._machine.glance("a")
    assert MISSING is store._machine.glance("b")


def test_glance_is_unsure_when_others_have_written(store, tmp_path) -> None:
    """Looking closer helps."""
    with Store(tmp_path / "a.jrn", sync="never") as other:
        other["a"] = 2
        assert UNSURE is store._machine.glance("a")
        assert 2 == store._machine.look_up("a") == store._machine.glance("a")
        assert "UNSURE" == repr(UNSURE)


def test_glance_of_a_store_that_is_not_open_is_unsure(tmp_path) -> None:
    """Also of one that does not exist."""
    for path in (tmp_path / "a.jrn", tmp_path / "none.jrn"):
        with Store(path) as store:
            assert UNSURE is store._machine.glance("a")


class Interrupted(dict[str, Any]):
    """Entries during whose lookup something happens in another thread."""

    def __init__(self, entries: dict[str, Any], happens: Callable[[], None]) -> None:
        super().__init__(entries)
        self.happens = happens

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        happens, self.happens = self.happens, lambda: None
        happens()
        return found


def test_glance_does_not_give_what_was_old_before_it_began(store, tmp_path) -> None:
    """Somebody else has written, and a thread of ours catches up between the look and the check."""
    machine: StoreMachine = store._machine
    table: Table = machine.state
    with Store(tmp_path / "a.jrn", sync="never") as other:
        other["a"] = 2
        table.entries = Interrupted(table.entries, lambda: assert_catches_up(machine))
        assert UNSURE is machine.glance("a")
        assert 2 == machine.glance("a")


def assert_catches_up(machine: StoreMachine) -> None:
    assert 2 == machine.read(lambda table: dict.get(table.entries, "a"))
    assert machine.is_fresh()


def test_glance_does_not_give_what_a_failed_commit_left(store) -> None:
    """Between the look and the check, another thread drops that table and reads a new one."""
    machine: StoreMachine = store._machine
    machine.state.apply(encode_changes([("a", b"5")]))  # applied, and never appended
    table = machine.state

    def fail() -> None:
        machine.replica.invalidate()
        machine._check = 0
        assert 1 == machine.read(lambda table: table.entries["a"])
        assert table is not machine.state
        assert machine.is_fresh()

    table.entries = Interrupted(table.entries, fail)
    assert UNSURE is machine.glance("a")
    assert 1 == machine.glance("a")


def test_glance_does_not_give_what_a_failed_commit_has_undone(store) -> None:
    """It was applied at the look, and at the check all is as it was before."""
    machine: StoreMachine = store._machine
    entry = encode_changes([("a", b"5")])
    machine._check = 0
    machine.replica.change(entry)
    machine.replica.failed(OSError())  # from now on it is undone
    assert 1 == machine.look_up("a")
    machine.replica.change(entry)

    def fail() -> None:
        machine.replica.failed(OSError())
        machine._check = 0
        assert machine.replica.is_loaded
        assert 1 == machine.read(lambda table: table.entries["a"])
        assert machine.is_fresh()

    table = machine.state
    table.entries = Interrupted(table.entries, fail)
    assert UNSURE is machine.glance("a")
    assert 1 == machine.glance("a")


def test_store_may_have_what_is_there_alone(store, tmp_path) -> None:
    """A missing one has nothing, and is not made."""
    machine: StoreMachine = store._machine
    assert [True, False, True] == [machine.may_have(key) for key in ("a", "b", None)]
    del store["a"]
    assert [False, False] == [machine.may_have(key) for key in ("a", None)]
    with Store(tmp_path / "none.jrn") as missing:
        assert [False, False] == [missing._machine.may_have(key) for key in ("a", None)]
    assert not (tmp_path / "none.jrn").exists()
