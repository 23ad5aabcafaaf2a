"""Plain data as YAML text."""

from __future__ import annotations

import pytest

from holdfast.formats.yaml_emit import Style, style_of
from holdfast.formats.yaml_nodes import parse


def test_blocks_are_indented_by_the_style():
    """Keys below keys, dashes below keys, and both below dashes."""
    value = {"a": {"b": [1, [2, {"c": 3, "d": {}}]]}}
    expected = "a:\n    b:\n    - 1\n    - - 2\n      - c: 3\n        d: {}"
    assert expected == Style(step=4, dash=0).block(value, 0)


def test_flow_is_one_line():
    """With everything inside quoted as it must be."""
    assert '{a: [1, {b: "x, y"}], "no": []}' == Style().flow({"a": [1, {"b": "x, y"}], "no": []})


def test_long_text_is_a_literal_block_unless_it_was_quoted():
    """The quote of the old text is kept."""
    assert "|-\n    a\n    b" == Style().short("a\nb", 2)
    assert '"a\\nb"' == Style().short("a\nb", 2, style='"')
    assert "|-\n a\n b" == Style().short("a\nb", 2, indent=1)


@pytest.mark.parametrize(
    ("text", "step", "dash"),
    [
        ("", 2, 2),
        ("a:\n    b: 1\n", 4, 2),
        ("a:\n- 1\n", 2, 0),
        ("a:\n   - b:\n        c: 1\n", 3, 3),
        ("a: {b: {c: 1}}\n", 2, 2),
        ("- a:\n   b: 1\n", 1, 2),
    ],
)
def test_the_style_is_that_of_the_first_blocks(text, step, dash):
    """Two and two where a text does not say."""
    style = style_of(text, parse(text).root, "\n")
    assert (step, dash) == (style.step, style.dash)
