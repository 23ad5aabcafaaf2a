"""Where an operation works and what is found there: a filesystem in memory, or a real folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import NamedTuple

from holdfast.vfs import VFS
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import Contents, MemoryVFS

TEMPORARY = ".holdfast-tmp"


class Place(NamedTuple):
    """A filesystem and the folder on it that the operation works in.

    `programs`: a command is run as a process of its own, else in this one.
    """

    vfs: VFS
    top: str = "/"
    programs: bool = False

    def path(self, name: str = "") -> str:
        """The absolute path of a name."""
        return f"{self.top.rstrip('/')}/{name}"

    def tree(self) -> dict[str, Contents]:
        """All that is there: the bytes of files, `-> target` of symlinks, None for folders."""
        disk = self.memory
        return dict(_below(self.top, "")) if disk is None else disk.tree()

    @property
    def memory(self) -> MemoryVFS | None:
        """The filesystem in memory that is underneath, if it is one."""
        inner = self.vfs
        while isinstance(inner, Interposed):
            inner = inner.inner
        return inner if isinstance(inner, MemoryVFS) else None

    @property
    def mode_of_new(self) -> int:
        """The mode that the umask gives to new files."""
        if self.memory is not None:
            return 0o666 & ~self.memory.core.umask
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask

    def mode(self, name: str) -> int:
        """The mode of a file."""
        above, _, last = self.path(name).rpartition("/")
        with closing(self.vfs.folder(above or "/")) as folder:
            return stat.S_IMODE(folder.stat(last).st_mode)

    def xattrs(self, name: str) -> dict[str, bytes]:
        """The extended attributes of a file."""
        above, _, last = self.path(name).rpartition("/")
        with closing(self.vfs.folder(above or "/")) as folder:
            return folder.xattrs(last)

    def give(self, name: str, *, mode: int, xattrs: Mapping[str, bytes] | None = None) -> None:
        """Give a file these attributes, durably."""
        above, _, last = self.path(name).rpartition("/")
        with (
            closing(self.vfs.folder(above or "/")) as folder,
            closing(folder.open(last, "write")) as file,
        ):
            file.set_attributes(mode=mode, owner=None, xattrs=xattrs or {})
            file.sync()

    def fill(self, contents: Mapping[str, Contents]) -> None:
        """Make what is there before the operation."""
        if isinstance(self.vfs, MemoryVFS):
            self.vfs.write_tree(contents)
            return
        for name, value in contents.items():
            path = self.path(name)
            os.makedirs(path if value is None else os.path.dirname(path), exist_ok=True)
            if isinstance(value, str):
                os.symlink(value.removeprefix("-> "), path)
            elif value is not None:
                with open(path, "xb") as file:
                    file.write(value)


class Rebooted(Interposed):
    """A filesystem after the machine was started anew."""

    def boot(self) -> str:
        """Return another name."""
        return f"after {super().boot()}"


def _below(folder: str, prefix: str) -> Iterator[tuple[str, Contents]]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = prefix + entry.name
        if entry.is_symlink():
            yield name, "-> " + os.readlink(entry.path)
        elif entry.is_dir():
            yield name, None
            yield from _below(entry.path, name + "/")
        else:
            with open(entry.path, "rb") as file:
                yield name, file.read()
