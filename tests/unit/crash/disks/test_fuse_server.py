"""The server of the block device, with a socket in the place of /dev/fuse."""

from __future__ import annotations

import errno
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.crash.disks.block_log import Kind, parse_log
from holdfast.crash.disks.faults import DeviceFaults
from holdfast.crash.disks.fuse_server import COMMAND, LENGTH, BlockServer
from holdfast.crash.disks.fuse_wire import Opcode
from holdfast.crash.disks.overlay import pack_blocks

DISK, IMAGE = 2, 3
SIZE = 64 * 4096


class Kernel:
    """Speaks to the server as the kernel and as the harness."""

    def __init__(self, folder: Path) -> None:
        self._log = os.open(folder / "log", os.O_RDWR | os.O_CREAT)
        self._base = os.open(folder / "base", os.O_RDWR | os.O_CREAT)
        os.ftruncate(self._base, SIZE)
        self.fuse, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control, harness = socket.socketpair()
        self._theirs = (theirs, harness)
        server = BlockServer(fuse=theirs.fileno(), control=harness, base=self._base, log=self._log)
        self._thread = threading.Thread(target=server.serve)
        self._thread.start()
        self._unique = 0
        self._folder = folder

    def ask(self, opcode: int, body: bytes = b"", *, node: int = DISK) -> int:
        self._unique += 1
        head = struct.pack("<IIQQIIII", 40 + len(body), opcode, self._unique, node, 0, 0, 1, 0)
        self.fuse.send(head + body)
        return self._unique

    def answer(self) -> tuple[int, int, bytes]:
        """(error, which request, body)"""
        message = self.fuse.recv(1 << 20)
        _, error, unique = struct.unpack_from("<IiQ", message)
        return -error, unique, message[16:]

    def call(self, opcode: int, body: bytes = b"", *, node: int = DISK) -> tuple[int, bytes]:
        unique = self.ask(opcode, body, node=node)
        error, answered, found = self.answer()
        assert unique == answered
        return error, found

    def write(self, offset: int, data: bytes, *, node: int = DISK) -> int:
        return self.call(Opcode.WRITE, write_body(offset, data), node=node)[0]

    def read(self, offset: int, size: int, *, node: int = DISK) -> bytes:
        body = struct.pack("<QQIIQII", 0, offset, size, 0, 0, 0, 0)
        return self.call(Opcode.READ, body, node=node)[1]

    def command(self, command: bytes, message: bytes = b"") -> None:
        self.control.sendall(COMMAND.pack(command, len(message)) + message)
        assert command == self.control.recv(1)

    @property
    def log_size(self) -> int:
        return (self._folder / "log").stat().st_size

    def log(self) -> list:
        return parse_log((self._folder / "log").read_bytes())

    def end(self) -> None:
        self.control.close()
        self._thread.join(10)
        assert not self._thread.is_alive()
        for end in (self.fuse, *self._theirs):
            end.close()
        os.close(self._log)
        os.close(self._base)


def write_body(offset: int, data: bytes) -> bytes:
    return struct.pack("<QQIIQII", 0, offset, len(data), 0, 0, 0, 0) + data


@pytest.fixture
def kernel(tmp_path) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path)
    yield kernel
    kernel.end()


def test_log_holds_writes_flushes_and_marks_in_order(kernel) -> None:
    """What is complete is recorded, in the order of completion, with the data."""
    kernel.write(4096, b"d" * 4096)
    kernel.command(b"M", b"saved")
    kernel.call(Opcode.FSYNC)
    log = kernel.log()

    assert [Kind.WRITE, Kind.MARK, Kind.FLUSH] == [record.kind for record in log]
    assert (4096, 4096, "saved", 2) == (log[0].offset, log[0].size, log[1].text, log[2].arrived)


def test_disk_reads_what_was_written_over_the_base(kernel) -> None:
    """And the base again after a reset, with an empty log."""
    kernel.write(4096, b"d" * 4096)
    before = kernel.read(0, 8192)
    kernel.command(b"R")

    assert bytes(4096) + b"d" * 4096 == before
    assert (bytes(8192), []) == (kernel.read(0, 8192), kernel.log())


def test_image_shows_the_chosen_blocks_and_keeps_no_log(kernel) -> None:
    """What recovery writes stays with the image and goes with the next one."""
    kernel.write(0, b"a" * 4096)
    kernel.write(8192, b"b" * 4096)
    places = [record.place for record in kernel.log()]
    kernel.command(b"I", pack_blocks({2: places[1]}, 4096))
    shown = kernel.read(0, 12288, node=IMAGE)
    kernel.write(0, b"recovered", node=IMAGE)
    kernel.command(b"I", b"")

    assert bytes(8192) + b"b" * 4096 == shown
    assert bytes(12288) == kernel.read(0, 12288, node=IMAGE)
    assert 2 == len(kernel.log())


def test_late_write_is_recorded_when_it_is_answered(kernel) -> None:
    """A flush that overtakes it does not cover it, and it says when it came."""
    kernel.command(b"F", DeviceFaults(delay_s=0.2, delay_matching=b"slow").as_json())
    late = kernel.ask(Opcode.WRITE, write_body(0, b"slow" * 1024))
    flush = kernel.ask(Opcode.FSYNC)
    answered = [kernel.answer()[1], kernel.answer()[1]]
    log = kernel.log()

    assert [flush, late] == answered
    assert [(Kind.FLUSH, 0), (Kind.WRITE, 0)] == [(record.kind, record.arrived) for record in log]


def test_size_of_the_log_is_told(kernel) -> None:
    """What is behind it may be half a record."""
    kernel.write(0, b"x" * 4096)
    kernel.command(b"S")

    assert (kernel.log_size,) == LENGTH.unpack(kernel.control.recv(LENGTH.size))


def test_slow_flush_takes_its_time(kernel) -> None:
    """Nothing is answered before it is over."""
    kernel.command(b"F", DeviceFaults(delay_flush_s=0.05).as_json())
    begin_s = time.monotonic()

    assert (0, b"") == kernel.call(Opcode.FSYNC)
    assert 0.05 <= time.monotonic() - begin_s


def test_failing_request_does_nothing_and_is_recorded(kernel) -> None:
    """The kernel gets EIO; the device keeps what it had."""
    kernel.command(b"F", DeviceFaults(fail_writes=(1, 1), fail_flushes=(1, 1)).as_json())

    assert errno.EIO == kernel.write(0, b"x" * 4096)
    assert (errno.EIO, b"") == kernel.call(Opcode.FSYNC)
    assert 0 == kernel.write(0, b"y" * 4096)
    assert b"y" * 10 == kernel.read(0, 10)
    assert [Kind.FAILED_WRITE, Kind.FAILED_FLUSH, Kind.WRITE] == [r.kind for r in kernel.log()]


def test_two_files_are_found_and_no_others(kernel) -> None:
    """`disk` and `image`, as large as the base."""
    error, entry = kernel.call(Opcode.LOOKUP, b"disk\0", node=1)

    assert (0, DISK, SIZE) == (
        error,
        *struct.unpack_from("<Q", entry),
        *struct.unpack_from("<Q", entry, 48),
    )
    assert errno.ENOENT == kernel.call(Opcode.LOOKUP, b"other\0", node=1)[0]


def test_unknown_request_is_not_supported(kernel) -> None:
    """The kernel then does without it."""
    assert errno.ENOSYS == kernel.call(43)[0]
