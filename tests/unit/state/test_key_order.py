"""Keys in order: as a sorted list has them, however they come and go."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.state.key_order import _RUN, KeyOrder, Sorting

KEYS = st.text("ab\U0010ffff", max_size=3)


@given(st.sets(KEYS), st.lists(st.tuples(KEYS, st.booleans())), KEYS)
def test_keys_are_those_of_a_sorted_list(keys, changes, prefix) -> None:
    """After each change, by any prefix."""
    order = KeyOrder(list(keys))
    for key, is_there in changes:
        order.place(key, is_there=is_there)
        (keys.add if is_there else keys.discard)(key)
        assert sorted(k for k in keys if k.startswith(prefix)) == order.keys(prefix)

    assert sorted(keys) == order.keys()
    assert min(keys, default=None) == order.first()


@pytest.mark.parametrize("size", [0, 1, _RUN, _RUN + 1, 10 * _RUN + 7])
@pytest.mark.parametrize("kind", ["sorted", "shuffled", "alike"])
def test_many_keys_are_put_in_order(size, kind) -> None:
    """Those that come in order are, and those that come in none; no run is large."""
    keys = [f"{n:07}" for n in range(size)]
    if kind == "alike":
        keys = [f"{n % 3}{'x' * 40}{n:07}" for n in range(size)]
    if kind != "sorted":
        random.Random(1).shuffle(keys)
    order = KeyOrder(keys)

    assert sorted(keys) == order.keys()
    assert max(map(len, order._runs)) <= 2 * _RUN
    for prefix in ("0", "1", "00000", "1x", "2" + "x" * 40 + "000", "9"):
        assert sorted(key for key in keys if key.startswith(prefix)) == order.keys(prefix)


def test_runs_stay_of_a_bounded_size() -> None:
    """Whatever comes is cut in two; what becomes empty goes."""
    order = KeyOrder([])
    keys = [f"{n:06}" for n in range(5 * _RUN)]
    for key in keys:
        order.place(key, is_there=True)
    assert keys == order.keys()
    assert max(map(len, order._runs)) <= 2 * _RUN
    for key in keys[: 4 * _RUN] + keys[4 * _RUN + 1 :]:
        order.place(key, is_there=False)
    assert keys[4 * _RUN : 4 * _RUN + 1] == order.keys()
    assert 1 == len(order._runs) == len(order._bounds)
    order.place("", is_there=True)
    assert "" == order.first()
    order.place("", is_there=False)
    order.place(keys[4 * _RUN], is_there=False)
    assert order.first() is None
    assert [] == order.keys() == order.keys("0")


def test_skewed_keys_are_cut_too() -> None:
    """A sample may miss what comes in one lump."""
    small = [f"a{n:06}" for n in range(_RUN)]
    lump = [f"b{n:06}" for n in range(8 * _RUN)]
    order = KeyOrder(lump[::2] + small + lump[1::2])

    assert small + lump == order.keys()
    assert max(map(len, order._runs)) <= 2 * _RUN


@given(st.sets(KEYS), st.lists(st.tuples(KEYS, st.booleans())))
def test_sorting_gives_the_keys_that_are_there(keys, changes) -> None:
    """Also where the order comes late, and is that of an earlier look."""
    sorting, early = Sorting(), KeyOrder(list(keys))
    for key, is_there in changes:
        (keys.add if is_there else keys.discard)(key)
        sorting.moved.add(key)
    sorting.adopt(early)
    sorting.adopt(KeyOrder([]))

    assert sorted(keys) == sorting.settled(keys).keys()
    assert sorted(keys) == Sorting().settled(keys).keys()
