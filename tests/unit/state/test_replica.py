"""A state is a checkpoint and what follows it, once; a gap is damage, never a shorter state."""

from __future__ import annotations

import pytest

from holdfast.errors import Corruption, Truncated
from holdfast.state.replica import Replica, Rules
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.interrupts import interrupted
from tests.support.machines import LOG, RULES, add, apply, first_kept, machine_on

ENTRIES = [b"%d" % number * 100 for number in range(1, 31)]


def journal_of(*, keep: int = 0, checkpoints: tuple[int, ...] = ()) -> tuple[MemoryVFS, Replica]:
    """A journal of thirty commits in segments of 1024 bytes, and a replica that is not loaded."""
    disk = MemoryVFS()
    machine = machine_on(disk, keep=keep, segment_bytes=1024)
    for number, entry in enumerate(ENTRIES, 1):
        add(machine, entry)
        if number in checkpoints:
            machine.write_checkpoint()
    machine.close()
    return disk, Replica(RULES, LOG, vfs=disk)


def checkpoints_of(vfs, *, keep: int = 0):
    """The checkpoints, as a reader finds them."""
    machine = machine_on(vfs, keep=keep, read_only=True)
    machine.refresh()
    return machine.checkpoints()


@pytest.mark.parametrize("at", [(), (1,), (15,), (30,), (5, 10, 29)])
def test_state_is_the_checkpoint_and_what_follows(at) -> None:
    """Wherever the checkpoints are, every commit is in it once."""
    disk, replica = journal_of(checkpoints=at)
    assert not replica.is_loaded
    replica.load(checkpoints_of(disk))
    assert (ENTRIES, 30) == (replica.state, replica.applied)
    assert replica.is_loaded
    assert (max(at, default=0)) == replica.checkpoint
    assert replica.bytes_since == sum(
        148 + (n > 9) * 100 for n in range(max(at, default=0) + 1, 31)
    )


def test_what_is_committed_later_is_applied_on() -> None:
    """Each once, however often it is looked."""
    disk, replica = journal_of()
    checkpoints = checkpoints_of(disk)
    replica.load(checkpoints)
    machine = machine_on(disk, segment_bytes=1024)
    for number in range(31, 50):
        add(machine, b"x")
        replica.catch_up(checkpoints)
        replica.catch_up(checkpoints, to=number)
        assert number == replica.applied == len(replica.state)


def test_catching_up_short_of_what_must_be_there_is_damage() -> None:
    """And the state is forgotten."""
    disk, replica = journal_of()
    with pytest.raises(Corruption, match="the log ends with commit 31, and 30 was reached"):
        replica.catch_up(checkpoints_of(disk), to=31)
    assert not replica.is_loaded


@pytest.mark.parametrize("stop", [1, 4, 5, 6, 17, 29, 30])
def test_earlier_states_are_read_while_the_log_reaches_back(stop) -> None:
    """Exactly up to there."""
    disk, replica = journal_of()
    replica.load(checkpoints_of(disk), stop=stop)
    assert (ENTRIES[:stop], stop) == (replica.state, replica.applied)


def test_earlier_states_that_are_dropped_are_told() -> None:
    """Those from the oldest kept checkpoint on are there."""
    disk, replica = journal_of(keep=1, checkpoints=(10, 20, 28))
    checkpoints = checkpoints_of(disk, keep=1)
    assert 10 < first_kept(disk) <= 21
    for stop in (20, 21, 27, 28, 29, 30):
        replica.load(checkpoints, stop=stop)
        assert ENTRIES[:stop] == replica.state
    with pytest.raises(Truncated, match="the state of commit 3 is no longer kept") as caught:
        replica.load(checkpoints, stop=3)
    assert (3, first_kept(disk)) == (caught.value.asked, caught.value.first)
    assert not replica.is_loaded


def test_later_states_than_there_are_are_not_made_up() -> None:
    """The log ends before."""
    disk, replica = journal_of()
    with pytest.raises(Corruption, match="commits up to 31 were durable"):
        replica.load(checkpoints_of(disk), stop=31)


def test_missing_segment_in_the_middle_is_damage() -> None:
    """Not a shorter state."""
    disk, _ = journal_of()
    tree = disk.tree()
    segments = sorted(name for name in tree if name.endswith(".segment"))
    del tree[segments[2]]
    mixed = MemoryVFS()
    mixed.write_tree(tree)
    replica = Replica(RULES, LOG, vfs=mixed)
    with pytest.raises(Corruption):
        replica.load(checkpoints_of(disk))
    assert not replica.is_loaded


def test_damaged_checkpoint_is_told_where_the_log_does_not_reach_back() -> None:
    """The error names its file."""
    disk, _ = journal_of(checkpoints=(25,))
    tree = disk.tree()
    contents = {name: bytes(held) for name, held in tree.items() if isinstance(held, bytes)}
    (slot,) = (name for name in contents if "checkpoint-" in name and any(contents[name]))
    data = bytearray(contents[slot])
    data[600] ^= 1
    mixed = MemoryVFS()
    mixed.write_tree({**tree, slot: bytes(data)})
    with pytest.raises(Corruption, match="checkpoint-"):
        Replica(RULES, LOG, vfs=mixed).load(checkpoints_of_folder(mixed))


def checkpoints_of_folder(disk: MemoryVFS):
    """The checkpoints of a journal that cannot be read."""
    machine = machine_on(disk, read_only=True)
    machine.place.open(create=False)
    return machine.checkpoints()


def test_commit_that_cannot_be_applied_is_named() -> None:
    """The state is forgotten, half changed as it is."""
    disk, _ = journal_of()

    def picky(state: list[bytes], entry: bytes) -> None:
        if entry == ENTRIES[16]:
            raise KeyError("unknown")
        apply(state, entry)

    replica = Replica(RULES._replace(apply=picky), LOG, vfs=disk)
    with pytest.raises(KeyError) as caught:
        replica.load(checkpoints_of(disk))
    assert "commit 17 cannot be applied" in caught.value.__notes__[0]
    assert not replica.is_loaded


def test_state_that_is_replaced_by_what_apply_returns() -> None:
    """Numbers, for example; also by 0."""
    disk, _ = journal_of(checkpoints=(7,))
    rules: Rules[int] = Rules(
        lambda: 5, lambda state, _: (state + 1) % 3, lambda _: [], lambda _: 0
    )
    replica = Replica(rules, LOG, vfs=disk)
    replica.load(checkpoints_of(disk))
    assert (30 - 7) % 3 == replica.state


def test_checkpoint_of_no_state_is_one() -> None:
    """`None` from `load` is what was dumped, not a missing checkpoint."""
    disk, _ = journal_of(checkpoints=(7, 30))
    applied: list[bytes] = []
    rules: Rules[str | None] = Rules(
        lambda: "initial", lambda _, entry: applied.append(entry), lambda _: [], lambda _: None
    )
    replica = Replica(rules, LOG, vfs=disk)
    replica.load(checkpoints_of(disk))
    assert (None, 30, []) == (replica.state, replica.applied, applied)


def test_own_commits_are_not_read_back() -> None:
    """What was applied before it was appended is not applied once more."""
    disk = MemoryVFS()
    traced = Trace(disk)
    machine = machine_on(traced, segment_bytes=1024)
    add(machine, b"a")
    traced.clear()
    for _ in range(3):
        add(machine, b"b")
        assert 1 < len(machine.refresh())
    assert "read" not in traced.operations


@pytest.mark.parametrize("nth", range(1, 5))
def test_change_without_its_end_makes_the_state_worth_nothing(nth) -> None:
    """Whoever was interrupted forgets to say so: the next look reads everything anew."""
    disk, replica = journal_of()
    checkpoints = checkpoints_of(disk)
    replica.load(checkpoints)
    interrupted(lambda: replica.change(b"never appended"), nth=nth, places=("tests", "holdfast"))
    if replica.is_loaded:  # the interrupt came before anything was changed
        assert ENTRIES == replica.state
    replica.catch_up(checkpoints)
    assert (ENTRIES, 30) == (replica.state, replica.applied)


def test_interrupt_anywhere_in_catching_up_applies_nothing_twice() -> None:
    """Nor leaves anything out."""
    nth = 0
    for nth in range(1, 3000):
        disk, replica = journal_of(checkpoints=(3,))
        checkpoints = checkpoints_of(disk)
        if nth % 2:
            replica.load(checkpoints)
            add(machine_on(disk, segment_bytes=1024), b"x", b"y")
        expected = [*ENTRIES, b"x", b"y"] if nth % 2 else ENTRIES
        is_over = not interrupted(lambda r=replica, c=checkpoints: r.catch_up(c), nth=nth * 5)
        replica.catch_up(checkpoints)
        assert expected == replica.state, f"event {nth * 5}"
        if is_over and nth > 1:
            break
    assert 5 < nth < 2999


def test_files_are_closed_with_the_state() -> None:
    """After a load, an error and an end."""
    disk, replica = journal_of()
    checkpoints = checkpoints_of_folder(disk)
    before = disk.open_files
    replica.load(checkpoints)
    assert before != disk.open_files
    replica.invalidate()
    replica.invalidate()
    assert before == disk.open_files
    faulty = Faulty(disk, Fault("read", 3, effect="EIO", on="*.segment"))
    with pytest.raises(OSError, match="Input/output error"):
        Replica(RULES, LOG, vfs=faulty).load(checkpoints)
    assert before == disk.open_files
