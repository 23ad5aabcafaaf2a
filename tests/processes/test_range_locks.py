"""Records and blocks between processes: kills, forks, many at once."""

from __future__ import annotations

import signal
import struct
import sys
import threading
from pathlib import Path

import pytest

from holdfast.errors import LockTimeout
from holdfast.primitives.block_locks import BlockLocks
from holdfast.primitives.record_locks import RecordLocks
from tests.support.interrupts import interrupted
from tests.support.parts_process import Child

PATIENCE_S = 20.0
needs_range_locks = pytest.mark.skipif(
    sys.platform not in {"linux", "darwin", "win32"}, reason="no locks of ranges here"
)
pytestmark = needs_range_locks


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.lock"


def try_at(locks: RecordLocks, *numbers: int) -> bool:
    """Whether this gets the records at once."""
    try:
        with locks.hold(*numbers, timeout_s=0):
            return True
    except LockTimeout:
        return False


def test_killed_holder_leaves_nothing_locked(path) -> None:
    """Whoever waits in the kernel gets the record as soon as the holder has been killed."""
    program = """
with records.hold(*range(2000)), blocks.hold([(0, 1 << 30)]):
    say("held")
    hear()
"""
    records, blocks = RecordLocks(str(path)), BlockLocks(str(path))
    with Child(program, path) as child:
        assert "held" == child.hear()
        assert not try_at(records, 1999)
        taken = threading.Event()

        def wait() -> None:
            with records.hold(1500), blocks.hold([(1 << 20, 1)], shared=True):
                taken.set()

        thread = threading.Thread(target=wait)
        thread.start()
        assert not taken.wait(0.05)
        child.kill()
        assert taken.wait(PATIENCE_S)
        thread.join(PATIENCE_S)
    records.close()
    blocks.close()


def test_killed_waiter_is_in_nobodys_way(path) -> None:
    """A process that is killed while it waits has left nothing behind."""
    program = """
say("waits")
with records.hold(3): pass
"""
    records = RecordLocks(str(path))
    with records.hold(3), Child(program, path) as child:
        assert "waits" == child.hear()
        child.kill()
    assert try_at(records, 3)
    records.close()


def test_child_of_a_fork_frees_nothing_when_it_ends(path) -> None:
    """Neither its end nor a hold of its own on another record touches what the parent has."""
    program = """
hold = records.hold(3)
hold.__enter__()
child = os.fork()
if not child:
    with records.hold(4): pass
    records.close()
    hold.__exit__(None, None, None)
    os._exit(0)
os.waitpid(child, 0)
say("child is over")
hear()
hold.__exit__(None, None, None)
say("free")
hear()
"""
    records = RecordLocks(str(path))
    with Child(program, path) as child:
        assert "child is over" == child.hear()
        assert not try_at(records, 3)
        child.tell()
        assert "free" == child.hear()
        assert try_at(records, 3)
    records.close()


def test_holder_that_dies_before_its_child_leaves_nothing_locked(path) -> None:
    """A forked child that lives on has no copy of what its parent had."""
    program = """
hold = records.hold(3)
hold.__enter__()
child = os.fork()
if not child:
    say("child lives")
    hear()
    os._exit(0)
os.waitpid(child, 0)
"""
    records = RecordLocks(str(path))
    with Child(program, path) as child:
        assert "child lives" == child.hear()
        child.kill()
        assert try_at(records, 3)
    records.close()


TRANSFERS = """
import random, struct
data = os.open(sys.argv[1] + ".data", os.O_RDWR)
def read(n): return struct.unpack("<q", os.pread(data, 8, 8 * n))[0]
def write(n, value): os.pwrite(data, struct.pack("<q", value), 8 * n)
def work(seed):
    draw = random.Random(seed)
    for _ in range(300):
        one, two = draw.sample(range(8), 2)
        with records.hold(one, two):
            left, right = read(one), read(two)
            write(one, left - 1)
            write(two, right + 1)
            write(8 + 2 * one, read(8 + 2 * one) + 1)
threads = [threading.Thread(target=work, args=(os.getpid() * 10 + i,)) for i in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
say("done")
"""


def test_transfers_of_processes_and_threads_lose_nothing(path) -> None:
    """Four processes of two threads each, on eight records, two at a time."""
    data = Path(f"{path}.data")
    data.write_bytes(struct.pack("<24q", *[100] * 8, *[0] * 16))
    children = [Child(TRANSFERS, path) for _ in range(4)]
    for child in children:
        with child:
            assert "done" == child.hear()

    values = struct.unpack("<24q", data.read_bytes())
    assert 800 == sum(values[:8])
    assert 4 * 2 * 300 == sum(values[8:])


def test_interrupt_anywhere_leaves_no_lock(path) -> None:
    """At every event in turn, with the calls of the system: another opening gets the record."""
    locks, other = RecordLocks(str(path)), RecordLocks(str(path))

    def use() -> None:
        with locks.hold(3, 9), locks.hold(9):
            pass

    use()
    nth = 1
    while interrupted(use, nth=nth):
        assert try_at(other, 3, 9), nth
        nth += 1
    assert nth > 10
    locks.close()
    other.close()


def test_shared_blocks_keep_out_writers_of_other_processes(path) -> None:
    """Readers of two processes share a range, and a writer waits for both."""
    program = """
with blocks.hold([(0, 8192)], shared=True):
    say("reads")
    hear()
say("over")
hear()
"""
    blocks = BlockLocks(str(path))
    with Child(program, path) as child:
        assert "reads" == child.hear()
        with blocks.hold([(4096, 1)], shared=True, timeout_s=0):
            pass
        with pytest.raises(LockTimeout):
            blocks.hold([(4096, 1)], timeout_s=0).__enter__()
        with blocks.hold([(8192, 1)], timeout_s=0):
            pass
        child.tell()
        assert "over" == child.hear()
        with blocks.hold([(4096, 1)], timeout_s=0):
            pass
    blocks.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no signal ends a wait there")
def test_signal_ends_a_wait_in_the_kernel(path) -> None:
    """A process that is interrupted while it waits holds nothing, and can wait again."""
    program = """
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    say("waits")
    with records.hold(1, 3): say("taken")
except KeyboardInterrupt:
    say("interrupted")
hear()
with records.hold(1, 3): say("taken")
hear()
"""
    records, other = RecordLocks(str(path)), RecordLocks(str(path))
    with Child(program, path) as child:
        with records.hold(3):
            assert "waits" == child.hear()
            while try_at(other, 1):  # until it waits for 3
                threading.Event().wait(0.001)
            child.process.send_signal(signal.SIGINT)
            assert "interrupted" == child.hear()
            assert try_at(other, 1)
            child.tell()
        assert "taken" == child.hear()
    records.close()
    other.close()
