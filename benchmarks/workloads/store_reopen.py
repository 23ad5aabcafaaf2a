"""`store-reopen`: from the files that a killed process left to the first value.

`python -m benchmarks.workloads.store_reopen fill|open HOW NAME PATH KEYS` is the child: it fills
and kills itself, or opens and prints microseconds.
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.machine import settler
from benchmarks.runner import Contender, Experiment
from benchmarks.store_peers import OURS, STORES, names_of
from benchmarks.store_peers.shape import VALUE, key_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from benchmarks.store_peers.shape import StorePeer
    from benchmarks.workloads import Setting

__all__ = ["HOWS", "left_behind", "read_all", "reopened", "store_reopen"]

_RAW = "raw reads"
_PIECE_BYTES = 256 << 10
_PEERS = ("sqlite3, one connection", "lmdb", "rocksdict", "ZODB FileStorage")


class How(NamedTuple):
    """How the keys got there."""

    batch: int
    checkpoint: bool
    quick: int
    full: int
    peers: tuple[str, ...] = _PEERS


HOWS = {
    "batches": How(batch=1_000, checkpoint=False, quick=200_000, full=1_000_000),
    "single": How(batch=1, checkpoint=False, quick=50_000, full=200_000, peers=()),
    "checkpoint": How(batch=1_000, checkpoint=True, quick=200_000, full=1_000_000),
}


def store_reopen(setting: Setting) -> Generator[Experiment, None, None]:
    """Filled in transactions of 1,000, put by put, and with a checkpoint at the end; then killed.

    Each opening is of a new copy, since a database does its recovery once, in a new process.
    """
    for how, (_, _, quick, full, peers) in HOWS.items():
        folder = setting.folder(f"store-reopen-{how}")
        keys = setting.pick(quick, full)
        paths = {
            name: left_behind(how, name, os.path.join(folder, name), keys)
            for name in names_of()
            if name == OURS or name in peers
        }
        rows = [(_RAW, OURS), *((name, name) for name in paths)]
        contenders = [
            Contender(who, functools.partial(_copied_and_opened, how, who, paths[of], keys))
            for who, of in rows
        ]
        yield Experiment(
            f"store-reopen-{how}", f"{setting.place.label}, {keys:,} keys",
            {"time": "µs a key", "open to first get": "ms"}, contenders, _RAW,
            setting.pick(2, 6), setting.pick(5, 30), settler(folder),
            least=2, warm_up=False, ours=OURS,
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


def left_behind(how: str, name: str, path: str, keys: int) -> str:
    """Fill a store in a process that kills itself; return where its files are."""
    code = _child("fill", how, name, path, keys).returncode
    if code != -signal.SIGKILL:
        raise RuntimeError(f"{name}: filling ended with {code}, and should have been killed")
    return path


_NUMBERS = itertools.count()


def _copied_and_opened(how: str, name: str, path: str, keys: int) -> dict[str, float]:
    copy = f"{path}-{next(_NUMBERS)}"
    shutil.copytree(path, copy)
    try:
        return reopened(how, name, copy, keys)
    finally:
        shutil.rmtree(copy)  # a gigabyte a round would not fit; no creation is timed here


def reopened(how: str, name: str, path: str, keys: int) -> dict[str, float]:
    """Open in a new process and get the last key: how long that took."""
    done = _child("open", how, name, path, keys)
    if done.returncode != 0:
        raise RuntimeError(f"{name}: exit code {done.returncode}. {done.stderr.strip()[-500:]}")
    taken_us = float(done.stdout)
    return {"time": taken_us / keys, "open to first get": taken_us / 1e3}


def _child(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.workloads.store_reopen", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _opened(name: str, path: str) -> StorePeer:
    if name != OURS:
        return STORES[name].make(path)
    from benchmarks.store_peers.ours import Holdfast

    return Holdfast(path, codec="bytes", checkpoint_bytes=None)


def _fill(how: str, name: str, path: str, keys: int) -> None:
    batch = HOWS[how].batch
    if batch == 1:
        _fill_one_by_one(path, keys)
    else:
        _fill_in_batches(_opened(name, path), keys, batch, settle=HOWS[how].checkpoint)
    os.kill(os.getpid(), signal.SIGKILL)


def _fill_in_batches(peer: StorePeer, keys: int, batch: int, *, settle: bool) -> None:
    for start in range(0, keys, batch):
        peer.put_many([(key_of(n), VALUE) for n in range(start, min(start + batch, keys))])
    if settle:
        peer.settle()


def _fill_one_by_one(path: str, keys: int) -> None:
    """Of ours only, and without a sync for each: what lies there is the same."""
    from benchmarks.store_peers.ours import Holdfast

    peer = Holdfast(path, codec="bytes", checkpoint_bytes=None, sync="never")
    for number in range(keys):
        peer.put(key_of(number), VALUE)
    peer.store.barrier()


def _open(name: str, path: str, keys: int) -> None:
    begin = time.perf_counter_ns()
    if name == _RAW:
        read_all(path)
    else:
        _load(name)  # modules are not what is measured
        begin = time.perf_counter_ns()
        if _opened(name, path).get(key_of(keys - 1)) != VALUE:
            raise RuntimeError(f"{path}: the last value is another one")
    print((time.perf_counter_ns() - begin) / 1e3, flush=True)
    os._exit(0)


def _load(name: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        peer = STORES[name].make(os.path.join(folder, "small"))
        peer.put(key_of(0), VALUE)
        peer.close()


def read_all(path: str) -> int:
    """Read every file below a folder in pieces, and look at nothing; how many bytes there are."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            fd = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_CLOEXEC)
            while piece := os.read(fd, _PIECE_BYTES):
                total += len(piece)
            os.close(fd)
    return total


def _main(words: Sequence[str]) -> None:
    what, how, name, path, keys = words
    if what == "fill":
        _fill(how, name, path, int(keys))
    else:
        _open(name, path, int(keys))


if __name__ == "__main__":
    _main(sys.argv[1:])
