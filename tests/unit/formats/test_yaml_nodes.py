"""The nodes of a YAML text, with their places."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.errors import DecodeError
from holdfast.formats.yaml_nodes import parse

TEXT = """a: 1 # c
b: &x
  - 'q'
  - {k: v}
c: *x
d:
- z
"""


def test_each_node_knows_its_span():
    """Of the text as it stands, without comments."""
    tree: Any = parse(TEXT)
    pairs = {key.data: value for key, value in tree.root.pairs}
    spans = {key: TEXT[value.start : value.end] for key, value in pairs.items()}
    assert "1" == spans["a"]
    assert "*x" == spans["c"]
    assert "'q'" == TEXT[pairs["b"].items[0].start : pairs["b"].items[0].end]
    assert "{k: v}" == TEXT[pairs["b"].items[1].start : pairs["b"].items[1].end]


def test_lists_begin_at_their_first_dash():
    """Whether indented, behind an anchor, or not indented."""
    tree: Any = parse(TEXT)
    for key, value in tree.root.pairs:
        if value.kind == "seq":
            assert "-" == TEXT[value.body], key.data


def test_the_anchors_in_use_are_listed():
    """An anchor without an alias is only a word."""
    assert {"x"} == parse(TEXT).aliased
    assert set() == parse("a: &x 1").aliased


def test_a_text_without_content_is_an_empty_mapping():
    """With no root, or an empty one."""
    assert parse("# c\n").root is None
    assert {} == parse("---\n").value
    empty: Any = parse("---\n").root
    assert empty.is_empty


def test_the_depth_behind_an_alias_counts():
    """Aliases cannot be stacked beyond the bound."""
    lines = ["a0: &a0 [1]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200)]
    with pytest.raises(DecodeError, match="nested deeper"):
        parse("\n".join(lines))


def test_an_anchor_may_be_defined_again():
    """Later aliases stand for the later one."""
    assert {"a": 1, "b": 1, "c": 2, "d": 2} == parse("a: &x 1\nb: *x\nc: &x 2\nd: *x\n").value
