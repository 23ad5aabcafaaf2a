"""The mapping that stores and transactions have in common, by CPython's own tests of mappings."""

from __future__ import annotations

import ast
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from holdfast.state.store import Store
from holdfast.state.store_mapping import refuse_no_text

cpython = pytest.importorskip("test.mapping_tests", reason="needs CPython's own tests")


class Literals:
    """A codec that keeps tuples, which the tests of CPython compare."""

    name = "literals"

    def encode(self, value: Any) -> bytes:
        return repr(value).encode()

    def decode(self, data: bytes) -> Any:
        return ast.literal_eval(data.decode())


class _OnStores:
    """Makes stores where CPython's tests ask for mappings."""

    folder: ClassVar[tempfile.TemporaryDirectory[str]]
    stores: ClassVar[list[Store[Any]]]
    numbers: ClassVar[Iterator[int]] = itertools.count()

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.stores = []

    @classmethod
    def tearDownClass(cls) -> None:
        for store in cls.stores:
            store.close()
        cls.folder.cleanup()

    def type2test(self, **pairs: Any) -> Store[Any]:
        path = Path(self.folder.name) / f"{next(self.numbers)}.jrn"
        store: Store[Any] = Store(path, codec=Literals(), sync="never")
        self.stores.append(store)
        if pairs:
            store.update(pairs)
        return store


class TestBasicProtocol(_OnStores, cpython.BasicTestMappingProtocol):
    """All of what CPython asks of any mapping."""


class TestProtocol(_OnStores, cpython.TestMappingProtocol):
    """What CPython asks of those like dict, with text as keys."""

    def test_values(self) -> None:
        """As CPython's, but the key 1 is text."""
        cpython.BasicTestMappingProtocol.test_values(self)
        assert [2] == list(self._full_mapping({"1": 2}).values())

    def test_items(self) -> None:
        """As CPython's, but the key 1 is text."""
        cpython.BasicTestMappingProtocol.test_items(self)
        assert [("1", 2)] == list(self._full_mapping({"1": 2}).items())

    def test_clear(self) -> None:
        """As CPython's, but the keys are text."""
        store = self._full_mapping({"1": 1, "2": 2, "3": 3})
        store.clear()
        assert {} == store
        with pytest.raises(TypeError):
            store.clear(None)

    def test_update(self) -> None:
        """As CPython's, but the keys are text."""
        cpython.BasicTestMappingProtocol.test_update(self)
        store = self._empty_mapping()
        store.update({"1": 100})
        store.update({"2": 20})
        store.update({"1": 1, "2": 2, "3": 3})
        store.update()
        assert {"1": 1, "2": 2, "3": 3} == store
        store = self._empty_mapping()
        store.update(x=100)
        store.update([("y", 20), ("x", 2)], x=1, z=3)
        assert {"x": 1, "y": 20, "z": 3} == store
        store = self._full_mapping({"1": 3, "2": 4})
        store.update(self._full_mapping({"1": 2, "3": 4, "5": 6}).items())
        assert {"1": 2, "2": 4, "3": 4, "5": 6} == store

    def test_setdefault(self) -> None:
        """As CPython's, but what is appended to a value that was got is not stored."""
        store = self._empty_mapping()
        assert store.setdefault("key0") is None
        store.setdefault("key0", [])
        assert store.setdefault("key0") is None
        store.setdefault("key", []).append(3)
        assert [] == store["key"]

    def test_popitem(self) -> None:
        """As CPython's, with fewer sizes, and without `copy`, which a store does not have."""
        for size in (1, 2, 64):
            a, b = self._empty_mapping(), self._empty_mapping()
            for i in range(size):
                a[repr(i)] = b[repr(i)] = i
            for _ in range(size):
                key, value = first = a.popitem()
                assert int(key) == value
                assert first == b.popitem()
            assert not a
            assert not b

    # A store is a file: there is no second one that has no path.
    test_copy = None
    test_fromkeys = None


class TestTransactions(cpython.BasicTestMappingProtocol):
    """The same of a transaction that is open."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.open: list[Any] = []

    def tearDown(self) -> None:
        for context, store in reversed(self.open):
            context.__exit__(None, None, None)
            store.close()
        self.folder.cleanup()

    def type2test(self) -> Any:
        path = Path(self.folder.name) / f"{len(self.open)}.jrn"
        store: Store[Any] = Store(path, codec=Literals(), sync="never")
        context = store.transaction()
        tx = context.__enter__()
        self.open.append((context, store))
        return tx


@pytest.fixture
def store(tmp_path) -> Iterator[Store[Any]]:
    with Store(tmp_path / "a.jrn", sync="never") as made:
        yield made


def test_keys_are_listed_by_prefix_in_order(store) -> None:
    """Also with their values; what is changed meanwhile is not in the view."""
    store.update({"b/2": 2, "b/10": [1], "a": 0, "c": 3, "b": 4})
    views = (store.keys("b/"), store.values("b/"), store.items("b/"))
    store.update({"b/3": 3, "b/2": 0})

    assert ["b/10", "b/2"] == list(views[0])
    assert [[1], 2] == list(views[1])
    assert [("b/10", [1]), ("b/2", 2)] == list(views[2])
    assert [2, 2, 2] == [len(view) for view in views]
    assert ("b/2" in views[0], "a" in views[0], "b/3" in views[0]) == (True, False, False)
    assert ["a", "b", "b/10", "b/2", "b/3", "c"] == list(store)
    assert [] == list(store.items("x"))


def test_views_are_sets(store) -> None:
    """As those of a dict."""
    store.update(a=1, b=2)
    assert {"a"} == store.keys() & {"a", "c"}
    assert {("b", 2)} == store.items() - {("a", 1)}
    assert 2 in store.values()


def test_pairs_are_put_together_or_not_at_all(store) -> None:
    """A pair that cannot be put keeps the others out."""
    with pytest.raises(TypeError):
        store.update({"a": 1, "b": {1, 2}})
    with pytest.raises(TypeError, match="keys of a store are text"):
        store.update({"a": 1, 5: 2})
    assert {} == store
    store.update({"a": 1}, b=2)
    assert 1 == store.sequence


@pytest.mark.parametrize("call", [("n", 5), ("n", None), (5, int)])
def test_update_refuses_what_is_neither(store, call) -> None:
    """A key and a function, or a mapping or pairs."""
    with pytest.raises(TypeError):
        store.update(*call)
    with pytest.raises(TypeError):
        store.update("n", int, defualt=1)


def test_other_kinds_of_mapping_are_put(store, tmp_path) -> None:
    """Another store is read as it is at one moment."""
    store.update(a=1)
    with Store(tmp_path / "b.jrn") as other:
        other.update(store, b=2)
        assert {"a": 1, "b": 2} == dict(other)


def test_only_text_is_a_key() -> None:
    """Anything else is a mistake of the caller."""
    refuse_no_text("")
    with pytest.raises(TypeError, match="not int"):
        refuse_no_text(5)
