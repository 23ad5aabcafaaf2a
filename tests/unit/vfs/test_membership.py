"""Whether a tree that was seen could be left by a crash."""

from __future__ import annotations

import pytest

from holdfast.vfs.membership import attributes_fit, contents_fit, could_be
from holdfast.vfs.micro import Block, Item, Micro, Shrink, Size, ZeroTail
from holdfast.vfs.operations import (
    ROOT,
    Create,
    Link,
    Mark,
    Node,
    Operation,
    Rename,
    SetAttributes,
    SyncFailed,
    SyncFile,
    SyncFolder,
    Tree,
    Truncate,
    Write,
)

TREE: Tree = {ROOT: Node("folder", entries=(("f", 2),)), 2: Node("file", data=b"old")}
REPLACE: list[Operation] = [
    Create(3, Node("file")),
    Link(ROOT, "t", 3),
    Write(3, 0, b"newer"),
    SyncFile(3),
    Rename(ROOT, "t", ROOT, "f"),
    SyncFolder(ROOT),
    Mark("saved"),
]


def seen(**files: bytes) -> Tree:
    """A tree of files, with numbers of its own."""
    numbers = {name: 50 + number for number, name in enumerate(files)}
    nodes = {numbers[name]: Node("file", data=data) for name, data in files.items()}
    return {ROOT: Node("folder", entries=tuple(numbers.items())), **nodes}


@pytest.mark.parametrize(
    ("files", "first", "last"),
    [
        ({"f": b"old"}, 0, 5),
        ({"f": b"old", "t": b"newer"}, 3, 5),
        ({"f": b"old", "t": b""}, 2, 3),
        ({"f": b"newer"}, 5, 7),
        ({"f": b"news"}, 9, 9),
        ({"f": b""}, 9, 9),
        ({}, 9, 9),
    ],
)
def test_each_tree_at_each_point(files, first, last) -> None:
    """A replace has these trees between these points and no others."""
    found = [at for at in range(8) if could_be(TREE, REPLACE, seen(**files), at=at)]
    assert [at for at in range(8) if first <= at <= last] == found
    assert bool(found) == could_be(TREE, REPLACE, seen(**files))


def test_files_that_look_alike_are_told_apart_where_it_matters() -> None:
    """Of many empty files, some with names that moved, one has two names in what was seen."""
    operations: list[Operation] = []
    for number in range(10, 16):
        operations += [Create(number, Node("file")), Link(ROOT, f"n{number}", number)]
    operations.append(Rename(ROOT, "n10", ROOT, "n11"))
    names = {"f": b"old", **{f"n{number}": b"" for number in range(11, 16)}}
    assert could_be(TREE, operations, seen(**names), at=len(operations))
    tree = dict(seen(**names))
    root = dict(tree[ROOT].entries)
    tree[ROOT] = tree[ROOT]._replace(entries=tuple({**root, "n12": root["n13"]}.items()))
    assert not could_be(TREE, operations, tree)


def test_attributes_are_compared_unless_told_otherwise() -> None:
    """A mode that was never set is outside."""
    other = {**TREE, 2: TREE[2]._replace(mode=0o600)}
    assert not could_be(TREE, [], other)
    assert could_be(TREE, [], other, attributes=False)
    assert could_be(TREE, [SetAttributes(2, 0o600)], other)
    assert attributes_fit(other[2], None, other[2])


def test_large_files_and_many_changes_are_decided_at_once() -> None:
    """2,000 changes of a megabyte: no subset is tried."""
    tree = {**TREE, 2: Node("file", data=bytes(1 << 20))}
    operations = [Write(2, n * 512, bytes([1 + n % 255]) * 700) for n in range(2000)]
    data = bytearray(1 << 20)
    for operation in operations[::3]:
        data[operation.offset : operation.offset + 700] = operation.data
    whole = [n for n in range(0, 2000, 3) if n % 8 < 6]  # within one block
    data = bytearray(1 << 20)
    for n in whole:
        data[n * 512 : n * 512 + 700] = operations[n].data
    changed = {**tree, 2: Node("file", data=bytes(data))}
    assert could_be(tree, operations, changed, at=2000)
    data[whole[5] * 512 + 1] = 0
    changed = {**tree, 2: Node("file", data=bytes(data))}
    assert not could_be(tree, operations, changed, at=2000)


def test_contents_fit_sizes_cuts_and_tails() -> None:
    """Each size that may survive, with what fits it."""
    micros: list[Micro] = [
        ZeroTail(0, 2, 2, 4),
        Shrink(0, 2, 2),
        Block(1, 2, 2, b"XY", 2),
        Size(1, 2, 4),
    ]
    items = [Item(micro, order) for order, micro in enumerate(micros)]
    fitting = {
        data
        for data in [b"old!", b"ol", b"olXY", b"ol\0\0", b"olX!", b"o", b"olXYZ", b"ol\0!"]
        if contents_fit(b"old!", items, data, garbage=False)
    }
    assert {b"old!", b"ol", b"olXY", b"ol\0\0"} == fitting
    items[2].loose = items[3].loose = False
    assert not contents_fit(b"old!", items, b"ol\0\0", garbage=False)


def test_contents_fit_chains_from_their_beginning() -> None:
    """A write that is bound to one before it explains nothing without that one."""
    micros = [Block(0, 2, 0, b"AA", 9), Block(1, 2, 2, b"BB", 9), Block(2, 2, 1, b"C", 9)]
    items = [Item(micro, order) for order, micro in enumerate(micros)]
    for data in [b"old!", b"AAd!", b"AABB", b"ACBB"]:
        assert contents_fit(b"old!", items, data, garbage=False, chains=[[0, 1, 2]])
    for data in [b"olBB", b"oCd!", b"ACd!", b"oCBB"]:
        assert not contents_fit(b"old!", items, data, garbage=False, chains=[[0, 1, 2]])
        assert contents_fit(b"old!", items, data, garbage=False)


def test_writes_to_one_block_are_bound_in_linux_until_a_cut() -> None:
    """And a failed sync, or the model of POSIX, sets them free."""
    both: list[Operation] = [Write(2, 0, b"A"), Write(2, 2, b"B")]
    late = seen(f=b"olB")
    assert could_be(TREE, both, late)
    assert not could_be(TREE, both, late, model="linux")
    assert could_be(TREE, both, seen(f=b"Ald"), model="linux")
    assert could_be(TREE, [both[0], SyncFailed(2), both[1]], late, model="linux")
    assert could_be(TREE, [*both, SyncFailed(2)], late, model="linux")
    cut = [both[0], Truncate(2, 2), both[1]]
    assert could_be(TREE, cut, seen(f=b"olB"), model="linux")
