"""Laws of comparing, copying, diffing and merging plain values."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.formats.diff import apply, changed_paths, diff
from holdfast.formats.merge import merge3
from holdfast.formats.plain import clone, same
from tests.support.documents import edited, values

ANY = st.one_of(values("json"), values("yaml"), st.just(float("nan")))
MANY = settings()


@MANY
@given(ANY, ANY)
def test_diff_and_apply_are_a_round_trip(old, new):
    """apply(diff(a, b), a) is b, and leaves a as it was."""
    before = clone(old)
    assert same(new, apply(diff(old, new), old))
    assert same(before, old)


@MANY
@given(edited("json"))
def test_diff_of_a_small_edit_is_a_round_trip(pair):
    """The same where both have much in common, lists that grew and shrank included."""
    old, new = pair
    assert same(new, apply(diff(old, new), old))


@MANY
@given(ANY)
def test_a_value_has_no_diff_to_its_copy(value):
    """A copy is the same, and nothing changed."""
    assert same(value, clone(value))
    assert [] == diff(value, clone(value))
    assert [] == changed_paths(diff(value, clone(value)))


@MANY
@given(ANY, ANY)
def test_same_is_symmetric_and_agrees_with_diff(a, b):
    """Two values are the same exactly when there is no edit between them."""
    assert same(a, b) == same(b, a)
    assert same(a, b) == (not diff(a, b))


@MANY
@given(ANY, ANY)
def test_merging_a_change_of_one_side_takes_it(base, changed):
    """The side that changed nothing gives way."""
    for mine, theirs in ((base, changed), (changed, base)):
        merged = merge3(base, mine, theirs)
        assert same(changed, merged.value)
        assert [] == merged.conflicts


@MANY
@given(ANY, ANY)
def test_merging_the_same_change_is_no_conflict(base, changed):
    """Both sides did the same."""
    merged = merge3(base, changed, clone(changed))
    assert same(changed, merged.value)
    assert [] == merged.conflicts


@MANY
@given(edited("json"), st.data())
def test_merge_is_symmetric(pair, data):
    """Exchanging the sides and the preference changes nothing but the order of keys."""
    base, mine = pair
    _, theirs = data.draw(edited("json"))
    theirs = {**base, **theirs}
    one = merge3(base, mine, theirs, prefer="mine")
    other = merge3(base, theirs, mine, prefer="theirs")
    assert same(one.value, other.value)
    assert sorted(map(str, one.conflicts)) == sorted(map(str, other.conflicts))


@MANY
@given(edited("json"), ANY)
def test_without_a_conflict_every_preference_gives_the_same(pair, theirs):
    """The preference decides conflicts alone."""
    base, mine = pair
    merged = merge3(base, mine, theirs)
    if not merged.conflicts:
        for prefer in ("theirs", None, lambda *_: 1 / 0):
            assert same(merged.value, merge3(base, mine, theirs, prefer=prefer).value)


@st.composite
def records_of_three(draw: st.DrawFn) -> tuple[list[Any], list[Any], list[Any]]:
    """A list of records with an id each, and what two sides made of it."""
    base = [{"id": number, "v": 0, "w": 0} for number in range(draw(st.integers(0, 6)))]
    sides: list[list[Any]] = []
    for _ in range(2):
        side = clone(base)
        for _ in range(draw(st.integers(1, 3))):
            _change_records(draw, side)
        sides.append(side)
    return base, sides[0], sides[1]


def _change_records(draw: st.DrawFn, side: list[Any]) -> None:
    at = draw(st.integers(0, len(side)))
    what = draw(st.sampled_from(["add", "drop", "move", "change"]))
    if what == "add":
        number = draw(st.integers(7, 30))
        if all(item["id"] != number for item in side):
            side.insert(at, {"id": number, "v": 0, "w": 0})
    elif at < len(side):
        item = side.pop(at)
        if what == "move":
            side.insert(draw(st.integers(0, len(side))), item)
        elif what == "change":
            field = draw(st.sampled_from("vw"))
            side.insert(at, {**item, field: draw(st.integers(1, 3))})


@MANY
@given(records_of_three())
def test_a_merge_of_lists_invents_and_repeats_no_record(three):
    """Every record is one that a side had, changed by that side or both, and there once."""
    base, mine, theirs = three
    merged = merge3(base, mine, theirs)
    ids = [item["id"] for item in merged.value]
    assert len(set(ids)) == len(ids)
    for item in merged.value:
        sides = [other for side in (mine, theirs) for other in side if other["id"] == item["id"]]
        assert sides
        for field in "vw":
            assert item[field] in [other[field] for other in sides]
    mirrored = merge3(base, theirs, mine, prefer="theirs")
    assert same(merged.value, mirrored.value)
    assert merged.conflicts == mirrored.conflicts


@MANY
@given(records_of_three())
def test_a_merge_without_conflict_loses_no_change_of_a_list(three):
    """What a side added is there, what it dropped is gone, what it changed has its value."""
    base, mine, theirs = three
    merged = merge3(base, mine, theirs)
    if merged.conflicts:
        return
    result = {item["id"]: item for item in merged.value}
    old = {item["id"]: item for item in base}
    for side in (mine, theirs):
        new = {item["id"]: item for item in side}
        assert not (old.keys() - new.keys()) & result.keys()
        assert new.keys() - old.keys() <= result.keys()
        for number in old.keys() & new.keys() & result.keys():
            for field in "vw":
                if new[number][field] != old[number][field]:
                    assert result[number][field] == new[number][field]


SCALAR_LISTS = st.lists(st.sampled_from(["a", "b", "c", 1, True, None]), max_size=5)


@MANY
@given(SCALAR_LISTS, SCALAR_LISTS, SCALAR_LISTS)
def test_a_merge_of_lists_has_items_of_the_sides_alone(base, mine, theirs):
    """Also where lists have nothing in common with their base."""
    merged = merge3(base, mine, theirs)
    assert all(any(same(item, other) for other in (*mine, *theirs)) for item in merged.value)
    mirrored = merge3(base, theirs, mine, prefer="theirs")
    assert same(merged.value, mirrored.value)
