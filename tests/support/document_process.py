"""A process that changes or reads a document; run as a program by tests/processes/test_document_processes.py.

change PATH NAME THREADS EACH     add to the counters, by update, edit, drafts and the command line
acknowledge PATH NAME             add for ever, and print each number once it is durable; to be killed
read PATH COUNT                   read and check so many times; prints how many reads were bad
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import holdfast
from holdfast.cli import main as command_line


def add(state: dict[str, Any], name: str) -> None:
    """One change: of the common counter and of our own, which must agree."""
    state["total"] += 1
    state["by"][name] = state["by"].get(name, 0) + 1


def change(path: str, name: str, threads: str, each: str) -> None:
    """Change from several threads, some on one object, some on their own."""
    shared = holdfast.Document(path)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        document = shared if number % 2 else holdfast.Document(path)
        try:
            for step in range(int(each)):
                one_change(document, f"{name}-{number}", step)
        except BaseException as error:
            failures.append(error)

    running = [threading.Thread(target=work, args=[number]) for number in range(int(threads))]
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
    elif way == 2 and step % 50 == 2:
        code = command_line(["set", "--quiet", document.path, "--incr", "1", "by_command_line"])
        if code:
            raise RuntimeError(f"holdfast set: exit {code}")
        document.update(lambda state: add(state, name))
    else:
        document.update(lambda state: add(state, name))


def acknowledge(path: str, name: str) -> None:
    """Add for ever; each line is a promise."""
    document = holdfast.Document(path)
    count = 0
    while True:
        document.update(lambda state: add(state, name))
        count += 1
        print(count, flush=True)


def read(path: str, count: str) -> None:
    """Read by the library and check that the counters agree."""
    document = holdfast.Document(path)
    bad, last = 0, 0
    for _ in range(int(count)):
        state = document.read()
        whole = state["total"] == sum(state["by"].values()) and state["total"] >= last
        bad += not whole
        last = state["total"]
    print(bad)


if __name__ == "__main__":
    {"change": change, "acknowledge": acknowledge, "read": read}[sys.argv[1]](*sys.argv[2:])
