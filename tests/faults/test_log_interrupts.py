"""An interrupt after any call leaves a log that everybody can go on with."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from holdfast.primitives.log import Log
from tests.support.interrupts import interrupted, is_collecting

RECORD = b"r" * 300


def numbered(log: Log) -> list[tuple[int, bytes]]:
    return [(record.sequence, record.data.rstrip(b".")) for record in log.read()]


def append(log: Log) -> None:
    log.append(RECORD)


def append_many(log: Log) -> None:
    log.append_many([RECORD, RECORD])


def barrier(log: Log) -> None:
    log.barrier()


def drop(log: Log) -> None:
    log.drop_before(log.last + 1)


def close(log: Log) -> None:
    log.close()


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: syncs are many, and the disk is not the subject."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.leaks_allowed  # an interrupt between the opening of a file and its being noted
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("act", [append, append_many, barrier, drop, close])
@pytest.mark.parametrize("sync", ["always", "never"])
@pytest.mark.timeout(60)
def test_after_an_interrupt_anywhere_everybody_goes_on(act, sync, quick_folder: Path) -> None:
    """The same object and another one append, nothing told is lost, nobody waits for a lock."""
    last = nth = 0
    for nth in range(1, 3000):
        path = quick_folder / f"{nth}.log"
        log, other = (Log(path, sync=sync, segment_bytes=1024) for _ in range(2))
        told = {log.append(b"%d" % number + RECORD[:200]): number for number in range(3)}
        is_over = not interrupted(lambda log=log: act(log), nth=nth)
        tail = other.append(b"other")
        if act is not close:
            again = log.append(b"again")
            assert (again, b"again") in numbered(other), f"event {nth}"
        records = numbered(other)
        first = records[0][0]
        assert (tail, b"other") in records, f"event {nth}"
        assert list(range(first, first + len(records))) == [sequence for sequence, _ in records]
        for sequence, number in told.items():
            if sequence >= first:
                assert records[sequence - first][1] == b"%d" % number + RECORD[:200]
        log.close()
        other.close()
        if is_over:
            break
        last = nth

    assert 10 < last == nth - 1


@contextmanager
def alarms(every_s: float) -> Iterator[set[str]]:
    """Raise KeyboardInterrupt in this thread at the next alarm after the set gets something."""
    armed: set[str] = set()

    def raise_it(signum: int, frame: FrameType | None) -> None:
        if armed and not is_collecting(frame):  # nobody hears of it there
            armed.clear()
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, raise_it)
    signal.setitimer(signal.ITIMER_REAL, every_s, every_s)
    try:
        yield armed
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.slow
@pytest.mark.leaks_allowed
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
def test_thousands_of_alarms_in_the_middle_of_appends(tmp_path: Path) -> None:
    """The main thread is interrupted all the time, three other threads append on: all is there."""
    log = Log(tmp_path / "events.log", sync="never", segment_bytes=16 << 10)
    told: dict[int, bytes] = {}
    stop = threading.Event()

    def work(name: bytes) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            data = b"%s %d" % (name, number)
            told[log.append(data)] = data

    threads = [threading.Thread(target=work, args=[b"t%d" % n]) for n in range(3)]
    for thread in threads:
        thread.start()
    with alarms(0.0003) as armed:
        for interrupts in range(2000):
            try:
                armed.add("now")
                for number in range(1_000_000):
                    data = b"main %d %d" % (interrupts, number)
                    sequence = log.append(data)
                    told[sequence] = data
            except KeyboardInterrupt:
                continue
    stop.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert told.items() <= dict(log.read()).items()
    with Log(log.path) as other:
        assert other.append(b"on") == log.last
    log.close()
