"""Part 2: writers killed without warning in the middle of thousands of writes."""

from __future__ import annotations

import random
import time
import zlib
from typing import TYPE_CHECKING

import holdfast
from holdfast.demo.processes import start
from holdfast.demo.report import Row

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["check", "kills", "payload", "write_for_ever"]

_SIZE_BYTES = 16 << 10
_LONGEST_S = 0.6


def payload(number: int) -> bytes:
    """Return contents that tell whether they are whole: a number, filling, and their checksum."""
    body = b"%012d" % number + bytes([number % 251]) * _SIZE_BYTES
    return body + b"%010d" % zlib.crc32(body)


def check(data: bytes) -> int | None:
    """Return the number of whole contents; None if they are torn."""
    body, checksum = data[:-10], data[-10:]
    whole = len(data) > 22 and checksum == b"%010d" % zlib.crc32(body)
    return int(body[:12]) if whole else None


def write_for_ever(target: Path, number: int) -> None:
    """Replace the file again and again; say each number once it is durable; ended by SIGKILL."""
    while True:
        number += 1
        holdfast.write_bytes(target, payload(number))
        print(number, flush=True)


def kills(folder: Path, progress: Callable[[str], None], *, rounds: int) -> Iterator[Row]:
    """Kill writers at random moments; look at the file after each and all the time in between."""
    target = folder / "killed.bin"
    holdfast.write_bytes(target, payload(0))
    dice = random.Random(4)
    number, torn, lost, reads = 0, 0, 0, 0
    for round_ in range(rounds):
        progress(f"{round_} of {rounds} writers killed, {number:,} writes")
        process = start(["writes", str(target), str(number)])
        seen, bad = _read_until(target, process, dice.uniform(0, _LONGEST_S))
        reads, torn = reads + seen, torn + bad
        acknowledged = _kill(process, number)
        found = check(target.read_bytes())
        torn += found is None
        lost += found is not None and found < acknowledged
        number = acknowledged if found is None else found
    swept = len(holdfast.sweep(folder))
    left = [entry.name for entry in folder.iterdir() if "holdfast-tmp" in entry.name]
    yield Row(f"writes, their writer killed {rounds} times", number, torn + lost)
    yield Row("reads of that file meanwhile", reads, torn)
    yield Row("leftovers of the killed, swept", swept + len(left), len(left))


def _read_until(target: Path, process: subprocess.Popen[str], seconds: float) -> tuple[int, int]:
    """Read the file over and over from its writer's first word on."""
    if process.stdout is not None:
        process.stdout.readline()
    end, reads, torn = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        torn += check(target.read_bytes()) is None
        reads += 1
    return reads, torn


def _kill(process: subprocess.Popen[str], number: int) -> int:
    """Kill and return the last number that was acknowledged."""
    process.kill()
    with process:  # not communicate(), which passes over what `readline` has buffered
        output = process.stdout.read() if process.stdout is not None else ""
        errors = process.stderr.read() if process.stderr is not None else ""
    if errors:
        raise RuntimeError(f"a writer failed by itself: {errors.strip()}")
    numbers = [line for line in output.splitlines() if line.isdigit()]
    return max((int(line) for line in numbers), default=number)
