"""Checkpoints are written when the log has grown, by one at a time, and then the log is dropped."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise

import pytest

from holdfast.primitives.log_hint import DURABLE
from holdfast.state.replica import Rules
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.interrupts import interrupted
from tests.support.machines import PATH, RULES, add, dump, first_kept, machine_on, words_of

pytestmark = pytest.mark.timeout(60)
ENTRIES = [b"%d" % number * 100 for number in range(1, 31)]


def heads(disk: MemoryVFS, keep: int = 0) -> list[int]:
    """The sequences of the checkpoints, the newest first."""
    machine = machine_on(disk, keep=keep, read_only=True)
    machine.place.open(create=False)
    return [head.sequence for head in machine.checkpoints().kept()]


def wait_for_checkpoint(machine) -> None:
    """Let the thread that writes one come to its end."""
    thread = machine.checkpointer._thread
    if thread is not None:
        thread.join(20)
        assert not thread.is_alive()


def test_checkpoint_drops_the_log_that_it_replaces() -> None:
    """What is left reaches back to it."""
    disk = MemoryVFS()
    machine = machine_on(disk, segment_bytes=1024)
    add(machine, *ENTRIES)
    assert 1 == first_kept(disk)
    assert 30 == machine.write_checkpoint()
    assert 20 < first_kept(disk) <= 31
    assert [30] == heads(disk)
    assert ENTRIES == machine.refresh() == machine_on(disk).refresh()


def test_checkpoint_of_what_has_one_is_not_written_again() -> None:
    """Of an empty journal, too."""
    for entries in ([], ENTRIES):
        traced = Trace(MemoryVFS())
        machine = machine_on(traced)
        add(machine, *entries)
        assert len(entries) == machine.write_checkpoint()
        traced.clear()
        assert len(entries) == machine.write_checkpoint()
        assert {"write", "rename"}.isdisjoint(traced.operations)


def test_state_is_durable_before_its_checkpoint_counts() -> None:
    """Also where nobody asked for a sync: at no moment is the log shorter than the checkpoint."""
    disk = MemoryVFS()
    traced = Trace(disk)
    machine = machine_on(traced, sync="never", segment_bytes=1024)
    add(machine, *ENTRIES)
    words = words_of(disk)
    assert words[DURABLE] < 30
    seen: list[int] = []

    def note(call) -> None:
        if "checkpoint" in call.name and call.operation.startswith(("rename", "sync_data")):
            seen.append(words[DURABLE])

    traced.subscribe(note)
    machine.write_checkpoint()
    add(machine, b"x")
    machine.write_checkpoint()
    assert 31 == words[DURABLE]
    assert {30, 31} <= set(seen)
    for seed in range(50):
        left = machine_on(disk.crash(seed=seed))
        assert [*ENTRIES, b"x"] == left.refresh()


def test_checkpoint_comes_by_itself_when_the_log_has_grown() -> None:
    """Longer than the bound, and than the checkpoint before."""
    disk = MemoryVFS()
    machine = machine_on(disk, checkpoint_bytes=1000, segment_bytes=1024)
    written: list[int] = []
    for entry in ENTRIES * 4:
        add(machine, entry)
        wait_for_checkpoint(machine)
        written = sorted({*written, *heads(disk)}, reverse=True)
    assert 3 < len(written) < 20
    gaps = [one - other for one, other in pairwise(written)]
    assert gaps[0] > gaps[-1], "the larger the checkpoint, the rarer it is written"
    assert ENTRIES * 4 == machine_on(disk).refresh()
    machine.close()


def test_checkpoint_that_is_due_is_written_by_close() -> None:
    """And none that is not."""
    for limit, expected in ((1000, [30]), (1 << 20, []), (None, [])):
        disk = MemoryVFS()
        machine = machine_on(disk)
        add(machine, *ENTRIES)
        machine.close()
        machine = machine_on(disk, checkpoint_bytes=limit)
        machine.refresh()
        machine.close()
        assert expected == heads(disk)


def test_next_checkpoint_is_written_after_one_that_ended_at_once() -> None:
    """However quickly its thread came to its end, e.g. because another one holds the lock."""
    disk = MemoryVFS()
    machine = machine_on(disk, checkpoint_bytes=200)
    add(machine, b"a")
    for _ in range(200):
        with machine.checkpointer._writing:
            add(machine, b"x" * 300)
    wait_for_checkpoint(machine)
    for _ in range(20):
        add(machine, b"y" * 70_000)
        wait_for_checkpoint(machine)
    assert heads(disk)
    machine.close()


def test_failed_checkpoint_is_told_and_tried_again() -> None:
    """No commit fails by it; by whatever it failed."""
    disk = MemoryVFS()
    fault = Fault("write", 1, effect="ENOSPC", on="*checkpoint*", repeat=True)
    machine = machine_on(Faulty(disk, fault), checkpoint_bytes=1000)
    add(machine, *ENTRIES[:5])
    with pytest.warns(RuntimeWarning, match="no checkpoint could be written"):
        machine.checkpointer._attempt()
    assert not machine.checkpointer.is_due
    assert [] == heads(disk)
    with pytest.raises(OSError, match="No space left"):
        machine.write_checkpoint()
    fault.repeat = False
    assert 5 == machine.write_checkpoint()

    def bad(_: object) -> list[bytes]:
        raise TypeError("not to be dumped")

    machine = machine_on(disk, rules=RULES._replace(dump=bad), checkpoint_bytes=None)
    add(machine, b"x")
    with pytest.warns(RuntimeWarning, match="not to be dumped"):
        machine.checkpointer._attempt()
    with pytest.raises(TypeError, match="not to be dumped"):
        machine.write_checkpoint()
    assert 7 == add(machine, b"y")


def test_only_one_process_writes_a_checkpoint() -> None:
    """Who is asked waits for it; who does it by itself leaves it."""
    disk = MemoryVFS()
    machine, other = machine_on(disk), machine_on(disk)
    add(machine, b"a")
    add(other, b"b")
    machine.refresh()
    assert other.place.lock_checkpoints(block=True)
    assert 0 == machine.checkpointer.write(block=False)
    waiting = threading.Thread(target=machine.write_checkpoint)
    waiting.start()
    assert [] == heads(disk)
    other.place.unlock_checkpoints()
    waiting.join(20)
    assert [2] == heads(disk)
    assert [] == disk.held_locks


def test_checkpoint_of_another_process_is_not_repeated_by_itself() -> None:
    """It is counted anew from there; who asks gets one."""
    disk = MemoryVFS()
    machine, other = machine_on(disk, checkpoint_bytes=500), machine_on(disk)
    add(other, *ENTRIES[:5])
    machine.refresh()
    assert machine.checkpointer.is_due
    other.write_checkpoint()
    add(other, b"x")
    machine.refresh()
    assert 5 == machine.checkpointer.write(block=False)
    assert not machine.checkpointer.is_due
    assert [5] == heads(disk)
    assert 6 == machine.write_checkpoint()
    assert [6, 5] == heads(disk)


def test_old_checkpoints_and_their_log_are_kept_when_asked() -> None:
    """As many as `keep` says besides the newest."""
    disk = MemoryVFS()
    machine = machine_on(disk, keep=2, segment_bytes=1024)
    for number, entry in enumerate(ENTRIES, 1):
        add(machine, entry)
        if not number % 5:
            machine.write_checkpoint()
    assert [30, 25, 20] == heads(disk, 2)
    assert first_kept(disk) <= 21


def test_dump_that_does_not_look_at_the_state_is_one() -> None:
    """What it says stands for the commits until then."""
    disk = MemoryVFS()
    rules: Rules[list[bytes]] = RULES._replace(dump=lambda _: [b"61\n"])
    machine = machine_on(disk, rules=rules)
    add(machine, b"a")
    assert 1 == machine.write_checkpoint()
    assert [b"a"] == machine_on(disk).refresh()
    empty = RULES._replace(dump=lambda _: [])
    assert 2 == add(machine_on(disk, rules=empty), b"b")
    assert 2 == machine_on(disk, rules=empty).write_checkpoint()
    assert [] == machine_on(disk).refresh()


def test_others_commit_while_a_checkpoint_is_written() -> None:
    """In slices: what came in between is in the log, and is applied once more."""
    disk = MemoryVFS()
    other = machine_on(disk, rules=UNION)

    def dumped(slices):
        for part in (0, 1):
            yield slices.locked(lambda s, p=part: b"".join(sorted(x for x in s if x[0] % 2 == p)))
            add(other, bytes([part + 10]), bytes([part + 11]))

    machine = machine_on(disk, rules=UNION._replace(dump=dumped))
    add(machine, b"\x01", b"\x02")
    assert 2 == machine.write_checkpoint()
    expected = {b"\x01", b"\x02", b"\x0a", b"\x0b", b"\x0c"}
    assert expected == machine.refresh() == machine_on(disk, rules=UNION).refresh()


UNION: Rules[set[bytes]] = Rules(
    set,
    lambda state, entry: state.add(entry),
    lambda slices: [slices.locked(lambda state: b"".join(sorted(state)))],
    lambda pieces: {bytes([byte]) for byte in b"".join(pieces)},
)


def test_replaced_journal_loses_nothing_to_the_checkpoint_of_the_old_one() -> None:
    """The old one is moved away while its checkpoint is being written."""
    disk = MemoryVFS()
    new = machine_on(disk, "/new.jrn", segment_bytes=1024)
    add(new, *ENTRIES)
    new.close()
    traced = Trace(disk)
    machine = machine_on(traced, segment_bytes=1024)
    add(machine, *ENTRIES)
    moved: list[str] = []

    def move(call) -> None:
        if call.operation == "write" and "checkpoint" in call.name and not moved:
            moved.append(call.name)
            disk.folder("/").rename("state.jrn", "aside")
            disk.folder("/").rename("new.jrn", "state.jrn")

    traced.subscribe(move)
    try:
        machine.write_checkpoint()
    except OSError:
        pass
    assert moved
    assert 1 == first_kept_of(disk, PATH)
    assert ENTRIES == machine_on(disk, segment_bytes=1024).refresh()


def first_kept_of(disk: MemoryVFS, path: str) -> int:
    """The first sequence of the oldest segment of one of several journals."""
    only = MemoryVFS()
    only.write_tree({name: data for name, data in disk.tree().items()
                     if name.startswith(path[1:]) and data is not None})  # fmt: skip
    return first_kept(only)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupt_anywhere_in_a_checkpoint_leaves_no_lock_and_the_state() -> None:
    """The one before it stands, or the new one does; the next one is written."""
    nth = 0
    for nth in range(1, 4000):
        disk = MemoryVFS()
        machine = machine_on(disk, segment_bytes=1024)
        add(machine, *ENTRIES[:8])
        machine.write_checkpoint()
        add(machine, *ENTRIES[8:12])
        at = nth * 7
        is_over = not interrupted(machine.write_checkpoint, nth=at, places=("holdfast/state",))
        assert [] == disk.held_locks, f"event {at}"
        assert heads(disk)[0] in {8, 12}
        assert ENTRIES[:12] == machine.refresh() == machine_on(disk).refresh(), f"event {at}"
        assert 13 == add(machine_on(disk), ENTRIES[12])
        assert 13 == machine.write_checkpoint()
        assert ENTRIES[:13] == machine_on(disk).refresh()
        if is_over:
            break
    assert 10 < nth < 3999


# ------------------------------------------------------------ another journal takes the place


def two_journals() -> MemoryVFS:
    """The one of these tests, and at /new.jrn another one that has three commits."""
    disk = MemoryVFS()
    add(machine_on(disk, segment_bytes=1024), *ENTRIES)
    add(machine_on(disk, "/new.jrn", segment_bytes=1024), *ENTRIES[:9])
    disk.settle()
    return disk


def exchange(disk: MemoryVFS) -> None:
    """The new one takes the place."""
    top = disk.folder("/")
    top.rename("state.jrn", "aside")
    top.rename("new.jrn", "state.jrn")
    top.close()


class Exchanging(Interposed):
    """Exchanges the journals before or after the nth call of a kind; then `act` is called."""

    def __init__(self, disk: MemoryVFS, fault: Fault, *, after: bool) -> None:
        super().__init__(disk)
        self.disk = disk
        self.fault = fault
        self.after = after
        self.is_on = False
        self.act: Callable[[], object] = list

    def around(self, call, do):
        strikes = self.is_on and not self.fault.fired and self.fault.strikes(call)
        if strikes and not self.after:
            self._exchange()
        try:
            return do()
        finally:
            if strikes and self.after:
                self._exchange()

    def _exchange(self) -> None:
        exchange(self.disk)
        self.act()


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_journal_that_takes_the_place_during_a_checkpoint_is_untouched(is_read, after) -> None:
    """At whatever call, and also if another thread of the same machine reads it at once.

    It loses no segment, gets no checkpoint of the other one's state, and the other way round.
    """
    outcomes: set[int | None] = set()
    nth = 0
    for nth in range(1, 400):
        disk = two_journals()
        vfs = Exchanging(disk, Fault("call", nth, effect="stop"), after=after)
        machine = machine_on(vfs, segment_bytes=1024)
        machine.refresh()
        vfs.is_on = True
        reading = threading.Thread(target=read_quietly, args=[machine])
        if is_read:
            vfs.act = lambda reading=reading: begin(reading)
        try:
            outcomes.add(machine.write_checkpoint())
        except OSError as error:
            outcomes.add(error.errno)
        if not vfs.fault.fired:
            break
        if is_read:
            reading.join(20)
        new = machine_on(disk, segment_bytes=1024)
        assert ENTRIES[:9] == new.refresh(), nth
        assert [head[2:4] for head in new.checkpoints().kept()] in ([], [(9, 9)]), nth
        assert ENTRIES == machine_on(disk, "/aside", segment_bytes=1024).refresh(), nth
    assert 40 < nth < 399
    assert {30, 9} <= outcomes


class Asking(Interposed):
    """Tells when somebody asks for the lock of who checkpoints."""

    def __init__(self, disk: MemoryVFS) -> None:
        super().__init__(disk)
        self.asked = threading.Event()

    def around(self, call, do):
        if call.operation == "lock" and call.name.endswith("journal"):
            self.asked.set()
        return do()


@pytest.mark.parametrize("is_read", [True, False])
def test_lock_of_the_old_journal_is_none_for_the_new_one(is_read: bool) -> None:
    """Another process writes a checkpoint, and while this one waits the journal is exchanged."""
    disk = two_journals()
    vfs = Asking(disk)
    machine, other = machine_on(vfs), machine_on(disk)
    for one in (machine, other):
        one.refresh()
    errors: list[OSError] = []

    def write() -> None:
        try:
            machine.write_checkpoint()
        except OSError as error:
            errors.append(error)

    assert other.place.lock_checkpoints(block=True)
    waiting = threading.Thread(target=write)
    waiting.start()
    assert vfs.asked.wait(20)
    exchange(disk)
    if is_read:
        read_the_new_one(machine)
    other.place.unlock_checkpoints()
    waiting.join(20)
    assert [errno.ESTALE] == [error.errno for error in errors]
    assert "Try again" in errors[0].__notes__[0]
    assert [] == heads(disk)
    read_the_new_one(machine)
    assert 9 == machine.write_checkpoint()
    assert [9] == heads(disk)


def read_the_new_one(machine, expected: Sequence[bytes] = ENTRIES[:9]) -> None:
    """It looks again a millisecond after its last look."""
    deadline = time.monotonic() + 20
    while machine.refresh() != expected:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("is_asked", [True, False])
def test_state_of_another_journal_gets_into_no_checkpoint(is_asked: bool) -> None:
    """The journals are exchanged, and the new one read, between two slices of the state."""
    disk = two_journals()
    longer = [*ENTRIES[:9], *ENTRIES]
    add(machine_on(disk, "/new.jrn", segment_bytes=1024), *ENTRIES)

    def dumped(slices):
        yield slices.locked(dump)
        exchange(disk)
        read_the_new_one(machine, longer)
        yield slices.locked(dump)

    machine = machine_on(disk, rules=RULES._replace(dump=dumped))
    machine.refresh()
    if is_asked:
        with pytest.raises(OSError, match=r"state\.jrn") as caught:
            machine.write_checkpoint()
        assert errno.ESTALE == caught.value.errno
    else:
        assert 0 == machine.checkpointer.write(block=False)
    assert [] == heads(disk)
    assert "aside/checkpoint-a" not in disk.tree()
    assert ENTRIES == machine_on(disk, "/aside").refresh()


def test_checkpoint_that_comes_by_itself_leaves_another_journal_alone() -> None:
    """Without a word: the next commit looks again."""
    disk = two_journals()
    machine = machine_on(disk, checkpoint_bytes=1000)
    machine.refresh()
    exchange(disk)
    assert 0 == machine.checkpointer.write(block=False)
    assert [] == heads(disk)
    assert [] == disk.held_locks


def read_quietly(machine) -> None:
    """Open and read what is there now."""
    with suppress(OSError):
        machine.sequence()


def begin(reading: threading.Thread) -> None:
    """Let another thread go on as far as it gets: perhaps it needs a lock that is held here."""
    reading.start()
    reading.join(0.01)
