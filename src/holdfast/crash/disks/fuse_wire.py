"""The part of the FUSE protocol that serving a handful of plain files takes: bytes in, bytes out.

Numbers and layouts are those of linux/fuse.h, protocol 7.31. Nothing here touches a descriptor.
"""

from __future__ import annotations

import errno
import struct
from typing import NamedTuple

__all__ = [
    "ROOT_NODE",
    "WRITE_BYTES_MAX",
    "Attributes",
    "Opcode",
    "ReadAt",
    "Request",
    "attributes_reply",
    "entry_reply",
    "error_reply",
    "init_reply",
    "open_reply",
    "parse_read",
    "parse_request",
    "parse_write",
    "reply",
    "write_reply",
]

ROOT_NODE = 1
WRITE_BYTES_MAX = 1 << 20

_IN_HEADER = struct.Struct("<IIQQIIII")
_OUT_HEADER = struct.Struct("<IiQ")
_INIT_IN = struct.Struct("<IIII")
_INIT_OUT = struct.Struct("<IIIIHHIIHHI28x")
_TRANSFER_IN = struct.Struct("<QQIIQII")  # of reads and of writes
_ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
_ATTRIBUTES_OUT = struct.Struct("<QII")
_ENTRY_OUT = struct.Struct("<QQQQII")
_OPEN_OUT = struct.Struct("<QIi")
_WRITE_OUT = struct.Struct("<II")

_PAGE_BYTES = 4096
_VERSION = (7, 31)
_ASYNC_READ, _BIG_WRITES, _ASYNC_DIO, _MAX_PAGES = 1 << 0, 1 << 5, 1 << 15, 1 << 22
_DIRECT_IO = 1  # of an opened file: no page cache between the loop device and us
_FOREVER_S = 1 << 30


class Opcode:
    """The requests that are answered with more than "not supported"."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    INIT = 26
    INTERRUPT = 36
    DESTROY = 38
    BATCH_FORGET = 42


class Request(NamedTuple):
    """One request of the kernel; `body` is what follows the header."""

    opcode: int
    unique: int
    node: int
    body: memoryview


class Attributes(NamedTuple):
    """What stat says of a node."""

    node: int
    mode: int
    size_bytes: int = 0


class ReadAt(NamedTuple):
    """Where to read how much."""

    offset: int
    size: int


def parse_request(message: memoryview) -> Request:
    """Take one message of the kernel apart."""
    length, opcode, unique, node, *_ = _IN_HEADER.unpack_from(message)
    return Request(opcode, unique, node, message[_IN_HEADER.size : length])


def parse_read(body: memoryview) -> ReadAt:
    """The range that a READ asks for."""
    _, offset, size, *_ = _TRANSFER_IN.unpack_from(body)
    return ReadAt(offset, size)


def parse_write(body: memoryview) -> tuple[int, bytes]:
    """The offset of a WRITE and its data, copied: the buffer is used again."""
    _, offset, size, *_ = _TRANSFER_IN.unpack_from(body)
    return offset, bytes(body[_TRANSFER_IN.size : _TRANSFER_IN.size + size])


def reply(unique: int, body: bytes = b"") -> bytes:
    """A message that says that the request was done."""
    return _OUT_HEADER.pack(_OUT_HEADER.size + len(body), 0, unique) + body


def error_reply(unique: int, code: int = errno.ENOSYS) -> bytes:
    """A message that says that it was not."""
    return _OUT_HEADER.pack(_OUT_HEADER.size, -code, unique)


def init_reply(request: Request) -> bytes:
    """Agree on large writes, and on several of them under way at once."""
    major, _, readahead, offered = _INIT_IN.unpack_from(request.body)
    if major != _VERSION[0]:
        return error_reply(request.unique, errno.EPROTO)
    flags = offered & (_ASYNC_READ | _BIG_WRITES | _ASYNC_DIO | _MAX_PAGES)
    pages = WRITE_BYTES_MAX // _PAGE_BYTES
    body = _INIT_OUT.pack(*_VERSION, readahead, flags, 64, 48, WRITE_BYTES_MAX, 1, pages, 0, 0)
    return reply(request.unique, body)


def entry_reply(unique: int, attributes: Attributes) -> bytes:
    """The answer to a LOOKUP."""
    head = _ENTRY_OUT.pack(attributes.node, 0, _FOREVER_S, _FOREVER_S, 0, 0)
    return reply(unique, head + _pack(attributes))


def attributes_reply(unique: int, attributes: Attributes) -> bytes:
    """The answer to a GETATTR."""
    return reply(unique, _ATTRIBUTES_OUT.pack(_FOREVER_S, 0, 0) + _pack(attributes))


def open_reply(unique: int) -> bytes:
    """The answer to an OPEN: every read and write comes to us."""
    return reply(unique, _OPEN_OUT.pack(0, _DIRECT_IO, 0))


def write_reply(unique: int, size: int) -> bytes:
    """The answer to a WRITE that was done."""
    return reply(unique, _WRITE_OUT.pack(size, 0))


def _pack(attributes: Attributes) -> bytes:
    node, mode, size = attributes
    blocks = -(-size // 512)
    return _ATTRIBUTES.pack(node, size, blocks, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, _PAGE_BYTES, 0)
