"""One log through forks, spawns, sudden ends, closings and cancellations in mid-append."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from holdfast.errors import Closed
from holdfast.primitives.log import Log

pytestmark = pytest.mark.timeout(60)
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def data_of(log: Log) -> list[bytes]:
    return [record.data for record in log.read()]


def in_child(act: Callable[[], object]) -> int:
    """Act in a forked child that ends without any ceremony; return its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@forks
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("sync", ["always", "never", 0.01])
def test_child_and_parent_go_on_after_a_fork_in_mid_use(tmp_path: Path, sync) -> None:
    """Other threads append while this one forks; children and parent append on, all is there."""
    log = Log(tmp_path / "events.log", sync=sync, segment_bytes=4096)
    told: list[tuple[int, bytes]] = []
    stop = threading.Event()

    def work(name: bytes) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            data = b"%s %d" % (name, number)
            told.append((log.append(data), data))
            told.append((log.submit(data).result(), data))

    def child(number: int) -> None:
        for each in range(5):
            log.append(b"child %d %d" % (number, each))
        assert log.submit(b"child %d by future" % number).result() > 5
        log.barrier()
        log.close()

    threads = [threading.Thread(target=work, args=[b"t%d" % n]) for n in range(3)]
    for thread in threads:
        thread.start()
    codes = [in_child(lambda n=number: child(n)) for number in range(15)]
    stop.set()
    for thread in threads:
        thread.join()

    assert [0] * 15 == codes
    records = dict(log.read())
    assert dict(told) == {sequence: records[sequence] for sequence, _ in told}
    assert 15 * 6 + len(told) == len(records) == log.last
    log.close()


@forks
def test_fork_leaves_no_lock_behind_when_the_parent_dies(tmp_path: Path) -> None:
    """A child that lives on without a word holds none of its parent's locks."""
    script = (
        "import os, sys, threading\n"
        "from holdfast.primitives.log import Log\n"
        "log = Log(sys.argv[1])\n"
        "def work():\n"
        "    while True:\n"
        "        log.append(b'x')\n"
        "for _ in range(3):\n"
        "    threading.Thread(target=work, daemon=True).start()\n"
        "while log.last < 20: pass\n"
        "if os.fork():\n"
        "    os._exit(0)\n"
        "sys.stdout.write('child\\n'); sys.stdout.flush()\n"
        "sys.stdin.read()\n"
    )
    path = tmp_path / "events.log"
    command = [sys.executable, "-W", "ignore", "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"child\n" == process.stdout.readline()
        with Log(path) as log:
            before = log.append(b"mine")
            assert before + 1 == log.append(b"mine")
        assert process.stdin is not None
        process.stdin.close()


def append_some(path: str, name: str) -> None:
    with Log(path) as log:
        for number in range(20):
            log.append(f"{name} {number}".encode())


@pytest.mark.slow
def test_spawned_processes_share_a_log(tmp_path: Path) -> None:
    """Processes of multiprocessing's spawn append side by side, each in its own order."""
    path = str(tmp_path / "events.log")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=append_some, args=[path, name]) for name in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert 0 == process.exitcode
    found = [data.split() for data in data_of(Log(path))]
    for name in (b"a", b"b", b"c"):
        numbers = [int(number) for each, number in found if each == name]
        assert list(range(20)) == numbers


@pytest.mark.parametrize("sync", ['"always"', '"never"', "60.0"])
def test_end_without_close_loses_nothing_told(tmp_path: Path, sync: str) -> None:
    """A program that just ends, by its last line or by os._exit, is like one that was killed."""
    for number, end in enumerate(["", "import os; os._exit(0)"]):
        script = (
            "import sys\nfrom holdfast.primitives.log import Log\n"
            f"log = Log(sys.argv[1], sync={sync})\n"
            "log.append(b'one'); log.append_many([b'two', b'three'])\n"
            "log.submit(b'four').result()\n"
            f"{end}\n"
        )
        path = tmp_path / f"{number}.log"
        done = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
        )
        assert ("", 0) == (done.stderr, done.returncode)
        with Log(path, sync="never") as log:
            assert [b"one", b"two", b"three", b"four"] == data_of(log)
            assert 5 == log.append(b"five")
            assert log.recovered is None


def append_until_closed(
    log: Log,
    told: dict[int, bytes],
    name: int,
    *,
    begun: threading.Barrier,
    note: Callable[[BaseException], object],
) -> None:
    begun.wait()
    try:
        for each in range(100_000):
            data = b"%d %d" % (name, each)
            told[log.append(data)] = data
    except BaseException as error:
        note(error)


@pytest.mark.parametrize("sync", ["always", "never", 0.005])
def test_close_in_the_middle_of_appends(tmp_path: Path, sync) -> None:
    """Every append returns or raises `Closed`; what returned is there."""
    for number in range(20):
        log = Log(tmp_path / f"{number}.log", sync=sync, segment_bytes=2048)
        told: dict[int, bytes] = {}
        errors: list[BaseException] = []
        begun = threading.Barrier(5)
        work = partial(append_until_closed, log, told, begun=begun, note=errors.append)
        threads = [threading.Thread(target=work, args=[name]) for name in range(4)]
        for thread in threads:
            thread.start()
        begun.wait()
        while not told:
            pass
        log.close()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
        assert [Closed] * 4 == [type(error) for error in errors], errors
        with Log(log.path, sync="never") as other:
            assert told.items() <= dict(other.read()).items()
            assert other.append(b"on") > len(told)


def test_two_objects_of_one_path_in_one_process(tmp_path: Path) -> None:
    """Two objects, two threads each: one order, nothing lost."""
    logs = [Log(tmp_path / "events.log", segment_bytes=2048) for _ in range(2)]
    told: list[tuple[int, bytes]] = []

    def work(log: Log, name: int) -> None:
        for each in range(50):
            data = b"%d %d" % (name, each)
            told.append((log.append(data), data))

    threads = [threading.Thread(target=work, args=[logs[n % 2], n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dict(told) == dict(logs[0].read()) == dict(logs[1].read())
    assert 200 == len(told) == logs[1].last
    for log in logs:
        log.close()


def test_fifty_threads_share_syncs(tmp_path: Path) -> None:
    """50 threads append 20 records each: all are there, each thread's in its order."""
    with Log(tmp_path / "events.log") as log:

        def work(name: int) -> None:
            for each in range(20):
                log.append(b"%d %d" % (name, each))

        threads = [threading.Thread(target=work, args=[name]) for name in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = [tuple(map(int, data.split())) for data in data_of(log)]
    assert 1000 == len(found)
    for name in range(50):
        assert list(range(20)) == [each for thread, each in found if thread == name]


def test_cancelled_tasks_are_there_or_not_and_nothing_goes_on(tmp_path: Path) -> None:
    """Cancelled at every stage: what was told is there, and the log goes on."""
    log = Log(tmp_path / "events.log", segment_bytes=4096)
    told: dict[int, bytes] = {}

    async def work(name: int) -> None:
        for each in range(1000):
            data = b"%d %d" % (name, each)
            told[await log.aappend(data)] = data

    async def main() -> None:
        for number in range(30):
            tasks = [asyncio.create_task(work(10 * number + n)) for n in range(8)]
            for _ in range(number):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(each, asyncio.CancelledError) for each in outcomes)
            last = log.written
            told[await log.aappend(b"between")] = b"between"
            assert last + 1 == log.written  # nothing of the cancelled ones came afterwards

    asyncio.run(main())
    assert told.items() <= dict(log.read()).items()
    log.close()


def test_callback_of_a_future_may_append_and_wait(tmp_path: Path) -> None:
    """In the thread that serves the others: it does not wait for itself."""
    log = Log(tmp_path / "events.log")
    done = threading.Event()
    got: list[int] = []

    def follow_up(future: Future[int]) -> None:
        log.submit(b"queued")
        got.append(log.append(b"from the callback"))
        got.append(log.barrier())
        done.set()

    log.submit(b"one").add_done_callback(follow_up)
    assert done.wait(20)
    log.close()
    assert [b"from the callback", b"one", b"queued"] == sorted(data_of(log))
    assert 3 == got[-1]


def test_periodic_sync_covers_what_is_written_during_a_sync(tmp_path: Path) -> None:
    """Records that come while the timer syncs are synced in their turn, with nobody appending."""
    log = Log(tmp_path / "events.log", sync=0.001)
    last = max(log.append(b"x") for _ in range(300))
    watch = Log(log.path)
    for _ in range(20_000):
        if watch.durable >= last:
            break
    assert last == watch.durable
    log.close()
