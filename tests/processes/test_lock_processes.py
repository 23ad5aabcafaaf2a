from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import filelock
import portalocker
import pytest

from holdfast.errors import LockTimeout
from holdfast.primitives.lock import FileLock
from holdfast.vfs import Holder
from tests.support.budget import scaled
from tests.support.lock_process import HOLD, Child

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="looks into /proc and uses flock(1)"
)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "a.lock"


def is_free(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(timeout_s=0)
        lock.release()
    except LockTimeout:
        return False
    finally:
        lock.close()
    return True


# ---------------------------------------------------------------- several processes


def test_processes_exclude_each_other(path) -> None:
    """What one process holds another cannot take, until it is released."""
    with Child(HOLD, path) as child:
        assert "held" == child.hear()
        assert not is_free(path)

        child.say()

        assert "released" == child.hear()
        assert is_free(path)


def test_timeout_names_the_process_that_holds_the_lock(path) -> None:
    """Pid, program and host of another process are in the message."""
    with Child(HOLD, path) as child:
        child.hear()
        lock = FileLock(path)
        with pytest.raises(LockTimeout) as caught:
            lock.acquire(timeout_s=0.01)

        text = str(caught.value)

        assert isinstance(caught.value.holder, Holder)
        assert child.pid == caught.value.holder.pid
        assert f"held by pid {child.pid} (" in text
        assert "python" in text
        assert os.uname().nodename in text
        assert "this process" not in text

        lock.close()


def test_death_of_the_holder_frees_the_lock(path) -> None:
    """After SIGKILL a waiter has the lock within moments."""
    with Child(HOLD, path) as child:
        child.hear()
        os.kill(child.pid, signal.SIGKILL)
        with FileLock(path) as lock:
            assert lock.locked


COUNT = """
import json, random
counter = os.open(path + ".count", os.O_RDWR)
kind, rounds = hear().split()
rounds, worst = int(rounds), 0.0
choose = random.Random(os.getpid())

def section(yielding):
    global worst
    value = int.from_bytes(os.pread(counter, 8, 0), "little")
    if yielding:
        time.sleep(0.0002)
    os.pwrite(counter, (value + 1).to_bytes(8, "little"), 0)

lock = FileLock(path)
say("ready"); hear()
if kind == "task":
    async def work():
        for number in range(rounds):
            async with lock:
                section(number % 3 == 0)
            await asyncio.sleep(0)
    asyncio.run(work())
else:
    for number in range(rounds):
        started = time.perf_counter()
        lock.acquire(timeout_s=60 if kind == "timed" else None)
        worst = max(worst, time.perf_counter() - started)
        section(number % 3 == 0)
        lock.release()
say(worst)
"""


def test_no_update_is_lost_among_processes(path) -> None:
    """Plain, timed and asyncio holders of four processes count to the exact sum; nobody starves."""
    counter = Path(f"{path}.count")
    counter.write_bytes(bytes(8))
    rounds = scaled(200)
    children = [Child(COUNT, path) for _ in range(4)]
    try:
        for child, kind in zip(children, ["plain", "plain", "timed", "task"], strict=True):
            child.say(f"{kind} {rounds}")
            assert "ready" == child.hear()
        for child in children:
            child.say()
        worst = [float(child.hear()) for child in children]
    finally:
        for child in children:
            child.__exit__()

    assert 4 * rounds == int.from_bytes(counter.read_bytes(), "little")
    assert max(worst) < 10


QUEUE = """
lock = FileLock(path)
say("ready")
kind = hear()
lock.acquire(timeout_s=60 if kind == "timed" else None)
say(time.clock_gettime_ns(time.CLOCK_MONOTONIC))
lock.release()
"""


def test_processes_are_served_in_order(path) -> None:
    """Five processes that queue one after the other, timed or not, are served in that order."""
    children = [Child(QUEUE, path) for _ in range(5)]
    try:
        for child in children:
            child.hear()
        with FileLock(path):
            for number, child in enumerate(children):
                child.say("timed" if number % 2 else "plain")
                wait_in_kernel(path, number + 1)
        times = [int(child.hear()) for child in children]
    finally:
        for child in children:
            child.__exit__()

    assert sorted(times) == times


def wait_in_kernel(path: Path, count: int) -> None:
    """Until so many wait for the lock of this file, at most ten seconds."""
    inode = f":{path.stat().st_ino}"
    for _ in range(10_000):
        with open("/proc/locks", encoding="ascii") as table:
            rows = [line.split() for line in table]
        if count == sum(1 for row in rows if row[1] == "->" and row[6].endswith(inode)):
            return
        time.sleep(0.001)
    raise AssertionError(f"{count} waiters were expected in the kernel")


# ---------------------------------------------------------------- fork


def test_child_of_a_fork_holds_nothing_and_frees_nothing(path) -> None:
    """A release in the child does nothing; the parent still holds; the child waits properly."""
    script = """
lock = FileLock(path)
with lock:
    pid = os.fork()
    if pid == 0:
        fds = ["/proc/self/fd/" + fd for fd in os.listdir("/proc/self/fd")]
        fds = [os.readlink(fd) for fd in fds if os.path.exists(fd)]
        say("child", lock.locked, path in fds)
        try:
            lock.acquire(timeout_s=0.01)
        except LockTimeout as error:
            say("busy", error.holder.pid == os.getppid())
        lock.release()
        say("released in the child")
        lock.acquire()
        say("taken by the child")
        lock.release()
        try:
            lock.release()
        except RuntimeError:
            say("no more to release")
        os._exit(0)
    for _ in range(2):
        hear()
say("parent released")
os.waitpid(pid, 0)
with lock:
    say("taken again")
"""
    with Child(script, path) as child:
        assert "child False False" == child.hear()
        assert "busy True" == child.hear()
        assert "released in the child" == child.hear()
        assert not is_free(path)

        wait_in_kernel(path, 1)
        child.say()

        assert not is_free(path)

        child.say()
        rest = {child.hear() for _ in range(3)}

        assert {"parent released", "taken by the child", "no more to release"} == rest
        assert "taken again" == child.hear()
        assert 0 == child.end()


def test_end_of_the_holder_frees_the_lock_although_its_child_lives(path) -> None:
    """A forked child keeps no copy of the descriptor, so the parent's death frees the lock."""
    script = """
lock = FileLock(path)
lock.acquire()
if os.fork() == 0:
    say("child")
    time.sleep(60)
    os._exit(0)
hear()
os.kill(os.getpid(), signal.SIGKILL)
"""
    with Child(script, path) as child:
        child.hear()
        group = int(subprocess.check_output(["pgrep", "-P", str(child.pid)]).split()[0])
        child.say()
        child.end()
        lock = FileLock(path)
        lock.acquire(timeout_s=5)
        lock.release()
        lock.close()
        os.kill(group, signal.SIGKILL)


def test_fork_while_the_file_is_opened_leaves_no_copy(path) -> None:
    """The fork waits until the descriptor is known, so that the child closes its copy."""
    script = """
from holdfast.primitives import lock_file
opened, forked = threading.Event(), threading.Event()
class Slow(lock_file.Description):
    __slots__ = ()
    def __init__(self, file):
        opened.set()
        time.sleep(0.1)  # the fork is asked for meanwhile
        super().__init__(file)
lock_file.Description = Slow
def hold():
    lock = FileLock(path)
    lock.acquire()
    forked.wait()
    del lock
threading.Thread(target=hold, daemon=True).start()
opened.wait()
pid = os.fork()
if pid == 0:
    fds = ["/proc/self/fd/" + fd for fd in os.listdir("/proc/self/fd")]
    fds = [os.readlink(fd) for fd in fds if os.path.exists(fd)]
    say("copy" if path in fds else "no copy")
    os._exit(0)
os.waitpid(pid, 0)
"""
    with Child(script, path) as child:
        assert "no copy" == child.hear()


def test_fork_in_the_middle_of_waits_leaves_the_child_usable(path) -> None:
    """Threads that wait in the parent do not exist in the child, and stop nobody there."""
    script = """
lock = FileLock(path)
for timeout_s in (None, 60):
    wait = lambda: lock.acquire(timeout_s=timeout_s)
    threading.Thread(target=wait, daemon=True).start()
    until(lambda: lock._gate.queue)
until(lambda: len(lock._gate.queue) == 2)
pid = os.fork()
if pid == 0:
    say(len(lock._gate.queue), lock.locked)
    try:
        lock.acquire(timeout_s=0.01)
    except LockTimeout:
        say("busy")
    lock.acquire(timeout_s=60)
    say("taken")
    os._exit(0)
os.waitpid(pid, 0)
os._exit(0)
"""
    holder = FileLock(path)
    holder.acquire()
    with Child(script, path) as child:
        assert "0 False" == child.hear()
        assert "busy" == child.hear()

        # The parent's two waiters never release: only the death of the parent lets the child in.
        holder.release()
        os.kill(child.pid, signal.SIGKILL)

        assert "taken" == child.hear()

    holder.close()


# ---------------------------------------------------------------- signals

INTERRUPTED = """
lock = FileLock(path)
{before}
say("waiting")
try:
    {wait}
except KeyboardInterrupt:
    pass
else:
    say("not interrupted")
say(lock.locked, len(lock._gate.queue))
hear()
lock.acquire(timeout_s=60)
say("taken")
lock.release()
lock.close()
until(lambda: threading.active_count() == 1)
say(sorted(fd for fd in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + fd)
           and os.readlink("/proc/self/fd/" + fd) == path))
"""

BEHIND = """
threading.Thread(target=lambda: (lock.acquire(), lock.release()), daemon=True).start()
until(lambda: lock._gate.queue)
"""

WAITS = {
    "in the kernel": ("", "lock.acquire()"),
    "with a limit": ("", "lock.acquire(timeout_s=60)"),
    "shared": ("", "lock.acquire(shared=True)"),
    "behind another thread": (BEHIND, "lock.acquire()"),
    "behind another thread, with a limit": (BEHIND, "lock.acquire(timeout_s=60)"),
    "in an event loop": ("", "asyncio.run(lock.aacquire())"),
    "in an event loop, with a limit": ("", "asyncio.run(lock.aacquire(timeout_s=60))"),
}


@pytest.mark.parametrize("wait", WAITS)
def test_interrupt_during_a_wait_leaves_nothing(path, wait) -> None:
    """After SIGINT nothing is held, the next in the queue is served, and the lock works on."""
    before, call = WAITS[wait]
    holder = FileLock(path)
    holder.acquire()
    with Child(INTERRUPTED.format(before=before, wait=call), path) as child:
        assert "waiting" == child.hear()

        wait_in_kernel(path, 1)
        time.sleep(0.05)  # the wait behind another thread shows nowhere
        os.kill(child.pid, signal.SIGINT)

        assert f"False {1 if before else 0}" == child.hear()

        holder.release()
        child.say()

        assert "taken" == child.hear()
        assert "[]" == child.hear()

    holder.close()


STORM = """
class Struck(Exception):
    pass
def strike(*_):
    raise Struck
signal.signal(signal.SIGALRM, strike)
lock = FileLock(path)
busy = threading.Event()
def compete():
    while not busy.is_set():
        try:
            lock.acquire(timeout_s=0.0005)
        except LockTimeout:
            continue
        lock.release()
threads = [threading.Thread(target=compete, daemon=True) for _ in range(2)]
struck = wins = 0
def cycle(number):
    lock.acquire(timeout_s=None if number % 3 else 0.001)
    lock.release()
if hear() == "contended":
    for thread in threads:
        thread.start()
for number in range(int(hear())):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.00001 * (1 + number % 40))
        deadline = time.monotonic() + 0.05  # Python drops what is raised inside a __del__
        while time.monotonic() < deadline:
            try:
                cycle(number)
                wins += 1
            except LockTimeout:
                pass
        signal.setitimer(signal.ITIMER_REAL, 0)
    except Struck:
        struck += 1
    except BaseException as error:
        say("other", repr(error))
    if lock.locked:
        lock.release()  # struck after the grant, outside of anybody's `with`
busy.set()
for thread in threads:
    if thread.is_alive():
        thread.join()
lock.acquire(timeout_s=5)
lock.release()
say(struck > 0, wins > 0)
"""


@pytest.mark.parametrize("kind", ["alone", "contended"])
def test_exceptions_of_signal_handlers_at_any_moment_lose_no_lock(path, kind) -> None:
    """Struck at thousands of moments in acquire and release, the lock is never stuck."""
    count = scaled(1500)
    with Child(STORM, path) as child:
        child.say(kind)
        child.say(str(count))

        assert "True True" == child.hear()
        assert 0 == child.end()


STRIKE = """
import traceback
def strike(name):
    def tell(frame, event, argument):
        if event == "call" and frame.f_code.co_name == name:
            sys.settrace(None)
            raise KeyboardInterrupt
    sys.settrace(tell)
lock = FileLock(path)
other = FileLock(path)
for name in {names!r}:
    if {held}:
        lock.acquire()
    try:
        strike(name)
        lock.{call}()
        sys.settrace(None)
        if lock.locked:
            lock.release()
    except KeyboardInterrupt as error:
        # The traceback keeps every local of the frames that were cut off.
        if not lock.locked:
            other.acquire(timeout_s=0)
            other.release()
            say(name, "free")
        else:
            lock.close()
            other.acquire(timeout_s=0)
            other.release()
            say(name, "held until close")
    else:
        say(name, "not reached")
"""


def test_interrupt_at_the_entry_of_a_call_in_acquire_leaves_it_free(path) -> None:
    """While the exception is handled, nothing holds what `locked` calls free."""
    names = ["acquire", "current_owner", "running_loop", "take_now", "lock"]
    with Child(STRIKE.format(names=names, held=False, call="acquire"), path) as child:
        for name in names:
            assert f"{name} free" == child.hear()


def test_interrupt_at_the_entry_of_a_call_in_release_leaves_it_free(path) -> None:
    """As soon as release has begun, the lock is free; before, `locked` says so, and close helps."""
    names = ["unlock", "release"]
    with Child(STRIKE.format(names=names, held=True, call="release"), path) as child:
        assert "unlock free" == child.hear()
        assert "release held until close" == child.hear()


# ---------------------------------------------------------------- other programs


needs_flock = pytest.mark.skipif(shutil.which("flock") is None, reason="flock(1) is not installed")


@needs_flock
def test_flock_command_is_excluded(path) -> None:
    """flock(1) is refused while we hold the lock, and excludes us while it holds it."""
    command = ["flock", "-n", str(path), "echo", "got it"]
    with FileLock(path):
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    taken = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (1, "") == (refused.returncode, refused.stdout)
    assert (0, "got it\n") == (taken.returncode, taken.stdout)


@needs_flock
def test_flock_command_excludes(path) -> None:
    """While flock(1) holds the lock, it is named as the holder, and its shared locks are shared."""
    for options, shared_too in (["-x"], False), (["-s"], True):
        command = ["flock", *options, str(path), "sh", "-c", "echo held; read line"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert "held\n" == process.stdout.readline()

            lock = FileLock(path)
            with pytest.raises(LockTimeout) as caught:
                lock.acquire(timeout_s=0)

            assert isinstance(caught.value.holder, Holder)
            assert "flock" in caught.value.holder.program

            if shared_too:
                lock.acquire(shared=True, timeout_s=0)
                lock.release()
            process.communicate("\n")
            lock.acquire(timeout_s=5)
            lock.release()
            lock.close()


def test_filelock_excludes_and_is_excluded(path) -> None:
    """The package filelock and this one see each other's locks."""
    theirs = filelock.FileLock(path, timeout=0, thread_local=False)
    ours = FileLock(path)
    with ours, pytest.raises(filelock.Timeout):
        theirs.acquire()
    with theirs, pytest.raises(LockTimeout):
        ours.acquire(timeout_s=0)
    with ours:
        assert ours.locked
    ours.close()


def test_portalocker_excludes_and_is_excluded(path) -> None:
    """The package portalocker and this one see each other's locks."""
    ours = FileLock(path)
    with ours, pytest.raises(portalocker.exceptions.LockException):
        portalocker.Lock(path, fail_when_locked=True, timeout=0).acquire()
    with portalocker.Lock(path, timeout=1), pytest.raises(LockTimeout):
        ours.acquire(timeout_s=0)
    with ours:
        assert ours.locked
    ours.close()


# ---------------------------------------------------------------- rights


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("what", ["file", "file and folder"])
def test_read_only_lock_file_can_be_locked(open_folder, what) -> None:
    """Who may only read the lock file takes part in the exclusion."""
    script = """
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
assert not os.access(path, os.W_OK)
lock = FileLock(path)
lock.acquire()
say("held", lock.holder() is not None)
hear()
lock.release()
asyncio.run(lock.aacquire(timeout_s=5))
lock.release()
say("released")
"""
    path = open_folder / "a.lock"
    path.touch()
    path.chmod(0o444)
    if what == "file and folder":
        open_folder.chmod(0o555)
    with Child(script, path) as child:
        assert "held True" == child.hear()
        assert not is_free(path)

        child.say()

        assert "released" == child.hear()


def test_lock_file_that_cannot_be_made_is_an_error_as_it_is(open_folder) -> None:
    """In a folder without the right to write, the errno is the system's, and nothing is made."""
    script = """
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    FileLock(path).acquire()
except PermissionError as error:
    say(error.filename)
"""
    open_folder.chmod(0o555)
    with Child(script, open_folder / "a.lock") as child:
        assert child.hear().endswith("a.lock")

    assert [] == list(open_folder.iterdir())
