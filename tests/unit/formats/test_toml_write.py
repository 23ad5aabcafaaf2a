"""TOML, written."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time

import pytest

from holdfast.formats.plain import same
from holdfast.formats.toml_write import dotted, inline, is_tabular, restyled, tables


def test_keys_have_quotes_where_they_need_them():
    """Bare ones are letters, digits, dashes and underscores."""
    assert 'a-1_B."b c"."".é'.replace("é", '"é"') == dotted(("a-1_B", "b c", "", "é"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (12, "12"),
        (float("-inf"), "-inf"),
        (1e300, "1e+300"),
        ('a"\\\n\x7f', '"a\\"\\\\\\n\\u007f"'),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00Z"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(1, 2, 3), "01:02:03"),
        ([1, {"a b": [], "c": {}}], '[1, {"a b" = [], c = {}}]'),
    ],
)
def test_a_value_stands_on_one_line(value, expected):
    """And is read back as it was."""
    assert expected == inline(value)
    assert same(value, tomllib.loads(f"k = {expected}")["k"])


@pytest.mark.parametrize(
    ("value", "old", "expected"),
    [
        ("new", "'old'", "'new'"),
        ("it's", "'old'", '"it\'s"'),
        ("new", '"old"', '"new"'),
        (5, "'old'", "5"),
        ("a\nb", '"old"', '"a\\nb"'),
        ("a\nb", '"""old"""', '"""a\nb"""'),
        ("a\nb", '"""\nold"""', '"""\na\nb"""'),
        ("a\nb", "'''\r\nold'''", "'''\na\nb'''"),
        ("\na", '"""old"""', '"""\n\na"""'),
        ("it's\n", "'''old'''", '"""it\'s\n"""'),
        ('a""""\n"', '"""old"""', '"""a\\"\\"""\n\\""""'),
        ("flat", '"""old"""', '"flat"'),
    ],
)
def test_text_keeps_the_quotes_that_can_hold_it(value, old, expected):
    """Single, double, and those of several lines."""
    assert expected == restyled(value, old)
    assert same(value, tomllib.loads(f"k = {expected}")["k"])


def test_tables_have_headers_and_their_own_keys_first():
    """A table that holds nothing but tables needs none."""
    value = {"t": {"u": {}}, "a": 1, "l": [{"b": 2, "c": {"d": 3}}, {}], "m": [1, {}]}
    blocks = tables(("x", "y"), value)
    headers = ["[x.y]", "[x.y.t.u]", "[[x.y.l]]", "[x.y.l.c]", "[[x.y.l]]"]
    assert headers == [block.partition("\n")[0] for block in blocks]
    assert {"x": {"y": value}} == tomllib.loads("".join(blocks))
    assert [True, True, False, False] == [is_tabular(v) for v in ({}, [{}], [], [1, {}])]
