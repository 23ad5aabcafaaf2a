"""Threads seen from outside: this process looks at itself."""

from __future__ import annotations

import ctypes
import os
import select
import subprocess
import threading
from pathlib import Path
from struct import pack

import pytest

from holdfast.crash.recorders.tasks import Gone, Task, Tasks


@pytest.fixture
def poll():
    """What tells that a thread ended."""
    return select.poll()


@pytest.fixture
def tasks(poll):
    """The threads, let go of at the end."""
    known = Tasks(poll)
    yield known
    known.close()


def test_strings_and_buffers(tasks):
    """Strings end at their zero, also beyond a page; lists of buffers are one."""
    task = tasks.of(os.getpid())
    text = ctypes.create_string_buffer(b"x" * 9000)
    address = ctypes.addressof(text)

    assert b"x" * 9000 == task.string(address)
    vectors = ctypes.create_string_buffer(pack("=4Q", address, 3, address + 8999, 1))
    assert b"xxxx" == task.vectors(ctypes.addressof(vectors), 2)
    assert b"" == task.read(0, 0)
    with pytest.raises(OSError, match="Bad address"):
        task.string(8)
    with pytest.raises(OSError, match="Invalid"):
        task.vectors(address, 5000)
    long = ctypes.create_string_buffer(b"x" * 70000)
    with pytest.raises(OSError, match="too long"):
        task.string(ctypes.addressof(long))


def test_threads_know_their_process(tasks):
    """A thread and its process are told apart."""
    stop, numbers = threading.Event(), []

    def wait():
        numbers.append(threading.get_native_id())
        stop.wait()

    thread = threading.Thread(target=wait)
    thread.start()
    while not numbers:
        pass
    task = tasks.of(numbers[0])
    assert (numbers[0], os.getpid()) == (task.thread, task.process)
    stop.set()
    thread.join()


def test_process_that_is_gone(tasks, poll):
    """It is told by the poll, forgotten, and not found again."""
    child = subprocess.Popen(["sleep", "100"])
    task = tasks.of(child.pid)
    child.kill()
    child.wait()

    ((descriptor, _),) = poll.poll(5000)
    assert task.pidfd == descriptor
    tasks.ended(descriptor)
    with pytest.raises(Gone):
        tasks.of(child.pid)
    with pytest.raises(Gone):
        task.status("Tgid")


def test_status(tasks):
    """One line of /proc, split."""
    assert [f"{os.getuid()}"] == tasks.of(os.getpid()).status("Uid")[:1]


def test_a_bounded_number_is_kept(tasks, monkeypatch):
    """Each takes a descriptor; who was forgotten is met anew."""
    monkeypatch.setattr("holdfast.crash.recorders.tasks.TASKS_MAX", 1)
    child = subprocess.Popen(["sleep", "100"])
    first = tasks.of(os.getpid())
    other = tasks.of(child.pid)
    assert other is tasks.of(child.pid)
    assert first is not tasks.of(os.getpid())
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(other.pidfd if other.pidfd != tasks.of(os.getpid()).pidfd else -1)
    child.kill()
    child.wait()


@pytest.fixture
def child():
    """A process that runs another program when it is told to."""
    running = subprocess.Popen(
        ["sh", "-c", "echo; read line; exec sleep 100"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert running.stdout is not None
    running.stdout.readline()
    yield running
    running.kill()
    running.communicate()


def string_of(task: Task) -> bytes:
    """Read just before the path of the program, at the end of the stack."""
    with open(f"/proc/{task.process}/maps", encoding="utf-8") as maps:
        stack = next(line for line in maps if line.endswith("[stack]\n"))
    return task.string(int(stack.split("-")[1].split()[0], 16) - 64)


def held(task: Task) -> list[str]:
    """Which memories this process holds open."""
    names = (f"/proc/self/fd/{entry}" for entry in os.listdir("/proc/self/fd"))
    links = [os.readlink(name) for name in names if os.path.islink(name)]
    return [link for link in links if link == f"/proc/{task.thread}/mem"]


def test_memory_of_a_program_that_is_left_is_not_read(tasks, child):
    """From the word that it runs another on, none is held open; with its next call one is again."""
    task = tasks.of(child.pid)
    string_of(task)
    assert 1 == len(held(task))

    tasks.executes(task)
    assert [] == held(task)
    before = string_of(task)
    child.stdin.write(b"\n")
    child.stdin.flush()
    while b"sleep" not in Path(f"/proc/{child.pid}/cmdline").read_bytes()[:6]:
        pass
    after = string_of(task)
    assert before != after, "the paths of the programs differ by three bytes"
    assert [] == held(task)

    assert task is tasks.of(child.pid)
    assert after == string_of(task)
    assert 1 == len(held(task))


def test_a_thread_met_while_another_executes_is_not_settled(tasks):
    """Until that one calls again."""
    stop, numbers = threading.Event(), []

    def wait():
        numbers.append(threading.get_native_id())
        stop.wait()

    thread = threading.Thread(target=wait)
    thread.start()
    while not numbers:
        pass
    tasks.executes(tasks.of(os.getpid()))
    text = ctypes.create_string_buffer(b"text")
    met = tasks.of(numbers[0])
    assert b"text" == met.string(ctypes.addressof(text))
    assert [] == held(met)

    tasks.of(os.getpid())
    assert b"text" == met.string(ctypes.addressof(text))
    assert 1 == len(held(met))
    stop.set()
    thread.join()
