"""Recordings made by hand: what a recorder would have written down of small programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from holdfast.crash.recording import Call, Recording, Site
from holdfast.vfs.operations import (
    ROOT,
    Create,
    Link,
    Mark,
    Node,
    Operation,
    Rename,
    SyncFile,
    SyncFolder,
    Tree,
    Truncate,
    Write,
)
from holdfast.vfs.states import crash_states

PROGRAM = "/home/u/app.py"
OLD = b'{"n": 0}'
NEW = b'{"n": 1, "filler": "' + b"a" * 2400 + b'"}'
STATE: Tree = {ROOT: Node("folder", 0o755, entries=(("state", 2),)), 2: Node("file", data=OLD)}

Step = tuple[str, int, Sequence[Operation]]
"""A call as text, its line in the program, and what it did."""


def record(steps: Iterable[Step], before: Tree = STATE, *, status: int = 0) -> Recording:
    """A recording of these calls, each at its line of one function."""
    operations: list[Operation] = []
    origins: list[int] = []
    calls: list[Call] = []
    for number, (text, line, made) in enumerate(steps):
        sites = (Site(PROGRAM, line, "save"), Site(PROGRAM, 100, "<module>"))
        calls.append(Call(number + 1, text, 1, 1, sites))
        operations += made
        origins += [number] * len(made)
    return Recording(
        before, tuple(operations), tuple(origins), tuple(calls), end(before, operations), status,
        "by hand",
    )  # fmt: skip


def end(before: Tree, operations: Sequence[Operation]) -> Tree:
    """The tree when all was done."""
    *_, last = crash_states(before, operations, model="prefix", at=len(operations))
    return last.tree


def ack(text: str = "saved", line: int = 18) -> Step:
    return f"ack({text!r})", line, [Mark(text)]


def replace(*, file_sync: bool = True, folder_sync: bool = True, data: bytes = NEW) -> Recording:
    """Temporary file, rename, acknowledgement; with the syncs that are wanted."""
    create = [Create(3, Node("file")), Link(ROOT, "state.part", 3)]
    steps: list[Step] = [
        ("open('state.part', O_CREAT)", 13, create),
        ("write('state.part')", 14, [Write(3, 0, data)]),
        ("fsync('state.part')", 15, [SyncFile(3)]),
        ("rename('state.part', 'state')", 16, [Rename(ROOT, "state.part", ROOT, "state")]),
        ("fsync('.')", 17, [SyncFolder(ROOT)]),
        ack(),
    ]
    without = {15} if not file_sync else set[int]()
    without |= {17} if not folder_sync else set[int]()
    return record(step for step in steps if step[1] not in without)


def in_place(*, sync: bool = False) -> Recording:
    """`open(path, "w")`, one write, acknowledgement."""
    steps: list[Step] = [
        ("open('state', O_TRUNC)", 3, [Truncate(2, 0)]),
        ("write('state')", 4, [Write(2, 0, NEW)]),
        ("fsync('state')", 5, [SyncFile(2)]),
        ack(line=6),
    ]
    return record(step for step in steps if sync or step[1] != 5)


def across_folders() -> Recording:
    """A temporary file in another folder, with every sync that one can think of but one."""
    before: Tree = {
        ROOT: Node("folder", 0o755, entries=(("state", 2), ("tmp", 3))),
        2: Node("file", data=OLD),
        3: Node("folder", 0o755),
    }
    return record(
        [
            ("open('tmp/new', O_CREAT)", 13, [Create(4, Node("file")), Link(3, "new", 4)]),
            ("write('tmp/new')", 14, [Write(4, 0, NEW)]),
            ("fsync('tmp/new')", 15, [SyncFile(4)]),
            ("fsync('tmp')", 16, [SyncFolder(3)]),
            ("rename('tmp/new', 'state')", 17, [Rename(3, "new", ROOT, "state")]),
            ("fsync('.')", 18, [SyncFolder(ROOT)]),
            ack(line=19),
        ],
        before,
    )


def appended(*, sync: bool = True) -> Recording:
    """Two lines at the end of a log, each acknowledged."""
    before: Tree = {ROOT: Node("folder", 0o755, entries=(("log", 2),)), 2: Node("file")}
    steps: list[Step] = []
    for number, at in (("1", 0), ("2", 6)):
        steps.append(("write('log')", 7, [Write(2, at, f"line{number}\n".encode())]))
        if sync:
            steps.append(("fsync('log')", 8, [SyncFile(2)]))
        steps.append(ack(number, line=9))
    return record(steps, before)


def check_state(folder: str, acked: list[str]) -> None:
    """The file parses, and no acknowledged number is lost."""
    with open(f"{folder}/state", "rb") as file:
        number = json.load(file)["n"]
    assert number >= len(acked), f"lost acknowledged update: have {number}, acked {len(acked)}"


def check_log(folder: str, acked: list[str]) -> None:
    """Whole lines count, a torn one at the end does not; what was acknowledged is there."""
    with open(f"{folder}/log", "rb") as file:
        lines = file.read().split(b"\n")[:-1]
    for text in acked:
        assert f"line{text}".encode() in lines, f"lost line {text}"
