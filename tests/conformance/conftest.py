"""Every implementation of `VFS`, each with an empty folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.vfs import SYSTEM, VFS, Folder
from holdfast.vfs.fault import Faulty, Without
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace


class Place:
    """An empty folder on one filesystem, and what the seam itself cannot make."""

    def __init__(self, vfs: VFS, root: str, memory: MemoryVFS | None) -> None:
        self.vfs = vfs
        self.root = root
        self.memory = memory
        self.folder: Folder = vfs.folder(root)

    def path(self, name: str) -> str:
        """The path of a name in the folder."""
        return f"{self.root}/{name}"

    def write(self, name: str, data: bytes) -> None:
        """Make or replace a file."""
        file = self.folder.open(name, "create")
        file.truncate(0)
        file.write(data)
        file.close()

    def read(self, name: str) -> bytes:
        """What a file holds."""
        file = self.folder.open(name, "read")
        data = file.read(1 << 20)
        file.close()
        return data

    def symlink(self, name: str, target: str) -> None:
        """Make a symlink."""
        if self.memory is None:
            os.symlink(target, self.path(name))
        else:
            self.memory.make_node(self.path(name), "symlink", target=target)

    def fifo(self, name: str) -> None:
        """Make a FIFO."""
        if self.memory is not None:
            self.memory.make_node(self.path(name), "fifo")
        elif hasattr(os, "mkfifo"):
            os.mkfifo(self.path(name))
        else:
            pytest.skip("this system has no FIFOs")


IMPLEMENTATIONS = {
    "system": lambda vfs: vfs,
    "memory": lambda vfs: vfs,
    "trace-system": Trace,
    "trace-memory": Trace,
    "faulty-system": Faulty,
    "faulty-memory": Faulty,
    "without-memory": Without,
    "stacked": lambda vfs: Faulty(Trace(vfs)),
}


@pytest.fixture(params=IMPLEMENTATIONS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty folder; after the test nothing may be open or locked there."""
    wrap = IMPLEMENTATIONS[request.param]
    if request.param.endswith("system"):
        place = Place(wrap(SYSTEM), str(tmp_path.resolve()), None)
    else:
        memory = MemoryVFS()
        memory.write_tree({"place": None})
        place = Place(wrap(memory), "/place", memory)
    yield place
    place.folder.close()
    if place.memory is not None:
        assert [] == place.memory.leftovers()
