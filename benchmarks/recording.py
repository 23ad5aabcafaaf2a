"""What the seccomp recorder costs: `python -m benchmarks.recording [FOLDER]`.

A durable replace of 4 KiB (open, write, fsync, rename, fsync of the folder) in a forked child,
plain and recorded in turn, so that a busy machine disturbs both alike. Each round gives the median
time of one replace; printed are the medians of the rounds and of the ratios within a round.
"""

from __future__ import annotations

import argparse
import os
import struct
import sys
import tempfile
import time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.recorders import record_call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CALLS = 5
_TIME = struct.Struct("=d")


class Cost(NamedTuple):
    """Seconds of one replace, and how many times slower the recorded one is."""

    plain_s: float
    recorded_s: float
    ratio: float


def measure(folder: str, *, rounds: int, replaces: int) -> Cost:
    """Run plain and recorded rounds in turn, each in a new folder."""
    found: list[tuple[float, float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=folder) as plain:
            one = _timed(replaces, lambda work, root=plain: _forked(work, root))
        with tempfile.TemporaryDirectory(dir=folder) as recorded:
            other = _timed(replaces, lambda work, root=recorded: record_call(work, root=root))
        found.append((one, other))
    plains, others = zip(*found, strict=True)
    return Cost(median(plains), median(others), median(b / a for a, b in found))


def _timed(replaces: int, run: Callable[[Callable[[], None]], object]) -> float:
    """Run the work in a child, and hear from it how long a replace took."""
    reading, writing = os.pipe()
    try:
        run(lambda: _work(replaces, writing))
        return _TIME.unpack(os.read(reading, _TIME.size))[0]
    finally:
        os.close(reading)
        os.close(writing)


def _forked(work: Callable[[], None], root: str) -> None:
    child = os.fork()
    if child == 0:
        try:
            os.chdir(root)
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _work(replaces: int, result: int) -> None:
    data, folder, times = os.urandom(4096), os.open(".", os.O_RDONLY), []
    for _ in range(replaces):
        begun = time.perf_counter()
        file = os.open("state.tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(file, data)
        os.fsync(file)
        os.close(file)
        os.rename("state.tmp", "state")
        os.fsync(folder)
        times.append(time.perf_counter() - begun)
    os.close(folder)
    os.write(result, _TIME.pack(median(times)))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recording", description=__doc__)
    parser.add_argument("folder", nargs="?", default="bench-results", help="on the disk to measure")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--replaces", type=int, default=60)
    options = parser.parse_args(argv)
    os.makedirs(options.folder, exist_ok=True)
    cost = measure(options.folder, rounds=options.rounds, replaces=options.replaces)
    extra = (cost.recorded_s - cost.plain_s) / _CALLS
    print(f"durable replace, plain     {cost.plain_s * 1e6:8.0f} µs")
    print(f"durable replace, recorded  {cost.recorded_s * 1e6:8.0f} µs")
    print(f"ratio                      {cost.ratio:8.2f}")
    print(f"a recorded call            {extra * 1e6:8.0f} µs more")
    return 0


if __name__ == "__main__":
    sys.exit(main())
