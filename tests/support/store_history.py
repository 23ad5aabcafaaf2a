"""What clients of one store noted, read back as a history that can be checked.

Each client writes a line when it begins (tag, kind, arguments, time) and a line when it was told
(tag, time, result). What has no second line has an outcome that nobody knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from math import inf
from pathlib import Path
from typing import Any

from tests.support.linearizability import Op, Value

APPENDS = frozenset({"put", "add", "batch"})
"""What certainly writes a commit: whoever comes next finds what the dead have left."""


def as_value(found: Any) -> Value:
    """The value as a tuple; None stays."""
    return None if found is None else (int(found[0]), str(found[1]))


def read_notes(lines: Iterable[str]) -> list[Op]:
    """One client's operations."""
    begun: dict[str, Op] = {}
    for line in lines:
        tag, *facts = json.loads(line)
        if tag not in begun:
            kind, arguments, start = facts
            begun[tag] = Op(tag, kind, _frozen(kind, arguments), start, None)
        else:
            end, result = facts
            op = begun[tag]
            begun[tag] = op._replace(end=end, result=_told(op.kind, result))
    return [*begun.values()]


def _frozen(kind: str, arguments: list[Any]) -> tuple[Any, ...]:
    if kind == "batch":
        return (tuple((key, number) for key, number in arguments[0]),)
    if kind == "move":
        return (tuple(arguments[0]), arguments[1])
    return tuple(arguments)


def _told(kind: str, result: Any) -> object:
    if kind == "items":
        return tuple((key, as_value(value)) for key, value in result)
    if kind == "move":
        return tuple(map(as_value, result))
    return as_value(result) if kind in {"get", "pop", "add"} else result


def with_ends(history: Iterable[Op], deaths: Mapping[str, float]) -> list[Op]:
    """Say until when the dead may still have taken effect.

    A frame that a killed process left whole is found by the next one who writes, or never.

    Args:
        history: of all clients; the life of a client is what its tag begins with, up to a dot.
        deaths: when each life was known to be over.
    """
    ops = [*history]
    writes = [op for op in ops if op.end is not None and op.kind in APPENDS]
    until = {
        life: min((op.end for op in writes if op.end is not None and op.start > death), default=inf)
        for life, death in deaths.items()
    }
    return [
        op._replace(until=until.get(op.tag.partition(".")[0], inf)) if op.end is None else op
        for op in ops
    ]


def read_histories(folder: Path, deaths: Mapping[str, float]) -> list[Op]:
    """The history of all clients whose notes are in the folder."""
    files = sorted(folder.glob("*.ops"))
    ops = [op for path in files for op in read_notes(path.read_text().splitlines())]
    return with_ends(ops, deaths)
