"""The style of a JSON text, and changes at their places."""

from __future__ import annotations

import pytest

from holdfast.formats.changes import tree
from holdfast.formats.diff import Delete, Set
from holdfast.formats.json_layout import Style, rewrite


@pytest.mark.parametrize(
    ("text", "multiline", "unit", "key", "item", "newline"),
    [
        ('{"a":1}', False, "  ", ":", ",", "\n"),
        ('{"a": 1}', False, "  ", ": ", ", ", "\n"),
        ('{\r\n    "a": 1\r\n}', True, "    ", ": ", ", ", "\r\n"),
        ('{\n\t"a":1\n}', True, "\t", ":", ", ", "\n"),
        ("{}", True, "  ", ": ", ", ", "\n"),
    ],
)
def test_style_is_read_from_the_text(text, multiline, unit, key, item, newline):
    """Indent, separators and line ends."""
    style = Style(text)
    found = (style.multiline, style.unit, style.key_separator, style.item_separator, style.newline)
    assert (multiline, unit, key, item, newline) == found


def test_escapes_are_kept_where_a_text_uses_them():
    """A text of ASCII with escapes stays one."""
    assert Style('{"a": "\\u00e9"}').ascii
    assert not Style('{"a": "é"}').ascii
    assert not Style('{"a": 1}').ascii


def test_a_thorough_walk_finds_every_duplicate():
    """The last one is set, and all are deleted."""
    text = '{"a": 1, "b": 2, "a": 3}'
    assert '{"a": 1, "b": 2, "a": 9}' == rewrite(text, tree([Set(("a",), 9)]), thorough=True)
    assert '{"b": 2}' == rewrite(text, tree([Delete(("a",))]), thorough=True)
