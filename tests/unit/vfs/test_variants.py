"""What may be left of one group, by how much was lost."""

from __future__ import annotations

from random import Random

from holdfast.vfs.micro import Group, Model
from holdfast.vfs.model import Disk
from holdfast.vfs.operations import (
    ROOT,
    Create,
    Link,
    Node,
    Operation,
    Rename,
    SetAttributes,
    SyncFile,
    Tree,
    Truncate,
    Write,
)
from holdfast.vfs.variants import Variant, Variants, attributes_left, data_left, names_left

TREE: Tree = {ROOT: Node("folder", entries=(("f", 2),)), 2: Node("file", data=b"old")}


def pending(*operations: Operation, model: Model = "posix") -> tuple[Disk, list[Group]]:
    """The disk after some operations, and what is not durable."""
    disk = Disk(TREE, model=model)
    for at, operation in enumerate(operations):
        disk.apply(operation, at)
    return disk, list(disk.groups())


def test_data_and_attributes_are_groups_of_their_own() -> None:
    """Contents and mode of one file vary independently."""
    disk, (data, attributes) = pending(Write(2, 0, b"n"), SetAttributes(2, 0o600))
    assert [2, 2] == [Variants(disk, g, garbage=False).count(99) for g in (data, attributes)]
    assert b"old" == data_left(disk, Variant(data, (0,)), garbage=False)
    assert b"nld" == data_left(disk, Variant(data, ()), garbage=False)
    assert 0o644 == attributes_left(disk, Variant(attributes, (0,)))[0]


def test_names_are_tied_by_renames_alone() -> None:
    """Two new names are two groups; a rename makes one of its two names."""
    new = Create(3, Node("file"))
    disk, one = pending(new, Link(ROOT, "a", 3), Link(ROOT, "b", 3))
    assert 2 == len(one)
    disk, (group,) = pending(new, Link(ROOT, "a", 3), Rename(ROOT, "a", ROOT, "b"))
    assert {(ROOT, "a"): None, (ROOT, "b"): 3} == names_left(disk, Variant(group, ()))
    assert {(ROOT, "a"): 3, (ROOT, "b"): None} == names_left(disk, Variant(group, (1,)))


def test_variants_come_by_what_they_lose_and_equal_ones_are_one() -> None:
    """Of four subsets of a block and a size, three look different."""
    disk, (group,) = pending(Write(2, 0, b"new!"))
    variants = Variants(disk, group, garbage=False)
    assert [[()], [(0,), (1,)], [(0, 1)]] == [list(variants.at_cost(n)) for n in range(3)]
    disk, (group,) = pending(Write(2, 0, b"new"), Write(2, 0, b"new"))
    variants = Variants(disk, group, garbage=False)
    assert [[()], [], [(0, 1)]] == [list(variants.at_cost(n)) for n in range(3)]
    assert 2 == variants.count(2)
    assert variants.count(1) is None


def test_cuts_are_compared_by_whole_contents() -> None:
    """A cut, its tail and a growth behind it give five shapes."""
    disk, (group,) = pending(Truncate(2, 1), Truncate(2, 4))
    variants = Variants(disk, group, garbage=False)
    shapes = {
        data_left(disk, Variant(group, dropped), garbage=False)
        for cost in range(4)
        for dropped in variants.at_cost(cost)
    }
    assert {b"o\0\0\0", b"o", b"o\0\0", b"old", b"old\0"} == shapes
    assert 5 == variants.count(99)


def test_what_cannot_be_lost_is_no_group() -> None:
    """After a sync nothing varies, and a file that can never have a name is not looked at."""
    assert [] == pending(Write(2, 0, b"new"), SyncFile(2))[1]
    assert [] == pending(Create(3, Node("file")), Write(3, 0, b"x"))[1]


def test_many_items_are_not_whole_and_are_sampled() -> None:
    """Beyond 12 items subsets come as they are, and samples are subsets."""
    disk, (group,) = pending(Write(2, 0, b"x" * 40_000))
    variants = Variants(disk, group, garbage=False)
    assert not variants.whole
    assert variants.cost_max == len(list(variants.at_cost(1))) == 20
    assert tuple(range(20)) == variants.all_lost()
    samples = {variants.sample(Random(seed)) for seed in range(50)}
    assert len(samples) > 20
    assert all(set(sample) <= set(range(20)) for sample in samples)


def test_writes_to_one_block_are_lost_from_the_last_in_linux() -> None:
    """Of three, four states are left of eight."""
    writes = [Write(2, place, b"n") for place in range(3)]
    disk, (group,) = pending(*writes, model="linux")
    variants = Variants(disk, group, garbage=False)
    assert [[()], [(2,)], [(1, 2)], [(0, 1, 2)]] == [list(variants.at_cost(n)) for n in range(4)]
    disk, (group,) = pending(*writes)
    assert [4, 8] == [variants.count(99), Variants(disk, group, garbage=False).count(99)]


def test_samples_have_no_gaps_in_chains() -> None:
    """Beyond 12 writes to one block, each sample keeps the first so many; all numbers come."""
    disk, (group,) = pending(*(Write(2, 0, bytes([n])) for n in range(20)), model="linux")
    variants = Variants(disk, group, garbage=False)
    samples = {variants.sample(Random(seed)) for seed in range(400)}
    assert {tuple(range(first, 20)) for first in range(21)} == samples
    assert [(18, 19)] == list(variants.at_cost(2))
