"""One file patched by many processes, some of them killed: no acknowledged patch is lost or torn.

The file is a row of accounts. A transfer takes from one and gives to another by one patch, under a
lock of both; so the sum of all stays what it was, whoever dies when. The same patch counts the
transfers of its process, which prints the count when the patch has returned.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

from holdfast.primitives.in_place import InPlaceFile
from tests.support.budget import scaled

ROOT = Path(__file__).resolve().parents[2]
ACCOUNTS, EACH, STRIDE, COUNTS = 40, 1000, 509, 20_480
"""Accounts lie over the edges of sectors and blocks."""
PROCESSES = 3

PROGRAM = """
import random, sys
from holdfast.primitives.in_place import InPlaceFile
path, mine, accounts, stride, sync = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
chance = random.Random()
with InPlaceFile(path, sync=sync) as file:
    def number(at):
        return int.from_bytes(file.read(at, 8), "little")
    while True:
        one, two = (stride * n for n in chance.sample(range(accounts), 2))
        low = min(one, two)
        with file.lock(low, mine + 8 - low):
            amount, count = min(chance.randrange(100), number(one)), number(mine) + 1
            values = {one: number(one) - amount, two: number(two) + amount, mine: count}
            file.patch((at, value.to_bytes(8, "little")) for at, value in values.items())
        print(count, flush=True)
"""


def started(path: Path, number: int, sync: str) -> subprocess.Popen[str]:
    """A process that transfers until it is killed."""
    arguments = [str(path), str(COUNTS + 8 * number), str(ACCOUNTS), str(STRIDE), sync]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def heard(process: subprocess.Popen[str], lines: int) -> int:
    """The last of so many counts."""
    assert process.stdout is not None
    last = ""
    for _ in range(lines):
        last = process.stdout.readline()
        assert last, process.communicate()[1]
    return int(last)


def killed(process: subprocess.Popen[str]) -> list[int]:
    """Kill it, and return what it had said still."""
    process.send_signal(signal.SIGKILL)
    assert process.stdout is not None
    assert process.stderr is not None
    said = [int(line) for line in process.stdout if line.endswith("\n")]
    process.wait(60)
    process.stdout.close()
    process.stderr.close()
    return said


def run(path: Path, *, sync: str, kills: int) -> list[int]:
    """Let processes transfer, and kill one after another; return the last count of each."""
    path.write_bytes(bytes(COUNTS + 8 * PROCESSES))
    with InPlaceFile(path) as file:
        file.patch((STRIDE * n, EACH.to_bytes(8, "little")) for n in range(ACCOUNTS))
    processes = [started(path, number, sync) for number in range(PROCESSES)]
    last = [0] * PROCESSES
    chance = random.Random(sync)
    try:
        for round_ in range(kills):
            number = round_ % PROCESSES
            last[number] = heard(processes[number], chance.randrange(1, 12))
            last[number] = max([last[number], *killed(processes[number])])
            processes[number] = started(path, number, sync)
        for number, process in enumerate(processes):
            last[number] = max([heard(process, 1), *killed(process)])
    finally:
        for process in processes:
            if process.poll() is None:
                killed(process)
    return last


def check(path: Path, last: list[int]) -> None:
    """Nothing is lost, nothing is torn, nothing waits."""
    with InPlaceFile(path) as file:

        def number(at: int) -> int:
            return int.from_bytes(file.read(at, 8), "little")

        balances = [number(STRIDE * n) for n in range(ACCOUNTS)]
        counts = [number(COUNTS + 8 * n) for n in range(PROCESSES)]
        assert () == file.check().findings
        with file.lock(0, file.size, timeout_s=0):  # no dead one holds a lock
            pass
    assert ACCOUNTS * EACH == sum(balances)
    assert all(0 < said <= found for said, found in zip(last, counts, strict=True))


def test_killed_patchers_leave_all_or_nothing(tmp_path: Path) -> None:
    """With syncs: the sum stays, and each patch that returned is there."""
    path = tmp_path / "accounts"
    check(path, run(path, sync="always", kills=scaled(12)))


def test_killed_patchers_without_syncs_leave_all_or_nothing(tmp_path: Path) -> None:
    """Without them, as no power is cut."""
    path = tmp_path / "accounts"
    check(path, run(path, sync="never", kills=scaled(12)))
