"""One thread syncs for all: a record that came after its sync is acknowledged with the others.

Found: linux, sync-file
Twin: posix
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Thread

from holdfast.crash import ack

BEFORE = {"log": b""}


def commit(*, late: bool) -> None:
    descriptor = os.open("log", os.O_WRONLY | os.O_APPEND)
    written, synced = Event(), Event()

    def sync() -> None:
        written.wait(10)
        os.fsync(descriptor)
        synced.set()

    thread = Thread(target=sync)
    thread.start()
    os.write(descriptor, b"one\n")
    if not late:
        os.write(descriptor, b"two\n")
    written.set()
    synced.wait(10)
    if late:
        os.write(descriptor, b"two\n")  # <- here
    ack("two")
    thread.join()


def bad() -> None:
    commit(late=True)


def good() -> None:
    commit(late=False)


def check(folder: str, acked: list[str]) -> None:
    lines = Path(folder, "log").read_bytes().split(b"\n")
    assert not acked or b"two" in lines, "an acknowledged line is lost"
