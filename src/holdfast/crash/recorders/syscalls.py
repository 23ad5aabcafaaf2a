"""The system calls that may change files: their numbers, and the shape of their arguments.

A shape has one letter an argument: `d` a folder descriptor, `p` a path that it is relative to (or
to the current folder, where no `d` stands before it), `f` a descriptor, `s` a string that is no
path, `b` bytes whose length is the next argument, `.` a plain value. Calls with the shape None are
taken apart by hand.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = [
    "AARCH64",
    "ARCHITECTURES",
    "FAMILIES",
    "SHAPES",
    "X86_64",
    "Architecture",
    "Shape",
    "family",
]


class Shape(NamedTuple):
    """Where the kernel keeps a call, and what its arguments are."""

    x86_64: int | None
    aarch64: int | None
    arguments: str


SHAPES: Final[dict[str, Shape]] = {
    "write": Shape(1, 64, "f.."),
    "pwrite64": Shape(18, 68, "f..."),
    "writev": Shape(20, 66, "f.."),
    "pwritev": Shape(296, 70, "f...."),
    "pwritev2": Shape(328, 287, "f....."),
    "sendfile": Shape(40, 71, "ff.."),
    "splice": Shape(275, 76, "f.f..."),
    "copy_file_range": Shape(326, 285, "f.f..."),
    "open": Shape(2, None, "p.."),
    "openat": Shape(257, 56, "dp.."),
    "openat2": Shape(437, 437, "dpb."),
    "creat": Shape(85, None, "p."),
    "truncate": Shape(76, 45, "p."),
    "ftruncate": Shape(77, 46, "f."),
    "fallocate": Shape(285, 47, "f..."),
    "rename": Shape(82, None, "pp"),
    "renameat": Shape(264, 38, "dpdp"),
    "renameat2": Shape(316, 276, "dpdp."),
    "link": Shape(86, None, "pp"),
    "linkat": Shape(265, 37, "dpdp."),
    "symlink": Shape(88, None, "sp"),
    "symlinkat": Shape(266, 36, "sdp"),
    "unlink": Shape(87, None, "p"),
    "unlinkat": Shape(263, 35, "dp."),
    "rmdir": Shape(84, None, "p"),
    "mkdir": Shape(83, None, "p."),
    "mkdirat": Shape(258, 34, "dp."),
    "mknod": Shape(133, None, "p.."),
    "mknodat": Shape(259, 33, "dp.."),
    "chmod": Shape(90, None, "p."),
    "fchmod": Shape(91, 52, "f."),
    "fchmodat": Shape(268, 53, "dp."),
    "fchmodat2": Shape(452, 452, "dp.."),
    "chown": Shape(92, None, "p.."),
    "fchown": Shape(93, 55, "f.."),
    "lchown": Shape(94, None, "p.."),
    "fchownat": Shape(260, 54, "dp..."),
    "setxattr": Shape(188, 5, "psb.."),
    "lsetxattr": Shape(189, 6, "psb.."),
    "fsetxattr": Shape(190, 7, "fsb.."),
    "removexattr": Shape(197, 14, "ps"),
    "lremovexattr": Shape(198, 15, "ps"),
    "fremovexattr": Shape(199, 16, "fs"),
    "fsync": Shape(74, 82, "f"),
    "fdatasync": Shape(75, 83, "f"),
    "sync": Shape(162, 81, ""),
    "syncfs": Shape(306, 267, "f"),
    "msync": Shape(26, 227, "..."),
    "mmap": Shape(9, 222, "....f."),
    "ioctl": Shape(16, 29, "f.."),
    # Told about, and then left to the kernel:
    "execve": Shape(59, 221, "..."),
    "execveat": Shape(322, 281, "....."),
    "chdir": Shape(80, 49, "."),
    "fchdir": Shape(81, 50, "."),
    "unshare": Shape(272, 97, "."),
    "setns": Shape(308, 268, ".."),
    "umask": Shape(95, 166, "."),
    "setuid": Shape(105, 146, "."),
    "setgid": Shape(106, 144, "."),
    "setreuid": Shape(113, 145, ".."),
    "setregid": Shape(114, 143, ".."),
    "setresuid": Shape(117, 147, "..."),
    "setresgid": Shape(119, 149, "..."),
    "setfsuid": Shape(122, 151, "."),
    "setfsgid": Shape(123, 152, "."),
    "setgroups": Shape(116, 159, ".."),
    # Refused:
    "io_uring_setup": Shape(425, 425, ".."),
    "io_uring_enter": Shape(426, 426, "......"),
    "io_uring_register": Shape(427, 427, "...."),
    "io_submit": Shape(209, 2, "..."),
    "open_by_handle_at": Shape(304, 265, "..."),
    "setxattrat": Shape(463, 463, "......"),
    "removexattrat": Shape(466, 466, "...."),
    "chroot": Shape(161, 51, "."),
    "pivot_root": Shape(155, 41, ".."),
    "mount": Shape(165, 40, "....."),
    "umount2": Shape(166, 39, ".."),
    "move_mount": Shape(429, 429, "....."),
    "setrlimit": Shape(160, 164, ".."),
    "prlimit64": Shape(302, 261, "...."),
}


class Architecture(NamedTuple):
    """One kind of processor: its name, what the kernel calls it, and its numbers."""

    machine: str
    audit: int
    numbers: dict[str, int]


X86_64: Final = Architecture(
    "x86_64",
    0xC000003E,
    {name: shape.x86_64 for name, shape in SHAPES.items() if shape.x86_64 is not None},
)
AARCH64: Final = Architecture(
    "aarch64",
    0xC00000B7,
    {name: shape.aarch64 for name, shape in SHAPES.items() if shape.aarch64 is not None},
)
ARCHITECTURES: Final = {"x86_64": X86_64, "aarch64": AARCH64, "arm64": AARCH64}

FAMILIES: Final[dict[str, str]] = {
    **dict.fromkeys(("openat", "openat2", "creat"), "open"),
    **dict.fromkeys(("pwrite64", "writev", "pwritev", "pwritev2"), "write"),
    **dict.fromkeys(("sendfile", "copy_file_range"), "copy"),
    **dict.fromkeys(("renameat", "renameat2"), "rename"),
    "linkat": "link",
    "symlinkat": "symlink",
    "unlinkat": "unlink",
    "mkdirat": "mkdir",
    "mknodat": "mknod",
    "ftruncate": "truncate",
    **dict.fromkeys(("fchmod", "fchmodat", "fchmodat2"), "chmod"),
    **dict.fromkeys(("fchown", "lchown", "fchownat"), "chown"),
    **dict.fromkeys(("lsetxattr", "fsetxattr"), "setxattr"),
    **dict.fromkeys(("lremovexattr", "fremovexattr"), "removexattr"),
}


def family(name: str) -> str:
    """Return the plain name of a call that has several: `rename` for `renameat2`."""
    return FAMILIES.get(name, name)
