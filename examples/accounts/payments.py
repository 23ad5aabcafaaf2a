"""Workers move money between accounts of one file and are killed at random; exit 1 if any is lost.

A kill shows what a kill can do. What a power cut can do is asked in another way: see README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import holdfast
from accounts import BLANK, LAYOUT, Accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = Path(__file__).resolve().parent
_EACH = 100
_BATCH = 2_000
_LONGEST_PAUSE_S = 0.3
_SHOWN = 10


def main(arguments: list[str] | None = None) -> int:
    """Make the file, drive, look at it, and return the exit code."""
    options = _parser().parse_args(arguments)
    print(f"{options.accounts:,} accounts, {options.workers} workers, {options.seconds:g} s")
    with _folder() as folder:
        path = folder / "accounts.rec"
        began_s = time.monotonic()
        _make(path, options.accounts)
        print(f"  {'made in':<28} {time.monotonic() - began_s:>9.1f} s")
        killed = _run(folder, options)
        told = _told(folder / "told.log")
        wrong = _look(path, told, options.accounts * _EACH)
    print(f"  {'transfers told':<28} {len(told):>9,}")
    print(f"  {'workers killed':<28} {killed:>9,}")
    print("\nNo money was made or lost." if not wrong else f"\nWRONG in {len(wrong):,} ways:")
    for line in wrong[:_SHOWN]:
        print(f"  {line}")
    return 1 if wrong else 0


def _make(path: Path, count: int) -> None:
    with holdfast.RecordFile(path, LAYOUT) as records:
        for start in range(0, count, _BATCH):
            records.append_many([BLANK | {"balance": _EACH}] * min(_BATCH, count - start))


def _run(folder: Path, options: argparse.Namespace) -> int:
    """Start workers, kill one at a time, start another; how many were killed."""
    dice, started, end = Random(options.seed), 0, time.monotonic() + options.seconds
    workers: list[subprocess.Popen[bytes]] = []
    try:
        while time.monotonic() < end:
            while len(workers) < options.workers:
                workers.append(_start(folder, f"{options.seed}/{started}"))
                started += 1
            time.sleep(dice.uniform(0, _LONGEST_PAUSE_S))
            victim = workers.pop(dice.randrange(len(workers)))
            victim.kill()
            victim.wait()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    return started


def _start(folder: Path, seed: str) -> subprocess.Popen[bytes]:
    arguments = [str(folder / "accounts.rec"), str(folder / "told.log"), seed]
    return subprocess.Popen([sys.executable, str(_HERE / "payer.py"), *arguments])


def _told(path: Path) -> list[tuple[int, int]]:
    """Who made which payment, as the workers have told."""
    with holdfast.LineLog(path) as log:
        return [(int(payer), int(number)) for payer, number in (r.text.split() for r in log.read())]


def _look(path: Path, told: list[tuple[int, int]], money: int) -> list[str]:
    """Say everything that is wrong, before and after the unfinished payments are settled."""
    wrong = []
    with holdfast.RecordFile(path) as records:
        accounts = Accounts(records)
        for when in ("as the killed left it", "settled"):
            if (found := accounts.total()) != money:
                wrong.append(f"{when}: {found} in all accounts, and there were {money}")
            accounts.settle()
        made = [account["payments"] for account in records]
        wrong += [f"{payer}: lost payment {n}" for payer, n in told if n > made[payer]]
        if len(set(told)) < len(told):
            wrong.append("a payment was told twice")
        for number, account in enumerate(records):
            if account["balance"] < 0 or account["is_paying"]:
                wrong.append(f"account {number}: {account}")
        report = records.check()
        if not report.ok:
            wrong.append(str(report))
    return wrong


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="accounts-", dir="."))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A file of accounts, under load and under fire.")
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
