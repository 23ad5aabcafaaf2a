"""Find the checkpoints of a journal, and read their bodies. Takes no lock and changes nothing.

I1  Nobody is shown a state of which a checksum, a length or the journal's id does not fit.
I2  The body of a slot is checked before a byte of it is passed on; that of a file, which may be
    large, is passed on in pieces, and what was made of it is thrown away if the checksum differs.
I3  Memory is bounded by the size of a slot, whatever the files say.
"""

from __future__ import annotations

from zlib import crc32

from holdfast.errors import BadFrame, ChecksumMismatch, Corruption, UnknownFormat
from holdfast.formats.journal_format import (
    HEAD_BYTES,
    SLOT_BODY_BYTES,
    SLOTS,
    decode_head,
    sequence_of,
)
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.regular_files import open_regular, read_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NamedTuple, TypeVar

    from holdfast.formats.journal_format import CheckpointHead, Identity
    from holdfast.vfs import File, Folder

    T = TypeVar("T")
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["PIECE_BYTES", "Damaged", "Found", "Scan", "is_whole", "look_at", "read_found", "scan"]

PIECE_BYTES = 256 << 10
"""How large the pieces of a body are, at most."""

_ADVICE = "It is left as it is, and not used."


class Damaged(Exception):
    """The body of a checkpoint is not what was written; `why` says what is wrong."""

    def __init__(self, why: Corruption) -> None:
        super().__init__(str(why))
        self.why = why


class Found(NamedTuple):
    """A checkpoint by its head; nothing is known yet of its body."""

    name: str
    head: CheckpointHead

    @property
    def age(self) -> tuple[int, int, int]:
        """What checkpoints are ordered by: the highest is the newest."""
        head = self.head
        return head.generation, head.sequence, head.through

    @property
    def is_slot(self) -> bool:
        """Whether it is in a slot."""
        return self.name in SLOTS


class Scan(NamedTuple):
    """What is there: checkpoints with a valid head, the newest first, and what is damaged."""

    found: tuple[Found, ...]
    damaged: tuple[Corruption, ...]


def scan(folder: Folder, identity: Identity) -> Scan:
    """Read the heads of all checkpoints. A slot whose head is zeros is empty, and no damage.

    Raises:
        UnknownFormat: one is of a later format; nothing was changed.
        OSError: the folder or a head cannot be read.
    """
    found: list[Found] = []
    damaged: list[Corruption] = []
    for name in sorted(folder.names()):
        if name not in SLOTS and sequence_of(name) is None:
            continue
        try:
            one = look_at(folder, name, identity)
        except FileNotFoundError:
            continue  # removed, or replaced, just now
        except UnknownFormat:
            raise
        except Corruption as error:
            damaged.append(error)
        else:
            if one is not None:
                found.append(one)
    found.sort(key=lambda one: one.age, reverse=True)
    return Scan(tuple(found), tuple(damaged))


def look_at(folder: Folder, name: str, identity: Identity) -> Found | None:
    """Read one head; None for an empty slot.

    Raises:
        BadFrame, ChecksumMismatch: it is damaged, or not of this journal; it was left as it is.
        UnknownFormat: it is of a later format; the same.
        OSError: it cannot be read.
    """
    path = f"{folder.path}/{name}"
    file = open_regular(folder, name)
    if file is None:
        message = f"{path}: is no regular file, so no checkpoint. {_ADVICE} Take it away."
        raise BadFrame(message, path=path)
    try:
        block = read_block(file, HEAD_BYTES)
        size = file.stat().st_size
    finally:
        close_quietly(file)
    if name in SLOTS and len(block) == HEAD_BYTES and not any(block):
        return None
    found = Found(name, decode_head(block, path=path))
    _refuse_misfit(found, identity, size=size, path=path)
    return found


def _refuse_misfit(found: Found, identity: Identity, *, size: int, path: str) -> None:
    head = found.head
    if head.journal != identity.id:
        raise BadFrame(
            f"{path}: is a checkpoint of another journal. {_ADVICE} Put the right file back.",
            path=path,
            offset=16,
            expected=identity.id,
            found=head.journal,
        )
    if not found.is_slot and head.sequence != sequence_of(found.name):
        raise BadFrame(
            f"{path}: says that it is the checkpoint of {head.sequence}. {_ADVICE} "
            "Give the file its own name back.",
            path=path,
            offset=32,
            expected=sequence_of(found.name),
            found=head.sequence,
        )
    room = min(size - HEAD_BYTES, SLOT_BODY_BYTES) if found.is_slot else size - HEAD_BYTES
    if head.body_bytes > room:
        raise BadFrame(
            f"{path}: has room for a body of {room} bytes, and says that it has "
            f"{head.body_bytes}. {_ADVICE} Take the file from a backup.",
            path=path,
            offset=48,
            expected=head.body_bytes,
            found=room,
        )


class _Body:
    """The pieces of a body, once; `damage` is what is wrong with them, as soon as it is known."""

    def __init__(self, file: File, found: Found, *, path: str) -> None:
        self._file = file
        self._head = found.head
        self._path = path
        self._crc = self._done = 0
        self._is_over = False
        self.damage: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._is_over:
            raise StopIteration
        try:
            piece = self._read()
        except (OSError, Corruption) as error:
            self.damage, self._is_over = error, True
            raise
        if not piece:
            self._is_over = True
            raise StopIteration
        return piece

    def _read(self) -> bytes:
        """Return the next piece; nothing if that was all, and its checksum fits."""
        head, done = self._head, self._done
        wanted = min(PIECE_BYTES, head.body_bytes - done)
        if not wanted:
            if self._crc != head.body_crc:
                raise ChecksumMismatch(
                    f"{self._path}: the checkpoint is damaged: the checksum of its body differs. "
                    f"{_ADVICE} Take the file from a backup if no other checkpoint is whole.",
                    path=self._path,
                    offset=HEAD_BYTES,
                    expected=head.body_crc,
                    found=self._crc,
                )
            return b""
        piece = read_block(self._file, wanted, offset=HEAD_BYTES + done)
        if len(piece) < wanted:
            raise BadFrame(
                f"{self._path}: ends within the body of its checkpoint. {_ADVICE} "
                "Take the file from a backup if no other checkpoint is whole.",
                path=self._path,
                offset=HEAD_BYTES + done + len(piece),
                expected=head.body_bytes,
                found=done + len(piece),
            )
        self._crc = crc32(piece, self._crc)
        self._done += wanted
        return piece

    def drain(self) -> None:
        """Read what was left unread, so that the checksum is known."""
        try:
            for _ in self:
                pass
        except (OSError, Corruption):
            return  # it is in `damage`


def read_found(folder: Folder, found: Found, read: Callable[[Iterator[bytes]], T]) -> T:
    """Return what `read` makes of the pieces of a body, each of at most 256 KiB (I1, I2).

    Raises:
        Damaged: the body is; nothing was changed.
        OSError: it cannot be read.
        Exception: whatever `read` raises for a body that is whole.
    """
    path = f"{folder.path}/{found.name}"
    file = _open(folder, found, path=path)
    body = _Body(file, found, path=path)
    try:
        if not found.is_slot:
            return _read_on_the_way(body, read)
        pieces = list(body)
    except Corruption as error:
        if error is not body.damage:
            raise
        raise Damaged(error) from None
    finally:
        close_quietly(file)
    return read(iter(pieces))


def _read_on_the_way(body: _Body, read: Callable[[Iterator[bytes]], T]) -> T:
    """Pass the pieces on as they come; what is wrong with them goes before what `read` says."""
    try:
        value = read(body)
    except Exception as error:
        body.drain()
        if body.damage is not None and body.damage is not error:
            raise body.damage from error
        raise
    body.drain()
    if body.damage is not None:
        raise body.damage
    return value


def _open(folder: Folder, found: Found, *, path: str) -> File:
    try:
        file = open_regular(folder, found.name)
    except FileNotFoundError:
        file = None
    if file is not None:
        return file
    message = f"{path}: was removed or replaced while it was being read. {_ADVICE} Read again."
    raise Damaged(BadFrame(message, path=path))


def is_whole(folder: Folder, found: Found) -> bool:
    """Whether a body has its checksum.

    Raises:
        OSError: it cannot be read.
    """

    def skip(pieces: Iterator[bytes]) -> bool:
        return all(map(len, pieces))

    try:
        return read_found(folder, found, skip)
    except Damaged:
        return False
