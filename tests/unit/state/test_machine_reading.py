"""A read shows every commit that was acknowledged before it, and nothing that may be lost."""

from __future__ import annotations

import threading

import pytest

from holdfast.errors import Closed, Corruption, UnknownFormat
from holdfast.primitives.log_hint import DURABLE, LAST, WANTED
from holdfast.state.hold import Hold
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.machines import LOG, PATH, RULES, SEGMENT, add, machine_on, put, words_of

pytestmark = pytest.mark.timeout(60)


def half_committed(disk: MemoryVFS, entry: bytes = b"b") -> None:
    """Commit in a process that is killed before its sync."""
    with pytest.raises(Stopped):
        add(machine_on(Faulty(disk, Fault("sync_data", 1, effect="stop", on="*.segment"))), entry)


def test_missing_journal_reads_as_empty_and_is_not_made() -> None:
    """Whether it may be written or not."""
    for read_only in (False, True):
        disk = MemoryVFS()
        machine = machine_on(disk, read_only=read_only)
        assert [] == machine.refresh() == machine.read(list)
        assert 0 == machine.sequence()
        assert not machine.is_fresh()
        assert {} == disk.tree()
        add(machine_on(disk), b"a")
        assert [b"a"] == machine.refresh()


def test_reader_joins_the_sync_of_what_it_shows() -> None:
    """The writer was killed before its sync: the reader does it, once."""
    disk = MemoryVFS()
    traced = Trace(disk)
    reader = machine_on(traced)
    add(reader, b"a")
    half_committed(disk)
    words = words_of(disk)
    assert (1, 2, 2) == (words[DURABLE], words[WANTED], words[LAST])
    assert not reader.is_fresh()
    traced.clear()
    assert [b"a", b"b"] == reader.read(list)
    assert 1 == traced.operations.count("sync_data")
    assert 2 == words[DURABLE]
    assert [b"a", b"b"] == reader.refresh()
    assert reader.is_fresh()


def test_reader_waits_for_a_sync_that_is_under_way() -> None:
    """It is held up until the disk is done, and shows nothing before."""
    disk = MemoryVFS()
    reader = machine_on(disk)
    add(reader, b"a")
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Trace):
        def around(self, call, do):
            if call.operation == "sync_data" and not begun.is_set():
                begun.set()
                assert go_on.wait(20)
            return super().around(call, do)

    writer = threading.Thread(target=add, args=[machine_on(Slow(disk)), b"b"])
    writer.start()
    assert begun.wait(20)
    seen: list[list[bytes]] = []
    reading = threading.Thread(target=lambda: seen.append(list(reader.refresh())))
    reading.start()
    for _ in range(1000):
        assert not reader.is_fresh()
    assert [] == seen
    go_on.set()
    for thread in (reading, writer):
        thread.join(20)
    assert [[b"a", b"b"]] == seen


def test_peek_and_sequence_wait_for_nothing() -> None:
    """What a checkpoint looks at need not be durable yet."""
    disk = MemoryVFS()
    traced = Trace(disk)
    machine = machine_on(traced)
    add(machine, b"a")
    half_committed(disk)
    traced.clear()
    assert [b"a", b"b"] == machine.peek(list)
    assert 2 == machine.sequence()
    assert "sync_data" not in traced.operations


def test_read_only_joins_the_sync_of_what_it_shows() -> None:
    """Without the locks of those who write: it has no part in what they know of the disk."""
    disk = MemoryVFS()
    traced = Trace(disk)
    writer, reader = machine_on(disk), machine_on(traced, read_only=True)
    add(writer, b"a")
    add(writer, b"b", sync=False)
    assert [b"a", b"b"] == reader.refresh()
    assert "sync_data" not in traced.operations
    half_committed(disk, b"c")
    add(writer, b"d", sync=False)
    assert [b"a", b"b", b"c", b"d"] == reader.refresh()
    assert 1 == traced.operations.count("sync_data")
    assert 1 == words_of(disk)[DURABLE]
    for seed in range(20):
        left = machine_on(disk.crash(seed=seed)).refresh()
        assert [b"a", b"b", b"c"] == left[:3]
    assert not reader.is_fresh()
    writer.close()


def test_first_read_waits_for_nobody_who_holds_the_append_lock() -> None:
    """Neither does the end of a machine that has only read."""
    disk = MemoryVFS()
    writer = machine_on(disk)
    add(writer, b"a")
    with Hold(writer) as hold:
        reader = machine_on(disk)
        assert [b"a"] == reader.refresh()
        reader.close()
        hold.commit(b"b")
    assert [b"a", b"b"] == machine_on(disk).refresh()


def test_other_object_of_a_thread_inside_a_commit_is_refused_too() -> None:
    """It would wait for itself; an object of another journal is not."""
    disk = MemoryVFS()
    machine, same, other = machine_on(disk), machine_on(disk), machine_on(disk, "/other.jrn")

    def decide(_: object) -> bytes:
        with pytest.raises(RuntimeError, match="already"):
            add(same, b"inner")
        add(other, b"x")
        return b"a"

    for _ in range(2):
        machine.commit(decide)
        with Hold(machine) as hold:
            hold.commit(decide(hold.state))
        with pytest.raises(LookupError), Hold(machine):
            raise LookupError
        try:
            machine.commit(lambda _: {}["nothing"])  # type: ignore[index]
        except KeyError:  # its traceback has the frame that was inside
            add(same, b"after")
    assert [b"a", b"a", b"after"] * 2 == machine.refresh() == same.refresh()


def test_read_only_changes_nothing_and_takes_no_lock() -> None:
    """Neither by reading nor by what it refuses."""
    disk = MemoryVFS()
    add(machine_on(disk), b"a")
    before = disk.tree()
    traced = Trace(disk)
    reader = machine_on(traced, read_only=True)
    assert [b"a"] == reader.refresh()
    for act in (lambda: add(reader, b"b"), reader.write_checkpoint, reader.barrier):
        with pytest.raises(OSError, match="read only"):
            act()
    reader.close()
    changes = {"write", "sync", "sync_data", "sync_folder", "rename", "lock", "truncate", "mkdir"}
    assert changes.isdisjoint(traced.operations)
    assert before == disk.tree()
    with pytest.raises(Closed):
        reader.refresh()


def test_read_only_state_of_before_a_recovery_is_read_anew() -> None:
    """It has shown what nobody waited for, and the disk has not got."""
    disk = MemoryVFS()
    writer = machine_on(disk, sync="never")
    add(writer, b"a")
    writer.barrier()
    add(writer, b"lost")
    reader = machine_on(disk, read_only=True)
    assert [b"a", b"lost"] == reader.refresh()
    failing = machine_on(Faulty(disk, Fault("sync_data", 1, effect="EIO", on="*.segment")))
    with pytest.raises(OSError, match="sync failed"):
        add(failing, b"lost too")
    file = disk.folder(LOG).open(SEGMENT.rpartition("/")[2], "write")
    at = file.read(4096, offset=0).index(b"lost") - 40
    file.write(bytes(4096 - at), offset=at)
    anew = machine_on(disk)
    add(anew, b"b", b"c", b"d")
    assert [b"a", b"b", b"c", b"d"] == anew.refresh() == reader.refresh()


def test_state_counts_as_fresh_only_while_nobody_else_has_written() -> None:
    """And for as long as the path was looked at just now."""
    disk = MemoryVFS()
    machine, other = machine_on(disk), machine_on(disk)
    assert not machine.is_fresh()
    add(machine, b"a")
    for _ in range(100_000):
        machine.refresh()
        if machine.is_fresh():
            break
    assert machine.is_fresh()
    for _ in range(10_000_000):
        if not machine.is_fresh():
            break
    assert not machine.is_fresh()  # the path is looked at anew
    add(other, b"b")
    machine.appender.is_current()
    assert not machine.is_fresh()
    assert [b"a", b"b"] == machine.refresh()


def test_quick_look_costs_no_call_of_the_system() -> None:
    """While the state is fresh."""
    traced = Trace(MemoryVFS())
    machine = machine_on(traced)
    add(machine, b"a")
    for _ in range(100_000):
        machine.refresh()
        traced.clear()
        if machine.is_fresh() and machine.refresh() and machine.is_fresh():
            break
    assert [] == traced.operations


def test_inner_read_sees_what_the_outer_one_sees() -> None:
    """Also when somebody commits in between."""
    disk = MemoryVFS()
    machine, other = machine_on(disk), machine_on(disk)
    add(machine, b"a")

    def look(state: list[bytes]) -> tuple[list[bytes], list[bytes], int]:
        add(other, b"b")
        return list(state), machine.read(list), machine.sequence()

    assert ([b"a"], [b"a"], 1) == machine.read(look)
    assert [b"a", b"b"] == machine.read(list)


def test_error_of_a_look_is_passed_on() -> None:
    """The next look is served."""
    machine = machine_on(MemoryVFS())
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            machine.read(lambda _: 1 // 0)
        add(machine, b"a")


def test_journal_of_another_kind_or_codec_is_refused() -> None:
    """By reading and by writing."""
    disk = MemoryVFS()
    add(machine_on(disk), b"a")
    for change in ({"kind": "store"}, {"codec": "json"}):
        other = machine_on(disk)
        other = type(other)(PATH, RULES, other.options._replace(**change))
        for act in (other.refresh, lambda other=other: add(other, b"b")):
            with pytest.raises(UnknownFormat):
                act()


def test_log_that_is_gone_is_damage_and_none_is_made_in_its_place() -> None:
    """For who opens it, and under a machine that is open; a checkpoint tells."""
    disk = MemoryVFS()
    living, reader = machine_on(disk), machine_on(disk, read_only=True)
    add(living, b"a", b"b")
    living.write_checkpoint()
    assert [b"a", b"b"] == reader.refresh()
    disk.folder(PATH).rename("log", "aside")
    for _ in range(10_000_000):
        if not living.appender.is_current():
            break
    fresh = machine_on(disk)
    for machine in (living, fresh, machine_on(disk, read_only=True)):
        with pytest.raises(Corruption):
            machine.refresh()
    for machine in (living, fresh):
        with pytest.raises(Corruption, match="the log is gone"):
            add(machine, b"c")
    assert not any(name.startswith("state.jrn/log") for name in disk.tree())
    disk.folder(PATH).rename("aside", "log")
    assert 3 == add(living, b"c")
    assert [b"a", b"b", b"c"] == fresh.refresh() == reader.refresh() == living.refresh()


def test_log_shorter_than_the_checkpoint_is_damage() -> None:
    """It was taken from an older backup; nothing is shown, and nothing written."""
    disk = MemoryVFS()
    machine = machine_on(disk)
    add(machine, b"a")
    machine.close()
    old = {name: data for name, data in disk.tree().items() if "/log/" in name}
    machine = machine_on(disk)
    add(machine, b"b", b"c")
    machine.write_checkpoint()
    machine.close()
    mixed = MemoryVFS()
    mixed.write_tree({**disk.tree(), **old})
    mixed.folder(LOG).unlink("lock")
    for read_only in (False, True):
        with pytest.raises(Corruption, match="commits up to 3 were durable"):
            machine_on(mixed, read_only=read_only).refresh()
    with pytest.raises(Corruption, match="commits up to 3 were durable"):
        add(machine_on(mixed), b"d")


def test_gap_between_checkpoint_and_log_is_damage() -> None:
    """The segment between them is missing."""
    disk = MemoryVFS()
    machine = machine_on(disk, segment_bytes=1024)
    data = [b"%d" % number * 300 for number in range(9)]
    add(machine, *data)
    machine.close()
    tree = disk.tree()
    segments = sorted(name for name in tree if name.endswith(".segment"))
    assert 2 < len(segments)
    del tree[segments[0]]
    mixed = MemoryVFS()
    mixed.write_tree(tree)
    for act in (lambda m: m.refresh(), lambda m: add(m, b"x")):
        with pytest.raises(Corruption, match="the checkpoint ends with commit 0"):
            act(machine_on(mixed, segment_bytes=1024))


def test_machine_that_was_overtaken_reads_the_newer_checkpoint() -> None:
    """What it had not read is dropped from the log; the state is the same."""
    disk = MemoryVFS()
    slow, reader = (machine_on(disk, segment_bytes=1024, read_only=flag) for flag in (False, True))
    writer = machine_on(disk, segment_bytes=1024)
    add(writer, b"a")
    assert [b"a"] == slow.refresh() == reader.refresh()
    for number in range(20):
        add(writer, b"%d" % number * 300)
    writer.write_checkpoint()
    expected = writer.refresh()
    assert 21 == len(expected)
    assert expected == slow.refresh() == reader.refresh()
    assert 22 == add(slow, b"z")
    assert [*expected, b"z"] == reader.refresh()


@pytest.mark.parametrize("nth", range(1, 12))
def test_read_that_fails_is_repeated_by_the_next(nth) -> None:
    """Nothing is applied twice, nothing is left out."""
    disk = MemoryVFS()
    add(machine_on(disk, segment_bytes=1024), *(b"%d" % n * 300 for n in range(5)))
    faulty = Faulty(disk, Fault("read", nth, effect="EIO"))
    machine = machine_on(faulty, segment_bytes=1024)
    seen = []
    for _ in range(3):
        try:
            seen = list(machine.refresh())
            break
        except OSError:
            continue
    assert [b"%d" % n * 300 for n in range(5)] == seen


def test_many_threads_of_two_machines_never_see_a_step_back(tmp_path) -> None:
    """Each reads what it was told, and everything before it."""
    machines = [machine_on(SYSTEM, str(tmp_path / "state.jrn"), sync="never") for _ in range(2)]
    wrong: list[str] = []

    def work(number: int) -> None:
        machine = machines[number % 2]
        last = 0
        for step in range(150):
            told = machine.commit(put(b"%d %d" % (number, step))) or 0
            seen = machine.read(len)
            if not last < told <= seen:
                wrong.append(f"{last} {told} {seen}")
            last = seen

    threads = [threading.Thread(target=work, args=[n]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [] == wrong
    assert machines[0].refresh() == machines[1].refresh()
    assert 900 == machines[0].sequence()
    for machine in machines:
        machine.close()
