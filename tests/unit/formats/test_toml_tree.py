"""A TOML text as a tree of places."""

from __future__ import annotations

import pytest

from holdfast.formats.toml_tree import Leaf, Table, TableArray, Tree, blocks, loose_statements

TEXT = """# head
a.b = {c = [1, {d = 2}], e.f = 3}
a.g = 4
# about t

# of p
[[p.q]] # 1
n = 1
[p.q.s]
x = 2
# below x

[[p.q]]
# of n
n = 2
[t.u]
"""
TREE = Tree(TEXT)


def written(*path) -> str | None:
    node = TREE.find(path)
    return TEXT[node.start : node.end] if isinstance(node, Leaf) else None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("a", "g"), "4"),
        (("a", "b", "c", 0), "1"),
        (("a", "b", "c", 1, "d"), "2"),
        (("a", "b", "e", "f"), None),
        (("a", "g", "h"), None),
        (("p", "q", 0, "n"), "1"),
        (("p", "q", 0, "s", "x"), "2"),
        (("p", "q", 1, "n"), "2"),
        (("p", "q", 1, "s"), None),
        (("nowhere",), None),
    ],
)
def test_a_path_leads_to_the_value(path, expected):
    """Through dotted keys, inline tables and items; not to what has no place of its own."""
    assert expected == written(*path)


def test_tables_are_told_from_what_only_implies_them():
    """By their header, and by the table in whose lines dotted keys stand."""
    dotted, implied, item = TREE.find(("a",)), TREE.find(("t",)), TREE.find(("p", "q", 1))
    assert isinstance(dotted, Table)
    assert isinstance(implied, Table)
    assert isinstance(item, Table)
    assert TREE.root is dotted.block
    assert None is implied.block is implied.header
    assert ("p", "q") == item.name
    assert isinstance(TREE.find(("p", "q")), TableArray)


def test_the_statements_of_a_node_are_its_blocks_and_what_stands_elsewhere():
    """Each once."""
    root = TREE.root
    assert [("p", "q"), ("p", "q", "s"), ("p", "q"), ("t", "u")] == [t.name for t in blocks(root)]
    assert [("a", "b"), ("a", "g")] == [s.key for s in loose_statements(root)]


def test_comments_belong_to_what_stands_directly_below_or_above():
    """Not across a blank line, and the one at the head of the file is the file's."""
    first, item = TREE.statements[0], TREE.statements[2]
    assert first.start == TREE.lead(first)
    assert TEXT.index("# of p") == TREE.lead(item)
    assert TEXT.index("# about t") + len("# about t\n") == TREE.tail(TREE.statements[1])
    last = TREE.statements[5]
    assert ("x",) == TREE.statements[5].key
    assert TEXT.index("# below x") + len("# below x\n") == TREE.tail(last)
    second = TREE.statements[6]
    assert second.end == TREE.tail(second)
