"""The enumeration: complete where it says so, minimal first, honest otherwise."""

from __future__ import annotations

from itertools import islice, pairwise

from holdfast.vfs.operations import (
    ROOT,
    Create,
    Link,
    Mark,
    Node,
    Operation,
    Rename,
    SyncFile,
    SyncFolder,
    Tree,
    Write,
)
from holdfast.vfs.states import crash_state, crash_states

OLD, NEW = b"old", b"n" * 9010
TREE: Tree = {ROOT: Node("folder", entries=(("f", 2),)), 2: Node("file", data=OLD)}


def replace(*, without: str = "", data: bytes = NEW, number: int = 3) -> list[Operation]:
    """The calls of one replace, acknowledged at the end."""
    steps: list[tuple[str, Operation]] = [
        ("create", Create(number, Node("file"))),
        ("link", Link(ROOT, "t", number)),
        ("write", Write(number, 0, data)),
        ("sync", SyncFile(number)),
        ("rename", Rename(ROOT, "t", ROOT, "f")),
        ("folder sync", SyncFolder(ROOT)),
        ("mark", Mark("saved")),
    ]
    return [operation for name, operation in steps if name != without]


def read(tree: Tree) -> bytes | None:
    """What `f` holds."""
    number = dict(tree[ROOT].entries).get("f")
    return None if number is None else tree[number].data


def test_correct_replace_is_old_or_new_and_then_new() -> None:
    """Every state has the old contents or the new, and after the mark the new alone."""
    states = crash_states(TREE, replace())
    seen = {(state.marks, read(state.tree)) for state in states}
    assert {((), OLD), ((), NEW), (("saved",), NEW)} == seen
    assert states.exhaustive


def test_replace_of_one_block_has_six_states() -> None:
    """Known from hand: no temp, empty, zeros, whole; renamed; renamed and acknowledged."""
    states = crash_states(TREE, replace(data=b"n" * 2421))
    assert 6 == len(list(states))
    assert 6 == states.states


def test_replace_without_a_file_sync_shows_empty_zeros_and_parts() -> None:
    """The new name may stand for nothing, zeros or some of the data."""
    found = {read(state.tree) for state in crash_states(TREE, replace(without="sync"))}
    assert {b"", bytes(9010), NEW[:4096], NEW[:8192]} < found
    assert {OLD, NEW} < found


def test_replace_without_a_folder_sync_loses_the_acknowledged() -> None:
    """After the mark the old contents may be back."""
    states = crash_states(TREE, replace(without="folder sync"))
    assert OLD in {read(state.tree) for state in states if state.marks}


def test_first_bad_state_is_minimal() -> None:
    """States come by the number of what did not survive."""
    states = list(crash_states(TREE, replace(without="folder sync")))
    assert all(len(a.dropped) <= len(b.dropped) for a, b in pairwise(states))
    bad = next(state for state in states if state.marks and read(state.tree) == OLD)
    assert 1 == len(bad.dropped)
    assert 4 == bad.dropped[0].at


def test_point_of_the_crash_is_respected() -> None:
    """What had not been done when the crash struck is in no state."""
    for state in crash_states(TREE, replace(), at=5):
        assert 5 == state.at
        assert () == state.marks
    assert {OLD} == {read(state.tree) for state in crash_states(TREE, replace(), at=4)}


def test_every_point_covers_each_point() -> None:
    """All points together show what each shows alone, once."""
    operations = replace(without="sync")
    together = {(s.marks, tuple(sorted(s.tree.items()))) for s in crash_states(TREE, operations)}
    alone = {
        (s.marks, tuple(sorted(s.tree.items())))
        for at in range(len(operations) + 1)
        for s in crash_states(TREE, operations, at=at)
    }
    assert alone == together


def test_no_tree_comes_twice() -> None:
    """States that look the same, with whatever inode numbers, are one."""
    operations = [*replace(), *replace(number=4)]
    seen = [
        (len(s.marks), read(s.tree), tuple(n for n, _ in s.tree[ROOT].entries))
        for s in crash_states(TREE, operations)
        if not any(n == "t" for n, _ in s.tree[ROOT].entries)
    ]
    assert len(set(seen)) == len(seen)


def test_files_without_a_name_are_in_no_state() -> None:
    """A tree holds what can be reached from the top, and varies in nothing else."""
    operations = [Create(3, Node("file")), Write(3, 0, NEW)]
    states = list(crash_states(TREE, operations))
    assert [{ROOT, 2}] == [set(state.tree) for state in states]


def test_folder_is_never_inside_itself() -> None:
    """Halves of renames that would close a loop of folders make no state."""
    tree: Tree = {
        ROOT: Node("folder", entries=(("a", 2), ("b", 3))),
        2: Node("folder", entries=()),
        3: Node("folder", entries=()),
    }
    operations = [
        Rename(ROOT, "a", 3, "a"),
        Rename(3, "a", ROOT, "c"),
        Rename(ROOT, "b", 2, "b"),
    ]
    states = crash_states(tree, operations)
    trees = [state.tree for state in states]
    assert len(trees) > 5
    assert not any((("a", 2),) == t[3].entries and t[2].entries for t in trees if {2, 3} <= set(t))


def test_large_histories_are_sampled_and_say_so() -> None:
    """Beyond the limit, fewest losses come first, then samples, then the state that lost all."""
    operations = [
        operation
        for number in range(3, 23)
        for operation in (Create(number, Node("file")), Link(ROOT, f"n{number}", number))
    ]
    states = crash_states(TREE, operations, at=len(operations), limit=200)
    found = list(states)
    assert not states.exhaustive
    assert 100 < states.states <= 200
    assert 21 == len(found[0].tree[ROOT].entries)
    assert 21 == len([s for s in found if len(s.dropped) <= 1])
    assert {1} & {len(s.tree[ROOT].entries) for s in found}


def test_samples_are_repeatable() -> None:
    """One seed, one list of states; another seed, another list."""
    operations: list[Operation] = [Write(2, 0, b"x" * 100_000)]

    def sizes(seed: int) -> list[bytes]:
        return [s.tree[2].data for s in crash_states(TREE, operations, limit=100, seed=seed)]

    assert sizes(1) == sizes(1)
    assert sizes(1) != sizes(2)


def test_small_histories_are_exhaustive_up_to_the_limit() -> None:
    """2^12 subsets are all tried, 2^13 are not."""
    for blocks, whole in ((12, True), (13, False)):
        size = blocks * 512
        tree = {**TREE, 2: Node("file", data=bytes(size))}
        states = crash_states(tree, [Write(2, 0, b"x" * size)], at=1, block_bytes=512)
        assert whole == (len(list(states)) == 2**blocks)
        assert whole == states.exhaustive


def test_large_contents_come_one_by_one() -> None:
    """Files of many megabytes are made when they are asked for, and not kept."""
    tree = {**TREE, 2: Node("file", data=bytes(12 << 20))}
    operations = [Write(2, n << 20, b"x") for n in range(12)]
    states = crash_states(tree, operations, at=12)
    assert [0, 1, 1] == [len(state.dropped) for state in islice(states, 3)]
    assert not states.exhaustive


def test_iterating_again_gives_the_same() -> None:
    """The states may be walked twice, and the count is that of one walk."""
    states = crash_states(TREE, replace(without="sync"))
    first = list(states)
    assert first == list(states)
    assert len(first) == states.states


def test_one_state_lost_all_or_what_the_seed_says() -> None:
    """Without a seed nothing unsynced is left; with one, always the same."""
    operations = replace(without="folder sync")
    assert OLD == read(crash_state(TREE, operations).tree)
    seeds = {read(crash_state(TREE, operations, seed=seed).tree) for seed in range(20)}
    assert {OLD, NEW} == seeds
    assert crash_state(TREE, operations, seed=5) == crash_state(TREE, operations, seed=5)
    assert ("saved",) == crash_state(TREE, operations).marks


def test_whoever_stops_early_has_not_seen_all() -> None:
    """Only the end of the walk says that it was exhaustive."""
    states = crash_states(TREE, replace())
    walk = iter(states)
    next(walk)
    assert not states.exhaustive
    assert len([*walk]) + 1 == states.states
    assert states.exhaustive


def test_states_say_where_they_lie() -> None:
    """Inside the last operation, if a part of it and nothing else is missing."""
    states = list(crash_states(TREE, [Write(2, 0, b"N"), Write(2, 3, b"new")]))
    torn = [state for state in states if state.inside is not None]
    assert {1} == {state.inside for state in torn}
    assert {b"Nld\0\0\0"} == {state.tree[2].data for state in torn}


def test_operation_before_a_sync_may_be_half_done() -> None:
    """At the point of a write every part of it may be missing, whatever comes next."""
    operations = [Write(2, 0, b"n" * 9000), SyncFile(2)]
    sizes = {len(state.tree[2].data) for state in crash_states(TREE, operations, at=1)}
    assert {3, 4096, 8192, 9000} == sizes
    assert {9000} == {len(s.tree[2].data) for s in crash_states(TREE, operations, at=2)}


def test_long_histories_start_at_once_and_stay_small() -> None:
    """Of 20,000 operations the first states are made without a look at the last ones."""
    operations: list[Operation] = [Write(2, number, b"x") for number in range(20_000)]
    states = list(islice(crash_states(TREE, operations), 50))
    assert list(range(50)) == [state.at for state in states]
