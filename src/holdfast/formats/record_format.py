"""A file of records as bytes: head, places and slots: docs/reference/record-format.md.

What is encoded here is valid by the rules of that page, and what does not keep to them is not
decoded. No length is believed before the checksum of the head fits and it says what can be.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

from holdfast.errors import BadFrame, ChecksumMismatch, UnknownFormat
from holdfast.formats.record_layout import MAX_RECORD_BYTES, MAX_TEXT_BYTES, RecordLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from typing_extensions import Buffer
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "CHUNK_BYTES",
    "HEAD_BYTES",
    "MAX_CHUNK_BYTES",
    "MAX_NUMBER",
    "SECTORS",
    "SLOT_HEAD_BYTES",
    "RecordHead",
    "Slot",
    "decode_record_head",
    "decode_slot",
    "encode_record_head",
    "encode_slot",
    "head_for",
    "is_record_file",
    "newest",
]

HEAD_BYTES = 4096
SLOT_HEAD_BYTES = 24
CHUNK_BYTES = 1 << 18
"""How large a chunk is, unless its records are larger."""
MAX_CHUNK_BYTES = 1 << 26
MAX_NUMBER = (1 << 64) - 1
SECTORS = (512, 4096)

_MAGIC = b"\x89HFREC\r\n"
_HEAD = Struct("<8sHHIQQIIII")
_SLOT = Struct("<QQII")
_SEAL = Struct("<QQQQ")
_ADVICE = "It is untouched. Take the file from a backup."


class RecordHead(NamedTuple):
    """What the head says; `id` is random and not 0, `layout` the text of a `RecordLayout`."""

    id: int
    created_ns: int
    slot_bytes: int
    record_bytes: int
    chunk_records: int
    layout: str

    @property
    def array_bytes(self) -> int:
        """The size of one array of slots."""
        return self.slot_bytes * self.chunk_records

    @property
    def chunk_bytes(self) -> int:
        """The size of a chunk: two arrays."""
        return 2 * self.array_bytes

    def chunks_in(self, size_bytes: int) -> int:
        """How many whole chunks a file of this size has."""
        return max(0, size_bytes - HEAD_BYTES) // self.chunk_bytes

    def chunk_start(self, chunk: int) -> int:
        """Where a chunk begins."""
        return HEAD_BYTES + chunk * self.chunk_bytes

    def place(self, number: int, array: int) -> int:
        """Where the slot of a record stands in array 0 (A) or 1 (B)."""
        chunk, index = divmod(number, self.chunk_records)
        return self.chunk_start(chunk) + array * self.array_bytes + index * self.slot_bytes


class Slot(NamedTuple):
    """What a slot says: the `generation` of the record, its bytes, and how many were durable.

    `durable`: so many records were known to be durable in the file when this was written.
    """

    generation: int
    durable: int
    payload: bytes

    @property
    def array(self) -> int:
        """In which array it stands: 0 (A) or 1 (B)."""
        return 1 - self.generation % 2


def head_for(
    layout: RecordLayout, *, number: int, created_ns: int, sector_bytes: int, chunk_bytes: int
) -> RecordHead:
    """Return the head of a new file; `number` is its id.

    Raises:
        ValueError: a size is none that there can be.
    """
    if sector_bytes not in SECTORS:
        raise ValueError(f"sector_bytes is one of {SECTORS}, not {sector_bytes!r}")
    if not 0 < chunk_bytes <= MAX_CHUNK_BYTES:
        raise ValueError(f"chunk_bytes is from 1 to {MAX_CHUNK_BYTES:,}, not {chunk_bytes!r}")
    slot_bytes = -(-(SLOT_HEAD_BYTES + layout.size_bytes) // sector_bytes) * sector_bytes
    records = max(1, chunk_bytes // (2 * slot_bytes))
    return RecordHead(number, created_ns, slot_bytes, layout.size_bytes, records, layout.text)


def is_record_file(start: bytes) -> bool:
    """Whether a file that begins so is one of records, perhaps a damaged one."""
    return start.startswith(_MAGIC)


def encode_record_head(head: RecordHead) -> bytes:
    """Return the first 4,096 bytes of a file.

    Raises:
        ValueError: a field is out of its range.
    """
    text = head.layout.encode()
    if not _is_possible(head) or len(text) > MAX_TEXT_BYTES:
        raise ValueError(f"a file of records cannot say this: {head!r}")
    number, created_ns, slot_bytes, record_bytes, chunk_records, _ = head
    sizes = (slot_bytes, record_bytes, chunk_records, len(text))
    block = (_HEAD.pack(_MAGIC, 1, 1, 0, number, created_ns, *sizes) + text).ljust(
        HEAD_BYTES - 4, b"\0"
    )
    return block + crc32(block).to_bytes(4, "little")


def decode_record_head(block: bytes, *, path: str) -> RecordHead:
    """Return what the first 4,096 bytes of a file say.

    Args:
        block: the bytes.
        path: for the errors.

    Raises:
        BadFrame: it is no such file, or says what cannot be; it is untouched.
        ChecksumMismatch: the head is damaged; it is untouched.
        UnknownFormat: it is of a later format; it is untouched.
    """
    _check_block(block, path)
    _, version, checksum, flags, number, created_ns, *sizes = _HEAD.unpack_from(block)
    if (version, checksum, flags) != (1, 1, 0):
        raise UnknownFormat(
            f"{path}: is of a format that this holdfast does not know (version {version}, "
            f"checksum {checksum}, flags {flags:#x}). It is untouched. "
            "Open it with a newer holdfast.",
            path=path,
            offset=8,
            expected=(1, 1, 0),
            found=(version, checksum, flags),
        )
    slot_bytes, record_bytes, chunk_records, text_bytes = sizes
    end = _HEAD.size + min(text_bytes, MAX_TEXT_BYTES)
    raw = block[_HEAD.size : end]
    text = raw.decode("utf-8", "replace")
    head = RecordHead(number, created_ns, slot_bytes, record_bytes, chunk_records, text)
    is_whole = text_bytes <= MAX_TEXT_BYTES and not any(block[end : HEAD_BYTES - 4])
    if not (is_whole and text.encode() == raw and _is_possible(head)):
        message = f"{path}: the head of the file says what cannot be: {head!r}. {_ADVICE}"
        raise BadFrame(message, path=path, offset=16, found=head)
    return head


def _check_block(block: bytes, path: str) -> None:
    if block[:8] != _MAGIC:
        message = f"{path}: does not begin as a file of records does. {_ADVICE}"
        raise BadFrame(message, path=path, offset=0, expected=_MAGIC, found=block[:8])
    if len(block) < HEAD_BYTES:
        message = f"{path}: has only {len(block)} of the {HEAD_BYTES} bytes of its head. {_ADVICE}"
        raise BadFrame(message, path=path, offset=len(block), expected=HEAD_BYTES, found=len(block))
    said, found = int.from_bytes(block[-4:], "little"), crc32(block[:-4])
    if said != found:
        message = f"{path}: the head of the file is damaged: its checksum differs. {_ADVICE}"
        raise ChecksumMismatch(message, path=path, offset=0, expected=said, found=found)


def _is_possible(head: RecordHead) -> bool:
    """Whether the sizes are possible and fit each other, and the layout fits them."""
    if not 0 < head.id <= MAX_NUMBER or not 0 < head.record_bytes <= MAX_RECORD_BYTES:
        return False
    needed = SLOT_HEAD_BYTES + head.record_bytes
    if not any(head.slot_bytes == -(-needed // sector) * sector for sector in SECTORS):
        return False
    if head.chunk_records < 1 or head.chunk_bytes > MAX_CHUNK_BYTES:
        return False
    try:
        return RecordLayout.parse(head.layout).size_bytes == head.record_bytes
    except ValueError:
        return False


def encode_slot(head: RecordHead, number: int, slot: Slot) -> bytes:
    """Return the slot of a record, with its padding.

    Raises:
        ValueError: a field is out of its range.
    """
    generation, durable, payload = slot
    if not 0 < generation <= MAX_NUMBER or len(payload) != head.record_bytes:
        raise ValueError(f"record {number} cannot say this: {slot!r}")
    crc = _crc(head.id, number, slot)
    return (_SLOT.pack(generation, durable, crc, 0) + payload).ljust(head.slot_bytes, b"\0")


def decode_slot(block: Buffer, *, head: RecordHead, number: int, array: int) -> Slot | None:
    """Return what a slot says; None if it is not valid.

    Args:
        block: its bytes; they may be cut short.
        head: that of the file.
        number: the record that it is a slot of.
        array: 0 (A) or 1 (B).
    """
    view = memoryview(block)
    end = SLOT_HEAD_BYTES + head.record_bytes
    if len(view) < end:
        return None
    generation, durable, crc, zero = _SLOT.unpack_from(view)
    if not generation or generation % 2 == array or zero:
        return None
    slot = Slot(generation, durable, bytes(view[SLOT_HEAD_BYTES:end]))
    return slot if crc == _crc(head.id, number, slot) else None


def _crc(file: int, number: int, slot: Slot) -> int:
    seal = _SEAL.pack(file, number, slot.generation, slot.durable)
    return crc32(slot.payload, crc32(seal))


def newest(one: Slot | None, other: Slot | None) -> Slot | None:
    """The slot with the higher generation; None if both are not valid."""
    if one is None or other is None:
        return one or other
    return one if one.generation > other.generation else other
