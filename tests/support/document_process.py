"""A process that changes or reads a document; run as a program by test_document_processes.py.

change PATH NAME THREADS EACH    add to the counters, by update, edit, drafts and the command line
acknowledge PATH NAME THREADS    the same for ever, each durable change told in a line; to be killed
read PATH COUNT library|plain    read and check so many times; prints how many reads were bad, and
                                 how many different contents were seen
"""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import holdfast
from holdfast.cli import main as command_line


def add(state: dict[str, Any], name: str) -> None:
    """One change: of the common counter and of our own, which must agree."""
    state["total"] += 1
    state["by"][name] = state["by"].get(name, 0) + 1


def change(path: str, name: str, threads: str, each: str) -> None:
    """Change so many times from each thread."""
    in_threads(path, name, int(threads), lambda: iter(range(int(each))), say=lambda _: None)


def acknowledge(path: str, name: str, threads: str) -> None:
    """Change for ever; each line is a promise, written at once so that a kill cannot cut it."""
    sys.stdout = io.StringIO()  # what the command line prints is no promise
    in_threads(path, name, int(threads), count, say=lambda text: os.write(1, text.encode()))


def in_threads(
    path: str, name: str, threads: int, steps: Callable[[], Any], *, say: Callable[[str], object]
) -> None:
    """Change from several threads, some on one object, some on their own."""
    shared = holdfast.Document(path)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        document = shared if number % 2 else holdfast.Document(path)
        try:
            for step in steps():
                one_change(document, f"{name}-{number}", step)
                say(f"{name}-{number} {step + 1}\n")
        except BaseException as error:
            failures.append(error)

    running = [threading.Thread(target=work, args=[number]) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if failures:
        raise failures[0]


def one_change(document: holdfast.Document[dict[str, Any]], name: str, step: int) -> None:
    """One change, in the way whose turn it is."""
    way = step % 5
    if way == 0:
        with document.edit() as state:
            add(state, name)
    elif way == 1:
        with holdfast.edit(document.path) as state:
            add(state, name)
    elif way == 3:
        commit(document, name)
        document.update(lambda state: add(state, name))
    elif step % 50 == 2:
        code = command_line(["set", "--quiet", document.path, "--incr", "1", "by_command_line"])
        if code:
            raise RuntimeError(f"holdfast set: exit {code}")
        document.update(lambda state: add(state, name))
    else:
        document.update(lambda state: add(state, name))


def commit(document: holdfast.Document[dict[str, Any]], name: str) -> None:
    """One change by a draft, of our own key: two drafts that count to 2 have said the same."""
    draft = document.checkout()
    draft.value["drafts"][name] = draft.value["drafts"].get(name, 0) + 1
    draft.commit(on_conflict="raise")


def read(path: str, times: str, way: str) -> None:
    """Read by the library, or as any program would, and check that the counters agree."""
    document = holdfast.Document(path)
    look = document.read if way == "library" else lambda: json.loads(Path(path).read_bytes())
    bad, last, seen = 0, 0, 0
    for _ in range(int(times)):
        try:
            state = look()
            total = state["total"]
            whole = total == sum(state["by"].values()) and total >= last
        except (OSError, ValueError, KeyError) as error:  # missing, or torn
            print(f"bad read: {error!r}", file=sys.stderr)
            whole, total = False, last
        bad += not whole
        seen += total != last
        last = total
    print(bad, seen)


if __name__ == "__main__":
    {"change": change, "acknowledge": acknowledge, "read": read}[sys.argv[1]](*sys.argv[2:])
