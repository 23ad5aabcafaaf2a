"""The process behind the block device: serves two files over raw /dev/fuse and keeps the log.

Run as a program by `recorded_disk` with the descriptors that it inherits:

    FUSE CONTROL BASE LOG

`disk` is recorded: each write and flush goes to the log when it is complete. `image` shows what a
crash left; what the filesystem writes while it recovers stays with that image. Both lie over the
same base and change nothing in it. One process with one thread, so the log is a total order, and a
mark that was answered stands before whatever is done after it.

It must be another process than the one that mounts and syncs: that one waits for us inside the
kernel. And it must have mounts of its own: whoever is the last in a mount namespace unmounts, on
its way out, what is mounted there. We would wait for our own answer, with /dev/fuse not yet closed,
and a killed run would leave its loop device for ever.
"""

from __future__ import annotations

import errno
import heapq
import os
import select
import socket
import stat
import struct
import sys
import time
from typing import TYPE_CHECKING

from holdfast.crash.disks import fuse_wire as wire
from holdfast.crash.disks.block_log import Kind, Record, pack_record
from holdfast.crash.disks.faults import NO_FAULTS, DeviceFaults, FaultDecider
from holdfast.crash.disks.memory import map_file
from holdfast.crash.disks.mounting import own_mounts
from holdfast.crash.disks.overlay import Overlay, unpack_runs
from holdfast.crash.parent import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COMMAND", "DISK", "IMAGE", "LENGTH", "BlockServer", "main"]

DISK, IMAGE = "disk", "image"
COMMAND = struct.Struct("<cI")  # what is wanted, and the length of what follows
LENGTH = struct.Struct("<Q")  # the answer to `S`
_NODES = {DISK: 2, IMAGE: 3}
_ANSWERED_BY_SILENCE = {
    wire.Opcode.FORGET,
    wire.Opcode.BATCH_FORGET,
    wire.Opcode.INTERRUPT,
}


class BlockServer:
    """Answers the kernel and the harness; see the head of the module."""

    def __init__(self, *, fuse: int, control: socket.socket, base: int, log: int) -> None:
        self._fuse, self._control, self._log = fuse, control, log
        size, mapped = os.fstat(base).st_size, map_file(base)
        self._overlays = {node: Overlay(mapped, size) for node in _NODES.values()}
        self._records = 0
        self._decider = FaultDecider(NO_FAULTS)
        self._late: list[tuple[float, int, tuple[int, bytes, int]]] = []
        self._over = False
        self._requests: dict[int, Callable[[wire.Request], bytes | None]] = {
            wire.Opcode.INIT: wire.init_reply,
            wire.Opcode.LOOKUP: self._lookup,
            wire.Opcode.GETATTR: self._get_attributes,
            wire.Opcode.OPEN: lambda request: wire.open_reply(request.unique),
            wire.Opcode.READ: self._read,
            wire.Opcode.WRITE: self._write,
            wire.Opcode.FSYNC: self._flush,
            wire.Opcode.RELEASE: lambda request: wire.reply(request.unique),
            wire.Opcode.DESTROY: self._destroy,
        }
        self._commands: dict[bytes, Callable[[bytes], bytes | None]] = {
            b"M": self._mark,
            b"R": self._reset,
            b"I": self._show_image,
            b"F": self._set_faults,
            b"S": self._log_size,
        }

    def serve(self) -> None:
        """Answer until the filesystem is unmounted or the harness is gone."""
        buffer = bytearray(wire.WRITE_BYTES_MAX + (1 << 16))
        poll = select.poll()
        poll.register(self._fuse, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        while not self._over:
            for descriptor, _ in poll.poll(self._patience_ms()):
                if descriptor == self._fuse:
                    self._answer_kernel(buffer)
                else:
                    self._answer_harness()
            self._answer_late()

    def _patience_ms(self) -> float | None:
        if not self._late:
            return None
        return max(0.0, (self._late[0][0] - time.monotonic()) * 1000 + 0.5)

    def _answer_kernel(self, buffer: bytearray) -> None:
        try:
            length = os.readv(self._fuse, [buffer])
        except OSError as error:
            if error.errno == errno.ENODEV:  # unmounted
                self._over = True
            elif error.errno not in {errno.EINTR, errno.EAGAIN, errno.ENOENT}:
                raise
            return
        request = wire.parse_request(memoryview(buffer)[:length])
        if request.opcode in _ANSWERED_BY_SILENCE:
            return
        handler = self._requests.get(request.opcode)
        answer = handler(request) if handler else wire.error_reply(request.unique)
        if answer is not None:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        try:
            os.write(self._fuse, answer)
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.EINTR}:  # who asked is gone
                raise

    def _destroy(self, request: wire.Request) -> bytes:
        self._over = True
        return wire.reply(request.unique)

    def _attributes(self, node: int) -> wire.Attributes:
        if node == wire.ROOT_NODE:
            return wire.Attributes(node, stat.S_IFDIR | 0o700)
        return wire.Attributes(node, stat.S_IFREG | 0o600, self._overlays[node].size_bytes)

    def _lookup(self, request: wire.Request) -> bytes:
        name = bytes(request.body).rstrip(b"\0").decode(errors="replace")
        if name not in _NODES:
            return wire.error_reply(request.unique, errno.ENOENT)
        return wire.entry_reply(request.unique, self._attributes(_NODES[name]))

    def _get_attributes(self, request: wire.Request) -> bytes:
        return wire.attributes_reply(request.unique, self._attributes(request.node))

    def _read(self, request: wire.Request) -> bytes:
        offset, size = wire.parse_read(request.body)
        return wire.reply(request.unique, self._overlays[request.node].read(offset, size))

    def _write(self, request: wire.Request) -> bytes | None:
        offset, data = wire.parse_write(request.body)
        if request.node != _NODES[DISK]:
            self._overlays[request.node].write(offset, data)
            return wire.write_reply(request.unique, len(data))
        if self._decider.fails_write(data):
            self._append(Record(Kind.FAILED_WRITE, offset=offset, arrived=self._records))
            return wire.error_reply(request.unique, errno.EIO)
        delay_s = self._decider.delay_s(data)
        if delay_s:
            due = time.monotonic() + delay_s
            heapq.heappush(self._late, (due, request.unique, (offset, data, self._records)))
            return None
        return self._complete(request.unique, (offset, data, self._records))

    def _complete(self, unique: int, write: tuple[int, bytes, int]) -> bytes:
        offset, data, arrived = write
        self._overlays[_NODES[DISK]].write(offset, data)
        self._append(Record(Kind.WRITE, offset=offset, arrived=arrived), data)
        return wire.write_reply(unique, len(data))

    def _answer_late(self) -> None:
        while self._late and self._late[0][0] <= time.monotonic():
            _, unique, write = heapq.heappop(self._late)
            self._send(self._complete(unique, write))

    def _flush(self, request: wire.Request) -> bytes:
        if request.node != _NODES[DISK]:
            return wire.reply(request.unique)
        time.sleep(self._decider.delay_flush_s)
        failed = self._decider.fails_flush()
        self._append(Record(Kind.FAILED_FLUSH if failed else Kind.FLUSH, arrived=self._records))
        return wire.error_reply(request.unique, errno.EIO) if failed else wire.reply(request.unique)

    def _append(self, record: Record, data: bytes = b"") -> None:
        message = pack_record(record, data)
        written = os.write(self._log, message)
        if written != len(message):
            raise OSError(errno.ENOSPC, "the block log could not be written whole")
        self._records += 1

    def _answer_harness(self) -> None:
        head = _receive(self._control, COMMAND.size)
        if not head:
            self._over = True
            return
        command, length = COMMAND.unpack(head)
        answer = self._commands[command](_receive(self._control, length))
        self._control.sendall(command + (answer or b""))

    def _mark(self, text: bytes) -> None:
        self._append(Record(Kind.MARK, arrived=self._records), text)

    def _reset(self, _: bytes) -> None:
        os.ftruncate(self._log, 0)
        os.lseek(self._log, 0, os.SEEK_SET)
        self._records = 0
        self._overlays[_NODES[DISK]].clear()

    def _show_image(self, message: bytes) -> None:
        image = self._overlays[_NODES[IMAGE]]
        image.clear()
        for offset, place, size in unpack_runs(message):
            image.write(offset, os.pread(self._log, size, place))

    def _log_size(self, _: bytes) -> bytes:
        """How much of the log is whole: behind that, a record may be on its way into it."""
        return LENGTH.pack(os.lseek(self._log, 0, os.SEEK_CUR))

    def _set_faults(self, message: bytes) -> None:
        self._decider = FaultDecider(DeviceFaults.from_json(message))


def _receive(control: socket.socket, size: int) -> bytes:
    """Exactly so many bytes; none if the other end is gone."""
    parts = bytearray()
    while len(parts) < size:
        part = control.recv(size - len(parts))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def main(arguments: list[str]) -> None:
    """Serve with the descriptors that were inherited."""
    die_with_parent()
    own_mounts()
    fuse, control, base, log = map(int, arguments)
    with socket.socket(fileno=control) as connection:
        BlockServer(fuse=fuse, control=connection, base=base, log=log).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
