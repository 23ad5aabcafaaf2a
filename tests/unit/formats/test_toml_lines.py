"""New scalars in the place of old ones."""

from __future__ import annotations

import pytest

from holdfast.formats.diff import Delete, Set
from holdfast.formats.toml_lines import scalars_replaced

TEXT = """a = 1 # one
"q k".b = 'x' # two
[t . u]
c = "y"
[[p]]
d = 1.5
[[p]]
d = true
[p.e]
f = -3
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("a",), 2, "a = 1 #", "a = 2 #"),
        (("a",), "it's\n", "a = 1 #", 'a = "it\'s\\n" #'),
        (("q k", "b"), "z", "'x' # two", "'z' # two"),
        (("q k", "b"), "it's", "'x' # two", '"it\'s" # two'),
        (("t", "u", "c"), False, '"y"', "false"),
        (("p", 0, "d"), 2, "1.5", "2"),
        (("p", 1, "d"), float("inf"), "true", "inf"),
        (("p", 1, "e", "f"), "\x01", "-3", '"\\u0001"'),
    ],
)
def test_a_scalar_gives_way_in_its_line(path, value, old, new):
    """In tables, arrays of tables and under dotted and quoted keys."""
    assert 1 == TEXT.count(old)
    assert TEXT.replace(old, new) == scalars_replaced(TEXT, [Set(path, value)])


def test_several_are_replaced_at_once():
    """Each in its own line."""
    result = scalars_replaced(TEXT, [Set(("a",), 9), Set(("p", 1, "e", "f"), 8)])
    assert TEXT.replace("a = 1", "a = 9").replace("f = -3", "f = 8") == result


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        (TEXT, Delete(("a",))),
        (TEXT, Set(("a",), [1])),
        (TEXT, Set(("new",), 1)),
        ('x = """\na = 1\n"""\na = 1\n', Set(("a",), 2)),
        ("a = [1]\n", Set(("a",), 2)),
        ("a = {b = 1}\n", Set(("a", "b"), 2)),
        ('"\\u0061" = 1\n', Set(("a",), 2)),
    ],
)
def test_anything_else_is_left_to_the_general_way(text, edit):
    """Also a line that occurs twice, of which one may be text."""
    assert None is scalars_replaced(text, [edit])
