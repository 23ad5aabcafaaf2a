"""The filter, run here as the kernel would."""

from __future__ import annotations

from struct import iter_unpack, pack, unpack_from

import pytest

from holdfast.crash.recorders.filter import assemble
from holdfast.crash.recorders.syscalls import AARCH64, X86_64

ALLOW, NOTIFY, NO_SUCH_CALL = 0x7FFF0000, 0x7FC00000, 0x00050026


def verdict(architecture, number: int, *arguments: int, audit: int | None = None) -> int:
    """Interpret the program."""
    audit = architecture.audit if audit is None else audit
    data = pack("=iIQ6Q", number, audit, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    code = list(iter_unpack("=HBBI", assemble(architecture)))
    at = loaded = 0
    for _ in range(len(code)):
        what, yes, no, value = code[at]
        at += 1
        if what == 0x20:
            (loaded,) = unpack_from("=I", data, value)
        elif what == 0x15:
            at += yes if loaded == value else no
        elif what == 0x45:
            at += yes if loaded & value else no
        else:
            return value
    raise AssertionError("the program does not end")


@pytest.mark.parametrize("architecture", [X86_64, AARCH64], ids=lambda one: one.machine)
def test_every_call_that_matters_is_told(architecture):
    """And no other: reading, waiting and looking pass."""
    sometimes = {"mmap", "ioctl", "setrlimit", "prlimit64", "io_uring_setup"}
    for name, number in architecture.numbers.items():
        if name not in sometimes:
            assert NOTIFY == verdict(architecture, number), name
    for number in set(range(470)) - set(architecture.numbers.values()):
        assert ALLOW == verdict(architecture, number)


def test_other_conventions_are_told():
    """32-bit calls, and x32 calls, whose numbers mean something else."""
    assert NOTIFY == verdict(X86_64, 20, audit=0x40000003)
    assert NOTIFY == verdict(X86_64, 0x40000000 | 39)
    assert NOTIFY == verdict(AARCH64, 20, audit=0x40000028)


def test_io_uring_does_not_exist():
    """As on a kernel without it."""
    assert NO_SUCH_CALL == verdict(X86_64, X86_64.numbers["io_uring_setup"])


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("mmap", (0, 4096, 3, 0x01), NOTIFY),
        ("mmap", (0, 4096, 3, 0x03), NOTIFY),
        ("mmap", (0, 4096, 3, 0x02), ALLOW),
        ("mmap", (0, 4096, 3, 0x21), ALLOW),
        ("ioctl", (3, 0x40049409), NOTIFY),
        ("ioctl", (3, 0x5000943F), NOTIFY),
        ("ioctl", (3, 0x5401), ALLOW),
        ("prlimit64", (0, 1), NOTIFY),
        ("prlimit64", (0, 7), ALLOW),
        ("setrlimit", (1,), NOTIFY),
        ("setrlimit", (7,), ALLOW),
    ],
)
def test_arguments_decide(name, arguments, expected):
    """Shared file mappings, cloning and file size limits alone."""
    assert expected == verdict(X86_64, X86_64.numbers[name], *arguments)


def test_the_kernel_takes_it():
    """No jump is too long, and the program is short enough (4096 instructions)."""
    for architecture in (X86_64, AARCH64):
        code = assemble(architecture)
        assert 0 == len(code) % 8
        assert len(code) // 8 < 4096
