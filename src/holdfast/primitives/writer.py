"""Write a file as a stream: the new contents replace the old ones when it is closed, or not at all.

Guarantee: as for `holdfast.primitives.replacement`, from the first write to the end of `close`,
    with less than a megabyte of memory whatever the size. Not guaranteed: that what was written can
    be read back before it is closed (there are no `+` modes).

I1  `close`, and a `with` body that ends well, commit. An exception in the body, `discard`, and
    being collected as garbage without `close` (which warns) do not: the old contents stand, no temp
    is left.
I2  It commits once. Afterwards, and after a failed commit, it is closed: a write is a `ValueError`.
I3  A forked child that closes or drops its copy neither commits nor removes anything.
I4  Of several threads that close it, one commits, and the others return when it is through, with
    the same outcome. What another writes once it is being closed is refused: a write that returned
    before the close began is in the file, and nothing is added after its sync.
"""

from __future__ import annotations

import errno
import io
import os
import threading

from holdfast.primitives.folders import close_quietly
from holdfast.primitives.replacement import Creation, Streamed
from holdfast.primitives.target import find, how
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Literal, TypeVar, overload

    from holdfast.primitives.replacement import Replacement
    from holdfast.vfs import VFS, Sync

    _T = TypeVar("_T")
else:
    from holdfast.light_typing import overload

__all__ = ["BinaryWriter", "TextWriter", "open"]

_MODES = ("w", "wb", "x", "xb")
_BUFFER_BYTES = 1 << 17


class _Raw(io.RawIOBase):
    """The open temp as Python's io layers want it; ends the replacement when it is told how."""

    def __init__(self, replacement: Replacement, mode: str) -> None:
        self._replacement = replacement
        self._pid = os.getpid()
        self._ending = threading.RLock()  # held while the file is closed or discarded
        self._writing = threading.RLock()  # held for one write, and to begin the commit
        self._is_committing = False
        self._failure: BaseException | None = None
        self.name = replacement.target.path
        self.mode = mode

    @property
    def ending(self) -> threading.RLock:
        """The lock of whoever ends it; a forked child, which ends nothing, never waits (I3)."""
        return self._ending if self._pid == os.getpid() else threading.RLock()

    def writable(self) -> bool:
        """True: that is what it is for."""
        return True

    def seekable(self) -> bool:
        """True: a regular file."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the temp."""
        return self._replacement.file.fileno()

    def write(self, data: Any, /) -> int:
        """Write at the position; what remains in a buffer after `drop` goes nowhere."""
        size = memoryview(data).nbytes
        if self._is_child() or (self._replacement.is_over and not self._is_committing):
            return size
        count = self._change(lambda: self._replacement.file.write(data))
        if count <= 0 < size:  # the buffer above would try for ever
            raise OSError(errno.EIO, "a write wrote nothing", self.name)
        return count

    def _is_child(self) -> bool:
        return self._pid != os.getpid()

    def _change(self, change: Callable[[], _T]) -> _T:
        """Let a change of the contents through, unless the commit has begun (I4)."""
        with self._writing:
            if self._is_committing:
                self.refuse()
            try:
                return change()
            except OSError as error:
                self._replacement.explain(error)
                raise

    def refuse(self, _: object = None, /) -> int:
        """Refuse a write.

        Raises:
            ValueError: always; nothing was written.
        """
        raise ValueError(f"{self.name}: write to a file that is closed, or being closed")

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move the position."""
        return self._replacement.file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._replacement.file.seek(0, 1)

    def truncate(self, size: int | None = None, /) -> int:
        """Cut or extend, by default to the position."""
        size = self.tell() if size is None else size
        self._change(lambda: self._replacement.file.truncate(size))
        return size

    def commit(self) -> None:
        """Put the new contents in place, once (I2); from now on a write is refused (I4)."""
        if self._is_child() or self._replacement.is_over or self._is_committing:
            return
        with self._writing:
            self._is_committing = True
        self._replacement.look_again()
        self._replacement.commit()

    def drop(self, error: BaseException | None = None) -> None:
        """End without commit; nothing if it is over already (I1, I3)."""
        self._failure = self._failure or error
        if self._is_child():
            close_quietly(self._replacement.file)
            self._replacement.is_over = True
        elif error is not None:
            self._replacement.give_up(error)
        elif not self._replacement.is_over:
            self._replacement.discard()

    def tell_outcome(self) -> None:
        """Raise what the thread that closed it has raised (I4)."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Close what is open; a replacement that nobody has committed is dropped."""
        if self.closed:
            return
        try:
            self.drop()
            self._replacement.target.close()
        finally:
            super().close()


class BinaryWriter(io.BufferedWriter):
    """A binary file that replaces its target when it is closed; see `open`."""

    def __init__(self, raw: _Raw) -> None:
        self._raw = raw
        super().__init__(raw, _BUFFER_BYTES)

    def close(self) -> None:
        """Commit, once: the new contents are in place and durable on return.

        Raises:
            PromiseUnavailable: the target cannot be replaced; untouched.
            CommittedNotDurable: the new contents are in place, but a power cut may undo it.
            OSError: the old contents stand and no temporary file is left.
        """
        if self.closed:
            return
        with self._raw.ending:
            if self._raw.closed:  # by another thread, meanwhile
                self._raw.tell_outcome()
                return
            # Not a method, which every write would pay for.
            vars(self)["write"] = self._raw.refuse
            try:
                self.flush()
                self._raw.commit()
            except BaseException as error:
                self._raw.drop(error)
                raise
            finally:
                super().close()

    def discard(self) -> None:
        """Close without commit: the old contents stand, and no temporary file is left."""
        with self._raw.ending:
            if self.closed:
                return
            try:
                self._raw.drop()
            finally:
                super().close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        _collect(self)


class TextWriter(io.TextIOWrapper):
    """A text file that replaces its target when it is closed; see `open`."""

    def __init__(
        self, binary: BinaryWriter, raw: _Raw, mode: str, *, encoding: str, newline: str | None
    ) -> None:
        self._binary = binary
        self._raw = raw
        super().__init__(binary, encoding=encoding, newline=newline)
        vars(self)["mode"] = mode  # as the built-in open sets it; declared read-only

    def close(self) -> None:
        """Commit, once: the new contents are in place and durable on return.

        Raises:
            PromiseUnavailable: the target cannot be replaced; untouched.
            CommittedNotDurable: the new contents are in place, but a power cut may undo it.
            OSError: the old contents stand and no temporary file is left.
        """
        if self.closed:
            return
        with self._raw.ending:
            if self._raw.closed:  # by another thread, meanwhile
                self._raw.tell_outcome()
                return
            vars(self)["write"] = self._raw.refuse
            try:
                self.flush()
            except BaseException as error:
                self._raw.drop(error)
                self.discard()
                raise
            super().close()

    def discard(self) -> None:
        """Close without commit: the old contents stand, and no temporary file is left."""
        self._binary.discard()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        _collect(self)


def _collect(writer: BinaryWriter | TextWriter) -> None:
    """Discard what nobody closed, and say so (I1)."""
    try:
        if writer.closed:
            return
    except (AttributeError, ValueError):
        return  # never opened, or detached: the raw file below cleans up
    import warnings

    message = f"{writer.name}: collected without close(). The old contents stand. Use `with`."
    try:
        warnings.warn(message, ResourceWarning, source=writer, stacklevel=3)
    finally:
        try:
            writer.discard()
        except ValueError:
            pass  # an interrupt came while it was closed; what was open is closed all the same


@overload
def open(
    path: str | os.PathLike[str],
    mode: Literal["w", "x"],
    *,
    encoding: str = ...,
    newline: str | None = ...,
    sync: Sync = ...,
    permissions: int | None = ...,
    backup: str | os.PathLike[str] | None = ...,
    vfs: VFS = ...,
) -> TextWriter: ...
@overload
def open(
    path: str | os.PathLike[str],
    mode: Literal["wb", "xb"],
    *,
    encoding: str = ...,
    newline: str | None = ...,
    sync: Sync = ...,
    permissions: int | None = ...,
    backup: str | os.PathLike[str] | None = ...,
    vfs: VFS = ...,
) -> BinaryWriter: ...
def open(
    path: str | os.PathLike[str],
    mode: Literal["w", "wb", "x", "xb"],
    *,
    encoding: str = "utf-8",
    newline: str | None = None,
    sync: Sync = "always",
    permissions: int | None = None,
    backup: str | os.PathLike[str] | None = None,
    vfs: VFS = SYSTEM,
) -> TextWriter | BinaryWriter:
    """Open a file whose new contents replace the old ones, whole and durable, when it is closed.

    Until then readers find the old contents; after a crash, the old or the new. A clean end of the
    `with` body, and `close()`, commit. An exception in the body, and `discard()`, leave the old
    ones. A real file object: `write`, `seek`, `tell`, `truncate`, `fileno`; it cannot be read.

    Args:
        path: the file. `w`: a symlink is followed. Missing parent folders are made.
        mode: `w`, `wb` replace or create; `x`, `xb` create, and the name appears when it is closed.
        encoding: of a text file.
        newline: of a text file, as for the built-in `open`.
        sync: `"never"` skips every sync: readers still find old or new, but it is not durable, and
            a power cut may leave neither whole.
        permissions: the exact mode; by default a replaced file keeps its own, with owner, extended
            attributes and access list, and a new one gets what umask and folder give.
        backup: a file name in the same folder under which the replaced contents stay.
        vfs: the filesystem.

    Raises:
        FileExistsError: `x`, and it is there, were it a dangling symlink; also at the commit.
        PromiseUnavailable: a folder, FIFO, socket, device; untouched. At the commit: a bind-mounted
            file.
        OSError: nothing was changed.
        ValueError: an option has no meaning; nothing was done.
    """
    if mode not in _MODES:
        raise ValueError(f"mode={mode!r}: it must be one of {', '.join(_MODES)}")
    is_binary = mode.endswith("b")
    if is_binary and newline is not None:
        raise ValueError("newline is for text: leave it out in a binary mode")
    is_new = mode.startswith("x")
    if is_new and backup is not None:
        raise ValueError("backup is for a file that is replaced: leave it out in an x mode")
    chosen = how(sync, permissions, backup, vfs=vfs)
    target = find(path, chosen, new=is_new)
    replacement = (Creation if is_new else Streamed)(target, chosen)
    try:
        replacement.begin()
        raw = _Raw(replacement, mode if is_binary else f"{mode}b")
        return _layers(raw, mode, encoding=encoding, newline=newline)
    except BaseException as error:
        replacement.give_up(error)
        target.close()
        raise


def _layers(
    raw: _Raw, mode: str, *, encoding: str, newline: str | None
) -> TextWriter | BinaryWriter:
    try:
        binary = BinaryWriter(raw)
        if mode.endswith("b"):
            return binary
        try:
            return TextWriter(binary, raw, mode, encoding=encoding, newline=newline)
        except BaseException:  # no such encoding or newline
            binary.discard()
            raise
    except BaseException:
        raw.close()
        raise
