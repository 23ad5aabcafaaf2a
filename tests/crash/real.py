"""Level 2: each operation as a real process on a real folder, under the recorder. Linux, no root.

Nothing bypasses the seam: what the kernel saw is explored, not what the library says it did; and
its calls are of the same kinds, in the same order, as those in memory. Then the process is killed
at each of its calls, and at random; and the disk is full at each of its pages.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import select
import signal
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from holdfast.crash.acknowledge import ack
from holdfast.crash.explorer import explore
from holdfast.crash.recorders import CallFault, record_call
from holdfast.crash.recording import Recording
from holdfast.errors import HoldfastError
from holdfast.vfs import SYSTEM
from holdfast.vfs.operations import Link, Mark, Write
from tests.crash.places import TEMPORARY, Place, Rebooted
from tests.crash.promises import RETURNED, Operation, check
from tests.crash.seam import Result, disk_before, recorded

CALLS = (
    *("open", "write", "truncate", "rename", "link", "unlink", "mkdir", "rmdir"),
    *("chmod", "chown", "setxattr", "fsync", "fdatasync"),
)
"""The calls that a process is killed at; those of the same kind, such as `renameat2`, count too."""

KINDS = (
    "Write",
    "SyncFile",
    "SyncFolder",
    "Rename",
    "Link",
    "Unlink",
    "MakeFolder",
    "RemoveFolder",
)
_CALLS_MAX = 500
_PAGES_MAX = 20
_LIMIT_S = 60.0


def before(operation: Operation, folder: Path) -> Place:
    """A new folder with what was there before."""
    folder.mkdir(parents=True)
    return operation.start(Place(SYSTEM, str(folder)))


def record(operation: Operation, folder: Path, *faults: CallFault) -> Recording:
    """Run it in a process of its own under the recorder."""
    place = before(operation, folder)._replace(programs=not faults)

    def program() -> None:
        if faults:
            _silence()
        operation.run(place)
        ack(RETURNED)

    return record_call(program, root=str(folder), faults=faults, timeout_s=_LIMIT_S)


def _silence() -> None:
    """What a process says that something was done to is of no interest."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def every_crash(operation: Operation, folder: Path, *, budget_s: float = 30.0) -> Result:
    """Explore what the kernel saw: `linux`, and then the weaker `posix`, as far as promised."""
    recording = record(operation, folder / "recorded")
    if recording.status:
        raise RuntimeError(f"{operation.name}: status {recording.status}")
    report = explore(
        recording,
        lambda top, acked: check(operation, Place(Rebooted(SYSTEM), top), acked),
        model=operation.model,
        isolation="process",
        check_timeout_s=_LIMIT_S,
        budget_s=budget_s,
    )
    return Result(
        operation.name,
        "crash",
        1,
        report.tried,
        report.exhaustive and not report.stopped,
        tuple(report.text() for _ in report.findings[:1]),
        report.seconds,
    )


def kinds(recording: Recording) -> list[str]:
    """What was done, in order: writes, syncs and changes of names.

    The tail that writers of a log share lies in its file `lock`, mapped: the kernel sees pages
    change there, and in memory it is no part of the contents.
    """
    nodes, done = recording.before.values(), recording.operations
    shared = {inode for node in nodes for name, inode in node.entries if name == "lock"}
    shared |= {one.inode for one in done if isinstance(one, Link) and one.name == "lock"}
    counted = [one for one in done if not (isinstance(one, Write) and one.inode in shared)]
    return [name for one in counted if (name := type(one).__name__) in KINDS]


def kinds_in_memory(operation: Operation) -> list[str]:
    """The same on the memory filesystem."""
    return kinds(recorded(operation, disk_before(operation)))


def marks(recording: Recording) -> list[str]:
    """What was acknowledged."""
    return [one.text for one in recording.operations if isinstance(one, Mark)]


def killed_at_each_call(
    operation: Operation, folder: Path, *, calls: tuple[str, ...] = CALLS
) -> Result:
    """Kill the process in place of each of its calls, in turn; then look at the folder."""
    began_s, runs, bad = time.monotonic(), 0, list[str]()
    for call in calls:
        for nth in range(1, _CALLS_MAX):
            there = folder / f"{call}-{nth}"
            recording = record(operation, there, CallFault(call, nth, "kill"))
            if any("no call met" in note for note in recording.notes):
                break
            runs += 1
            bad += _complaints(operation, there, marks(recording), f"killed at {call} {nth}")
    return _result(operation, "kill at each call", runs, bad, began_s=began_s)


def killed_at_random(operation: Operation, folder: Path, *, times: int, seed: int = 0) -> Result:
    """Kill the process after a random time, again and again; then look at the folder."""
    began_s, bad, chance = time.monotonic(), list[str](), random.Random(f"{operation.name} {seed}")
    place = before(operation, folder / "timed")
    started_s = time.monotonic()
    _fork(operation, place, delay_s=None)
    took_s = time.monotonic() - started_s
    for number in range(times):
        place = before(operation, folder / str(number))
        done = _fork(operation, place, delay_s=chance.uniform(0, took_s))
        acked = [RETURNED] if done else []
        bad += _complaints(operation, Path(place.top), acked, f"killed at random, run {number}")
    return _result(operation, "kill at random", times, bad, began_s=began_s)


def _fork(operation: Operation, place: Place, *, delay_s: float | None) -> bool:
    """Run it in a child, and kill that after a while; say whether it had returned."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads: the child needs none
        child = os.fork()
    if child == 0:
        _run_and_leave(operation, place)
    watch = os.pidfd_open(child)
    try:
        select.select([watch], [], [], _LIMIT_S if delay_s is None else delay_s)
        signal.pidfd_send_signal(watch, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it was faster
    finally:
        os.close(watch)
        _, status = os.waitpid(child, 0)
    return status == 0


def _run_and_leave(operation: Operation, place: Place) -> None:
    """The whole life of a child: exit code 0 says that the operation has returned."""
    code = 1
    try:
        _silence()
        os.setsid()
        operation.run(place)
        code = 0
    finally:
        os._exit(code)


def full_disk(operation: Operation, folder: Path) -> Result:
    """Forbid files larger than some sizes, down to none: what a full disk does to a writer."""
    began_s, runs, bad = time.monotonic(), 0, list[str]()
    for size in (0, 1, 77, 300, 600, 4096):
        place = before(operation, folder / str(size))
        acked = _limited(operation, place, size)
        runs += 1
        context = f"at most {size} bytes a file"
        bad += _left(operation, place, context)
        bad += _complaints(operation, Path(place.top), acked, context)
    return _result(operation, "full disk", runs, bad, began_s=began_s)


def _limited(operation: Operation, place: Place, size_bytes: int) -> list[str]:
    """Run it in a child that may write no larger files; give what it acknowledged."""
    limited = operation._replace(run=lambda at: _under_limit(operation, at, size_bytes))
    return [RETURNED] if _fork(limited, place, delay_s=None) else []


def _under_limit(operation: Operation, place: Place, size_bytes: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))
    operation.run(place)


def full_filesystem(operation: Operation, folder: Path) -> Result:
    """On a filesystem of 64 KiB that is full up to one page, two, and so on, until it fits."""
    began_s, runs, bad = time.monotonic(), 0, list[str]()
    place = operation.start(Place(SYSTEM, str(folder)))
    for pages in range(1, _PAGES_MAX):
        ballast = folder / "ballast"
        _fill_up(ballast, keep_pages=pages)
        returned = _tries(operation, place)
        ballast.unlink()
        runs += 1
        context = f"with {pages - 1} free pages"
        bad += _left(operation, place, context)
        bad += _complaints(operation, folder, [RETURNED] if returned else [], context)
        if returned:
            break
        _empty(folder)
        operation.start(place)
    return _result(operation, "full disk of 64 KiB", runs, bad, began_s=began_s)


def _tries(operation: Operation, place: Place) -> bool:
    try:
        operation.run(place)
    except (OSError, HoldfastError, RuntimeError):
        return False
    finally:
        gc.collect()  # what an exception holds open would keep the disk from being unmounted
    return True


def _fill_up(ballast: Path, *, keep_pages: int) -> None:
    """Write until the disk is full, then give some pages back."""
    page = 4096
    with ballast.open("wb", buffering=0) as file:
        size = 0
        try:
            while size < _PAGES_MAX * 16 * page:
                size += file.write(b"b" * page)
        except OSError:
            pass
        file.truncate(max(0, size - (keep_pages - 1) * page))


def _empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def _left(operation: Operation, place: Place, context: str) -> list[str]:
    """Whoever fails, and lives, leaves nothing temporary behind."""
    known = {name for name in operation.before if TEMPORARY in name}
    known |= {name.rpartition("/")[0] for name in known}
    left = [name for name in place.tree() if TEMPORARY in name and name not in known]
    return [f"left: {left}, {context}"] if left else []


def _complaints(
    operation: Operation, folder: Path, acked: list[str], context: str
) -> Iterator[str]:
    try:
        check(operation, Place(SYSTEM, str(folder)), acked)
    except AssertionError as error:
        yield f"{error}, {context}"


def _result(
    operation: Operation, proof: str, runs: int, bad: list[str], *, began_s: float
) -> Result:
    seconds = time.monotonic() - began_s
    return Result(operation.name, proof, runs, runs, True, tuple(bad), seconds)
