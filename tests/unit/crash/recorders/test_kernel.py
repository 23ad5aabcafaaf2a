"""System calls through the C library."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import sys
import threading
import tracemalloc

import pytest

from holdfast.crash.recorders import kernel


def test_memory_is_read_up_to_its_end():
    """Small and large pieces; nothing at all is EFAULT."""
    reader = kernel.MemoryReader()
    held = ctypes.create_string_buffer(b"abc" * 50000)
    address = ctypes.addressof(held)

    assert b"abcab" == reader.read(os.getpid(), address, 5)
    assert held.raw == reader.read(os.getpid(), address, len(held))
    with pytest.raises(OSError, match="Bad address"):
        reader.read(os.getpid(), 8, 8)


def test_memory_is_written():
    """Zero bytes too."""
    held = ctypes.create_string_buffer(8)
    kernel.write_memory(os.getpid(), ctypes.addressof(held), b"a\0b")
    assert b"a\0b" == held.raw[:3]
    with pytest.raises(OSError, match="Bad address"):
        kernel.write_memory(os.getpid(), 8, b"x")


def test_errors_of_calls_are_os_errors():
    """With the errno of the kernel."""
    with pytest.raises(OSError, match="Bad file") as caught:
        kernel.syscall(kernel.native_architecture().numbers["fsync"], 9999)
    assert errno.EBADF == caught.value.errno


def test_descriptors_of_other_processes(tmp_path):
    """The copy shares the position, and is not inherited."""
    with open(tmp_path / "f", "w+b", buffering=0) as file:
        pidfd = os.pidfd_open(os.getpid())
        copy = kernel.duplicate_descriptor(pidfd, file.fileno())
        os.write(copy, b"abc")
        assert 3 == file.tell()
        assert not os.get_inheritable(copy)
        os.close(copy)
        os.close(pidfd)


def test_a_thread_with_a_folder_of_its_own(tmp_path):
    """Nothing of it is seen by the others."""
    before = os.getcwd()
    seen = []

    def work():
        kernel.own_working_folder()
        os.chdir(tmp_path)
        os.umask(0o777)
        seen.append(os.getcwd())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [str(tmp_path)] == seen
    assert before == os.getcwd()
    assert 0o777 != os.umask(0o022)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has seccomp")
def test_reasons_are_in_plain_words():
    """Each errno that a filter may be refused with says what to think of it."""
    assert "older than 5.19" in kernel.explain(OSError(errno.EINVAL, ""))
    assert "another recorder" in kernel.explain(OSError(errno.EBUSY, ""))
    assert "container" in kernel.explain(OSError(errno.EPERM, ""))


def test_a_size_that_is_a_lie_takes_no_memory():
    """What is there is read, a piece at a time, and no more is made room for."""
    with mmap.mmap(-1, 40 << 20) as pages:
        held = ctypes.c_char.from_buffer(pages)
        address = ctypes.addressof(held)
        kernel.syscall({"x86_64": 10}.get(os.uname().machine, 226), address + (24 << 20), 4096, 0)
        tracemalloc.start()
        found = kernel.MemoryReader().read(os.getpid(), address, 0x7FFFF000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        kernel.syscall({"x86_64": 10}.get(os.uname().machine, 226), address + (24 << 20), 4096, 3)
        assert bytes(24 << 20) == found
        assert 100 << 20 > peak
        del held
