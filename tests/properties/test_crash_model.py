"""The crash model over random histories: its models lie in one another, as `could_be` knows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, islice
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.vfs import operations as ops
from holdfast.vfs.effects import contents_of
from holdfast.vfs.membership import could_be
from holdfast.vfs.micro import Block, Item, Loss, Shrink, ZeroTail
from holdfast.vfs.model import Disk
from holdfast.vfs.operations import ROOT, Node, Operation, Tree
from holdfast.vfs.states import CrashState, crash_states

NAMES = ["a", "b", "c"]
SIZES = [0, 1, 100, 512, 4000, 4096, 5000, 9010]
START: Tree = {
    ROOT: Node("folder", 0o755, entries=(("a", 2), ("d", 3))),
    2: Node("file", data=b"old " * 1500, xattrs=(("user.x", b"1"),)),
    3: Node("folder", 0o755, entries=(("b", 4),)),
    4: Node("file", data=b"b"),
}


class History:
    """Makes operations that fit what was done before, at random."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.operations: list[Operation] = []
        self.names = {ROOT: {"a": 2, "d": 3}, 3: {"b": 4}}
        self.sizes = {2: 6000, 4: 1}
        self.next = 5

    def run(self, steps: int) -> list[Operation]:
        """Do so many steps, and return the operations."""
        kinds = ["create", "write", "truncate", "rename", "link", "unlink", "exchange"]
        kinds += ["sync", "sync", "sync_folder", "attributes", "fail", "mkdir", "mark", "write"]
        for number in range(steps):
            getattr(self, self.random.choice(kinds))(number)
        return self.operations

    def _file(self) -> int:
        return self.random.choice(list(self.sizes))

    def _named(self) -> tuple[int, str, int] | None:
        found = [(f, n, i) for f, names in self.names.items() for n, i in names.items()]
        found = [some for some in found if some[2] in self.sizes]
        return self.random.choice(found) if found else None

    def _free(self) -> tuple[int, str]:
        return self.random.choice(list(self.names)), self.random.choice(NAMES)

    def create(self, _number: int) -> None:
        folder, name = self._free()
        if name not in self.names[folder]:
            self.operations += [
                ops.Create(self.next, Node("file")),
                ops.Link(folder, name, self.next),
            ]
            self.names[folder][name] = self.next
            self.sizes[self.next] = 0
            self.next += 1

    def mkdir(self, _number: int) -> None:
        folder, name = self._free()
        if name not in self.names[folder] and len(self.names) < 4:
            self.operations.append(ops.MakeFolder(folder, name, self.next, Node("folder", 0o755)))
            self.names[folder][name] = self.next
            self.names[self.next] = {}
            self.next += 1

    def write(self, number: int) -> None:
        inode, size = self._file(), self.random.choice(SIZES)
        offset = self.random.choice([0, self.sizes[inode], self.random.choice(SIZES)])
        self.operations.append(ops.Write(inode, offset, bytes([65 + number % 26]) * size))
        if size:
            self.sizes[inode] = max(self.sizes[inode], offset + size)

    def truncate(self, _number: int) -> None:
        inode, size = self._file(), self.random.choice(SIZES)
        self.operations.append(ops.Truncate(inode, size))
        self.sizes[inode] = size

    def rename(self, _number: int) -> None:
        named, (to_folder, to_name) = self._named(), self._free()
        if named and self.names[to_folder].get(to_name) in {None, *self.sizes} - {named[2]}:
            folder, name, inode = named
            self.operations.append(ops.Rename(folder, name, to_folder, to_name))
            del self.names[folder][name]
            self.names[to_folder][to_name] = inode

    def exchange(self, _number: int) -> None:
        one, two = self._named(), self._named()
        if one and two and one[:2] != two[:2]:
            self.operations.append(ops.Exchange(*one[:2], *two[:2]))
            self.names[one[0]][one[1]], self.names[two[0]][two[1]] = two[2], one[2]

    def link(self, _number: int) -> None:
        folder, name = self._free()
        named = self._named()
        if named and name not in self.names[folder]:
            self.operations.append(ops.Link(folder, name, named[2]))
            self.names[folder][name] = named[2]

    def unlink(self, _number: int) -> None:
        if named := self._named():
            self.operations.append(ops.Unlink(*named[:2]))
            del self.names[named[0]][named[1]]

    def attributes(self, number: int) -> None:
        value = self.random.choice([None, b"2"])
        mode = self.random.choice([None, 0o600])
        self.operations.append(
            ops.SetAttributes(self._file(), mode, (number, 0), (("user.x", value),))
        )

    def sync(self, number: int) -> None:
        self.operations.append(ops.SyncFile(self._file(), data_only=number % 4 == 3))

    def sync_folder(self, number: int) -> None:
        folder = self.random.choice(list(self.names))
        self.operations.append(ops.SyncAll() if number == 7 else ops.SyncFolder(folder))

    def fail(self, number: int) -> None:
        inode = self._file() if number % 2 else self.random.choice(list(self.names))
        self.operations.append(ops.SyncFailed(inode))

    def mark(self, number: int) -> None:
        self.operations.append(ops.Mark(f"m{number}"))


def states(operations: list[Operation], most: int = 40, **options: Any) -> Iterator[CrashState]:
    """Some states: those that lost least, of all points."""
    return islice(crash_states(START, operations, limit=64, **options), most)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"garbage": True},
    {"block_bytes": 512},
    {"atomic_across": True},
    {"block_bytes": 512, "garbage": True, "atomic_across": True},
]
HISTORIES = st.tuples(st.integers(0, 2**32), st.integers(0, 10), st.sampled_from(OPTIONS))
EXAMPLES = settings(max_examples=max(60, settings().max_examples))


@EXAMPLES
@given(HISTORIES, st.sampled_from(["posix", "linux", "prefix"]))
def test_every_state_is_a_member(history, model) -> None:
    """What is enumerated is found to be possible, at its point and at any."""
    seed, steps, options = history
    operations = History(Random(seed)).run(steps)
    for state in states(operations, model=model, **options):
        assert could_be(START, operations, state.tree, at=state.at, model=model, **options)


@EXAMPLES
@given(HISTORIES)
def test_linux_is_within_posix_and_prefix_within_both(history) -> None:
    """A kill leaves nothing that a power cut cannot, and Linux nothing beyond POSIX."""
    seed, steps, options = history
    operations = History(Random(seed)).run(steps)
    for state in states(operations, model="linux", **options):
        assert could_be(START, operations, state.tree, at=state.at, model="posix", **options)
    for state in states(operations, model="prefix"):
        assert could_be(START, operations, state.tree, at=state.at, model="linux", **options)
        assert could_be(START, operations, state.tree, at=state.at, model="posix", **options)


def _mutated(tree: Tree, random: Random) -> Tree:
    """A tree with one thing in it that nobody ever wrote."""
    nodes = dict(tree)
    inode = random.choice(sorted(nodes))
    node = nodes[inode]
    kind = random.randrange(4)
    if node.kind == "folder" and kind < 2:
        nodes[inode] = node._replace(entries=(*node.entries, ("new", max(nodes) + 1)))
        nodes[max(nodes) + 1] = Node("file")
    elif node.kind == "file" and kind == 0 and node.data:
        place = random.randrange(len(node.data))
        data = bytearray(node.data)
        data[place] = 0xFE
        nodes[inode] = node._replace(data=bytes(data))
    elif node.kind == "file" and kind == 1:
        nodes[inode] = node._replace(data=node.data + b"\xfe")
    elif kind == 2:
        nodes[inode] = node._replace(mode=0o123)
    else:
        nodes[inode] = node._replace(xattrs=(*node.xattrs, ("user.zz", b"9")))
    return nodes


@EXAMPLES
@given(HISTORIES, st.sampled_from(["posix", "linux", "prefix"]))
def test_trees_outside_are_no_members(history, model) -> None:
    """A tree with a byte, name or attribute that was never there is refused."""
    seed, steps, options = history
    random = Random(seed)
    operations = History(random).run(steps)
    for state in states(operations, 20, model=model, **options):
        changed = _mutated(state.tree, random)
        assert not could_be(START, operations, changed, model=model, **options)


@EXAMPLES
@given(st.integers(0, 2**32), st.integers(0, 4), st.sampled_from(["posix", "linux"]))
def test_members_are_exactly_the_states(seed, steps, model) -> None:
    """Of the trees of POSIX, `could_be` takes for those of a model the ones that it enumerates."""
    operations = History(Random(seed)).run(steps)
    at = len(operations)
    weak = crash_states(START, operations, at=at)
    own = crash_states(START, operations, at=at, model=model)
    trees = [dict(state.tree) for state in own]
    for state in weak:
        member = could_be(START, operations, state.tree, at=at, model=model)
        if own.exhaustive and weak.exhaustive:
            assert member == (dict(state.tree) in trees)


def _overwrites(random: Random, steps: int) -> list[Operation]:
    """Small writes, cuts and syncs of one file of two pages, with no names in play."""
    operations: list[Operation] = []
    for number in range(steps):
        offset = random.choice([0, 0, 2, 510, 4094, 4096, 5998])
        kinds: list[Operation] = [
            ops.Write(2, offset, bytes([65 + number]) * random.choice([2, 4]))
        ]
        kinds *= 7
        kinds += [ops.Truncate(2, random.choice([1, 3, 4096, 6001]))]
        kinds += [ops.SyncFile(2, data_only=True), ops.SyncAll(), ops.SyncFailed(2)]
        operations.append(random.choice(kinds))
    return operations


def _by_the_rule(operations: list[Operation], block_bytes: int) -> set[bytes]:
    """What R12, taken word by word, leaves of the file: every subset is tried."""
    disk = Disk(START, model="linux", block_bytes=block_bytes)
    for at, operation in enumerate(operations):
        disk.apply(operation, at)
    group = disk.group("data", 2)
    items = group.items if group else []
    loose = [number for number, item in enumerate(items) if item.loose]
    subsets = chain.from_iterable(combinations(loose, n) for n in range(len(loose) + 1))
    allowed = (some for some in subsets if not _has_a_gap(items, set(some), block_bytes))
    durable = disk.durable[2].data
    return {contents_of(durable, items, Loss(frozenset(some))) for some in allowed}


def _has_a_gap(items: list[Item], dropped: set[int], block_bytes: int) -> bool:
    for early, late in combinations(range(len(items)), 2):
        one, two = items[early], items[late]
        if (
            early in dropped
            and late not in dropped
            and not (one.lost or two.lost)
            and isinstance(one.micro, Block)
            and isinstance(two.micro, Block)
            and one.micro.offset // block_bytes == two.micro.offset // block_bytes
            and not any(isinstance(i.micro, Shrink | ZeroTail) for i in items[early:late])
        ):
            return True
    return False


@EXAMPLES
@given(st.integers(0, 2**32), st.integers(0, 6), st.sampled_from([512, 4096]))
def test_overwritten_blocks_of_linux_are_those_of_the_rule(seed, steps, block_bytes) -> None:
    """Enumerated, found to be members among the states of POSIX, or by the rule: they are one."""
    operations = _overwrites(Random(seed), steps)
    options: dict[str, Any] = {"at": steps, "block_bytes": block_bytes}
    own = crash_states(START, operations, model="linux", **options)
    weak = crash_states(START, operations, **options)
    left = {state.tree[2].data for state in own}
    members = {
        state.tree[2].data
        for state in weak
        if could_be(START, operations, state.tree, model="linux", **options)
    }
    assume(own.exhaustive and weak.exhaustive)
    assert _by_the_rule(operations, block_bytes) == left == members


@EXAMPLES
@given(st.integers(0, 2**32), st.integers(0, 6))
def test_overwritten_blocks_are_the_same_over_all_points(seed, steps) -> None:
    """What every point shows is what the points show one by one, after a failed sync as well."""
    operations = _overwrites(Random(seed), steps)
    points = {
        state.tree[2].data
        for at in range(steps + 1)
        for state in crash_states(START, operations, at=at, model="linux")
    }
    states = crash_states(START, operations, model="linux")
    found = {state.tree[2].data for state in states}
    assume(states.exhaustive)
    assert points == found


@EXAMPLES
@given(st.integers(0, 2**32), st.integers(8, 30))
def test_samples_of_overwritten_blocks_keep_to_the_rule(seed, steps) -> None:
    """Where there are too many to try all, what is drawn is a member all the same."""
    operations = [op for op in _overwrites(Random(seed), steps) if isinstance(op, ops.Write)]
    states = crash_states(START, operations, at=len(operations), model="linux", limit=64)
    for state in states:
        assert could_be(START, operations, state.tree, at=len(operations), model="linux")


@pytest.mark.parametrize("model", ["posix", "linux", "prefix"])
def test_inode_numbers_of_what_was_seen_do_not_matter(model) -> None:
    """Trees are compared by names and links; whoever looks has numbers of his own."""
    operations: list[Operation] = [ops.Link(ROOT, "b", 2), ops.Mark("x")]
    seen: Tree = {
        ROOT: Node("folder", 0o755, entries=(("a", 77), ("b", 77), ("d", 30))),
        77: START[2],
        30: Node("folder", 0o755, entries=(("b", 31),)),
        31: START[4],
    }
    copied = {
        **seen,
        ROOT: seen[ROOT]._replace(entries=(("a", 77), ("b", 78), ("d", 30))),
        78: START[2],
    }
    assert could_be(START, operations, seen, model=model)
    assert not could_be(START, operations, copied, model=model)
