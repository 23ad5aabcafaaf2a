"""Hand a path to a tool that writes or replaces the file itself, and put what it made in place.

Guarantee: as for `holdfast.primitives.replacement`. The tool works in a private folder beside the
    target, so it may make the file in any way, with temporary files of its own. Not guaranteed:
    that a folder that is moved meanwhile can be used, since a tool that is given a path goes by the
    path.

I1  The file gets the target's owner, access list and mode while it is still in the private folder.
I2  It moves to a temporary name beside the target, locked, and replaces the target from there:
    across folders a rename need not be atomic.
"""

from __future__ import annotations

import errno
import stat

from holdfast.primitives import temp
from holdfast.primitives.asyncio_bridge import run
from holdfast.primitives.private_folder import PrivateFolder
from holdfast.primitives.replacement import Replacement, give_attributes
from holdfast.primitives.target import check, explain, find, how, look, unavailable
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from pathlib import Path
    from types import TracebackType

    from holdfast.primitives.target import How, Target
    from holdfast.vfs import VFS, Stat, Sync

__all__ = ["areplacing", "replacing"]


class _Adoption(Replacement):
    """A replacement by a file that a tool has made in a private folder."""

    __slots__ = ("_private",)
    _has_attributes = True  # (I1)

    def __init__(self, target: Target, chosen: How, *, private: PrivateFolder) -> None:
        self._private = private
        super().__init__(target, chosen)

    def begin(self) -> None:
        """Give what was made its attributes, and move it beside the target (I1, I2)."""
        target, source = self.target, self._private.folder
        _check_made(target, look(source, target.name))
        file = self.file = source.open(target.name, "read")
        self.info = file.stat()
        give_attributes(file, target, self._chosen, info=self.info)
        temp.take_lock(file)  # refused if the tool still holds one, which serves as well
        name = self.temp = temp.temp_name(target.name, self._chosen.vfs.token())
        target.folder.rename(target.name, name, source=source)


def _check_made(target: Target, made: Stat | None) -> None:
    """Refuse what is no regular file."""
    if made is None:
        message = "nothing was written to the path that replacing() gave"
        raise FileNotFoundError(errno.ENOENT, message, target.path)
    if not stat.S_ISREG(made.st_mode):
        reason = "cannot be replaced by what was made, which is no regular file"
        raise unavailable(target.path, reason, remedy="Make a regular file.", code=errno.ENOTSUP)


class replacing:  # noqa: N801 (used as a function is)
    """Give a path to write to; what is there when the body ends replaces the file, durably.

    For tools that want a path, or replace the file themselves: `with replacing("a.npz") as path:
    numpy.savez(path, ...)`. The path is in a private folder beside the target and ends in the
    target's name. Until the body ends readers find the old contents; after a crash, the old or the
    new. An exception in the body leaves the old ones. A new file keeps the mode that the tool gave
    it.

    Args:
        path: the file; a symlink is followed. Missing parent folders are made.
        sync: `"never"` skips every sync, as for `write_bytes`.
        permissions: the exact mode, as for `write_bytes`.
        backup: a file name in the same folder under which the replaced contents stay.
        vfs: the filesystem.

    Raises:
        PromiseUnavailable: a folder, FIFO, socket, device or bind-mounted file, or the body made
            one; untouched.
        FileNotFoundError: the body made nothing; the old contents stand.
        CommittedNotDurable: the new contents are in place, but a power cut may undo it.
        OSError: the old contents stand and nothing temporary is left.
        ValueError: an option has no meaning; nothing was done.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sync: Sync = "always",
        permissions: int | None = None,
        backup: str | os.PathLike[str] | None = None,
        vfs: VFS = SYSTEM,
    ) -> None:
        self._path = path
        self._chosen = how(sync, permissions, backup, vfs=vfs)
        self._target: Target | None = None
        self._private: PrivateFolder | None = None

    def __enter__(self) -> Path:
        from pathlib import Path

        if self._target is not None:
            raise ValueError("replacing() is used once: call it again")
        target = self._target = find(self._path, self._chosen)
        private = PrivateFolder(target.folder, target.name, vfs=self._chosen.vfs)
        try:
            private.make()
            self._private = private
            return Path(private.path, target.name)
        except BaseException as error:
            explain(error, target)
            private.remove()
            target.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        target, private = self._target, self._private
        if target is None or private is None:
            return
        try:
            if kind is None:
                self._commit(target, private)
        finally:
            private.remove()
            target.close()

    def _commit(self, target: Target, private: PrivateFolder) -> None:
        try:
            old = look(target.folder, target.name)
            if old is not None:
                check(target.path, old, new=False)
        except OSError as error:
            explain(error, target)
            raise
        target.old = old
        adoption = _Adoption(target, self._chosen, private=private)
        try:
            adoption.begin()
            private.remove()  # before the folder is synced: that covers both
            adoption.commit()
        except BaseException as error:
            adoption.give_up(error)
            raise


class areplacing:  # noqa: N801 (used as a function is)
    """`replacing` for asyncio: `async with areplacing("a.npz") as path: ...`.

    The same arguments, guarantees and errors. A cancelled body leaves the old contents.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sync: Sync = "always",
        permissions: int | None = None,
        backup: str | os.PathLike[str] | None = None,
        vfs: VFS = SYSTEM,
    ) -> None:
        self._blocking = replacing(path, sync=sync, permissions=permissions, backup=backup, vfs=vfs)

    async def __aenter__(self) -> Path:
        inner = self._blocking
        dropped = (KeyboardInterrupt, None, None)
        return await run(inner.__enter__, undo=lambda _: inner.__exit__(*dropped))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await run(lambda: self._blocking.__exit__(kind, error, trace))
