"""What Linux adds: holders from /proc/locks, extended attributes by name."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.vfs import SYSTEM

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/locks"), reason="no /proc/locks on this system"
)

HOLD = """
import sys
from holdfast.vfs import SYSTEM
folder = SYSTEM.folder(sys.argv[1])
file = folder.open("lock", "create")
file.lock()
print("held", flush=True)
sys.stdin.read()
"""


def test_holder_of_another_process_is_named(tmp_path: Path) -> None:
    """Pid, program and host of the process that has the lock; nobody once it is dead."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), "\x1b[31mred"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert "held\n" == child.stdout.readline()
        folder = SYSTEM.folder(str(tmp_path))
        file = folder.open("lock", "read")
        folder.close()
        holder = SYSTEM.holder(file)
        assert holder is not None
        assert (child.pid, os.uname().nodename) == (holder.pid, holder.host)
        assert os.path.basename(sys.executable) in holder.program
        assert holder.program.isprintable()
        assert len(holder.program) <= 80
    finally:
        child.communicate(timeout=60)
    assert SYSTEM.holder(file) is None
    file.close()


def test_shared_holders_are_named_too(tmp_path: Path) -> None:
    """Somebody who shares the lock is a holder."""
    folder = SYSTEM.folder(str(tmp_path))
    file, other = folder.open("lock", "create"), folder.open("lock", "create")
    file.lock(shared=True)
    holder = SYSTEM.holder(other)
    assert holder is not None
    assert os.getpid() == holder.pid
    for opened in (file, other, folder):
        opened.close()


def test_lock_of_another_file_is_not_mistaken(tmp_path: Path) -> None:
    """Only the lock of that very file counts."""
    folder = SYSTEM.folder(str(tmp_path))
    one, two = folder.open("one", "new"), folder.open("two", "new")
    one.lock()
    assert SYSTEM.holder(two) is None
    for opened in (one, two, folder):
        opened.close()


def test_what_cannot_be_opened_has_attributes_by_its_place(tmp_path: Path) -> None:
    """A socket, which no open reaches, has no attributes and raises nothing."""
    with socket.socket(socket.AF_UNIX) as server:
        folder = SYSTEM.folder(str(tmp_path))
        # A short name: the path of a socket has at most 108 bytes.
        server.bind(os.path.relpath(tmp_path / "s"))
        assert {} == folder.xattrs("s")
        folder.close()


def test_boot_is_the_name_that_the_kernel_gives() -> None:
    """The kernel draws one at its start."""
    expected = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()

    assert 36 == len(expected)
    assert expected == SYSTEM.boot()


def test_dropped_pages_are_read_again(tmp_path: Path) -> None:
    """What was synced and dropped is there, and so is what was never synced."""
    folder = SYSTEM.folder(str(tmp_path))
    file = folder.open("a", "new")
    file.write(b"a" * 8192)
    file.drop_cache()
    file.sync_data()
    file.drop_cache()

    assert b"a" * 8192 == file.read(9999, offset=0)

    file.close()
    folder.close()
