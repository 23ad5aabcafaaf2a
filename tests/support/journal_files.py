"""Journals and stores on the memory filesystem, whose files are changed from outside."""

from __future__ import annotations

from stat import S_ISDIR
from typing import Any

from holdfast.formats.log_format import first_of, segment_name
from holdfast.primitives.log_appender import Appender
from holdfast.primitives.log_recovery import Settings
from holdfast.state.journal import Journal
from holdfast.state.store import Store
from holdfast.vfs import CLOCK, VFS
from holdfast.vfs.memory import MemoryVFS

Files = dict[str, bytes]
"""Contents by path, from the top."""


def opened(vfs: VFS, path: str = "/j", **options: Any) -> Journal[list[bytes]]:
    """A journal of the list of its entries."""
    return Journal(
        path,
        initial=list,
        apply=lambda state, entry: state.append(entry),
        dump=b"\n".join,
        load=lambda data: data.split(b"\n") if data else [],
        vfs=vfs,
        **options,
    )


def append_raw(vfs: VFS, *records: bytes, path: str = "/j/log") -> None:
    """Append to the log what the journal itself would not."""
    appender = Appender(Settings(path, 1 << 20, 0o666, vfs, CLOCK))
    for record in records:
        appender.sync(appender.append([record]))
    appender.close()


def entry(number: int) -> bytes:
    """The entry of a commit."""
    return b"entry %d" % number


def entries(last: int) -> list[bytes]:
    """The state after a commit."""
    return [entry(number) for number in range(1, last + 1)]


def commit(journal: Journal[list[bytes]], count: int) -> None:
    """Make so many commits."""
    for _ in range(count):
        journal.commit(lambda state: entry(len(state) + 1))


def journal_files(*, commits: int = 30, checkpoints: tuple[int, ...] = (8, 16), keep: int = 0):
    """The files of a journal that was closed."""
    vfs = MemoryVFS()
    with opened(vfs, keep=keep, checkpoint_bytes=None) as journal:
        for number in range(1, commits + 1):
            commit(journal, 1)
            if number in checkpoints:
                journal.checkpoint()
    return read_all(vfs)


def short_segments(files: Files) -> Files:
    """The same files, with a log that has one commit a segment."""
    from tests.support.log_bytes import Segment

    made = {name: data for name, data in files.items() if not name.startswith("j/log/")}
    vfs = MemoryVFS()
    vfs.write_tree(files)
    before = None
    for sequence, data in opened(vfs).entries():
        before = Segment(sequence, after=before).append(data)
        made[f"j/log/{segment_name(sequence)}"] = bytes(before.data)
    return made


def store_files(*, checkpoint: bool = True, codec: Any = "json", **values: Any) -> Files:
    """The files of a store with these values; one more commit, `last`, follows the checkpoint."""
    vfs = MemoryVFS()
    with Store("/j", codec=codec, vfs=vfs) as store:
        for key, value in values.items():
            store[key] = value
        if checkpoint:
            store.checkpoint()
        store["last"] = next(iter(values.values()), 1)
    return read_all(vfs)


def read_all(vfs: MemoryVFS, path: str = "/j") -> Files:
    """What the files below a folder hold."""
    found: Files = {}
    folder = vfs.folder(path, readable=True)
    try:
        for name in folder.names():
            inner = f"{path}/{name}"
            if S_ISDIR(folder.stat(name).st_mode):
                found |= read_all(vfs, inner)
                continue
            file = folder.open(name, "read")
            found[inner[1:]] = file.read(1 << 26, offset=0)
            file.close()
    finally:
        folder.close()
    return found


def placed(files: Files) -> MemoryVFS:
    """A filesystem with these files; no boot knows anything of them."""
    vfs = MemoryVFS()
    vfs.write_tree({name: data for name, data in files.items() if not name.endswith("/lock")})
    return vfs


def flipped(data: bytes, at: int) -> bytes:
    """The same bytes but for one bit."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def segments(files: Files) -> list[str]:
    """The paths of the segments, in order."""
    return sorted(name for name in files if first_of(name.rpartition("/")[2]) is not None)
