"""What survivors make of contents, attributes and names."""

from __future__ import annotations

from holdfast.vfs.effects import (
    attributes_of,
    contents_of,
    garbage_of,
    names_of,
    with_attributes,
)
from holdfast.vfs.micro import Attribute, Block, Entry, Item, Loss, Micro, Move, Size
from holdfast.vfs.operations import Node


def items(*micros: Micro) -> list[Item]:
    """Items that are not durable."""
    return [Item(micro, order) for order, micro in enumerate(micros)]


def test_contents_after_each_loss() -> None:
    """Blocks without the size are cut off, the size without the block is zeros or garbage."""
    grown = items(Block(0, 2, 3, b"new", 3), Size(0, 2, 6))
    assert b"oldnew" == contents_of(b"old", grown, Loss())
    assert b"old" == contents_of(b"old", grown, Loss((1,)))
    assert b"old\0\0\0" == contents_of(b"old", grown, Loss((0,)))
    assert b"old" + garbage_of(Block(0, 2, 3, b"new", 3)) == contents_of(
        b"old", grown, Loss((0,), garbage=True)
    )


def test_garbage_is_as_long_as_the_new_part() -> None:
    """An overwrite has none."""
    assert [0, 2, 3] == [len(garbage_of(Block(0, 2, 0, b"new", fresh))) for fresh in (3, 1, 0)]


def test_attributes_are_put_back() -> None:
    """What is returned for an inode without changes is what it has; None removes."""
    node = Node("file", 0o640, 1, 2, xattrs=(("user.a", b"1"),))
    assert node == with_attributes(node, attributes_of(node, (), ()))
    changes = items(
        Attribute(0, 2, "mode", 0o600),
        Attribute(0, 2, "owner", (7, 8)),
        Attribute(0, 2, "user.a", None),
        Attribute(0, 2, "user.b", b"2"),
    )
    assert (0o600, 7, 8, (("user.b", b"2"),)) == attributes_of(node, changes, ())
    assert (0o640, 7, 8, (("user.a", b"1"), ("user.b", b"2"))) == attributes_of(
        node, changes, (0, 2)
    )


def test_names_after_each_loss() -> None:
    """A lost move leaves the names as they were."""
    changes = items(Entry(0, 1, "t", 5), Move(1, 1, "t", 1, "f", 5))
    durable = {1: {"f": 2}}
    assert {(1, "t"): None, (1, "f"): 5} == names_of(durable, changes, ())
    assert {(1, "t"): 5, (1, "f"): 2} == names_of(durable, changes, (1,))
    assert {(1, "t"): None, (1, "f"): 2} == names_of(durable, changes, (0, 1))
