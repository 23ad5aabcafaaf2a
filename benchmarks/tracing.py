"""What each contender guarantees, read off its system calls: a child does all once under strace.

`python -m benchmarks.tracing FOLDER` is that child. It marks the beginning and the end of each
operation by asking for a name that does not exist.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.peers import Lock
    from benchmarks.store_peers.shape import StorePeer

__all__ = ["Calls", "label", "parse", "trace"]

_MARK = "/.benchmarks-mark/"
_WATCHED = (
    "?access,?faccessat,?faccessat2,?fsync,?fdatasync,?syncfs,?sync,"
    "?rename,?renameat,?renameat2,?link,?linkat,?flock,?fcntl,?pwritev2"
)
_LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")
_MARKED = re.compile(re.escape(_MARK) + r'(begin|end)/([^"]*)"')
_DESCRIPTOR = re.compile(r"\d+<([^>]*)>")


class Calls(NamedTuple):
    """The calls of one operation that matter, in order: syncs, `name` (a rename or link), locks."""

    steps: tuple[str, ...]


def trace(folder: str) -> dict[str, Calls] | None:
    """Trace every available operation once; None where there is no strace or it may not trace."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    with tempfile.TemporaryDirectory(dir=os.path.realpath(folder)) as work:
        out = os.path.join(work, "strace.txt")
        command = (strace, "-f", "-y", "-s", "256", "-e", f"trace={_WATCHED}", "-o", out)
        child = (sys.executable, "-m", "benchmarks.tracing", work)
        done = subprocess.run(
            (*command, *child), capture_output=True, text=True, check=False, timeout=120
        )
        if done.returncode != 0 or not os.path.exists(out):
            print(f"strace did not work: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return None
        with open(out, encoding="utf-8", errors="replace") as file:
            return parse(file.read(), work)


def parse(text: str, folder: str) -> dict[str, Calls]:
    """Find the steps between the marks of each operation."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        if mark := _MARKED.search(match[2]):
            current = found.setdefault(mark[2], []) if mark[1] == "begin" else None
        elif current is not None and (step := _step(match[1], match[2], folder)):
            current.append(step)
    return {name: Calls(tuple(steps)) for name, steps in found.items()}


def _step(call: str, rest: str, folder: str) -> str | None:
    if call in {"fsync", "fdatasync"}:
        where = _DESCRIPTOR.match(rest)
        return "sync-folder" if where and where[1] == folder else "sync-file"
    if call == "pwritev2":
        return "sync-file" if "SYNC" in rest.rpartition(",")[2] else None
    if call in {"syncfs", "sync"}:
        return "sync-all"
    if call.startswith(("rename", "link")):
        return "name"
    if call == "flock":
        return None if "LOCK_UN" in rest else "flock"
    if call == "fcntl" and "SETLK" in rest:
        return None if "F_UNLCK" in rest else "ofd" if "OFD" in rest else "posix"
    return None


def label(calls: Calls | None) -> str:
    """Say it in a few words: what is synced in the right order, and which lock is taken."""
    if calls is None:
        return "not verified"
    steps = calls.steps
    words = []
    if "name" in steps or any(step.startswith("sync") for step in steps):
        named = steps.index("name") if "name" in steps else len(steps)
        synced = [
            word
            for word, there in (
                ("file", bool({"sync-file", "sync-all"} & {*steps[:named]})),
                ("late file", "sync-file" in steps[named:]),
                ("folder", bool({"sync-folder", "sync-all"} & {*steps[named:]})),
            )
            if there
        ]
        words.append("+".join(synced) or "no sync")
    words += sorted({*steps} & {"flock", "ofd", "posix"})
    return ", ".join(words) or "nothing"


def _child(folder: str) -> None:
    """Do each operation once, and once more between marks."""
    for name, operation in _operations(folder):
        operation()
        os.access(f"{_MARK}begin/{name}", os.F_OK)
        operation()
        os.access(f"{_MARK}end/{name}", os.F_OK)


def _operations(folder: str) -> Iterator[tuple[str, Callable[[], object]]]:
    from benchmarks.log_peers import APPENDERS, RECORD
    from benchmarks.peers import LOCKS, WRITERS, available
    from benchmarks.store_peers import STORES, names_of, operation
    from benchmarks.store_peers.shape import VALUES, key_of
    from benchmarks.workloads.document import UPDATERS, count_up, document
    from benchmarks.workloads.lines import LINE_WRITERS
    from benchmarks.workloads.write_many import TOGETHER

    target = os.path.join(folder, "target.json")
    for name in available(WRITERS):
        yield name, functools.partial(WRITERS[name](), target, b"contents")
    for name, make in TOGETHER.items():
        files = {os.path.join(folder, f"{i}"): b"contents" for i in range(3)}
        yield name, functools.partial(make(), files)
    for name in available(UPDATERS):
        update = UPDATERS[name](document(target, None), None)
        yield name, functools.partial(update, count_up)
    for name in available(LOCKS):
        yield name, functools.partial(_take, LOCKS[name](os.path.join(folder, "lock")))
    for name in available(APPENDERS):
        appender = APPENDERS[name](os.path.join(folder, f"log-{name}"))
        yield name, functools.partial(appender.append, RECORD)
        appender.close()
    for name in names_of():
        peer = STORES[name].make(os.path.join(folder, f"store-{name}"))
        values = iter(VALUES)  # a put that changes nothing would need no sync
        yield operation(name), functools.partial(_put_next, peer, key_of(0), values)
        peer.close()
    for name, prepare in LINE_WRITERS.items():
        write, close = prepare(os.path.join(folder, f"lines-{name}"))
        yield name, functools.partial(write, "a line")
        close()


def _put_next(peer: StorePeer, key: str, values: Iterator[bytes]) -> None:
    peer.put(key, next(values))


def _take(lock: Lock) -> None:
    lock.acquire()
    lock.release()


if __name__ == "__main__":
    _child(sys.argv[1])
