"""The filter that stops a program at the calls that matter: classic BPF, made here as bytes.

Everything that cannot change a file passes untouched, at the price of a table look-up in the
kernel. The rest is told to the recorder, which answers. Calls in the convention of another
architecture (32-bit and x32 programs) are told as well: the recorder refuses them by name.
`io_uring_setup` is answered with ENOSYS, as on a kernel without it.
"""

from __future__ import annotations

import errno
from struct import pack
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.crash.recorders.syscalls import Architecture

__all__ = ["IOCTLS_COPYING", "IOCTLS_REFUSED", "TOLD", "assemble"]

_LOAD, _JUMP_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _NOTIFY, _ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000
_AT_NUMBER, _AT_ARCHITECTURE, _AT_ARGUMENTS = 0, 4, 16

TOLD: Final = frozenset({"execve", "execveat", "umask", "setuid", "setgid", "setgroups"}) | {
    *("setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid"),
    *("chdir", "fchdir", "unshare", "setns"),
}
"""Calls that the recorder must know of and that change no file."""

IOCTLS_COPYING: Final = {0x40049409: "FICLONE", 0x4020940D: "FICLONERANGE"}
IOCTLS_REFUSED: Final = {
    0x40305828: "FS_IOC_RESVSP",
    0x40305829: "FS_IOC_UNRESVSP",
    0x4030582A: "FS_IOC_RESVSP64",
    0x4030582B: "FS_IOC_UNRESVSP64",
    0x40305839: "FS_IOC_ZERO_RANGE",
    0x50009401: "BTRFS_IOC_SNAP_CREATE",
    0x5000940E: "BTRFS_IOC_SUBVOL_CREATE",
    0x5000940F: "BTRFS_IOC_SNAP_DESTROY",
    0x50009417: "BTRFS_IOC_SNAP_CREATE_V2",
    0x50009418: "BTRFS_IOC_SUBVOL_CREATE_V2",
    0x5000943F: "BTRFS_IOC_SNAP_DESTROY_V2",
}

_MAP_SHARED, _MAP_ANONYMOUS = 0x01, 0x20
_RLIMIT_FSIZE = 1
_Code = list[tuple[int, int, int, int]]


def assemble(architecture: Architecture) -> bytes:
    """Return the program, 8 bytes an instruction."""
    code: _Code = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _NOTIFY),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    if architecture.machine == "x86_64":
        code += [(_JUMP_SET, 0, 1, 0x40000000), (_RETURN, 0, 0, _NOTIFY)]  # x32
    for name, number in architecture.numbers.items():
        block = _block(name)
        code += [(_JUMP_EQUAL, 0, len(block), number), *block]
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(pack("=HBBI", *instruction) for instruction in code)


def _block(name: str) -> _Code:
    """What to do with one call; every way through it returns."""
    if name == "io_uring_setup":
        return [(_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    if name == "mmap":  # a file, shared
        return [
            (_LOAD, 0, 0, _AT_ARGUMENTS + 8 * 3),
            (_JUMP_SET, 2, 0, _MAP_ANONYMOUS),
            (_JUMP_SET, 0, 1, _MAP_SHARED),
            (_RETURN, 0, 0, _NOTIFY),
            (_RETURN, 0, 0, _ALLOW),
        ]
    if name == "ioctl":
        return _one_of([*IOCTLS_COPYING, *IOCTLS_REFUSED], argument=1)
    if name == "setrlimit":
        return _one_of([_RLIMIT_FSIZE], argument=0)
    if name == "prlimit64":
        return _one_of([_RLIMIT_FSIZE], argument=1)
    return [(_RETURN, 0, 0, _NOTIFY)]


def _one_of(values: Sequence[int], *, argument: int) -> _Code:
    """Tell if an argument is one of the values."""
    code: _Code = [(_LOAD, 0, 0, _AT_ARGUMENTS + 8 * argument)]
    code += [(_JUMP_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [*code, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _NOTIFY)]
