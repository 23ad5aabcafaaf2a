"""Logs of strace as a person would write them, and what the recorder makes of them."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from holdfast.crash.recorders.ledger import Ledger
from holdfast.crash.recorders.strace_parser import read_log
from holdfast.crash.recorders.strace_replay import Replay
from holdfast.crash.recorders.strace_world import World
from holdfast.vfs.operations import ROOT, Mark, Node, Tree

FOLDER = "/r"
"""The recorded folder of these logs; nothing is there."""

EMPTY: Tree = {ROOT: Node("folder", 0o755)}
ONE: Tree = {
    ROOT: Node("folder", 0o755, entries=(("a", 2), ("d", 3), ("s", 4))),
    2: Node("file", 0o644, data=b"12345"),
    3: Node("folder", 0o755, entries=(("b", 5),)),
    4: Node("symlink", 0o777, data=b"d"),
    5: Node("file", 0o644, data=b"b"),
}
"""`a`, `d/b`, and the symlink `s` to `d`."""


def encoded(text: str) -> list[str]:
    """The lines with all strings and paths in hexadecimal, as `-xx` writes them."""

    def in_hex(match: re.Match[str]) -> str:
        return match[1] + "".join(f"\\x{byte:02x}" for byte in match[2].encode()) + match[3]

    text = re.sub(r'(")([^"]*)(")', in_hex, textwrap.dedent(text).strip())
    return re.sub(r"(<)((?:/|pipe:)[^>]*)(>)", in_hex, text).split("\n")


class Replayed:
    """What became of a log."""

    def __init__(
        self, text: str, before: Tree = EMPTY, *, stdout: bytes = b"", devices: int = 1
    ) -> None:
        self.ledger = Ledger()
        for inode in sorted(before):
            self.ledger.born((inode % devices, inode))
        self.world = World(self.ledger, FOLDER, before)
        self.replay = Replay(self.world, cwd=FOLDER.encode(), umask=0o022, stdout=_marks)
        if stdout:
            self.replay.acknowledge_by(stdout)
        lines = encoded(text)
        self.replay.learn_births(read_log(lines))
        self.replay.follow(read_log(lines))

    @property
    def operations(self) -> list[Any]:
        """What was written down."""
        return list(self.ledger.operations)

    @property
    def texts(self) -> list[str]:
        """The calls, as a report names them."""
        return [call.text for call in self.ledger.calls]


def _marks(data: bytes) -> list[Mark]:
    return [Mark(line.decode()) for line in data.splitlines()]


def operations(text: str, before: Tree = EMPTY) -> list[Any]:
    """What a log comes to."""
    return list(Replayed(text, before).operations)
