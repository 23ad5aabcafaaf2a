"""A drop-in for the archived package `atomicwrites` 1.4.1: change the import, nothing else.

The same names, signatures and order of calls (`get_fileobject`, `sync`, `commit`, `rollback` may be
overridden as before), and the same rules: `overwrite` is off unless asked for, an existing file is
reported at the commit, a symlink is replaced and not followed. Mended are these faults:

- New files had mode 0600, and replaced files lost their mode, owner, extended attributes and access
  list. A new file now gets what the umask gives, a replaced one keeps its own.
- A `chdir` in the body made a relative path land in the wrong folder. The folder is now taken at
  the start.
- A FIFO, socket or device was silently replaced. It is now refused with `PromiseUnavailable`,
  untouched.
- A killed writer left its `tmp...` file for ever. Leftovers are now recognised, and removed by
  `holdfast.sweep`.
- Where a folder cannot be synced (`EINVAL` on some network filesystems), a write that was complete
  raised an error. It no longer does. Where the sync really fails, the error says that the file is
  in place: `CommittedNotDurable`.
"""

from __future__ import annotations

import io
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.primitives import temp
from holdfast.primitives.folders import close_quietly, forget
from holdfast.primitives.replacement import give_attributes, rename_over
from holdfast.primitives.target import Target, check, how, look, not_durable
from holdfast.vfs import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from holdfast.vfs import File, Folder, Stat

__all__ = ["AtomicWriter", "atomic_write", "move_atomic", "replace_atomic"]

__version__ = "1.4.1"

_ALWAYS = how("always", None, None, vfs=SYSTEM)


def _aim(path: str) -> Target:
    """Open the folder of `path`; refuse what is neither a file nor a symlink."""
    where, name = os.path.split(path)
    folder = SYSTEM.folder(where or os.curdir)
    try:
        old = look(folder, name) if name else folder.stat(os.curdir)
        if old is not None and stat.S_ISLNK(old.st_mode):
            old = None  # the link itself goes, and has no attributes to keep
        elif old is not None:
            check(path, old, new=False)
    except BaseException:
        close_quietly(folder)
        raise
    return Target(folder, name, path, old=old)


def _settle(path: str, *folders: Folder) -> None:
    try:
        for folder in folders:
            folder.sync()
    except OSError as error:
        raise not_durable(path, error) from error


def replace_atomic(src: str | bytes, dst: str | bytes) -> None:
    """Rename `src` to `dst`, replacing it, and sync the folders: durable on return.

    Raises:
        PromiseUnavailable: `dst` is a FIFO, socket, device or folder; nothing was changed.
        CommittedNotDurable: it is renamed, but a power cut may undo it.
        OSError: nothing was changed.
    """
    old, new = os.fsdecode(src), os.fsdecode(dst)
    where, name = os.path.split(old)
    target = _aim(new)
    try:
        source = SYSTEM.folder(where or os.curdir)
        try:
            target.folder.rename(name, target.name, source=source)
            _settle(new, target.folder, source)
        finally:
            close_quietly(source)
    finally:
        target.close()


def move_atomic(src: str | bytes, dst: str | bytes) -> None:
    """Move `src` to `dst`, which must not exist, and sync the folders: durable on return.

    For a moment both names are there, and so they may be after a crash; never neither.

    Raises:
        FileExistsError: `dst` exists; nothing was changed.
        CommittedNotDurable: `dst` is there, but a power cut may undo it; `src` may be there still.
        OSError: nothing was changed.
    """
    old, new = os.fsdecode(src), os.fsdecode(dst)
    (from_path, from_name), (to_path, to_name) = os.path.split(old), os.path.split(new)
    source = SYSTEM.folder(from_path or os.curdir)
    try:
        target = SYSTEM.folder(to_path or os.curdir)
        try:
            _link(source, from_name, target, to_name)
            _settle(new, target)  # else a power cut may keep the removal and lose the new name
            source.unlink(from_name)
            _settle(new, source)
        finally:
            close_quietly(target)
    finally:
        close_quietly(source)


def _link(source: Folder, name: str, target: Folder, new: str) -> None:
    if source.path == target.path:
        target.link(name, new)
        return
    file = source.open(name, "read")
    try:
        target.link(file, new)
    finally:
        close_quietly(file)


class _Work(NamedTuple):
    """What belongs to one open temporary file; `keeper` holds its lock after it is closed."""

    target: Target
    name: str
    info: Stat
    keeper: File
    beside: bool

    def end(self) -> None:
        close_quietly(self.keeper)
        self.target.close()


class _Raw(io.RawIOBase):
    """The open temporary file, for reading and writing."""

    def __init__(self, file: File, path: str, mode: str) -> None:
        self._file = file
        self.name = path
        self.mode = mode

    def fileno(self) -> int:
        return self._file.fileno()

    def readable(self) -> bool:
        return "+" in self.mode

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: Any, /) -> int:
        return self._file.write(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def truncate(self, size: int | None = None, /) -> int:
        size = self.seek(0, 1) if size is None else size
        self._file.truncate(size)
        return size

    def close(self) -> None:
        if not self.closed:
            try:
                super().close()
            finally:
                self._file.close()


def _layers(raw: _Raw, mode: str, options: dict[str, Any]) -> Any:
    """Put the buffer, and for text the decoder, over the raw file, as `io.open` does."""
    size = options.pop("buffering", -1)
    if size == 0 and "b" not in mode:
        raise ValueError("can't have unbuffered text I/O")
    if size == 0:
        return raw
    kind = io.BufferedRandom if "+" in mode else io.BufferedWriter
    buffered = kind(raw, size if size > 1 else io.DEFAULT_BUFFER_SIZE)
    if "b" in mode:
        return buffered
    text = io.TextIOWrapper(buffered, line_buffering=size == 1, **options)
    vars(text)["mode"] = mode
    return text


class AtomicWriter:
    """Writes a file atomically: `with AtomicWriter(path).open() as f: f.write(...)`.

    Until the body has ended well the old contents stand; then the new ones are in place and
    durable. After a crash it is the old or the new.

    Args:
        path: the file; it may exist.
        mode: the mode of the temporary file: `w`, with `b`, `t` or `+`.
        overwrite: off: `FileExistsError` at the commit if `path` exists.
        open_kwargs: passed on to the file: `encoding`, `errors`, `newline`, `buffering`.
    """

    def __init__(
        self,
        path: str | bytes | os.PathLike[str] | os.PathLike[bytes],
        mode: str = "w",
        overwrite: bool = False,  # noqa: FBT002 (the signature of the original)
        **open_kwargs: Any,
    ) -> None:
        if "a" in mode:
            raise ValueError("a file cannot be appended to atomically: write it whole in mode 'w'")
        if "x" in mode:
            raise ValueError("leave `overwrite` off instead of mode 'x'")
        if "w" not in mode:
            raise ValueError(f"mode={mode!r}: the file is written, so it must have a 'w'")
        self._path = os.fsdecode(path)
        self._mode = mode
        self._overwrite = overwrite
        self._open_kwargs = open_kwargs
        self._work: dict[str, _Work] = {}

    def open(self) -> AbstractContextManager[Any]:
        """Open the temporary file: a context manager that commits when its body ends well."""
        return self._open(self.get_fileobject)

    @contextmanager
    def _open(self, get_fileobject: Callable[..., Any]) -> Generator[Any, None, None]:
        f = None
        success = False
        try:
            with get_fileobject(**self._open_kwargs) as f:
                yield f
                self.sync(f)
            self.commit(f)
            success = True
        finally:
            if not success:
                try:
                    self.rollback(f)
                except Exception:  # noqa: S110 (the error that brought us here is the one to see)
                    pass

    def get_fileobject(
        self,
        suffix: str = "",
        prefix: str = "tmp",
        dir: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the open temporary file; its `name` is the absolute path.

        Args:
            suffix: the end of its name.
            prefix: the beginning of its name.
            dir: another folder for it; without any of the three, leftovers can be recognised.
            kwargs: as for the constructor.

        Raises:
            PromiseUnavailable: the target is a FIFO, socket, device or folder; untouched.
            OSError: it cannot be made; nothing was changed.
        """
        target = _aim(self._path)
        folder = target.folder
        plain = dir is None and (prefix, suffix) == ("tmp", "")
        permissions = 0o600 if target.old is not None and self._overwrite else 0o666
        try:
            if dir is not None:
                folder = SYSTEM.folder(dir)
            affixes = None if plain else (prefix, suffix)
            name, file, info = _make(folder, target.name, affixes, permissions=permissions)
            path = os.path.join(os.path.abspath(folder.path), name)
            work = _Work(target, name, info, file.duplicate(), folder is target.folder)
        except BaseException:
            target.close()
            raise
        finally:
            if folder is not target.folder:
                close_quietly(folder)
        self._work[path] = work
        try:
            return _layers(_Raw(file, path, self._mode), self._mode, dict(kwargs))
        except BaseException:
            close_quietly(file)
            self._drop(path)
            raise

    def sync(self, f: Any) -> None:
        """Sync the temporary file, with the attributes of the file that it will replace."""
        f.flush()
        work = self._work.get(f.name)
        if work is None:
            _sync_path(f.name)
            return
        if self._overwrite:
            give_attributes(work.keeper, work.target, _ALWAYS, info=work.info)
        work.keeper.sync()

    def commit(self, f: Any) -> None:
        """Move the temporary file to the target.

        Raises:
            FileExistsError: it exists, and `overwrite` is off.
            CommittedNotDurable: it is in place, but a power cut may undo it.
            OSError: the old contents stand.
        """
        work = self._work.get(f.name)
        if work is None or not work.beside:
            (replace_atomic if self._overwrite else move_atomic)(f.name, self._path)
        elif self._overwrite:
            rename_over(work.target, work.name)
        else:
            work.target.folder.link(work.name, work.target.name)
            forget(work.target.folder, work.name)
        if work is not None:
            del self._work[f.name]
            try:
                _settle(self._path, work.target.folder)
            finally:
                work.end()

    def rollback(self, f: Any) -> None:
        """Remove the temporary file."""
        if f.name in self._work:
            self._drop(f.name)
        else:
            _unlink_path(f.name)

    def _drop(self, path: str) -> None:
        work = self._work.pop(path)
        try:
            if work.beside:
                work.target.folder.unlink(work.name)
            else:
                _unlink_path(path)
        finally:
            work.end()


def _make(
    folder: Folder, target: str, affixes: tuple[str, str] | None, *, permissions: int
) -> tuple[str, File, Stat]:
    if affixes is None:
        made = temp.Made()
        temp.create(made, folder, target, permissions=permissions, vfs=SYSTEM)
        return made.temp or "", made.file, made.info
    name = SYSTEM.token().join(affixes)
    file = folder.open(name, "new", permissions=permissions)
    return name, file, file.stat()


def _sync_path(path: str) -> None:
    where, name = os.path.split(path)
    folder = SYSTEM.folder(where or os.curdir)
    try:
        file = folder.open(name, "read")
        try:
            file.sync()
        finally:
            close_quietly(file)
    finally:
        close_quietly(folder)


def _unlink_path(path: str) -> None:
    where, name = os.path.split(path)
    folder = SYSTEM.folder(where or os.curdir)
    try:
        folder.unlink(name)
    finally:
        close_quietly(folder)


def atomic_write(
    path: str | bytes | os.PathLike[str] | os.PathLike[bytes],
    writer_cls: type[AtomicWriter] = AtomicWriter,
    **cls_kwargs: Any,
) -> AbstractContextManager[Any]:
    """Open a file that replaces `path` when the `with` body has ended well: see `AtomicWriter`.

    Args:
        path: the file.
        writer_cls: the class that does it, to change some of its behaviour.
        cls_kwargs: passed on to the class: `mode`, `overwrite` and the options of the file.
    """
    return writer_cls(path, **cls_kwargs).open()
