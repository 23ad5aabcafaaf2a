"""Write a checkpoint: over the older slot, or to a file of its own. For who holds the lock of it.

Guarantee: on return the checkpoint is whole and durable. After a failure, an interrupt or a crash
    at any point it is whole and durable, or not there for anybody; no other one was touched.

I1  The head of a slot is written after its body: until then what is there is an old head with a
    body that does not fit it.
I2  A file gets its name when its contents are durable.
I3  What could not be synced is taken away again: its pages may look well, and the disk not have
    them.
"""

from __future__ import annotations

from itertools import chain
from zlib import crc32

from holdfast.formats.journal_format import (
    HEAD_BYTES,
    SLOT_BODY_BYTES,
    SLOT_BYTES,
    SLOTS,
    encode_head,
)
from holdfast.primitives.folders import close_quietly, forget
from holdfast.primitives.regular_files import is_same, open_regular
from holdfast.primitives.target import look
from holdfast.primitives.temp import Made, create, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import NamedTuple

    from holdfast.formats.journal_format import CheckpointHead
    from holdfast.vfs import VFS, File, Folder
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["PACE_BYTES", "Body", "gather", "make_file", "overwrite_slot"]

PACE_BYTES = 256 << 10
"""How much is written between two syncs: a long one would hold up all appends meanwhile."""

_NO_HEAD = bytes(HEAD_BYTES)


class Body(NamedTuple):
    """The blocks of a body, each of at most 256 KiB; `is_small`: they fit a slot, all are taken."""

    blocks: Iterable[bytes]
    is_small: bool


def gather(pieces: Iterable[bytes]) -> Body:
    """Take pieces until they are all there, or more than a slot holds; the others stay untaken."""
    blocks = _blocks(pieces)
    taken: list[bytes] = []
    size = 0
    for block in blocks:
        taken.append(block)
        size += len(block)
        if size > SLOT_BODY_BYTES:
            return Body(chain(taken, blocks), is_small=False)
    return Body(taken, is_small=True)


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Cut and join pieces of any size to blocks of `PACE_BYTES`, the last one shorter."""
    parts: list[memoryview] = []
    size = 0
    for piece in pieces:
        rest = memoryview(piece).cast("B")
        while size + len(rest) >= PACE_BYTES:
            room = PACE_BYTES - size
            parts.append(rest[:room])
            yield b"".join(parts)
            parts, size, rest = [], 0, rest[room:]
        if rest:
            parts.append(rest)
            size += len(rest)
    if parts:
        yield b"".join(parts)


# ------------------------------------------------------------ a slot


def overwrite_slot(
    folder: Folder, name: str, *, blocks: Iterable[bytes], head: CheckpointHead
) -> bool:
    """Write over a slot, with one sync; False if it is none that can be, and must be made anew.

    Raises:
        OSError: as the system says; the slot is empty or gone.
        ValueError: the head says what cannot be; the slot is as it was.
    """
    head_block = encode_head(head)
    file = _open_slot(folder, name)
    if file is None:
        return False
    try:
        file.seek(HEAD_BYTES)
        for block in blocks:
            write_all(file, block)
        file.seek(0)
        write_all(file, head_block)
        file.sync_data()
    except BaseException as error:
        _empty(folder, name, file, is_lost=isinstance(error, OSError))
        raise
    finally:
        close_quietly(file)
    return True


def _open_slot(folder: Folder, name: str) -> File | None:
    """Open a slot that has all its blocks, and no other name: a copy may be a link to it."""
    try:
        file = open_regular(folder, name, mode="write")
    except FileNotFoundError:
        return None
    if file is None:
        return None
    try:
        info = file.stat()
        if info.st_size >= SLOT_BYTES and info.st_nlink == 1:
            return file
    except BaseException:
        close_quietly(file)
        raise
    close_quietly(file)
    return None


def _empty(folder: Folder, name: str, file: File, *, is_lost: bool) -> None:
    """Let nobody take the slot for a checkpoint; where a sync failed, its pages go too (I3)."""
    try:
        file.seek(0)
        write_all(file, _NO_HEAD)
    except OSError:
        is_lost = True
    if is_lost:
        forget(folder, name)


# ------------------------------------------------------------ a file


def make_file(
    folder: Folder,
    name: str,
    *,
    blocks: Iterable[bytes],
    complete: Callable[[int, int], CheckpointHead],
    permissions: int,
    vfs: VFS,
) -> CheckpointHead:
    """Make a checkpoint under its name (a slot with all its blocks), synced each 256 KiB (I2).

    Args:
        folder: the journal.
        name: a slot that does not hold the newest checkpoint, or the name that the head will fit.
        blocks: the body; each is written as it comes.
        complete: called with the size and the checksum of the body, when all of it is written;
            returns the head.
        permissions: the mode, less the umask.
        vfs: the filesystem.

    Raises:
        OSError: as the system says; nothing of it is left. But if the name was taken, by a
            checkpoint of the same commits, and the sync of the folder fails, the new one stands
            under it.
        Exception: whatever `blocks` and `complete` raise; nothing of it is left.
    """
    made = Made()
    is_spare = name in SLOTS or look(folder, name) is None
    try:
        create(made, folder, name, permissions=permissions, vfs=vfs)
        head = _write_file(made.file, blocks, complete, filled=SLOT_BYTES * (name in SLOTS))
        folder.rename(str(made.temp), name)
        folder.sync()
        made.file.unlock()  # a child of a fork may have it open for longer
    except BaseException:
        # Also when an interrupt came between the rename and its return.
        if is_spare and made.temp is not None and _leads_to(folder, name, made):
            forget(folder, name)
        made.end(folder)
        raise
    close_quietly(made.file)
    return head


def _leads_to(folder: Folder, name: str, made: Made) -> bool:
    info = getattr(made, "info", None)
    try:
        return info is not None and is_same(look(folder, name), info)
    except OSError:
        return False


def _write_file(
    file: File,
    blocks: Iterable[bytes],
    complete: Callable[[int, int], CheckpointHead],
    *,
    filled: int,
) -> CheckpointHead:
    """Write and sync all of a file: the body, zeros up to `filled`, and then the head."""
    pace = _Pace(file)
    pace.write(_NO_HEAD)
    crc = 0
    for block in blocks:
        crc = crc32(block, crc)
        pace.write(block)
    size = pace.written - HEAD_BYTES
    while pace.written < filled:
        pace.write(bytes(min(PACE_BYTES, filled - pace.written)))
    head = complete(size, crc)
    file.seek(0)
    write_all(file, encode_head(head))
    file.sync()
    return head


class _Pace:
    """Writes, and syncs before much is unsynced."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._unsynced = 0
        self.written = 0

    def write(self, data: bytes) -> None:
        write_all(self._file, data)
        self.written += len(data)
        self._unsynced += len(data)
        if self._unsynced >= PACE_BYTES:
            self._file.sync_data()
            self._unsynced = 0
