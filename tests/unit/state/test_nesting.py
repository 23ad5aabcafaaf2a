"""Who is at work on a journal is refused when it comes again, by any object on it."""

from __future__ import annotations

import os
import threading

import pytest

from holdfast.state.nesting import Nesting, marks_of
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import MemoryVFS
from tests.support.machines import PATH, add, machine_on, put

KEY = (1, "/a.jrn")


class OnSync(Interposed):
    """Does something when data is synced, in the thread that does it."""

    def __init__(self, inner: MemoryVFS, act) -> None:
        super().__init__(inner)
        self.act = act

    def around(self, call, do):
        if call.operation == "sync_data" and self.act is not None:
            act, self.act = self.act, None
            act()
        return super().around(call, do)


def test_mark_counts_as_long_as_it_is_held() -> None:
    """For its thread alone, and for every object that has the key in common."""
    one, same, other = Nesting("/a.jrn", KEY), Nesting("/a", KEY), Nesting("/b", (1, "/b"))
    mark = one.enter()
    for nesting in (one, same):
        with pytest.raises(RuntimeError, match="already"):
            nesting.refuse_nested()
        assert nesting.working() is None
    other.refuse_nested()
    assert mark.of is one
    thread = threading.Thread(target=same.refuse_nested)
    thread.start()
    thread.join()
    del mark
    one.refuse_nested()
    assert 3 == same.marked(lambda: 3)
    one.refuse_nested()


def test_mark_goes_with_what_raises() -> None:
    """Also as long as its traceback is kept."""
    nesting = Nesting("/a.jrn", KEY)

    def fail() -> None:
        assert marks_of(KEY).of(threading.get_ident()) is not None
        raise LookupError

    with pytest.raises(LookupError) as caught:
        nesting.marked(fail)
    nesting.refuse_nested()
    assert caught.tb is not None


def test_forked_child_has_no_marks() -> None:
    """The threads that had them are not there."""
    nesting = Nesting("/a.jrn", KEY)
    mark = nesting.enter()
    child = os.fork()
    if not child:
        try:
            nesting.refuse_nested()
        except RuntimeError:
            os._exit(1)
        os._exit(0)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with pytest.raises(RuntimeError):
        nesting.refuse_nested()
    del mark


@pytest.mark.timeout(30)
@pytest.mark.parametrize("way", ["shared", "commit", "read", "barrier"])
def test_what_interrupts_a_sync_is_refused(way: str) -> None:
    """A signal handler that uses the journal, by the same object or by another one."""
    disk = MemoryVFS()
    refused: list[str] = []

    def handle() -> None:
        for machine in (mine, same):
            for act in (
                lambda m=machine: m.commit_shared(put(b"inner")),
                lambda m=machine: m.commit(put(b"inner")),
                lambda m=machine: m.read(list),
                lambda m=machine: m.barrier(),
                lambda m=machine: m.write_checkpoint(),
                lambda m=machine: m.close(),
            ):
                with pytest.raises(RuntimeError, match="already"):
                    act()
                refused.append(way)

    watched = OnSync(disk, None)
    mine = machine_on(watched)
    add(mine, b"a")
    unsynced = machine_on(disk, sync="never")
    add(unsynced, b"b")
    same = machine_on(watched)
    add(same, b"c")
    watched.act = handle
    if way == "shared":
        mine.commit_shared(put(b"d"))
    elif way == "commit":
        mine.commit(put(b"d"))
    else:
        unsynced.commit(put(b"d"))
        if way == "read":
            words = disk.folder(f"{PATH}/log").open("lock", "write").words(20)
            words[19] = 4  # somebody wants its sync
            assert 4 == len(mine.read(list))
        else:
            assert 4 == mine.barrier()
    assert refused
    assert [b"a", b"b", b"c", b"d"] == mine.refresh() == unsynced.refresh()


def test_object_by_another_path_of_the_same_folder_is_refused_too() -> None:
    """A symlink: it is the same lock."""
    disk = MemoryVFS()
    machine = machine_on(disk, "/real.jrn")
    add(machine, b"a")
    disk.write_tree({"link.jrn": "-> real.jrn"})
    alias = machine_on(disk, "/link.jrn")
    assert [b"a"] == alias.refresh()

    def decide(_: object) -> bytes:
        with pytest.raises(RuntimeError, match="already"):
            add(alias, b"inner")
        return b"b"

    machine.commit(decide)
    assert 3 == add(alias, b"c")
    assert [b"a", b"b", b"c"] == machine.refresh()
