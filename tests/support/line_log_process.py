"""A process that appends to a line log; run as a program by test_line_log_processes.py.

append PATH NAME THREADS MAX_BYTES    append for ever, each acknowledged line told in a line; some
                                      threads by one LineLog, some by their own, some by a handler
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from itertools import count

from holdfast.primitives.durable_handler import DurableHandler
from holdfast.primitives.line_log import LineLog

KEEP = 100_000


def append(path: str, name: str, threads: str, max_bytes: str) -> None:
    """Append from several threads until killed."""
    size = int(max_bytes)
    shared = LineLog(path, max_bytes=size, keep=KEEP)
    handler = DurableHandler(path, maxBytes=size, backupCount=KEEP, sync="always")
    handler.setFormatter(logging.Formatter("%(message)s"))
    ways: list[Callable[[str], object]] = [
        shared.append,
        LineLog(path, max_bytes=size, keep=KEEP).append,
        lambda text: handler.handle(logging.makeLogRecord({"msg": text})),
        lambda text: shared.append_many([text]),
    ]
    running = [
        threading.Thread(target=work, args=[ways[number % len(ways)], f"{name}-{number}"])
        for number in range(int(threads))
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def work(append_one: Callable[[str], object], writer: str) -> None:
    """Append for ever; each line is a promise, written at once so that a kill cannot cut it."""
    for number in count(1):
        append_one(f"{writer} {number} {'x' * (number % 50)}")
        os.write(1, f"{writer} {number}\n".encode())


if __name__ == "__main__":
    append(*sys.argv[2:])
