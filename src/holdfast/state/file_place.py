"""One file in an open folder: read it whole, replace it if it is unchanged.

Invariants:
    I1  What is read is the whole of a regular file, never more than `max_size_bytes`.
    I2  A name is removed only when another name of the same bytes is durable.

When bytes need not be compared because the file's stamps prove them: `holdfast.state.stamps`.
"""

from __future__ import annotations

import errno
import os
from stat import S_ISREG

from holdfast.errors import Conflict, DecodeError, PromiseUnavailable
from holdfast.primitives.beside import beside
from holdfast.primitives.folders import forget
from holdfast.primitives.replace import replace_bytes
from holdfast.primitives.target import look
from holdfast.state.kept import KeptVersion, kept_name, kept_numbers, next_kept_name, prune_kept
from holdfast.state.register import Content
from holdfast.state.stamps import is_bare, key_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple, Self

    from holdfast.state.stamps import Stamps
    from holdfast.vfs import VFS, Clock, File, Folder, Stat, Sync
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["FileOptions", "FilePlace", "nothing"]

_PIECE_BYTES = 1 << 20


class FileOptions(NamedTuple):
    """How a document is kept; see `Document`."""

    lock: bool
    sync: Sync
    permissions: int | None
    keep: int
    max_size_bytes: int
    vfs: VFS
    clock: Clock


class FilePlace:
    """The file called `name` in `folder`, which is closed with it; `path` is for messages.

    `seen` is what a look just now showed, which spares the next `read` one.
    """

    def __init__(
        self,
        folder: Folder,
        name: str,
        *,
        path: str,
        options: FileOptions,
        stamps: Stamps,
        seen: Stat | None = None,
    ) -> None:
        self.folder = folder
        self.name = name
        self._path = path
        self._options = options
        self._stamps = stamps
        self._seen = seen

    def close(self) -> None:
        """Close the folder."""
        self.folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.folder.close()

    @property
    def lock_path(self) -> str:
        """Where the lock of this file is."""
        return os.path.join(self.folder.path, beside(self.name, ".lock"))

    def read(self, known: Content | None = None) -> Content:
        """Return the contents; `known` itself if its proof still holds, its `data` if its bytes do.

        Raises:
            PromiseUnavailable: it is no regular file; untouched.
            DecodeError: it is larger than `max_size_bytes`; untouched.
        """
        seen, self._seen = self._seen, None
        if known is not None and seen is not None and self._stamps.proves(known, seen):
            return known
        try:
            file = self.folder.open(self.name, "read")
        except FileNotFoundError:
            return nothing(known)
        try:
            now_ns = self._stamps.now_ns()
            before = file.stat()
            self._refuse(before)
            data = self._read_all(file)
            is_whole = key_of(before) == key_of(file.stat())
        finally:
            file.close()
        if known is not None and data == known.data:
            data = known.data or data
        return Content(data, self._stamps.sign_read(before, now_ns) if is_whole else None)

    def _refuse(self, stat: Stat) -> None:
        if not S_ISREG(stat.st_mode):
            raise PromiseUnavailable(
                f"{self._path}: not a regular file. It is untouched. Give the path of a file.",
                errno=errno.EINVAL,
                path=self._path,
            )
        if stat.st_size > self._options.max_size_bytes:
            raise self._too_large()

    def _too_large(self) -> DecodeError:
        return DecodeError(
            f"{self._path}: larger than {self._options.max_size_bytes} bytes. The file is "
            f"untouched. Pass a larger max_size_bytes if it is meant to be read whole.",
            path=self._path,
        )

    def _read_all(self, file: File) -> bytes:
        pieces: list[bytes] = []
        left = self._options.max_size_bytes + 1
        while piece := file.read(min(_PIECE_BYTES, left)):
            pieces.append(piece)
            left -= len(piece)
            if left == 0:
                raise self._too_large()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def write(self, data: bytes, *, replacing: Content, keeps: bool = False) -> Content:
        """Replace the file; on disk after a failure or a crash is what `holdfast.write_bytes` says.

        `keeps`: what is replaced becomes an old version, whatever `options.keep` says.

        Raises:
            Conflict: the file no longer holds `replacing`; it is untouched.
        """
        old, bare = self._require(replacing)
        folder, name, options = self.folder, self.name, self._options
        keeps = (keeps or options.keep > 0) and replacing.data is not None
        new = replace_bytes(
            folder,
            name,
            data,
            old=old,
            is_bare=bare,
            sync=options.sync,
            permissions=options.permissions if replacing.data is None else None,
            backup=next_kept_name(folder, name) if keeps else None,
            vfs=options.vfs,
        )
        if keeps and options.keep > 0:
            prune_kept(folder, name, keep=options.keep)
        if new is None:
            return Content(data, None)
        return Content(data, self._stamps.sign_written(new.stat, is_bare=new.is_bare))

    def _require(self, content: Content) -> tuple[Stat | None, bool]:
        """Return what is there now, and whether that is bare, if it is still `content`."""
        old = look(self.folder, self.name)
        if old is not None and self._stamps.proves(content, old):
            return old, is_bare(content)
        if (None if old is None else self.read(content).data) != content.data:
            raise Conflict(
                f"{self._path}: changed by somebody else. It holds their contents. "
                f"Read it again and redo.",
                path=self._path,
            )
        return old, False

    def set_aside(self, judged: bytes) -> str | None:
        """Move the file to a free name `<name>.corrupt-<n>` beside it, durably (I2); return it.

        None if it did not hold `judged` any more: then it is where it was, or, if somebody made yet
        another one meanwhile, under the free name.
        """
        new = self._reserve()
        try:
            self.folder.rename(self.name, new)
        except BaseException as error:
            forget(self.folder, new)
            if isinstance(error, FileNotFoundError):
                return None
            raise
        self.folder.sync()
        if self._bytes_of(new) == judged:
            return os.path.join(self.folder.path, new)
        self._put_back(new)
        return None

    def _reserve(self) -> str:
        number = 1
        while True:
            new = beside(self.name, f".corrupt-{number}")
            try:
                self.folder.open(new, "new").close()
            except FileExistsError:
                number += 1
            else:
                return new

    def _bytes_of(self, name: str) -> bytes:
        file = self.folder.open(name, "read")
        try:
            return self._read_all(file)
        finally:
            file.close()

    def _put_back(self, moved: str) -> None:
        try:
            self.folder.link(moved, self.name)
        except FileExistsError:
            return
        self.folder.sync()  # else a power cut may keep the removal and lose the name
        self.folder.unlink(moved)
        self.folder.sync()

    def versions(self) -> list[KeptVersion]:
        """Return the old versions, the oldest first."""
        return [self._describe(number) for number in kept_numbers(self.folder, self.name)]

    def _describe(self, number: int) -> KeptVersion:
        from pathlib import Path

        kept = kept_name(self.name, number)
        stat = self.folder.stat(kept)
        path = Path(os.path.join(self.folder.path, kept))
        return KeptVersion(number, path, stat.st_size, stat.st_mtime_ns)

    def read_version(self, number: int) -> bytes:
        """Return the bytes of an old version.

        Raises:
            FileNotFoundError: there is no such version.
        """
        try:
            file = self.folder.open(kept_name(self.name, number), "read")
        except FileNotFoundError as error:
            numbers = ", ".join(map(str, kept_numbers(self.folder, self.name))) or "none"
            error.add_note(f"Versions kept: {numbers}. The document is untouched.")
            raise
        try:
            return self._read_all(file)
        finally:
            file.close()


def nothing(known: Content | None) -> Content:
    """Return the content of what is missing; `known` if it was missing before."""
    return known if known is not None and known.data is None else Content(None, None)
