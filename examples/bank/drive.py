"""Run the bank under load, kill workers at random, check the books; exit 1 if they are wrong.

A kill shows what a kill can do. What a power cut can do is asked in another way: see README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import holdfast
from audit import violations
from clients import Client
from fleet import Fleet
from observers import Auditor, Mirror

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = Path(__file__).resolve().parent
_SHOWN = 10
_LONGEST_PAUSE_S = 0.4
_OPENING_S = 0.12


class Options(argparse.Namespace):
    """What the command line says."""

    seconds: float
    workers: int
    clients: int
    accounts: int
    seed: int
    checkpoint_bytes: int
    careless: bool
    folder: str | None


class Parts(NamedTuple):
    """All that runs at the same time."""

    fleet: Fleet
    clients: list[Client]
    auditor: Auditor
    mirror: Mirror


def main(arguments: list[str] | None = None) -> int:
    """Drive, print the table, and return the exit code."""
    options = _parser().parse_args(arguments, Options())
    print(
        f"{options.workers} workers, {options.clients} clients, {options.accounts} accounts,"
        f" {options.seconds:g} s, seed {options.seed}\n"
    )
    with _folder(options.folder) as folder:
        parts = _parts(options, folder)
        with parts.fleet:
            parts.clients[0].open_accounts()
            _run(parts, Random(options.seed), time.monotonic() + options.seconds)
            ended = parts.fleet.workers[0].stop()  # one as it should end; the others are killed
        wrong = [f"a worker that was asked to end ended with {ended}"] if ended else []
        wrong += _settle(parts, folder / "books")
    for what, count in _rows(parts):
        print(f"  {what:<40} {count:>9,}")
    print(f"\n{_verdict(wrong)}")
    return 1 if wrong else 0


def _parts(options: Options, folder: Path) -> Parts:
    books = folder / "books"
    program = _HERE / ("careless.py" if options.careless else "worker.py")
    fleet = Fleet(
        program, books, workers=options.workers, checkpoint_bytes=options.checkpoint_bytes
    )
    names = [f"account-{number}" for number in range(options.accounts)]
    clients = [Client(f"{options.seed}-{n}", fleet, names) for n in range(options.clients)]
    return Parts(fleet, clients, Auditor(books), Mirror(books))


def _run(parts: Parts, dice: Random, end: float) -> None:
    """Load, kills and observers, until the time is over; an error in any of them is raised."""
    done = threading.Event()
    with ThreadPoolExecutor(len(parts.clients) + 2) as pool:
        following = pool.submit(parts.mirror.run, done)
        running = [pool.submit(client.run, end) for client in parts.clients]
        running.append(pool.submit(parts.auditor.run, end))
        try:
            while time.monotonic() < end:
                time.sleep(dice.uniform(0, _LONGEST_PAUSE_S))
                parts.fleet.kill_one(dice, dice.uniform(0, _OPENING_S))
            for future in running:
                future.result()
        finally:
            done.set()
        following.result()


def _settle(parts: Parts, path: Path) -> list[str]:
    """Open what the killed have left, and say everything that is wrong with it."""
    nothing_more = threading.Event()
    nothing_more.set()
    with holdfast.Store(path) as store:
        books = dict(store.snapshot())
        report = store.check()
        parts.mirror.run(nothing_more)
    acknowledged = {
        k: order for client in parts.clients for k, order in client.acknowledged.items()
    }
    wrong = violations(books, acknowledged)
    wrong += [line for client in parts.clients for line in client.wrong]
    wrong += parts.auditor.wrong
    if not report.ok:
        wrong.append(str(report))
    if parts.mirror.copy != books:
        wrong.append("the copy that followed the Store is not what the Store holds")
    if said := parts.fleet.said():
        wrong.append(f"a worker said: {said}")
    return wrong


def _rows(parts: Parts) -> Iterator[tuple[str, int]]:
    clients = parts.clients
    yield "transfers acknowledged", sum(len(client.acknowledged) for client in clients)
    yield "refused, not enough money", sum(client.refused for client in clients)
    yield "requests sent again", sum(client.again for client in clients)
    yield "never answered", sum(len(client.unknown) for client in clients)
    yield "looked up at another worker", sum(client.looks for client in clients)
    yield "workers killed", parts.fleet.killed
    yield "audits meanwhile", parts.auditor.audits
    yield "commits followed", parts.mirror.commits


def _verdict(wrong: list[str]) -> str:
    if not wrong:
        return "No money was made or lost; each acknowledged transfer is there once."
    shown = "\n".join(f"  {line}" for line in wrong[:_SHOWN])
    return f"WRONG in {len(wrong):,} ways:\n{shown}"


@contextlib.contextmanager
def _folder(chosen: str | None) -> Iterator[Path]:
    """The folder to work in: the chosen one, which stays, or one that is removed."""
    if chosen is not None:
        folder = Path(chosen)
        folder.mkdir(parents=True)
        yield folder
        return
    folder = Path(tempfile.mkdtemp(prefix="bank-", dir="."))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="The bank, under load and under fire.")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checkpoint-bytes", type=int, default=1 << 18)
    parser.add_argument("--careless", action="store_true", help="the bank without transactions")
    parser.add_argument("--folder", help="a new folder to work in, which stays")
    return parser


if __name__ == "__main__":
    sys.exit(main())
