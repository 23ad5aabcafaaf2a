"""The listener of a filter: what the kernel tells about a stopped call, and how it is answered."""

from __future__ import annotations

import errno
import fcntl
from struct import Struct
from typing import Final, NamedTuple

__all__ = [
    "Notification",
    "answer",
    "install_descriptor",
    "is_alive",
    "let_pass",
    "receive",
    "tune",
]

_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_ID_VALID, _ADD_DESCRIPTOR, _SET_FLAGS = 0x40082102, 0x40182103, 0x40082104
_CONTINUE, _ADD_AND_SEND, _SYNC_WAKE_UP = 1, 2, 1
_NOTIFICATION: Final = Struct("=QIIiIQ6Q")
_RESPONSE: Final = Struct("=QqiI")
_DESCRIPTOR: Final = Struct("=QIIII")
_ID: Final = Struct("=Q")


class Notification(NamedTuple):
    """A thread that waits in a call for our answer."""

    id: int
    thread: int
    number: int
    architecture: int
    instruction_pointer: int
    arguments: tuple[int, ...]


def tune(listener: int) -> None:
    """Let caller and recorder take turns on one processor, where the kernel can (6.6)."""
    try:
        fcntl.ioctl(listener, _SET_FLAGS, _SYNC_WAKE_UP)
    except OSError:
        return


def receive(listener: int) -> Notification | None:
    """Take the next stopped call; None if its thread was killed meanwhile.

    Raises:
        OSError: as the kernel answered.
    """
    buffer = bytearray(_NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, buffer, True)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.EINTR}:
            return None
        raise
    number, thread, _, call, architecture, pointer, *arguments = _NOTIFICATION.unpack(buffer)
    return Notification(number, thread, call, architecture, pointer, tuple(arguments))


def is_alive(listener: int, notification: Notification) -> bool:
    """Whether the thread still waits: what was read of it before this was of no other."""
    try:
        fcntl.ioctl(listener, _ID_VALID, _ID.pack(notification.id))
    except OSError:
        return False
    return True


def answer(listener: int, notification: Notification, result: int, *, error: int = 0) -> None:
    """Let the call return `result`, or fail."""
    _send(listener, _RESPONSE.pack(notification.id, 0 if error else result, -error, 0))


def let_pass(listener: int, notification: Notification) -> None:
    """Let the kernel carry the call out."""
    _send(listener, _RESPONSE.pack(notification.id, 0, 0, _CONTINUE))


def _send(listener: int, response: bytes) -> None:
    try:
        fcntl.ioctl(listener, _SEND, response)
    except OSError as error:
        if error.errno != errno.ENOENT:  # killed meanwhile
            raise


def install_descriptor(
    listener: int, notification: Notification, descriptor: int, *, close_on_exec: int
) -> None:
    """Give the thread a copy of our descriptor, at its lowest free number, as the result.

    Raises:
        OSError: EMFILE and the like; the call was not answered.
    """
    request = _DESCRIPTOR.pack(notification.id, _ADD_AND_SEND, descriptor, 0, close_on_exec)
    try:
        fcntl.ioctl(listener, _ADD_DESCRIPTOR, request)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
