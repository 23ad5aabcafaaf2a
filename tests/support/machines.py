"""Journals whose state is the list of their entries, on a filesystem of one's choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from holdfast.formats.log_format import segment_name
from holdfast.primitives.log_hint import WORDS
from holdfast.state.journal import Journal, options_of
from holdfast.state.machine import Machine
from holdfast.state.replica import Rules, Slices
from holdfast.vfs import CLOCK, VFS
from holdfast.vfs.memory import MemoryVFS

PATH = "/state.jrn"
LOG = f"{PATH}/log"
SEGMENT = f"{LOG}/{segment_name(1)}"
Entries = list[bytes]


def apply(state: Entries, entry: bytes) -> None:
    """Add the entry; `b"refused"` cannot be, and leaves the state half changed."""
    state.append(entry)
    if entry == b"refused":
        raise ValueError("this entry cannot be applied")


def dump(state: Entries) -> bytes:
    """A line of hexadecimal digits for each."""
    return b"".join(entry.hex().encode() + b"\n" for entry in state)


def load(data: bytes) -> Entries:
    """The list again."""
    return [bytes.fromhex(line.decode()) for line in data.splitlines()]


def _dumped(slices: Slices[Entries]) -> Iterable[bytes]:
    return [slices.locked(dump)]


def _loaded(pieces: Iterator[bytes]) -> Entries:
    return load(b"".join(pieces))


RULES: Rules[Entries] = Rules(list, apply, _dumped, _loaded)


def machine_on(
    vfs: VFS,
    path: str = PATH,
    *,
    rules: Rules[Any] = RULES,
    segment_bytes: int = 4096,
    **arguments: Any,
) -> Machine[Any]:
    """The engine of such a journal; checkpoints are written when they are asked for."""
    given: dict[str, Any] = {
        "sync": "always",
        "keep": 0,
        "checkpoint_bytes": None,
        "max_unsynced_bytes": 4 << 20,
        "read_only": False,
        "permissions": 0o666,
        "clock": CLOCK,
    }
    options = options_of("journal", "", vfs=vfs, **(given | arguments))
    return Machine(path, rules, options._replace(segment_bytes=segment_bytes))


def journal_on(vfs: VFS, path: Any = PATH, **arguments: Any) -> Journal[Entries]:
    """Such a journal, as a user opens it."""
    given: dict[str, Any] = {"initial": list, "apply": apply, "dump": dump, "load": load}
    return Journal(path, vfs=vfs, **(given | arguments))


def put(entry: bytes) -> Callable[[Any], bytes]:
    """A decision that does not look."""
    return lambda _: entry


def add(machine: Machine[Any] | Journal[Any], *entries: bytes, sync: bool | None = None) -> int:
    """Commit them one by one; the last sequence."""
    last = 0
    for entry in entries:
        last = machine.commit(put(entry), sync=sync) or 0
    return last


def words_of(disk: MemoryVFS, folder: str = LOG):
    """The shared tail of the log."""
    return disk.folder(folder).open("lock", "write").words(WORDS)


def first_kept(disk: MemoryVFS) -> int:
    """The first sequence of the oldest segment."""
    names = [name.rpartition("/")[2] for name in disk.tree() if name.endswith(".segment")]
    return min(int(name.partition(".")[0]) for name in names)
