"""Segments of logs as bytes: written frame by frame, read by the scanner, and put into folders."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from zlib import crc32

from holdfast.formats.log_format import (
    FIRST_OFFSET,
    SegmentHeader,
    encode_close_mark,
    encode_frame,
    encode_segment,
    seed_of,
    segment_name,
)
from holdfast.formats.log_scan import Tail, examine

SALT = 0x0123456789ABCDEF


class Segment:
    """A segment that grows in memory; a frame says that all before it is synced, or `synced`."""

    def __init__(self, first: int = 1, *, after: Segment | None = None, salt: int = SALT) -> None:
        before = (after.first, after.salt, len(after.data)) if after else (0, 0, 0)
        self.first = self.next = first
        self.salt = salt + first
        self.seed = seed_of(self.salt)
        self.data = bytearray(encode_segment(SegmentHeader(first, self.salt, 0, *before)))
        self.starts: list[int] = []

    @property
    def name(self) -> str:
        """Its file name."""
        return segment_name(self.first)

    def append(self, *records: bytes, synced: int | None = None) -> Segment:
        """Add a frame."""
        at = len(self.data)
        self.starts.append(at)
        told = at if synced is None else synced
        self.data += encode_frame(records, first=self.next, offset=at, synced=told, seed=self.seed)
        self.next += len(records)
        return self

    def close(self) -> Segment:
        """Add a close mark."""
        at = len(self.data)
        self.starts.append(at)
        self.data += encode_close_mark(first=self.next, offset=at, synced=at, seed=self.seed)
        return self

    def fill(self, size: int) -> Segment:
        """Add zeros."""
        self.data += bytes(size)
        return self

    def with_bits(self, at: int, bits: int) -> bytes:
        """The bytes, some bits of one of them changed."""
        changed = bytearray(self.data)
        changed[at] ^= bits
        return bytes(changed)

    def examined(self, data: bytes | None = None, *, at: int = FIRST_OFFSET) -> Tail:
        """What the scanner says of the bytes, or of others with this header."""
        found = bytes(self.data) if data is None else data
        return examine(reader(found), at=at, first=self.first, size=len(found), seed=self.seed)


def reader(data: bytes):
    """Reads as a file does."""
    return lambda size, offset: data[offset : offset + size]


def resealed(segment: Segment, at: int, fields: dict[int, bytes]) -> bytes:
    """The segment with some bytes of the frame at `at` changed, and all checksums right."""
    data = bytearray(segment.data)
    for place, value in fields.items():
        data[at + place : at + place + len(value)] = value
    head = crc32(data[at : at + 32], segment.seed)
    size = int.from_bytes(data[at + 8 : at + 12], "little")
    body = crc32(data[at + 40 : at + 40 + size + -size % 8], head)
    data[at + 32 : at + 40] = head.to_bytes(4, "little") + body.to_bytes(4, "little")
    return bytes(data)


def head_without_body(at: int, body_bytes: int, seed: int) -> bytes:
    """A valid head of one record whose body will not fit."""
    start = Struct("<4sHHIIQII").pack(b"FRM1", 0, 0, body_bytes, 1, 2, at, 512)
    return start + crc32(start, seed).to_bytes(4, "little") + b"\1\2\3\4"


def as_folder(segments: Sequence[Segment], name: str = "log") -> dict[str, bytes]:
    """The files of a log, with its lock."""
    files = {f"{name}/{segment.name}": bytes(segment.data) for segment in segments}
    return {f"{name}/lock": bytes(4096), **files}
