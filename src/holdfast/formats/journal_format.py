"""The identity of a journal and the heads of its checkpoints: docs/reference/journal-format.md.

What is encoded here is valid by the rules of that page, and what does not keep to them is not
decoded. No length is believed before the checksum of its block fits.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

from holdfast.errors import BadFrame, ChecksumMismatch, UnknownFormat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "HEAD_BYTES",
    "IDENTITY",
    "IDENTITY_BYTES",
    "INCOMPLETE",
    "LOG",
    "MAX_CODEC_BYTES",
    "MAX_KIND_BYTES",
    "MAX_NUMBER",
    "SLOTS",
    "SLOT_BODY_BYTES",
    "SLOT_BYTES",
    "CheckpointHead",
    "Identity",
    "checkpoint_name",
    "decode_head",
    "decode_identity",
    "encode_head",
    "encode_identity",
    "is_identity",
    "sequence_of",
]

IDENTITY = "journal"
"""The name of the identity file."""
LOG = "log"
"""The name of the folder that holds the log."""
SLOTS = ("checkpoint-a", "checkpoint-b")
"""The names of the two slots."""
IDENTITY_BYTES = 512
INCOMPLETE = (
    b"This journal is not complete: it is being written by a repair, or one was killed.\n"
    b"Remove the whole folder, and repair again.\n"
).ljust(IDENTITY_BYTES)
"""What the identity file holds until a repair is done."""
HEAD_BYTES = 512
SLOT_BODY_BYTES = 1 << 20
"""How much body a slot has room for."""
SLOT_BYTES = HEAD_BYTES + SLOT_BODY_BYTES
MAX_KIND_BYTES = 31
MAX_CODEC_BYTES = 63
MAX_NUMBER = (1 << 64) - 1

_BLOCK_BYTES = 512
_IDENTITY_MAGIC = b"\x89HFJRN\r\n"
_HEAD_MAGIC = b"\x89HFCKP\r\n"
_IDENTITY = Struct("<8sHHIQQB31sB63s")
_HEAD = Struct("<8sHHIQQQQQIIQ")
_SUFFIX = ".checkpoint"
_DIGITS = 20


class Identity(NamedTuple):
    """What a journal is: `kind` says whose (`journal`, `store`), `codec` how values are encoded.

    `id` is random and not 0; `created_ns` a wall clock.
    """

    id: int
    kind: str
    codec: str
    created_ns: int


class CheckpointHead(NamedTuple):
    """What the head of a checkpoint says.

    `journal` is the id of the identity. All commits up to `sequence` are in the body, and none
    after `through` has left any trace in it.
    """

    journal: int
    generation: int
    sequence: int
    through: int
    body_bytes: int
    body_crc: int
    created_ns: int


def checkpoint_name(sequence: int) -> str:
    """Return the file name of a checkpoint that is no slot."""
    return f"{sequence:0{_DIGITS}d}{_SUFFIX}"


def sequence_of(name: str) -> int | None:
    """Return the sequence that a file name states; None if it is no such checkpoint's name."""
    digits = name.removesuffix(_SUFFIX)
    if len(digits) != _DIGITS or digits == name or not (digits.isascii() and digits.isdigit()):
        return None
    sequence = int(digits)
    return sequence if sequence <= MAX_NUMBER else None


def _sealed(start: bytes) -> bytes:
    block = start.ljust(_BLOCK_BYTES - 4, b"\0")
    return block + crc32(block).to_bytes(4, "little")


def encode_identity(identity: Identity) -> bytes:
    """Return the identity file.

    Raises:
        ValueError: a field is out of its range.
    """
    kind, codec = identity.kind.encode("ascii"), identity.codec.encode()
    if not 0 < len(kind) <= MAX_KIND_BYTES or len(codec) > MAX_CODEC_BYTES:
        raise ValueError(
            f"a kind has from 1 to {MAX_KIND_BYTES} bytes and the name of a codec at most "
            f"{MAX_CODEC_BYTES}, not {len(kind)} and {len(codec)}"
        )
    if b"\0" in kind + codec or not 0 < identity.id <= MAX_NUMBER:
        raise ValueError(f"an identity cannot say this: {identity!r}")
    start = (_IDENTITY_MAGIC, 1, 1, 0, identity.id, identity.created_ns)
    return _sealed(_IDENTITY.pack(*start, len(kind), kind, len(codec), codec))


def decode_identity(block: bytes, *, path: str) -> Identity:
    """Return what the first 512 bytes of an identity file say.

    Args:
        path: for the errors.

    Raises:
        BadFrame: it is none, or too short; the file is untouched.
        ChecksumMismatch: it is damaged; the file is untouched.
        UnknownFormat: it is of a later format; the file is untouched.
    """
    _check_block(block, _IDENTITY_MAGIC, what="identity file of a journal", path=path)
    _, *words, number, created_ns, kind_bytes, kind, codec_bytes, codec = _IDENTITY.unpack_from(
        block
    )
    _refuse_later(words, block[_IDENTITY.size : 508], path=path)
    kind_name, codec_name = _text(kind, kind_bytes, "ascii"), _text(codec, codec_bytes, "utf-8")
    if not number or not kind_name or codec_name is None:
        raise BadFrame(
            f"{path}: the identity of the journal says what cannot be. It is untouched. "
            "Take this file from a backup, or salvage the journal with `holdfast repair`.",
            path=path,
            offset=16,
            found=block[16 : _IDENTITY.size],
        )
    return Identity(number, kind_name, codec_name, created_ns)


def _text(field: bytes, size: int, encoding: str) -> str | None:
    """Return a text with zeros behind it; None for anything else."""
    if size > len(field) or any(field[size:]) or 0 in field[:size]:
        return None
    try:
        return field[:size].decode(encoding)
    except UnicodeDecodeError:
        return None


def is_identity(start: bytes) -> bool:
    """Whether a file that begins so is an identity, perhaps a damaged one, or one to be."""
    return start[:8] in {_IDENTITY_MAGIC, INCOMPLETE[:8]}


def encode_head(head: CheckpointHead) -> bytes:
    """Return the head block of a checkpoint.

    Raises:
        ValueError: a field is out of its range.
    """
    if not _is_possible(head):
        raise ValueError(f"a checkpoint cannot say this: {head!r}")
    journal, generation, sequence, through, body_bytes, body_crc, created_ns = head
    numbers = (journal, generation, sequence, through, body_bytes)
    return _sealed(_HEAD.pack(_HEAD_MAGIC, 1, 1, 0, *numbers, body_crc, 0, created_ns))


def decode_head(block: bytes, *, path: str) -> CheckpointHead:
    """Return what the first 512 bytes of a checkpoint say; nothing is known yet of the body.

    Args:
        path: for the errors.

    Raises:
        BadFrame: it is none, or too short; the file is untouched.
        ChecksumMismatch: it is damaged; the file is untouched.
        UnknownFormat: it is of a later format; the file is untouched.
    """
    _check_block(block, _HEAD_MAGIC, what="checkpoint of a journal", path=path)
    _, *words, journal, generation, sequence, through, body_bytes, body_crc, zero, created_ns = (
        _HEAD.unpack_from(block)
    )
    _refuse_later(words, (zero, *block[_HEAD.size : 508]), path=path)
    head = CheckpointHead(journal, generation, sequence, through, body_bytes, body_crc, created_ns)
    if not _is_possible(head):
        raise BadFrame(
            f"{path}: the head of the checkpoint says what cannot be: {head!r}. It is untouched. "
            "Take the file from a backup, or salvage the journal with `holdfast repair`.",
            path=path,
            offset=16,
            found=head,
        )
    return head


def _is_possible(head: CheckpointHead) -> bool:
    return (
        head.journal > 0
        and 0 < head.generation <= MAX_NUMBER
        and head.sequence <= head.through <= MAX_NUMBER
    )


def _check_block(block: bytes, magic: bytes, *, what: str, path: str) -> None:
    """Refuse what does not begin, or end, as a block does."""
    advice = (
        "It is untouched. Take it from a backup, or salvage the journal with `holdfast repair`."
    )
    if len(block) < _BLOCK_BYTES:
        raise BadFrame(
            f"{path}: has only {len(block)} of the {_BLOCK_BYTES} bytes that the {what} begins "
            f"with. {advice}",
            path=path,
            offset=len(block),
            expected=_BLOCK_BYTES,
            found=len(block),
        )
    if block[:8] != magic:
        message = f"{path}: does not begin as the {what} does. {advice}"
        raise BadFrame(message, path=path, offset=0, expected=magic, found=block[:8])
    said, found = int.from_bytes(block[508:512], "little"), crc32(block[:508])
    if said != found:
        message = f"{path}: the {what} is damaged: the checksum of its head differs. {advice}"
        raise ChecksumMismatch(message, path=path, offset=0, expected=said, found=found)


def _refuse_later(words: list[int], reserved: Iterable[int], *, path: str) -> None:
    version, checksum, flags = words
    if words != [1, 1, 0] or any(reserved):
        raise UnknownFormat(
            f"{path}: is of a format that this holdfast does not know (version {version}, "
            f"checksum {checksum}, flags {flags:#x}). It is untouched. "
            "Open it with a newer holdfast.",
            path=path,
            offset=8,
            expected=(1, 1, 0),
            found=(version, checksum, flags),
        )
