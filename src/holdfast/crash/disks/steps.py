"""Steps: file operations that are known twice, as system calls and as operations of the model.

`Names` keeps the tree in its head, so it knows which inode a path leads to without asking a disk; a
step can be carried out on any folder that holds the starting tree.
"""

from __future__ import annotations

import ctypes
import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from holdfast.vfs import operations as ops
from holdfast.vfs.operations import ROOT, Node, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "START",
    "Arguments",
    "Names",
    "Step",
    "operations_of",
    "perform",
    "prepare",
    "start_tree",
    "without",
]

Arguments = tuple[str | int | bytes, ...]

START: tuple[tuple[str, bytes], ...] = (
    ("a", b"A" * 5000),
    ("b", b"B" * 9010),
    ("d/c", b"C" * 100),
    ("e/f", b"F" * 4096),
)
"""The files that are there and durable when a sequence begins."""

_RENAME_EXCHANGE = 2
_FILE, _FOLDER = Node("file", 0o644), Node("folder", 0o755)


class Step(NamedTuple):
    """One call: its name, its arguments (paths relative to the top), and what it does."""

    call: str
    arguments: Arguments
    operations: tuple[Operation, ...] = ()

    def __str__(self) -> str:
        shown = (
            f"{len(a)} x {a[:1].decode()!r}" if isinstance(a, bytes) else repr(a)
            for a in self.arguments
        )
        return f"{self.call}({', '.join(shown)})"


class Names:
    """What each path leads to after the steps so far."""

    def __init__(self) -> None:
        self.folders: dict[str, int] = {"": ROOT}
        self.files: dict[str, int] = {}
        self.sizes: dict[int, int] = {}
        self._next = ROOT + 1
        for path, data in START:
            parent = os.path.dirname(path)
            if parent not in self.folders:
                self.folders[parent] = self._new_inode()
            self.files[path] = self._new_inode()
            self.sizes[self.files[path]] = len(data)
        self._known: dict[str, Callable[..., tuple[Operation, ...]]] = {
            "create": self._create,
            "write": self._write,
            "truncate": self._truncate,
            "chmod": self._chmod,
            "rename": self._rename,
            "exchange": self._exchange,
            "setxattr": self._setxattr,
            "link": self._link,
            "unlink": self._unlink,
            "mkdir": self._mkdir,
            "rmdir": self._rmdir,
            "fsync": self._fsync,
            "fdatasync": self._fdatasync,
            "writeback": self._writeback,
            "syncfs": self._syncfs,
        }

    def step(self, call: str, *arguments: str | int | bytes) -> Step:
        """Do it in the head, and return the step.

        Raises:
            KeyError: A path does not lead to what the call needs. Nothing was changed.
        """
        return Step(call, arguments, self._known[call](*arguments))

    def is_free(self, path: str) -> bool:
        """Whether nothing has this path, and its folder is there."""
        taken = path in self.files or path in self.folders
        return os.path.dirname(path) in self.folders and not taken

    def empty_folders(self) -> list[str]:
        """The folders that can be removed."""
        used = {os.path.dirname(path) for path in (*self.files, *self.folders) if path}
        return sorted(set(self.folders) - used - {""})

    def _new_inode(self) -> int:
        self._next += 1
        return self._next - 1

    def _place(self, path: str) -> tuple[int, str]:
        return self.folders[os.path.dirname(path)], os.path.basename(path)

    def _free(self, path: str) -> tuple[int, str]:
        if not self.is_free(path):
            raise KeyError(path)
        return self._place(path)

    def _create(self, path: str) -> tuple[Operation, ...]:
        place, inode = self._free(path), self._new_inode()
        self.files[path], self.sizes[inode] = inode, 0
        return ops.Create(inode, _FILE), ops.Link(*place, inode)

    def _write(self, path: str, offset: int, data: bytes) -> tuple[Operation, ...]:
        inode = self.files[path]
        self.sizes[inode] = max(self.sizes[inode], offset + len(data))
        return (ops.Write(inode, offset, data),)

    def _truncate(self, path: str, size: int) -> tuple[Operation, ...]:
        self.sizes[self.files[path]] = size
        return (ops.Truncate(self.files[path], size),)

    def _chmod(self, path: str, mode: int) -> tuple[Operation, ...]:
        return (ops.SetAttributes(self.files[path], mode=mode),)

    def _rename(self, path: str, to: str) -> tuple[Operation, ...]:
        inode = self.files[path]
        if to in self.folders or self.files.get(to) == inode:  # the same file: nothing is done
            raise KeyError(to)
        move = ops.Rename(*self._place(path), *self._place(to))
        del self.files[path]
        self.files[to] = inode
        return (move,)

    def _exchange(self, path: str, to: str) -> tuple[Operation, ...]:
        if self.files[path] == self.files[to]:
            raise KeyError(to)
        self.files[path], self.files[to] = self.files[to], self.files[path]
        return (ops.Exchange(*self._place(path), *self._place(to)),)

    def _setxattr(self, path: str, name: str, value: bytes) -> tuple[Operation, ...]:
        return (ops.SetAttributes(self.files[path], xattrs=((name, value),)),)

    def _link(self, path: str, to: str) -> tuple[Operation, ...]:
        inode = self.files[path]
        link = ops.Link(*self._free(to), inode)
        self.files[to] = inode
        return (link,)

    def _unlink(self, path: str) -> tuple[Operation, ...]:
        del self.files[path]
        return (ops.Unlink(*self._place(path)),)

    def _mkdir(self, path: str) -> tuple[Operation, ...]:
        place, inode = self._free(path), self._new_inode()
        self.folders[path] = inode
        return (ops.MakeFolder(*place, inode, _FOLDER),)

    def _rmdir(self, path: str) -> tuple[Operation, ...]:
        if path not in self.empty_folders():
            raise KeyError(path)
        gone = ops.RemoveFolder(*self._place(path))
        del self.folders[path]
        return (gone,)

    def _fsync(self, path: str) -> tuple[Operation, ...]:
        if path in self.folders:
            return (ops.SyncFolder(self.folders[path]),)
        return (ops.SyncFile(self.files[path]),)

    def _fdatasync(self, path: str) -> tuple[Operation, ...]:
        return (ops.SyncFile(self.files[path], data_only=True),)

    def _writeback(self, path: str) -> tuple[Operation, ...]:
        """The system begins to write a file by itself, as when memory is short."""
        if path not in self.files:
            raise KeyError(path)
        return ()

    def _syncfs(self, path: str) -> tuple[Operation, ...]:
        if path not in self.folders:
            raise KeyError(path)
        return (ops.SyncAll(),)


def start_tree() -> dict[int, Node]:
    """The starting tree as the model has it."""
    names, contents = Names(), dict(START)
    entries: dict[int, list[tuple[str, int]]] = {inode: [] for inode in names.folders.values()}
    for path, inode in (*names.folders.items(), *names.files.items()):
        if path:
            entries[names.folders[os.path.dirname(path)]].append((os.path.basename(path), inode))
    tree = {inode: _FOLDER._replace(entries=tuple(sorted(e))) for inode, e in entries.items()}
    files = {inode: _FILE._replace(data=contents[path]) for path, inode in names.files.items()}
    return tree | files


def operations_of(steps: Sequence[Step]) -> tuple[list[Operation], list[int]]:
    """All operations, and for each number of steps done how many of them are done."""
    operations: list[Operation] = []
    done = [0]
    for step in steps:
        operations += step.operations
        done.append(len(operations))
    return operations, done


def without(steps: Sequence[Step], left_out: int) -> tuple[Step, ...] | None:
    """The sequence with one step less; None if a later one makes no sense then."""
    names = Names()
    try:
        return tuple(
            names.step(step.call, *step.arguments)
            for number, step in enumerate(steps)
            if number != left_out
        )
    except KeyError:
        return None


def prepare(folder: str) -> None:
    """Put the starting tree into an empty folder."""
    for path, data in START:
        os.makedirs(os.path.dirname(os.path.join(folder, path)), mode=0o755, exist_ok=True)
        _write(os.path.join(folder, path), 0, data)


def perform(step: Step, folder: str) -> None:
    """Carry a step out.

    Raises:
        OSError: It failed, which no step does on a whole device.
    """
    path, *rest = step.arguments
    if step.call in {"rename", "exchange", "link"}:
        rest = [os.path.join(folder, str(rest[0]))]
    _CALLS[step.call](os.path.join(folder, str(path)), *rest)


def _write(path: str, offset: int, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        place = 0
        while place < len(data):
            place += os.pwrite(descriptor, data[place:], offset + place)
    finally:
        os.close(descriptor)


def _with_descriptor(call: Callable[[int], object], path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        call(descriptor)
    finally:
        os.close(descriptor)


def _drop_cache(descriptor: int) -> None:
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _exchange(path: str, to: str) -> None:
    names = os.fsencode(path), os.fsencode(to)
    if ctypes.CDLL(None, use_errno=True).renameat2(-1, names[0], -1, names[1], _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path, None, to)


def _sync_all(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


_CALLS: dict[str, Callable[..., None]] = {
    "create": partial(_write, offset=0, data=b""),
    "write": _write,
    "truncate": os.truncate,
    "chmod": os.chmod,
    "rename": os.rename,
    "exchange": _exchange,
    "setxattr": os.setxattr,
    "link": os.link,
    "unlink": os.unlink,
    "mkdir": partial(os.mkdir, mode=0o755),
    "rmdir": os.rmdir,
    "fsync": partial(_with_descriptor, os.fsync),
    "fdatasync": partial(_with_descriptor, os.fdatasync),
    "writeback": partial(_with_descriptor, _drop_cache),
    "syncfs": partial(_with_descriptor, _sync_all),
}
