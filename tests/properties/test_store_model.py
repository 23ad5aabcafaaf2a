"""A store is a dict that two handles share, that is opened anew, and whose past stands still."""

from __future__ import annotations

import shutil
import tempfile
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.state.store import Store

KEYS = st.sampled_from(["", "a", "a/1", "a/2", "é", "\U0010ffff", "b"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=5,
)  # fmt: skip
CHANGES = st.dictionaries(KEYS, st.none() | st.tuples(VALUES), max_size=4)
HANDLES = st.booleans()
SIZES = st.none() | st.just(1) | st.just(500)


class Model(RuleBasedStateMachine):
    """Each rule does one thing to a store and to a dict, and compares what they say."""

    @initialize(sizes=st.tuples(SIZES, SIZES))
    def begin(self, sizes: tuple[int | None, int | None]) -> None:
        self.folder = tempfile.mkdtemp()
        self.sizes = sizes
        self.model: dict[str, Any] = {}
        self.past: list[tuple[Any, dict[str, Any], int]] = []
        self.count = 0
        self.open()

    def open(self) -> None:
        path = f"{self.folder}/a.jrn"
        self.handles = [Store(path, sync="never", checkpoint_bytes=size) for size in self.sizes]

    def teardown(self) -> None:
        if hasattr(self, "handles"):
            for handle in self.handles:
                handle.close()
            shutil.rmtree(self.folder)

    @rule(second=HANDLES, key=KEYS, value=VALUES)
    def put(self, second: bool, key: str, value: Any) -> None:
        self.handles[second][key] = value
        self.model[key] = value
        self.count += 1

    @rule(second=HANDLES, key=KEYS)
    def take(self, second: bool, key: str) -> None:
        missing = object()
        self.count += key in self.model
        assert self.model.pop(key, missing) == self.handles[second].pop(key, missing)

    @rule(second=HANDLES, key=KEYS)
    def delete(self, second: bool, key: str) -> None:
        if key in self.model:
            del self.model[key], self.handles[second][key]
            self.count += 1
        else:
            assert key not in self.handles[second]

    @rule(second=HANDLES)
    def take_first(self, second: bool) -> None:
        if self.model:
            key = min(self.model)
            assert (key, self.model.pop(key)) == self.handles[second].popitem()
            self.count += 1

    @rule(second=HANDLES, key=KEYS, value=VALUES)
    def set_default(self, second: bool, key: str, value: Any) -> None:
        self.count += key not in self.model
        assert self.model.setdefault(key, value) == self.handles[second].setdefault(key, value)

    @rule(second=HANDLES, key=KEYS, value=VALUES)
    def update(self, second: bool, key: str, value: Any) -> None:
        new = [self.model.get(key, 0), value]
        assert new == self.handles[second].update(key, lambda old: [old, value], default=0)
        self.model[key] = new
        self.count += 1

    @rule(second=HANDLES, changes=CHANGES, blind=st.booleans(), fails=st.booleans())
    def transact(self, second: bool, changes: dict[str, Any], *, blind: bool, fails: bool) -> None:
        after = dict(self.model)
        try:
            with self.handles[second].transaction() as tx:
                for key, value in changes.items():
                    if value is not None:
                        tx[key] = after[key] = value[0]
                    elif not blind:
                        assert after.pop(key, None) == tx.pop(key, None)
                if not blind:
                    assert sorted(after.items()) == list(tx.items())
                    assert len(after) == len(tx)
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            return
        wrote = any(value is not None or key in self.model for key, value in changes.items())
        if blind:
            wrote = any(value is not None for value in changes.values())
        self.count += wrote
        self.model = after

    @rule(second=HANDLES)
    def clear(self, second: bool) -> None:
        self.count += bool(self.model)
        self.handles[second].clear()
        self.model = {}

    @rule(second=HANDLES)
    def look(self, second: bool) -> None:
        self.past.append((self.handles[second].snapshot(), dict(self.model), self.count))

    @precondition(lambda self: self.count)
    @rule(second=HANDLES)
    def checkpoint(self, second: bool) -> None:
        assert self.count == self.handles[second].checkpoint()

    @rule()
    def open_anew(self) -> None:
        for handle in self.handles:
            handle.close()
        self.open()

    @rule(second=HANDLES)
    def copy(self, second: bool) -> None:
        with Store(f"{self.folder}/copy.jrn", sync="never") as copied:
            copied.import_lines(self.handles[second].export_lines(), replace=True, batch=2)
            assert self.model == dict(copied)

    @rule(second=HANDLES, key=KEYS)
    def compare(self, second: bool, key: str) -> None:
        handle = self.handles[second]
        assert repr(self.model.get(key)) == repr(handle.get(key))
        assert sorted(self.model) == list(handle)
        expected = [(k, v) for k, v in sorted(self.model.items()) if k.startswith(key)]
        assert repr(expected) == repr(list(handle.items(key)))
        assert (self.count, len(self.model)) == (handle.sequence, len(handle))

    @invariant()
    def past_stands_still(self) -> None:
        for snapshot, expected, count in getattr(self, "past", ()):
            assert expected == snapshot
            assert (count, len(expected)) == (snapshot.sequence, len(snapshot))


TestModel = Model.TestCase
TestModel.__doc__ = "Whatever is done by two handles, in any order, is done as to one dict."
