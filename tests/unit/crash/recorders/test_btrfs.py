"""Files on btrfs, where the device of a mapping is not the one of the file."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.crash import ack
from holdfast.vfs.operations import SyncFile, Write

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts a filesystem"),
    pytest.mark.skipif(
        shutil.which("mkfs.btrfs") is None, reason="needs mkfs.btrfs: install btrfs-progs"
    ),
]

IMAGE_BYTES = 128 << 20


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A new btrfs; skipped where it cannot be mounted."""
    image, folder = tmp_path / "image", tmp_path / "btrfs"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run(["mkfs.btrfs", "-q", image], check=True)
    mount = ["mount", "-o", "loop", image, folder]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no btrfs can be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        image.unlink()


def test_mapped_files_are_known(recorded, mounted):
    """Stores before and after `msync`, through a mapping of its own and an inherited one."""
    recorded.folder = mounted / "root"
    recorded.folder.mkdir()
    (recorded.folder / "f").write_bytes(bytes(8192))
    with open(recorded.folder / "f", "r+b") as file:
        inherited = mmap.mmap(file.fileno(), 8192)

    def program():
        inherited[0] = 1
        inherited.flush()
        ack("first")
        with open("g", "w+b") as file:
            file.truncate(4096)
            pages = mmap.mmap(file.fileno(), 4096)
        pages[0] = 2
        pages.flush()

    try:
        recording = recorded.call(program)
    finally:
        inherited.close()
    found = [o for o in recording.operations if isinstance(o, Write | SyncFile)]
    assert [(Write, 2), (SyncFile, 2), (Write, 3), (SyncFile, 3)] == [
        (type(operation), operation.inode) for operation in found
    ]
