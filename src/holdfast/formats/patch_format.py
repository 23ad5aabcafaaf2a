"""The journal of a patch, byte by byte: docs/reference/patch-format.md.

What does not keep to the rules of that page is not decoded. No number is believed before the
checksum of the head fits.
"""

from __future__ import annotations

from itertools import pairwise
from struct import Struct
from zlib import crc32

from holdfast.errors import BadFrame, ChecksumMismatch, UnknownFormat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NamedTuple
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "BLOCK_BYTES",
    "EMPTY",
    "ENTRY_BYTES",
    "HEAD_BYTES",
    "MAX_BLOCKS",
    "MAX_SIZE_BYTES",
    "Block",
    "Head",
    "Likeness",
    "block_of",
    "decode_head",
    "encode",
    "entries_of",
    "is_journal",
    "likeness",
    "whole_blocks",
]

HEAD_BYTES = 512
ENTRY_BYTES = 16
BLOCK_BYTES = 4096
"""What a block has, but for the last one of a file."""
MAX_BLOCKS = 8192
"""How many blocks one patch may touch: 32 MiB."""
MAX_SIZE_BYTES = (1 << 63) - 1

_MAGIC = b"\x89HFPAT\r\n"
_NO_MAGIC = b"\0HFPAT\r\n"

EMPTY = _NO_MAGIC.ljust(HEAD_BYTES, b"\0")
"""The head of a journal that holds no patch."""

_HEAD = Struct("<8sHHIQQQQQII")
_ENTRY = Struct("<QII")
_SLOT_BYTES = 2 * BLOCK_BYTES


class Head(NamedTuple):
    """What the head of a journal says.

    `id` is random; `boot` names the run of the machine after which a patch that was never synced
    counts for nothing, and is 0 for one that was. The file had `old_size` bytes and is to have
    `new_size`; `blocks` of its blocks change.
    """

    id: int
    created_ns: int
    boot: int
    old_size: int
    new_size: int
    blocks: int

    @property
    def body_bytes(self) -> int:
        """The size of all that follows the head, the last block taken for a whole one."""
        return self.blocks * (ENTRY_BYTES + _SLOT_BYTES)


class Block(NamedTuple):
    """A block of the file: where it begins, what it becomes, and what it was.

    `new` has 4,096 bytes; that of the last block of the file ends where the file does. `old` may be
    shorter, where the file grows.
    """

    offset: int
    new: bytes
    old: bytes


class Likeness(NamedTuple):
    """How a block of the file compares with the journal.

    `begun`: a byte of it is new already, and was another. `foreign`: one is neither old nor new.
    """

    begun: bool
    foreign: bool


def block_of(offset: int) -> int:
    """Return where the block begins that a byte is in."""
    return offset - offset % BLOCK_BYTES


def likeness(block: Block, found: bytes) -> Likeness:
    """Compare what a block of the file holds now with what it held, and is to hold.

    What lies beyond the old end of the file says nothing: a crash may leave anything there.
    """
    old = block.old
    now, new = found[: len(old)], block.new[: len(old)]
    if now == old:
        return Likeness(begun=False, foreign=False)
    if len(now) < len(old):
        return Likeness(begun=False, foreign=True)
    foreign = now != new and any(n not in pair for n, *pair in zip(now, old, new, strict=True))
    begun = any(n != o and n == to for n, o, to in zip(now, old, new, strict=True))
    return Likeness(begun, foreign)


def encode(head: Head, blocks: Sequence[Block]) -> bytes:
    """Return the journal of a patch, whose blocks are in the order of the file.

    Raises:
        ValueError: the head says what cannot be.
    """
    if not _is_possible(head) or head.blocks != len(blocks):
        raise ValueError(f"the journal of a patch cannot say this: {head!r}")
    start = _HEAD.pack(_MAGIC, 1, 1, 0, *head, 0).ljust(HEAD_BYTES - 4, b"\0")
    table = [_ENTRY.pack(block.offset, _checksum(head, block), 0) for block in blocks]
    slots = [(block.new + block.old).ljust(_SLOT_BYTES, b"\0") for block in blocks[:-1]]
    last = blocks[-1]
    crc = crc32(start).to_bytes(4, "little")
    return b"".join([start, crc, *table, *slots, last.new, last.old])


def _checksum(head: Head, block: Block) -> int:
    crc = crc32(_ENTRY.pack(block.offset, 0, 0), head.id & 0xFFFFFFFF)
    return crc32(block.old, crc32(block.new, crc))


def is_journal(start: bytes) -> bool:
    """Whether a file that begins so is the journal of patches, perhaps a damaged one."""
    return start.startswith((_MAGIC, _NO_MAGIC))


def decode_head(block: bytes, *, path: str) -> Head | None:
    """Return what the first 512 bytes of a journal say; None if there is no patch in it.

    Args:
        block: those bytes.
        path: for the errors.

    Raises:
        BadFrame: it is no journal of a patch, or says what cannot be; the file is untouched.
        ChecksumMismatch: it is damaged; the file is untouched.
        UnknownFormat: it is of a later format; the file is untouched.
    """
    if is_journal(block) and (not block[0] or not any(block[8:])):
        return None
    _check(block, path)
    _, version, checksum, flags, *numbers, zero = _HEAD.unpack_from(block)
    if (version, checksum, flags, zero) != (1, 1, 0, 0) or any(block[_HEAD.size : 508]):
        raise UnknownFormat(
            f"{path}: is of a format that this holdfast does not know (version {version}, "
            f"checksum {checksum}, flags {flags:#x}). It is untouched. "
            "Open the file with a newer holdfast.",
            path=path,
            offset=8,
            expected=(1, 1, 0),
            found=(version, checksum, flags),
        )
    head = Head(*numbers)
    if not _is_possible(head):
        raise _impossible(path, head)
    return head


def _check(block: bytes, path: str) -> None:
    """Refuse what does not begin, or end, as a head does."""
    if len(block) < HEAD_BYTES or not block.startswith(_MAGIC):
        raise BadFrame(
            f"{path}: stands where the journal of a patch belongs, and is none. It is untouched. "
            "Move it elsewhere, if it is yours, or rename the file beside it.",
            path=path,
            offset=0,
            expected=_MAGIC,
            found=block[:8],
        )
    said, found = int.from_bytes(block[508:512], "little"), crc32(block[:508])
    if said != found:
        raise ChecksumMismatch(
            f"{path}: the head of this journal of a patch is damaged. Nothing was changed, and the "
            "file beside it may hold the patch in part. Take both from a backup, or remove the "
            "journal, if the file is good as it is.",
            path=path,
            offset=0,
            expected=said,
            found=found,
        )


def _is_possible(head: Head) -> bool:
    return (
        0 < head.blocks <= MAX_BLOCKS
        and head.old_size <= head.new_size <= MAX_SIZE_BYTES
        and (head.blocks - 1) * BLOCK_BYTES < head.new_size
    )


def _impossible(path: str, found: object) -> BadFrame:
    return BadFrame(
        f"{path}: the journal of a patch says what cannot be: {found!r}. Nothing was changed. "
        "Remove it, if the file beside it is good as it is, or take both from a backup.",
        path=path,
        offset=0,
        found=found,
    )


def entries_of(table: bytes) -> Iterator[int]:
    """Yield where the blocks of a table begin; nothing is known yet of whether that is true."""
    for at in range(0, len(table) - ENTRY_BYTES + 1, ENTRY_BYTES):
        yield _ENTRY.unpack_from(table, at)[0]


def whole_blocks(head: Head, body: bytes, *, path: str) -> list[Block]:
    """Return the blocks that are whole in a body: all `head.blocks` of them, or it is torn.

    Args:
        head: of this journal.
        body: what follows the head, perhaps too short.
        path: for the errors.

    Raises:
        BadFrame: the blocks fit their checksums, and cannot be those of one patch.
    """
    found = [*_whole(head, memoryview(body))]
    in_order = all(one.offset < two.offset for one, two in pairwise(found))
    if not in_order or any(block.offset % BLOCK_BYTES for block in found):
        raise _impossible(path, [block.offset for block in found])
    grows = len(found) == head.blocks and head.new_size > head.old_size
    if grows and not _fills(found, head):
        raise _impossible(path, [block.offset for block in found])
    return found


def _whole(head: Head, body: memoryview) -> Iterator[Block]:
    at = head.blocks * ENTRY_BYTES
    for number in range(head.blocks):
        entry = bytes(body[number * ENTRY_BYTES : (number + 1) * ENTRY_BYTES])
        if len(entry) < ENTRY_BYTES:
            return
        offset, checksum, zero = _ENTRY.unpack(entry)
        size = min(BLOCK_BYTES, max(head.new_size - offset, 0))
        end = at + size
        old_size = min(BLOCK_BYTES, max(head.old_size - offset, 0))
        block = Block(offset, bytes(body[at:end]), bytes(body[end : end + old_size]))
        is_all = size > 0 and len(block.new) + len(block.old) == size + old_size
        if is_all and not zero and checksum == _checksum(head, block):
            yield block
        at += _SLOT_BYTES


def _fills(blocks: Sequence[Block], head: Head) -> bool:
    """Whether no block is left out between the old end of the file and the new one."""
    first, last = block_of(head.old_size), block_of(head.new_size - 1)
    offsets = [block.offset for block in blocks if block.offset >= first]
    return offsets == [*range(first, last + 1, BLOCK_BYTES)]
