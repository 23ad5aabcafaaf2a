"""Commits are decided on the newest state, applied once, and never half done."""

from __future__ import annotations

import asyncio
import errno
import os
import threading

import pytest

from holdfast.errors import Closed, HandlePoisoned
from holdfast.primitives.log_hint import DURABLE, LAST, WANTED
from holdfast.state.hold import Hold
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.machines import PATH, SEGMENT, add, machine_on, put, words_of

pytestmark = pytest.mark.timeout(60)


def test_decisions_see_every_commit_before_them() -> None:
    """Of two objects, as of two processes."""
    disk = MemoryVFS()
    one, other = machine_on(disk), machine_on(disk)
    for number in range(1, 20):
        for machine in (one, other):
            machine.commit(lambda state: b"%d" % len(state))
            assert [b"%d" % n for n in range(len(machine.state))] == machine.refresh()
        assert 2 * number == one.sequence() == other.sequence()


def test_decide_runs_in_the_thread_of_the_caller() -> None:
    """Also while others wait for their turn."""
    machine = machine_on(MemoryVFS())
    seen: list[bool] = []
    begun = threading.Barrier(4)

    def work() -> None:
        begun.wait()
        me = threading.get_ident()
        for _ in range(20):
            machine.commit(lambda _: seen.append(threading.get_ident() == me) or b"x")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [True] * 80 == seen
    assert 80 == machine.sequence()


def test_nothing_to_write_writes_nothing() -> None:
    """And what the decision has seen is durable then."""
    traced = Trace(MemoryVFS())
    machine = machine_on(traced)
    add(machine, b"a")
    traced.clear()
    assert machine.commit(lambda _: None) is None
    assert {"write", "sync_data"}.isdisjoint(traced.operations)
    assert [b"a"] == machine.refresh()


def test_decision_against_a_commit_waits_until_what_it_saw_is_durable() -> None:
    """Whether it returns None or raises: the writer was killed before its sync."""

    def refuse(_: object) -> bytes:
        raise LookupError("not enough")

    for number, decide in enumerate((lambda _: None, refuse)):
        for shared in (False, True):
            disk = MemoryVFS()
            other = machine_on(disk)
            add(other, b"a")
            dying = Faulty(disk, Fault("sync_data", 1, effect="stop", on="*.segment"))
            with pytest.raises(Stopped):
                add(machine_on(dying), b"b")
            words = words_of(disk)
            assert (1, 2, 2) == (words[DURABLE], words[WANTED], words[LAST])
            commit = other.commit_shared if shared else other.commit
            if number:
                with pytest.raises(LookupError, match="not enough"):
                    commit(decide)
            else:
                assert commit(decide) is None
            assert 2 == words[DURABLE]


@pytest.mark.parametrize("entry", ["text", 7, bytearray(b"x"), [b"x"]])
def test_entry_of_another_type_is_refused(entry) -> None:
    """Nothing is committed, and the next one is."""
    machine = machine_on(MemoryVFS())
    with pytest.raises(TypeError, match="an entry is bytes"):
        machine.commit(lambda _: entry)
    assert 1 == add(machine, b"a")
    assert [b"a"] == machine.refresh()


def test_entry_that_is_too_large_is_refused() -> None:
    """The next one is committed."""
    machine = machine_on(MemoryVFS())
    with pytest.raises(ValueError, match="a commit has at most"):
        machine.commit(lambda _: bytes(61 << 20))
    assert 1 == add(machine, b"a")


def test_error_of_decide_or_apply_leaves_the_state_as_it_was() -> None:
    """The half change of `apply` is thrown away; here, and for everybody else."""
    disk = MemoryVFS()
    machine, other = machine_on(disk), machine_on(disk)
    add(machine, b"a")
    with pytest.raises(ZeroDivisionError):
        machine.commit(lambda _: b"%d" % (1 // 0))
    with pytest.raises(ValueError, match="cannot be applied"):
        add(machine, b"refused")
    assert not machine.is_fresh()
    assert [b"a"] == machine.refresh() == other.refresh()
    assert 2 == add(machine, b"b")
    assert [b"a", b"b"] == machine.refresh() == other.refresh()


@pytest.mark.parametrize("nth", range(2, 8))
def test_full_disk_leaves_the_state_as_it_was(nth) -> None:
    """A write that failed is in no state, and the next one is applied once."""
    disk = MemoryVFS()
    fault = Fault("write", nth, effect="ENOSPC", on="*.segment*")
    machine = machine_on(Faulty(disk, fault), segment_bytes=4096)
    other = machine_on(disk)
    told: list[bytes] = []
    errors: list[int | None] = []
    for number in range(6):
        data = b"%d" % number * 100
        try:
            add(machine, data)
        except OSError as error:
            errors.append(error.errno)
        else:
            told.append(data)
        assert told == machine.refresh()
        assert told == other.refresh()
    assert fault.fired
    assert [errno.ENOSPC] == errors
    assert 5 == len(told)


def test_commit_that_is_in_the_log_has_not_failed() -> None:
    """The place in the log could not be moved on; the state is read anew by who needs it."""
    disk = MemoryVFS()
    fault = Fault("open", 1, effect="EMFILE", on="*00000000000000000004.segment")
    machine = machine_on(Faulty(disk, fault), segment_bytes=1024)
    other = machine_on(disk, segment_bytes=1024)
    data = [b"%d" % number * 300 for number in range(6)]
    for number, entry in enumerate(data, 1):
        assert number == add(machine, entry)
        assert data[:number] == machine.refresh() == other.refresh()
    assert fault.fired


def test_commit_that_asks_for_no_sync_is_seen_at_once_and_synced_later() -> None:
    """By everybody; the next one that asks makes both durable, as `barrier` does."""
    traced = Trace(MemoryVFS())
    machine, other = machine_on(traced), machine_on(traced)
    add(machine, b"a")
    words = words_of(traced.inner)  # type: ignore[arg-type]
    traced.clear()
    add(machine, b"b", sync=False)
    assert [b"a", b"b"] == machine.refresh() == other.refresh()
    assert "sync_data" not in traced.operations
    assert (1, 2) == (words[DURABLE], words[LAST])
    assert 2 == machine.barrier() == words[DURABLE]
    add(machine, b"c", sync=False)
    add(other, b"d")
    assert 4 == words[DURABLE]
    machine.close()
    other.close()


def test_commit_without_sync_is_synced_within_the_period() -> None:
    """Nobody commits again, and nobody asks."""
    disk = MemoryVFS()
    synced = threading.Event()
    traced = Trace(disk)
    machine = machine_on(traced, sync=0.001)
    add(machine, b"a")
    traced.subscribe(lambda call: synced.set() if call.operation == "sync_data" else None)
    add(machine, b"b")
    assert synced.wait(20)
    machine.close()
    assert 2 == words_of(disk)[DURABLE]


def test_more_than_may_be_unsynced_is_synced_at_once() -> None:
    """Unless `sync` is "never"."""
    for sync, durable in ((60.0, 2), ("never", 0)):
        disk = MemoryVFS()
        machine = machine_on(disk, sync=sync, max_unsynced_bytes=600)
        add(machine, b"x" * 400, b"y" * 400)
        assert durable == words_of(disk)[DURABLE]
        machine.close()


def test_commits_inside_others_are_refused() -> None:
    """In a decision, in a block, and in a look, by every way that writes; reading is allowed."""
    machine = machine_on(MemoryVFS())
    add(machine, b"a")
    ways = [
        lambda: add(machine, b"inner"),
        lambda: machine.commit_shared(put(b"inner")),
        lambda: asyncio.run(machine.acommit_shared(put(b"inner"))),
        machine.barrier,
        machine.write_checkpoint,
        machine.close,
        Hold(machine).__enter__,
    ]
    refusals = 0

    def within(state: object) -> None:
        nonlocal refusals
        for way in ways:
            with pytest.raises(RuntimeError, match="already"):
                way()
            refusals += 1
        assert machine.read(lambda inner: inner is state)
        assert 1 == machine.sequence()

    machine.commit(within)
    machine.read(within)
    with Hold(machine) as hold:
        within(hold.state)
    assert 3 * len(ways) == refusals
    assert [b"a"] == machine.refresh()
    assert 2 == add(machine, b"b")


def test_shared_commits_learn_their_own_outcomes() -> None:
    """One that raises, or has nothing to write, harms no other one of its frame."""
    disk = MemoryVFS()
    machine = machine_on(disk)
    hold = Hold(machine).__enter__()
    outcomes: dict[bytes, object] = {}

    def work(data: bytes) -> None:
        def decide(state: list[bytes]) -> bytes | None:
            if data == b"raise":
                raise LookupError(data)
            return None if data == b"none" else data

        try:
            outcomes[data] = machine.commit_shared(decide)
        except LookupError as error:
            outcomes[data] = error

    names = [b"a", b"raise", b"b", b"none", b"c"]
    threads = [threading.Thread(target=work, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    hold.__exit__(None, None, None)
    for thread in threads:
        thread.join(20)
    assert outcomes[b"none"] is None
    assert isinstance(outcomes[b"raise"], LookupError)
    sequences = {outcomes[name]: name for name in (b"a", b"b", b"c")}
    assert [1, 2, 3] == sorted(sequences)  # type: ignore[type-var]
    assert [sequences[n] for n in (1, 2, 3)] == machine.refresh() == machine_on(disk).refresh()


def test_shared_commits_of_tasks() -> None:
    """A hundred at once, in few frames; a closed machine refuses them."""
    traced = Trace(MemoryVFS())
    machine = machine_on(traced)

    async def main() -> list[int | None]:
        jobs = (machine.acommit_shared(put(b"%d" % n), size_bytes=9) for n in range(100))
        return await asyncio.gather(*jobs)

    assert set(range(1, 101)) == set(asyncio.run(main()))
    assert traced.operations.count("sync_data") < 20
    machine.close()
    with pytest.raises(Closed):
        asyncio.run(machine.acommit_shared(put(b"x")))


def test_failed_sync_refuses_everybody_who_was_there_before() -> None:
    """Nobody shows or writes on what is perhaps lost, also when another one has recovered."""
    disk = MemoryVFS()
    other = machine_on(disk)
    add(other, b"a")
    failing = machine_on(
        Faulty(disk, Fault("sync_data", 1, effect="EIO", on="*.segment")), sync="never"
    )
    add(failing, b"perhaps")
    assert [b"a", b"perhaps"] == other.refresh() == failing.refresh()
    end = disk.folder(f"{PATH}/log").stat(SEGMENT.rpartition("/")[2]).st_size
    with pytest.raises(OSError, match="sync failed"):
        failing.barrier()

    def all_refuse() -> None:
        for machine in (other, failing):
            for act in (machine.read, machine.commit):
                with pytest.raises(HandlePoisoned):
                    act(lambda _: None)
            with pytest.raises(HandlePoisoned):
                machine.write_checkpoint()

    all_refuse()
    file = disk.folder(f"{PATH}/log").open(SEGMENT.rpartition("/")[2], "write")
    data = file.read(end, offset=0)
    at = data.index(b"perhaps")
    file.write(bytes(len(data) - at + 40), offset=at - 40)  # the disk has not got it
    anew = machine_on(disk)
    add(anew, b"b")
    for _ in range(3):
        all_refuse()
        assert not other.is_fresh()
        assert not failing.is_fresh()
    assert b"perhaps" not in anew.refresh()
    assert [b"a", b"b"] == anew.refresh() == machine_on(disk).refresh()


def test_state_of_before_another_recovery_is_not_shown_by_the_quick_way() -> None:
    """The words fit again after a look that was refused, if one is not careful."""
    disk = MemoryVFS()
    old = machine_on(disk, sync="never")
    add(old, b"a")
    old.barrier()
    add(old, b"lost")
    failing = machine_on(Faulty(disk, Fault("sync_data", 1, effect="EIO", on="*.segment")))
    with pytest.raises(OSError, match="sync failed"):
        add(failing, b"lost too")
    name = SEGMENT.rpartition("/")[2]
    file = disk.folder(f"{PATH}/log").open(name, "write")
    at = file.read(4096, offset=0).index(b"lost") - 40
    file.write(bytes(4096 - at), offset=at)
    anew = machine_on(disk)
    add(anew, b"b", b"c", b"d")
    with pytest.raises(HandlePoisoned):
        old.read(lambda state: state)
    assert not old.is_fresh()
    with pytest.raises(HandlePoisoned):
        old.refresh()


def test_closed_machine_refuses_and_holds_nothing() -> None:
    """Closing twice is once."""
    disk = MemoryVFS()
    machine = machine_on(disk)
    add(machine, b"a")
    machine.close()
    machine.close()
    assert machine.is_closed
    assert ([], [], []) == (disk.open_files, disk.open_folders, disk.held_locks)
    for act in (
        machine.refresh, machine.sequence, machine.barrier, machine.write_checkpoint,
        lambda: add(machine, b"b"), Hold(machine).__enter__,
        lambda: machine.commit_shared(put(b"b")),
    ):  # fmt: skip
        with pytest.raises(Closed):
            act()
    assert not machine.is_fresh()
    assert ([], [], []) == (disk.open_files, disk.open_folders, disk.held_locks)


def test_close_in_the_middle_of_commits_and_reads() -> None:
    """Everybody is served or refused; what was told is there, and nothing stays open."""
    for sync in ("always", "never", 0.001):
        for _ in range(20):
            disk = MemoryVFS()
            machine = machine_on(disk, sync=sync)
            told: list[int] = []
            errors: list[BaseException] = []
            begun = threading.Barrier(5)

            def work(read: bool, told=told, errors=errors, begun=begun, machine=machine) -> None:
                begun.wait()
                try:
                    for _ in range(10_000_000):
                        machine.refresh() if read else told.append(add(machine, b"x"))
                except BaseException as caught:
                    errors.append(caught)

            threads = [threading.Thread(target=work, args=[n % 2 == 1]) for n in range(4)]
            for thread in threads:
                thread.start()
            begun.wait()
            while not told:
                pass
            machine.close()
            for thread in threads:
                thread.join(20)
                assert not thread.is_alive()
            assert [Closed] * 4 == [type(error) for error in errors], errors
            errors.clear()  # their frames may hold the file that they would have synced
            assert ([], [], []) == (disk.open_files, disk.open_folders, disk.held_locks)
            assert max(told) <= len(machine_on(disk).refresh())


def test_folder_that_is_removed_under_a_machine(tmp_path) -> None:
    """It reads as empty, the next commit makes a new one, and no timer makes half of one."""
    path = tmp_path / "state.jrn"
    machine = machine_on(SYSTEM, str(path), sync=0.2)
    add(machine, b"a", b"b")
    path.rename(tmp_path / "aside")
    while machine.appender.is_current():
        pass
    with pytest.raises(FileNotFoundError):
        machine._sync_written()
    assert not path.exists()
    assert [] == machine.refresh()
    assert 1 == add(machine, b"new")
    assert [b"new"] == machine.refresh() == machine_on(SYSTEM, str(path)).refresh()
    machine.close()
    with_old = machine_on(SYSTEM, str(tmp_path / "aside"))
    assert [b"a", b"b"] == with_old.refresh()
    with_old.close()


def test_folder_that_is_replaced_under_a_machine(tmp_path) -> None:
    """A backup is put back: its state is shown, and commits go on from there."""
    path, other_path = tmp_path / "state.jrn", tmp_path / "other.jrn"
    other = machine_on(SYSTEM, str(other_path))
    add(other, b"x", b"y", b"z")
    other.close()
    machine = machine_on(SYSTEM, str(path))
    add(machine, b"a", b"b")
    machine.write_checkpoint()
    path.rename(tmp_path / "aside")
    os.rename(other_path, path)
    while machine.appender.is_current():
        pass
    assert [b"x", b"y", b"z"] == machine.refresh()
    assert 4 == add(machine, b"c")
    assert [b"x", b"y", b"z", b"c"] == machine.refresh()
    assert 4 == machine.write_checkpoint()
    machine.close()
