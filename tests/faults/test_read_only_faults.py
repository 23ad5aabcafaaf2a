"""A sync that fails while somebody only reads: nothing is shown that a power cut may take."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from holdfast.errors import HandlePoisoned
from holdfast.primitives.log_hint import POISON, WANTED
from holdfast.state.machine import Machine
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import MemoryVFS
from tests.support.machines import add, machine_on, words_of


class BeforeSync(Interposed):
    """Does something before the first sync of data that it is asked for."""

    def __init__(self, inner: MemoryVFS | Faulty, act: Callable[[], object]) -> None:
        super().__init__(inner)
        self.act: Callable[[], object] | None = act

    def around(self, call, do):
        act = self.act
        if act is not None and call.operation == "sync_data":
            self.act = None
            act()
        return super().around(call, do)


def failing(disk: MemoryVFS) -> Faulty:
    """One sync of a segment fails."""
    return Faulty(disk, Fault("sync_data", 1, effect="EIO", on="*.segment"))


def killed_before_its_sync(disk: MemoryVFS, entry: bytes) -> None:
    """Commit in a process that dies then."""
    with pytest.raises(Stopped):
        add(machine_on(Faulty(disk, Fault("sync_data", 1, effect="stop", on="*.segment"))), entry)


def assert_durable_alone(disk: MemoryVFS, reader: Machine[list[bytes]]) -> None:
    """Twice the same, as a new one sees it, and as it is after a power cut."""
    for one in (reader, reader, machine_on(disk, read_only=True)):
        assert ([b"a"], 1) == one.read_numbered(list)
        assert 1 == one.sequence()
    for seed in range(5):
        assert b"a" == machine_on(disk.crash(seed=seed)).refresh()[0]


def test_reader_shows_what_is_durable_after_its_sync_and_the_writers_failed() -> None:
    """The second sync of its file would return well, and cover nothing."""
    disk = MemoryVFS()
    add(machine_on(disk), b"a")
    reader = machine_on(failing(disk), read_only=True)
    assert [b"a"] == reader.refresh()

    def read() -> None:
        with pytest.raises(OSError, match="Input/output"):
            reader.refresh()

    with pytest.raises(OSError, match="sync failed"):
        add(machine_on(BeforeSync(failing(disk), read)), b"b")
    assert_durable_alone(disk, reader)


def test_reader_shows_what_is_durable_after_a_writers_sync_failed() -> None:
    """Also where it has shown more: what nobody waited for."""
    disk = MemoryVFS()
    add(machine_on(disk), b"a")
    reader = machine_on(disk, read_only=True)
    add(machine_on(disk), b"b", sync=False)
    assert [b"a", b"b"] == reader.refresh()
    with pytest.raises(OSError, match="sync failed"):
        add(machine_on(failing(disk)), b"c")
    assert_durable_alone(disk, reader)


def test_sync_that_fails_between_look_and_join_is_told() -> None:
    """What was looked at is not shown: its writer is told that it may be gone."""
    disk = MemoryVFS()
    writer = machine_on(disk)
    add(writer, b"a")
    killed_before_its_sync(disk, b"b")
    words = words_of(disk)

    def fail() -> None:
        words[POISON] = errno.EIO

    reader = machine_on(BeforeSync(disk, fail), read_only=True)
    with pytest.raises(HandlePoisoned):
        reader.refresh()
    assert_durable_alone(disk, reader)


def test_sync_that_failed_for_a_reader_is_told_to_who_writes_next() -> None:
    """The system tells it once; who writes now rescues the record, and shows it when it is safe."""
    disk = MemoryVFS()
    add(machine_on(disk), b"a")
    killed_before_its_sync(disk, b"b")
    reader = machine_on(failing(disk), read_only=True)
    with pytest.raises(OSError) as caught:
        reader.refresh()
    assert errno.EIO == caught.value.errno == words_of(disk)[POISON]
    assert_durable_alone(disk, reader)
    anew = machine_on(disk)
    add(anew, b"c")
    expected = list(anew.refresh())
    assert b"c" == expected[-1]
    assert expected == reader.refresh()
    for seed in range(5):
        assert expected == machine_on(disk.crash(seed=seed)).refresh()


def test_reader_that_may_not_write_the_tail_remembers_by_itself() -> None:
    """Until somebody begins another epoch of the log; then it syncs for others again."""
    disk = MemoryVFS()
    writer = machine_on(disk)
    add(writer, b"a")
    killed_before_its_sync(disk, b"b")
    refused = Fault("open", 1, effect="EACCES", on="*lock", repeat=True)
    guarded = Faulty(disk, Fault("sync_data", 1, effect="EIO", on="*.segment"))
    reader = machine_on(guarded, read_only=True)
    assert 2 == reader.peek(len)
    guarded.faults = (*guarded.faults, refused)
    with pytest.raises(OSError) as caught:
        reader.refresh()
    assert (errno.EIO, 0) == (caught.value.errno, words_of(disk)[POISON])
    guarded.faults = ()
    assert [b"a"] == reader.refresh() == reader.refresh()
    assert 2 == words_of(disk)[WANTED]
    add(writer, b"c")
    assert [b"a", b"b", b"c"] == reader.refresh()
    words_of(disk)[POISON] = errno.EIO
    anew = machine_on(disk)
    add(anew, b"d")
    killed_before_its_sync(disk, b"e")
    assert [b"a", b"b", b"c", b"d", b"e"] == reader.refresh()
