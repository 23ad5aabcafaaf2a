"""The one sequence that replaces a file: temp, write, sync, close, rename, sync the folder.

    made ──write──> written ──finish──> synced, closed ──publish──> in place ──settle──> durable
      └──────────────── discard: the temp is gone, the target untouched ──┘

Guarantee: whoever opens the target finds the old contents or the new, whole, at any moment and
    after any crash. After `commit` with `sync="always"` the new ones survive a power cut. Not
    guaranteed: that other hard links of the target see the new contents (they keep the old ones),
    or that one of two writers at the same moment sees what the other wrote (take a lock for that).

I1  The order is write, sync, close, rename, sync of the folder; each is checked, and none is
    retried.
I2  A failure before the rename removes the temp and leaves the target alone. After the rename
    nothing is removed, and the error says so by its type.
I3  The temp's lock is held from its making until after the rename, by a duplicate of the
    descriptor.
I4  A temp that replaces a file is readable for its owner alone until it has the file's owner,
    access list and mode; and that of a stream, for a name that is free, until the end. A group that
    is not the file's own gets no more than all others have.
I5  A new file gets its mode from the kernel (umask, default access list), never from a umask read
    or set here.
I6  A created name (`x`) appears with complete contents, and never over another.
"""

from __future__ import annotations

import errno
import os

from holdfast.primitives import temp
from holdfast.primitives.folders import close_quietly, forget
from holdfast.primitives.target import check, explain, look, not_durable, unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.primitives.target import How, Target
    from holdfast.vfs import File, Stat

__all__ = ["Creation", "Replacement", "Streamed", "give_attributes", "rename_over"]

_CANNOT_RENAME_OVER = frozenset({errno.EBUSY, errno.EXDEV})
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV})


def give_attributes(file: File, target: Target, chosen: How, *, info: Stat) -> None:
    """Give a temp the attributes of the file that it replaces, or the wished mode (I4).

    Args:
        file: the temp.
        target: what it will be renamed over.
        chosen: the options; `permissions` wins over the mode of the old file.
        info: the temp as it is: its owner decides what need not be set.
    """
    old, mode = target.old, chosen.permissions
    if old is not None:
        same_owner = old.st_uid == info.st_uid and old.st_gid == info.st_gid
        kept, xattrs = old.st_mode & 0o7777, target.xattrs
        if xattrs is None:
            try:
                xattrs = target.folder.xattrs(target.name)
            except FileNotFoundError:
                from holdfast.vfs.ownership import narrowed_mode

                # Removed meanwhile. If it had an access list, the group's bits of its mode were
                # that list's mask, and may be more than its group had.
                kept, xattrs = narrowed_mode(kept), {}
            target.xattrs = xattrs
        if mode is not None and xattrs:
            from holdfast.vfs.ownership import ACCESS_LIST

            # An exact mode leaves no room for others, not even while it is being set.
            xattrs = {name: value for name, value in xattrs.items() if name != ACCESS_LIST}
        file.set_attributes(
            mode=kept if mode is None else mode,
            owner=None if same_owner else (old.st_uid, old.st_gid),
            xattrs=xattrs,
        )
    elif mode is not None:
        file.set_attributes(mode=mode, owner=None, xattrs={})


def rename_over(target: Target, source: str) -> None:
    """Rename `source` over the target, both in its folder.

    Raises:
        PromiseUnavailable: the name cannot be renamed over, such as a mount point; both are as they
            were.
    """
    try:
        target.folder.rename(source, target.name)
    except OSError as error:
        _refuse_rename(target, error)
        raise


def _refuse_rename(target: Target, error: OSError) -> None:
    if error.errno in _CANNOT_RENAME_OVER:
        reason = "cannot be renamed over (is it a bind mount of a single file?)"
        remedy = "Mount its folder instead of the file."
        raise unavailable(target.path, reason, remedy=remedy, code=error.errno or 0) from error


class Replacement:
    """New contents on their way to a name that may be taken already.

    It ends by `commit`, `discard` or `give_up`; then nothing of it is open except the folder.
    """

    __slots__ = ("_chosen", "file", "info", "is_over", "target", "temp")
    _has_attributes = False
    file: File
    info: Stat

    def __init__(self, target: Target, chosen: How) -> None:
        self.target = target
        self.is_over = False
        self._chosen = chosen
        self.temp: str | None = None

    def begin(self) -> None:
        """Make the temp; not in the constructor, so that an interrupt finds its name here.

        Whoever calls this calls `give_up` after any exception.
        """
        target, chosen = self.target, self._chosen
        permissions = 0o666 if target.old is None and chosen.permissions is None else 0o600
        temp.create(self, target.folder, target.name, permissions=permissions, vfs=chosen.vfs)

    def look_again(self) -> None:
        """See what is there now: long after the start its mode, or its kind, may be another."""
        old = look(self.target.folder, self.target.name)
        if old is not None:
            self._check(old)
        self.target.old = old

    def _check(self, old: Stat) -> None:
        check(self.target.path, old, new=False)

    def commit(self, *, describe: bool = False) -> Stat | None:
        """Put the new contents in place (I1, I2, I3).

        Args:
            describe: return what the new file is after the rename; None if somebody has written
                into it since.

        Raises:
            PromiseUnavailable: the name cannot be renamed over; untouched, no temp is left.
            CommittedNotDurable: the folder's sync failed; the new contents are in place.
            OSError: the old contents stand, no temp is left.
        """
        file, durable = self.file, self._chosen.sync == "always"
        keeper: File | None = None
        try:
            if not self._has_attributes:
                give_attributes(file, self.target, self._chosen, info=self.info)
            written = file.stat() if describe else None
            # Before the sync, while the caches are warm: after it each call costs several times as
            # much.
            keeper = file.duplicate()
            if durable:
                file.sync()
            file.close()
            self._publish(keeper)
        except BaseException as error:
            self.give_up(error)
            close_quietly(keeper)
            raise
        self.is_over = True
        try:
            now = self._settle(keeper, durable=durable, describe=describe)
            # The rename changes another of the times.
            is_ours = written and now and written.st_mtime_ns == now.st_mtime_ns
            if durable:
                self.target.folder.sync()
        except OSError as error:
            raise not_durable(self.target.path, error) from error
        return now if is_ours else None

    def _publish(self, keeper: File) -> None:
        """Give the temp the target's name (I3: its lock is held by `keeper`)."""
        target, chosen = self.target, self._chosen
        if chosen.backup is not None:
            from holdfast.primitives.backup import keep_backup

            keep_backup(target, chosen.backup, chosen)
        try:
            target.folder.rename(self.temp or "", target.name)
        except FileNotFoundError:
            if not _is_in_place(target, keeper):
                raise
        except OSError as error:
            _refuse_rename(target, error)
            raise

    def _settle(self, keeper: File, *, durable: bool, describe: bool) -> Stat | None:  # noqa: ARG002
        """Let go of the file in place; the folder is synced next."""
        try:
            return keeper.stat() if describe else None
        finally:
            close_quietly(keeper)

    def discard(self) -> bool:
        """Remove the temp, if there is one; True if none is left. The target is untouched."""
        close_quietly(getattr(self, "file", None))
        is_gone = self.temp is None or forget(self.target.folder, self.temp)
        self.is_over = True  # not before: an interrupt up to here leaves it to be done again
        return is_gone

    def give_up(self, error: BaseException) -> None:
        """Discard because of `error`, with a note of what is on disk now; nothing if it is over."""
        if not self.is_over:
            self.explain(error, left=None if self.discard() else self.temp)

    def explain(self, error: BaseException, *, left: str | None = None) -> None:
        """Note on `error` what is on disk now."""
        explain(error, self.target, left=left)


def _is_in_place(target: Target, keeper: File) -> bool:
    """True if the rename was done and its reply lost: NFS asks again, and hears ENOENT."""
    there, mine = look(target.folder, target.name), keeper.stat()
    return there is not None and (there.st_dev, there.st_ino) == (
        mine.st_dev,
        mine.st_ino,
    )


class Streamed(Replacement):
    """New contents that take a while; meanwhile the name may be given to somebody's private file.

    So its temp is for its owner alone in any case (I4), and gets the mode of a new file, which the
    kernel told at the beginning (I5), at the end.
    """

    __slots__ = ("_new_mode",)

    def begin(self) -> None:
        """Learn the mode of a new file if there is none, and make the temp."""
        target, chosen = self.target, self._chosen
        self._new_mode: int | None = None
        if target.old is None and chosen.permissions is None:
            self._new_mode = temp.mode_of_new(target.folder, target.name, vfs=chosen.vfs)
        temp.create(self, target.folder, target.name, permissions=0o600, vfs=chosen.vfs)

    def look_again(self) -> None:
        """See what is there now; where there is nothing, give the temp the mode of a new file."""
        super().look_again()
        target, chosen, mode = self.target, self._chosen, self._new_mode
        if target.old is None and chosen.permissions is None:
            if mode is None:  # removed meanwhile
                mode = temp.mode_of_new(target.folder, target.name, vfs=chosen.vfs)
            inherited = target.folder.xattrs(self.temp or "")
            self.file.set_attributes(mode=mode, owner=None, xattrs=inherited)


class Creation(Replacement):
    """New contents on their way to a name that must be free (I6)."""

    __slots__ = ()

    def begin(self) -> None:
        """Open a file without a name, or make a temp where there are none."""
        permissions = 0o666 if self._chosen.permissions is None else 0o600
        try:
            self.file = self.target.folder.open_unnamed(permissions=permissions)
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            super().begin()
        else:
            self.info = self.file.stat()

    def _check(self, old: Stat) -> None:
        check(self.target.path, old, new=True)

    def _publish(self, keeper: File) -> None:
        target = self.target
        try:
            target.folder.link(keeper if self.temp is None else self.temp, target.name)
        except FileExistsError:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target.path) from None
        except OSError as error:
            if error.errno in _NO_LINKS:
                reason = "this filesystem has no hard links, so a file of that name could be lost"
                remedy = 'Use mode "w", or write elsewhere.'
                raise unavailable(
                    target.path, reason, remedy=remedy, code=error.errno or 0
                ) from error
            raise
        if self.temp is not None:
            forget(target.folder, self.temp)  # a second name of a file in place; else it is swept

    def _settle(self, keeper: File, *, durable: bool, describe: bool) -> Stat | None:
        # btrfs: the sync of a file without a name does nothing that lasts, so the named one is
        # synced too.
        try:
            if durable and self.temp is None:
                keeper.sync()
        except BaseException:
            close_quietly(keeper)
            raise
        return super()._settle(keeper, durable=durable, describe=describe)
