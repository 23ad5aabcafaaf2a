"""Strategies for plain data, and for one edit of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from hypothesis import strategies as st

from holdfast.formats.plain import clone

KEYS = st.one_of(
    st.sampled_from(["a", "b", "name", "x y", "no", "1", "é", "a.b", '"q"', "#", "null", ""]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
WORDS = st.one_of(
    st.sampled_from(
        ["", "yes", "~", "1_000", "12:30", "a: b", "x # y", "- z", "two\nlines", " pad "]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
NUMBERS = st.one_of(
    st.integers(-3, 3), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
)
WALL_TIMES = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31))  # noqa: DTZ001 - local ones
DATES = st.one_of(
    st.dates(date(1000, 1, 1), date(9999, 12, 31)),
    WALL_TIMES,
    WALL_TIMES.map(lambda moment: moment.replace(tzinfo=UTC)),
)
SCALARS = {
    "json": st.one_of(st.none(), st.booleans(), NUMBERS, WORDS),
    "toml": st.one_of(st.booleans(), NUMBERS, WORDS, DATES, st.just(time(12, 30, 1))),
    "yaml": st.one_of(st.none(), st.booleans(), NUMBERS, WORDS, DATES),
}


def values(name: str) -> st.SearchStrategy[Any]:
    """Any value that the format holds."""
    return st.recursive(
        SCALARS[name],
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)
        ),
        max_leaves=12,
    )


def documents(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping, as most documents are."""
    return st.dictionaries(KEYS, values(name), max_size=5)


@st.composite
def edited(draw: st.DrawFn, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A document, and the same with a few random edits."""
    old = draw(documents(name))
    new = clone(old)
    for _ in range(draw(st.integers(1, 4))):
        edit(draw, new, name)
    return old, new


def edit(draw: st.DrawFn, value: Any, name: str) -> None:
    """Change something in a container, here or below."""
    for _ in range(draw(st.integers(0, 3))):
        inner = [item for item in children(value) if isinstance(item, (dict, list)) and item]
        if not inner:
            break
        value = draw(st.sampled_from(inner))
    if isinstance(value, dict):
        key = draw(st.one_of(KEYS, st.sampled_from(sorted(value) or ["a"])))
        if key in value and draw(st.booleans()):
            del value[key]
        else:
            value[key] = draw(values(name))
        return
    index = draw(st.integers(0, len(value)))
    value[index : index + draw(st.integers(0, 2))] = draw(st.lists(values(name), max_size=2))


def children(value: Any) -> list[Any]:
    """The values in a dict or list."""
    return list(value.values()) if isinstance(value, dict) else list(value)
