"""A filesystem around another one, with one hook through which every call goes.

`token`, `announce`, `fine_stamps`, `boot` and `fileno` change nothing, or nothing that could be
lost: they pass without the hook. So do the words of a file, once they have been asked for.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Buffer

    from holdfast.vfs import api

__all__ = ["OPERATIONS", "Call", "Interposed", "InterposedFile", "InterposedFolder"]

T = TypeVar("T")

_ON_VFS = ("folder", "stat_path", "resolve", "holder", "promises")
_ON_FOLDER = (
    *("open", "open_unnamed", "link", "rename", "unlink", "mkdir", "rmdir"),
    *("stat", "xattrs", "names", "sync_folder", "close_folder"),
)
_ON_FILE = (
    *("read", "write", "seek", "truncate", "stat_file", "sync", "sync_data", "start_writeback"),
    *("drop_cache", "words", "set_attributes", "lock", "unlock", "lock_range", "unlock_range"),
    *("duplicate", "close"),
)
OPERATIONS = frozenset((*_ON_VFS, *_ON_FOLDER, *_ON_FILE))
"""The names of the operations, as calls and faults spell them."""


class Call:
    """One call on its way through.

    Attributes:
        number: counts the calls of this filesystem from 1.
        operation: one of `OPERATIONS`.
        name: the name or path that it is about.
        details: the other arguments, to be printed.
        inner: the file, folder or filesystem underneath that will carry it out.
        short: set by a hook to let a `write` or `read` handle no more than so many bytes.
    """

    __slots__ = ("details", "inner", "name", "number", "operation", "short")

    def __init__(
        self, number: int, operation: str, name: str, *, details: str, inner: object
    ) -> None:
        self.number = number
        self.operation = operation
        self.name = name
        self.details = details
        self.inner = inner
        self.short: int | None = None

    def __str__(self) -> str:
        return f"{self.operation}({self.name}{self.details})"


class InterposedFile:
    """An open file whose calls go through the hook."""

    __slots__ = ("__weakref__", "_vfs", "inner", "name")

    def __init__(self, vfs: Interposed, inner: api.File, name: str) -> None:
        self.inner = inner
        self.name = name
        self._vfs = vfs
        vfs.handles.add(self)

    def _call(self, operation: str, *details: str) -> Call:
        return self._vfs.call(operation, self.name, "".join(details), inner=self.inner)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.inner.fileno()

    def read(self, size: int, *, offset: int | None = None) -> bytes:
        """Read at most `size` bytes."""
        call = self._call("read", f", {size} bytes{_at(offset)}")
        return self._vfs.around(
            call, lambda: self.inner.read(_least(size, call.short), offset=offset)
        )

    def write(self, data: Buffer, *, offset: int | None = None) -> int:
        """Write; the count may be short."""
        view = memoryview(data)
        call = self._call("write", f", {view.nbytes} bytes{_at(offset)}")
        return self._vfs.around(
            call,
            lambda: self.inner.write(
                view if call.short is None else bytes(view)[: call.short], offset=offset
            ),
        )

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position."""
        call = self._call("seek", f", {offset}, {whence}")
        return self._vfs.around(call, lambda: self.inner.seek(offset, whence))

    def truncate(self, size: int) -> None:
        """Cut or extend."""
        self._vfs.around(
            self._call("truncate", f", {size} bytes"), lambda: self.inner.truncate(size)
        )

    def stat(self) -> api.Stat:
        """Describe the file."""
        return self._vfs.around(self._call("stat_file"), self.inner.stat)

    def sync(self) -> None:
        """Sync contents, size and attributes."""
        self._vfs.around(self._call("sync"), self.inner.sync)

    def sync_data(self) -> None:
        """Sync contents and size."""
        self._vfs.around(self._call("sync_data"), self.inner.sync_data)

    def start_writeback(self) -> None:
        """Begin to write dirty pages."""
        self._vfs.around(self._call("start_writeback"), self.inner.start_writeback)

    def drop_cache(self) -> None:
        """Forget clean pages."""
        self._vfs.around(self._call("drop_cache"), self.inner.drop_cache)

    def words(self, count: int) -> api.Words:
        """Return the words at the start."""
        call = self._call("words", f", {count}")
        return self._vfs.passed_on(self._vfs.around(call, lambda: self.inner.words(count)))

    def set_attributes(
        self, *, mode: int, owner: tuple[int, int] | None, xattrs: Mapping[str, bytes]
    ) -> None:
        """Set owner, extended attributes and mode."""
        details = f", mode {mode & 0o7777:04o}, owner {owner}, {len(xattrs)} xattrs"
        self._vfs.around(
            self._call("set_attributes", details),
            lambda: self.inner.set_attributes(mode=mode, owner=owner, xattrs=xattrs),
        )

    def lock(self, *, shared: bool = False, block: bool = True) -> bool:
        """Take the lock."""
        details = (", shared" if shared else "") + ("" if block else ", at once")
        call = self._call("lock", details)
        return self._vfs.around(call, lambda: self.inner.lock(shared=shared, block=block))

    def unlock(self) -> None:
        """Give the lock back."""
        self._vfs.around(self._call("unlock"), self.inner.unlock)

    def lock_range(
        self, start: int, size: int, *, shared: bool = False, block: bool = True
    ) -> bool:
        """Lock bytes."""
        how = (", shared" if shared else "") + ("" if block else ", at once")
        call = self._call("lock_range", f", {size} bytes at {start}{how}")
        return self._vfs.around(
            call, lambda: self.inner.lock_range(start, size, shared=shared, block=block)
        )

    def unlock_range(self, start: int, size: int) -> None:
        """Give bytes back."""
        call = self._call("unlock_range", f", {size} bytes at {start}")
        self._vfs.around(call, lambda: self.inner.unlock_range(start, size))

    def duplicate(self) -> InterposedFile:
        """Return another descriptor of the same description."""
        inner = self._vfs.around(self._call("duplicate"), self.inner.duplicate)
        return InterposedFile(self._vfs, inner, self.name)

    def close(self) -> None:
        """Close."""
        self._vfs.around(self._call("close"), self.inner.close)


class InterposedFolder:
    """An open folder whose calls go through the hook."""

    __slots__ = ("__weakref__", "_vfs", "inner")

    def __init__(self, vfs: Interposed, inner: api.Folder) -> None:
        self.inner = inner
        self._vfs = vfs
        vfs.handles.add(self)

    @property
    def path(self) -> str:
        """The path it was opened by."""
        return self.inner.path

    def _call(self, operation: str, name: str, *details: str) -> Call:
        return self._vfs.call(operation, name, "".join(details), inner=self.inner)

    def open(self, name: str, mode: api.OpenMode, *, permissions: int = 0o666) -> InterposedFile:
        """Open a file."""
        call = self._call("open", name, f", {mode}")
        inner = self._vfs.around(call, lambda: self.inner.open(name, mode, permissions=permissions))
        return InterposedFile(self._vfs, inner, name)

    def open_unnamed(self, *, permissions: int = 0o666) -> InterposedFile:
        """Open a new file without a name."""
        call = self._call("open_unnamed", self.path)
        inner = self._vfs.around(call, lambda: self.inner.open_unnamed(permissions=permissions))
        return InterposedFile(self._vfs, inner, "(unnamed)")

    def link(self, source: api.File | str, name: str) -> None:
        """Give a file a name."""
        file = source.inner if isinstance(source, InterposedFile) else source
        label = source if isinstance(source, str) else getattr(source, "name", "(file)")
        call = self._call("link", name, f" <- {label}")
        self._vfs.around(call, lambda: self.inner.link(file, name))

    def rename(self, old: str, new: str, *, source: api.Folder | None = None) -> None:
        """Rename into this folder."""
        origin = source.inner if isinstance(source, InterposedFolder) else source
        place = "" if source is None else f"{source.path.rstrip('/')}/"
        call = self._call("rename", f"{place}{old}", f" -> {new}")
        self._vfs.around(
            call, lambda: self._vfs.do_rename(self.inner, (old, new), origin or self.inner)
        )

    def unlink(self, name: str) -> None:
        """Remove a name."""
        self._vfs.around(self._call("unlink", name), lambda: self.inner.unlink(name))

    def mkdir(self, name: str, *, permissions: int = 0o777) -> None:
        """Make a folder."""
        self._vfs.around(
            self._call("mkdir", name), lambda: self.inner.mkdir(name, permissions=permissions)
        )

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        self._vfs.around(self._call("rmdir", name), lambda: self.inner.rmdir(name))

    def stat(self, name: str) -> api.Stat:
        """Describe a name."""
        return self._vfs.around(self._call("stat", name), lambda: self.inner.stat(name))

    def xattrs(self, name: str) -> dict[str, bytes]:
        """Return the extended attributes."""
        return self._vfs.around(self._call("xattrs", name), lambda: self.inner.xattrs(name))

    def names(self) -> list[str]:
        """List the names."""
        return self._vfs.around(self._call("names", self.path), self.inner.names)

    def sync(self) -> None:
        """Sync the names."""
        self._vfs.around(self._call("sync_folder", self.path), self.inner.sync)

    def close(self) -> None:
        """Close."""
        self._vfs.around(self._call("close_folder", self.path), self.inner.close)


class Interposed:
    """A filesystem around `inner`; a subclass says what happens on each call in `around`."""

    def __init__(self, inner: api.VFS) -> None:
        self.inner = inner
        self.handles: WeakSet[InterposedFile | InterposedFolder] = WeakSet()
        self._numbers = count(1)

    def around(self, call: Call, do: Callable[[], T]) -> T:
        """Carry out one call: `do()` does it, and may be left out or followed by something else."""
        return do()

    def passed_on(self, words: api.Words) -> api.Words:
        """Return the words of a file as the caller gets them."""
        return words

    def do_rename(self, folder: api.Folder, names: tuple[str, str], source: api.Folder) -> None:
        """Carry out a rename."""
        folder.rename(*names, source=source)

    def call(self, operation: str, name: str, details: str, *, inner: object) -> Call:
        """Make the next call."""
        return Call(next(self._numbers), operation, name, details=details, inner=inner)

    def folder(self, path: str, *, readable: bool = False) -> InterposedFolder:
        """Open a folder."""
        call = self.call("folder", path, "", inner=self.inner)
        opened = self.around(call, lambda: self.inner.folder(path, readable=readable))
        return InterposedFolder(self, opened)

    def stat(self, path: str) -> api.Stat:
        """Describe what a path leads to."""
        call = self.call("stat_path", path, "", inner=self.inner)
        return self.around(call, lambda: self.inner.stat(path))

    def resolve(self, path: str) -> str:
        """Follow every symlink."""
        call = self.call("resolve", path, "", inner=self.inner)
        return self.around(call, lambda: self.inner.resolve(path))

    def token(self) -> str:
        """Return 16 hexadecimal digits."""
        return self.inner.token()

    def holder(self, file: api.File) -> api.Holder | None:
        """Say who holds the lock."""
        real = _inner(file)
        call = self.call("holder", getattr(file, "name", "(file)"), "", inner=self.inner)
        return self.around(call, lambda: self.inner.holder(real))

    def announce(self, file: api.File) -> None:
        """Tell `holder` who took the lock."""
        self.inner.announce(_inner(file))

    def fine_stamps(self, path: str, device: int) -> bool:
        """Say whether times tell every change."""
        return self.inner.fine_stamps(path, device)

    def boot(self) -> str:
        """Name this run of the machine."""
        return self.inner.boot()

    def promises(self, path: str) -> api.Promises:
        """Say what the place gives."""
        call = self.call("promises", path, "", inner=self.inner)
        return self.around(call, lambda: self.inner.promises(path))


def _inner(file: api.File) -> api.File:
    return file.inner if isinstance(file, InterposedFile) else file


def _at(offset: int | None) -> str:
    return "" if offset is None else f" at {offset}"


def _least(size: int, short: int | None) -> int:
    return size if short is None else min(size, short)
