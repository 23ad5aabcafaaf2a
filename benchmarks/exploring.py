"""How fast the crash explorer is: `python -m benchmarks.exploring`.

The recording is an atomic replace of 4 KiB without its two syncs (temporary file, write, rename,
acknowledgement), at sectors of 512 bytes, which has many states. Printed are the states that the
model enumerates in a second, and those that are made and checked in a second, by how the check
runs: in this process, in a fork for each, by a command for each. The check reads the file and
parses it as JSON; the command is true(1), so its rate is that of starting it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.explorer import explore
from holdfast.crash.recording import Call, Recording
from holdfast.vfs.operations import ROOT, Create, Link, Mark, Node, Rename, Write
from holdfast.vfs.states import crash_states

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.crash.explorer import Check
    from holdfast.crash.explorer.folders import Isolation

_SECTOR_BYTES = 512
_SIZE_BYTES = 4096


class Rates(NamedTuple):
    """States in a second."""

    enumerated: float
    process: float
    fork: float
    exec: float


def replace() -> Recording:
    """Return the recording of one replace without syncs."""
    old, new = (_document(fill) for fill in "ab")
    before = {ROOT: Node("folder", 0o755, entries=(("state", 2),)), 2: Node("file", data=old)}
    after = {ROOT: Node("folder", 0o755, entries=(("state", 3),)), 3: Node("file", data=new)}
    steps = (
        ("open('state.part', O_CREAT)", (Create(3, Node("file")), Link(ROOT, "state.part", 3))),
        ("write('state.part')", (Write(3, 0, new),)),
        ("rename('state.part', 'state')", (Rename(ROOT, "state.part", ROOT, "state"),)),
        ("ack('saved')", (Mark("saved"),)),
    )
    calls = tuple(Call(number, text, 1, 1) for number, (text, _) in enumerate(steps, 1))
    operations = tuple(operation for _, done in steps for operation in done)
    origins = tuple(number for number, (_, done) in enumerate(steps) for _ in done)
    return Recording(before, operations, origins, calls, after, 0, "by hand")


def _document(fill: str) -> bytes:
    return json.dumps({"n": 1, "filler": fill * (_SIZE_BYTES - 22)}).encode()


def check(folder: str, acked: list[str]) -> None:
    """Read the file; what a lost sync has made of it is not complained of."""
    with open(f"{folder}/state", "rb") as file:
        data = file.read()
    try:
        json.loads(data)
    except ValueError:
        return


def measure(*, rounds: int, limit: int) -> Rates:
    """Explore several times in each way; the medians."""
    recording = replace()
    ways: dict[str, Callable[[], float]] = {
        "enumerated": lambda: _enumerated(recording, limit),
        "process": lambda: _explored(recording, check, "process", limit),
        "fork": lambda: _explored(recording, check, "fork", limit // 8),
        "exec": lambda: _explored(recording, ["true"], "exec", limit // 8),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(way())
    return Rates(**{name: median(rates) for name, rates in found.items()})


def _enumerated(recording: Recording, limit: int) -> float:
    begun, states = time.perf_counter(), 0
    for _ in crash_states(
        recording.before,
        recording.operations,
        model="posix",
        block_bytes=_SECTOR_BYTES,
        limit=limit,
    ):
        states += 1
    return states / (time.perf_counter() - begun)


def _explored(
    recording: Recording, checker: Check | Sequence[str], isolation: Isolation, limit: int
) -> float:
    report = explore(
        recording,
        checker,
        isolation=isolation,
        model="posix",
        block_bytes=_SECTOR_BYTES,
        limit=limit,
    )
    return report.tried / report.seconds


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exploring", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=4096, help="combinations at one point")
    options = parser.parse_args(argv)
    rates = measure(rounds=options.rounds, limit=options.limit)
    print(f"enumerated alone         {rates.enumerated:9,.0f} states/s")
    print(f"checked in this process  {rates.process:9,.0f} states/s")
    print(f"checked in forks         {rates.fork:9,.0f} states/s")
    print(f"checked by a command     {rates.exec:9,.0f} states/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
