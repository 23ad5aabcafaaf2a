"""System calls that Python has no function for, through the C library that it runs on."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from ctypes import POINTER, Structure, c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p
from typing import TYPE_CHECKING, Any, Final

from holdfast.crash.recorders.errors import RecorderUnavailable
from holdfast.crash.recorders.syscalls import ARCHITECTURES

if TYPE_CHECKING:
    from holdfast.crash.recorders.syscalls import Architecture

__all__ = [
    "MemoryReader",
    "become_subreaper",
    "duplicate_descriptor",
    "explain",
    "install_filter",
    "let_be_watched",
    "native_architecture",
    "own_working_folder",
    "syscall",
    "write_memory",
]

_PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER, _PR_SET_DUMPABLE = 38, 36, 4
_CLONE_FS = 0x200
_PIDFD_GETFD = 438
_SECCOMP: Final = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _NEW_LISTENER, _WAIT_KILLABLE = 1, 1 << 3, 1 << 5

_C: Final = ctypes.CDLL(None, use_errno=True)
_syscall: Any = _C.syscall
_syscall.restype = c_long
_plain_syscall: Any = _C["syscall"]  # of four numbers: converting them takes half the time
_plain_syscall.argtypes = (c_long,) * 4
_plain_syscall.restype = c_long


class _Vector(Structure):
    _fields_ = (("base", c_void_p), ("length", c_size_t))


class _Program(Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", c_char_p))


_ARGUMENTS = (c_int, POINTER(_Vector), c_ulong, POINTER(_Vector), c_ulong, c_ulong)
if hasattr(_C, "process_vm_readv"):
    _C.process_vm_readv.argtypes = _C.process_vm_writev.argtypes = _ARGUMENTS
    _C.process_vm_readv.restype = _C.process_vm_writev.restype = ctypes.c_ssize_t
    _read_memory: Any = _C["process_vm_readv"]
    _read_memory.restype = ctypes.c_ssize_t


def native_architecture() -> Architecture:
    """Return the one that this kernel runs on.

    Raises:
        RecorderUnavailable: its numbers are not known here; nothing was run.
    """
    machine = platform.machine()
    if ctypes.sizeof(c_void_p) != 8 or machine not in ARCHITECTURES or os.name != "posix":
        raise RecorderUnavailable(
            f"seccomp recorder: not made for {machine}. Nothing was run. "
            "Use Linux on x86_64 or aarch64, or record on the memory filesystem."
        )
    return ARCHITECTURES[machine]


def failure() -> OSError:
    """Make the error that the last call left behind."""
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def syscall(number: int, *arguments: object) -> int:
    """Carry out a call; bytes and buffers go as pointers.

    Raises:
        OSError: as the kernel answered.
    """
    given = [c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = _syscall(c_long(number), *given)
    if result == -1:
        raise failure()
    return result


def duplicate_descriptor(pidfd: int, descriptor: int) -> int:
    """Return a descriptor of our own for one of another process (never inherited).

    Raises:
        OSError: EBADF, EPERM, ESRCH, EMFILE.
    """
    own: int = _plain_syscall(_PIDFD_GETFD, pidfd, descriptor, 0)
    if own == -1:
        raise failure()
    return own


class MemoryReader:
    """Reads the memory of other processes; its buffers are used again, so one a thread."""

    _BUFFER_BYTES = 1 << 16
    _PIECE_BYTES = 16 << 20

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(self._BUFFER_BYTES)
        self._bytes = memoryview(self._buffer).cast("B")
        self._local = _Vector(ctypes.addressof(self._buffer), 0)
        self._remote = _Vector(0, 0)
        self._thread = c_int()
        local, remote = ctypes.byref(self._local), ctypes.byref(self._remote)
        one = c_ulong(1)
        self._given = (self._thread, local, one, remote, one, c_ulong(0))  # made once: it is slow

    def read(self, thread: int, address: int, size: int) -> bytes:
        """Read what is at an address: fewer bytes where its memory ends.

        Raises:
            OSError: EFAULT if nothing is there; ESRCH, EPERM.
        """
        if size > self._BUFFER_BYTES:
            return self._read_much(thread, address, size)
        self._thread.value = thread
        self._remote.base = address
        self._remote.length = self._local.length = size
        count: int = _read_memory(*self._given)
        if count < 0:
            raise failure()
        return self._bytes[:count].tobytes()

    def _read_much(self, thread: int, address: int, size: int) -> bytes:
        """In pieces: the size may be a lie, and memory is taken for what is there alone."""
        pieces: list[bytes] = []
        got = 0
        while got < size:
            asked = min(size - got, self._PIECE_BYTES)
            try:
                pieces.append(self._read_piece(thread, address + got, asked))
            except OSError as error:
                if got and error.errno == errno.EFAULT:
                    break
                raise
            got += len(pieces[-1])
            if len(pieces[-1]) < asked:
                break
        return b"".join(pieces)

    def _read_piece(self, thread: int, address: int, size: int) -> bytes:
        buffer = ctypes.create_string_buffer(size)
        local, remote = _Vector(ctypes.addressof(buffer), size), _Vector(address, size)
        count: int = _C.process_vm_readv(thread, local, 1, remote, 1, 0)
        if count < 0:
            raise failure()
        return ctypes.string_at(buffer, count)


def write_memory(thread: int, address: int, data: bytes) -> None:
    """Put bytes at an address of another process.

    Raises:
        OSError: EFAULT if it may not be written; ESRCH, EPERM.
    """
    buffer = ctypes.create_string_buffer(data)
    local = _Vector(ctypes.addressof(buffer), len(data))
    remote = _Vector(address, len(data))
    if _C.process_vm_writev(thread, local, 1, remote, 1, 0) != len(data):
        raise failure()


def own_working_folder() -> None:
    """Give this thread a current folder and a umask of its own.

    Raises:
        OSError: as the kernel answered.
    """
    if _C.unshare(_CLONE_FS) != 0:
        raise failure()


def become_subreaper() -> None:
    """Let orphaned descendants become children of this process.

    Raises:
        OSError: as the kernel answered.
    """
    _control_process(_PR_SET_CHILD_SUBREAPER)


def _control_process(option: int) -> None:
    zero = c_ulong(0)
    if _C.prctl(c_int(option), c_ulong(1), zero, zero, zero) != 0:
        raise failure()


def let_be_watched() -> None:
    """Let this process be looked into by one of the same user, also after it changed its user.

    Raises:
        OSError: as the kernel answered.
    """
    _control_process(_PR_SET_DUMPABLE)


def install_filter(code: bytes, machine: str) -> int:
    """Put this process and all that it will start under a filter; returns the listener.

    No set-uid program gains rights from now on (no_new_privs).

    Raises:
        OSError: EINVAL: the kernel is older than 5.19; EBUSY: there is a listener already; EPERM,
            ENOSYS: forbidden here.
    """
    _control_process(_PR_SET_NO_NEW_PRIVS)
    program = _Program(len(code) // 8, code)
    flags = _NEW_LISTENER | _WAIT_KILLABLE
    number = _SECCOMP["aarch64" if machine == "arm64" else machine]
    return syscall(number, _SET_MODE_FILTER, flags, ctypes.byref(program))


def explain(error: OSError) -> str:
    """Say what an error of `install_filter` means."""
    return {
        errno.EINVAL: "the kernel is older than 5.19",
        errno.EBUSY: "this process is under another recorder or supervisor already",
        errno.ENOSYS: "the kernel or the container has no seccomp",
        errno.EPERM: "the container forbids it",
        errno.EACCES: "the container forbids it",
    }.get(error.errno or 0, str(error))
