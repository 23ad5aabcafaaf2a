"""Laws of comparing, copying, diffing and merging plain values."""

from __future__ import annotations

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
