"""What a plain YAML scalar means, and how values are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.plain import same
from holdfast.formats.yaml_scalars import literal, resolve, written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("Null", None),
        ("TRUE", True),
        ("yes", "yes"),
        ("-12", -12),
        ("+1", 1),
        ("0o17", 15),
        ("0xfF", 255),
        ("1.", 1.0),
        (".5e3", 500.0),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        (".NaN", float("nan")),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("2026-01-02", date(2026, 1, 2)),
        ("2026-13-02", "2026-13-02"),
        ("2026-1-2 3:04:05.5 +1:30",
         datetime(2026, 1, 2, 3, 4, 5, 500000, timezone(timedelta(hours=1, minutes=30)))),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02t03:04:05", datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001
        ("2026-01-02T03:04:05-99", "2026-01-02T03:04:05-99"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(text, value):
    """With dates; what only looks like one is text."""
    assert same(value, resolve(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (10**30, "1" + "0" * 30),
        (1e30, "1.0e+30"),
        (0.1, "0.1"),
        (float("inf"), ".inf"),
        (float("nan"), ".nan"),
        (date(2026, 1, 2), "2026-01-02"),
        ("plain text", "plain text"),
        ("http://x.y/z?q=1", "http://x.y/z?q=1"),
        ("no", '"no"'),
        ("12", '"12"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("end:", '"end:"'),
        (" pad", '" pad"'),
        ("", '""'),
        ("a\tb", '"a\\tb"'),
        ("\x85", '"\\u0085"'),
        ("- x", '"- x"'),
        ("née", "née"),
    ],
)
def test_values_are_written_so_that_any_reader_agrees(value, text):
    """Quoted wherever YAML 1.1 or 1.2 would see something else than text."""
    assert text == written(value)


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), st.dates()))
def test_written_scalars_resolve_to_themselves(value):
    """Except for text, which may be quoted."""
    if type(value) is date and value.year < 1000:
        return
    assert same(value, resolve(written(value)))


def test_the_old_quote_is_kept_where_it_can_hold_the_text():
    """Single quotes hold one printable line."""
    assert "'it''s'" == written("it's", style="'")
    assert '"a\\nb"' == written("a\nb", style="'")
    assert '"x"' == written("x", style='"')
    assert "5" == written(5, style="'")


@pytest.mark.parametrize(
    "text", ["one line", "\n", "a\n\n", " a\nb", "a\nb ", "a\x00\nb", "a\u2028\nb"]
)
def test_text_that_a_literal_block_would_change_is_not_one(text):
    """It is quoted instead."""
    assert None is literal(text, "  ", "\n")


def test_a_literal_block_keeps_lines_as_they_are():
    """Empty ones without indent, and the final line break by its header."""
    assert "|\n  a\n\n   b" == literal("a\n\n b\n", "  ", "\n")
    assert "|-\r\n  a\r\n  b" == literal("a\nb", "  ", "\r\n")
