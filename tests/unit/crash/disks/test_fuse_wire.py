"""The FUSE messages: what the kernel sends is read, and the answers have the kernel's sizes."""

from __future__ import annotations

import errno
import struct

from holdfast.crash.disks import fuse_wire as wire


def request(opcode: int, body: bytes, *, node: int = 2, unique: int = 9) -> wire.Request:
    head = struct.pack("<IIQQIIII", 40 + len(body), opcode, unique, node, 0, 0, 1, 0)
    return wire.parse_request(memoryview(head + body + b"rubbish of an earlier message"))


def test_request_ends_where_its_header_says() -> None:
    """What an earlier, longer message left in the buffer is not part of this one."""
    found = request(wire.Opcode.LOOKUP, b"disk\0", node=1)

    assert (wire.Opcode.LOOKUP, 9, 1, b"disk\0") == (*found[:3], bytes(found.body))


def test_read_and_write_say_where() -> None:
    """Offset and size stand in the second and third field; the data follow the write's header."""
    head = struct.pack("<QQIIQII", 5, 8192, 4, 0, 0, 0, 0)

    assert (8192, 4) == wire.parse_read(request(wire.Opcode.READ, head).body)
    assert (8192, b"abcd") == wire.parse_write(request(wire.Opcode.WRITE, head + b"abcd").body)


def test_data_of_a_write_outlive_the_buffer() -> None:
    """The buffer is used again while the data are still needed."""
    body = bytearray(struct.pack("<QQIIQII", 5, 0, 4, 0, 0, 0, 0) + b"abcd")
    _, data = wire.parse_write(memoryview(body))
    body[-4:] = b"wxyz"

    assert b"abcd" == data


def test_answers_have_the_sizes_of_the_protocol() -> None:
    """Each structure of linux/fuse.h, version 7.31, has its size to the byte."""
    file = wire.Attributes(2, 0o100600, 4096)
    init = request(wire.Opcode.INIT, struct.pack("<IIII", 7, 45, 131072, 0xFFFFFFFF))
    sizes = [
        len(wire.reply(9)),
        len(wire.error_reply(9)),
        len(wire.init_reply(init)),
        len(wire.entry_reply(9, file)),
        len(wire.attributes_reply(9, file)),
        len(wire.open_reply(9)),
        len(wire.write_reply(9, 4096)),
    ]

    assert [16, 16, 16 + 64, 16 + 128, 16 + 104, 16 + 16, 16 + 8] == sizes


def test_error_is_negative_and_names_its_request() -> None:
    """The kernel wants minus errno."""
    assert (16, -errno.EIO, 9) == struct.unpack("<IiQ", wire.error_reply(9, errno.EIO))


def test_other_major_version_is_refused() -> None:
    """A kernel with another protocol gets an error, not a guess."""
    init = request(wire.Opcode.INIT, struct.pack("<IIII", 8, 0, 0, 0))

    assert wire.error_reply(9, errno.EPROTO) == wire.init_reply(init)
