"""The file that a line log appends to, as one handle has it open.

Everything but `sync` needs the lock of the log, and one thread at a time. Guarantee: after
`append` the lines stand whole at the end of the file that has the name now, and begin a line; after
an error nothing of them stands there, unless the note on the error says otherwise. They are durable
after `sync` has returned.

I1  Before each append we look which file has the name: it may have been rotated or removed.
I2  The name of the file is durable before anything in it is acknowledged, and whatever the name
    stood for before is durable under its new name before a new file takes the name.
I3  Lines begin after a newline: an end without one is settled first (`line_log_healing`).
I4  The newline before the first lines of a handle is written once more together with them. A sync
    that failed before may have left it in memory alone: then zeros would stand before the lines.
I5  A write that fails is cut back at once.
I6  Somebody may cut the file, without the lock, a moment before our write (copy and truncate): that
    leaves zeros before the lines. They are taken away, and the lines begin where the file ends.
I7  A file is synced before it is let go of, if lines of this handle in it are not yet durable.
"""

from __future__ import annotations

import os

from holdfast.primitives.folders import close_quietly, forget, open_folder
from holdfast.primitives.line_log_healing import (
    TornEnd,
    find_torn,
    find_zeros,
    is_whole,
    move_away,
    write_at,
)
from holdfast.primitives.line_log_names import identity_of, refuse_other_kinds
from holdfast.primitives.line_log_rotation import Watched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NamedTuple

    from holdfast.primitives.line_log_names import Identity
    from holdfast.primitives.line_log_rotation import Rotation
    from holdfast.vfs import VFS, File, Folder, Stat, Sync
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["LineFile", "Options"]


class Options(NamedTuple):
    """What a log was opened with.

    `syncs`: False if nothing is ever to be synced but by a rotation. `is_whole` says whether an end
    without a newline is a record; `on_torn` is told of each that was settled.
    """

    rotation: Rotation
    is_whole: Callable[[bytes], bool]
    on_torn: Callable[[TornEnd], object]
    vfs: VFS
    permissions: int = 0o666
    syncs: bool = True


class LineFile:
    """One log, open at most once.

    Attributes: `path`; `appended`, how many lines; `unsynced`, whether lines of this handle are not
    known to be durable.
    """

    __slots__ = (
        *("_directory", "_end", "_file", "_identity", "_is_settled", "_name", "_options"),
        *("_watched", "appended", "path", "unsynced"),
    )

    def __init__(self, path: str, options: Options) -> None:
        self.path = path
        self._directory, self._name = os.path.split(path)
        self._options = options
        self._file: File | None = None
        self._identity: Identity | None = None
        self._end = -1  # where this handle left the file; -1: it has not appended yet
        self._is_settled = False  # that the log has given its name away is durable
        self._watched = Watched()
        self.appended = 0
        self.unsynced = False

    @property
    def failed(self) -> OSError | None:
        """The first sync that failed."""
        return self._watched.failed

    # ------------------------------------------------------------ appending

    def append(self, lines: list[bytes], *, is_rest: bool = False) -> int:
        """Append as many of the lines as belong into one file, in one write; return how many.

        Args:
            lines: each with its newline.
            is_rest: others that were given with them stand already; for the note of an error.

        Raises:
            OSError: none of them stands in the log, unless its note says so.
        """
        try:
            file, size = self._ready()
            data, count = self._fitting(lines, size)
            if self._options.rotation.is_due(size, len(data)):
                self._give_name_away()
                file, size = self._ready()
                data, count = self._fitting(lines, size)
            self._write(file, data, size, count=count)
        except OSError as error:
            self._explain(error, "nothing more" if is_rest else "nothing")
            raise
        return count

    def _fitting(self, lines: list[bytes], size: int) -> tuple[bytes, int]:
        """The lines up to the one before which a rotation is due; the first in any case."""
        if len(lines) == 1:
            return lines[0], 1
        is_due = self._options.rotation.is_due
        count, more = 1, len(lines[0])
        while count < len(lines) and not is_due(size + more, len(lines[count])):
            more += len(lines[count])
            count += 1
        return b"".join(lines[:count]), count

    def _ready(self) -> tuple[File, int]:
        """Return the file that has the name, and its size; there a line ends (I1, I3)."""
        file, info = self._opened()
        size = info.st_size
        if size in (0, self._end):
            return file, size
        last = file.read(1, offset=size - 1)
        if not last:  # cut a moment ago (I6)
            size = file.stat().st_size
            last = file.read(1, offset=size - 1) if size else b"\n"
        if last == b"\n":
            return file, size
        self._end = -1
        start = find_torn(file, size)
        if is_whole(file, start, size=size, judge=self._options.is_whole):
            write_at(file, b"\n", size)
            moved_to, end = None, size + 1
        else:
            moved_to, end = self._move_away(file, start, size), start
            file.truncate(end)
        self.unsynced = True
        self._options.on_torn(TornEnd(self.path, start, size - start, moved_to))
        return file, end

    def _move_away(self, file: File, start: int, size: int) -> str:
        folder = self._folder()
        try:
            return os.path.join(
                self._directory, move_away(file, folder, self._name, span=(start, size))
            )
        finally:
            close_quietly(folder)

    def _write(self, file: File, data: bytes, size: int, *, count: int) -> None:
        """Append, with the newline before it if it was not ours (I4), or cut back (I5)."""
        again = 1 if 0 < size != self._end else 0
        start = size - again
        witness = file.read(1, offset=start - 1) if again and start else b"\n"
        before, self._end, self.unsynced = self.appended, -1, True
        try:
            write_at(file, b"\n" + data if again else data, start)
            end = size + len(data)
            if start and file.read(1, offset=start - 1) != witness:
                end = self._bring_down(file, data, start)
            self._end = end
            self.appended = before + count  # from here on they stand: an interrupt leaves them
        except BaseException as error:
            if self.appended == before:
                self._cut_back(file, size, error)
            raise

    def _bring_down(self, file: File, data: bytes, start: int) -> int:
        """Write lines, before which the file was cut, where it ends now; return the end (I6)."""
        end = find_zeros(file, start)
        file.truncate(end)
        if end and file.read(1, offset=end - 1) != b"\n":
            data = b"\n" + data
        write_at(file, data, end)
        return end + len(data)

    def _cut_back(self, file: File, size: int, error: BaseException) -> None:
        self._end = -1
        try:
            file.truncate(size)
        except OSError as refused:
            error.add_note(
                f"{self.path}: a part of it stands at the end, for it could not be cut back "
                f"({refused.strerror}). The next append settles that."
            )

    def _explain(self, error: OSError, what: str) -> None:
        if error.filename in (None, self._name):
            error.filename = self.path
        remedy = "Open the log anew" if error is self.failed else "Append again"
        error.add_note(
            f"{self.path}: {what} was appended. All lines that were there are there. "
            f"{remedy} when the cause is mended."
        )

    # ------------------------------------------------------------ opening

    def prepare(self, *, empty: bool = False) -> None:
        """Open the log, and make it if it is missing.

        Args:
            empty: throw away what is in it.

        Raises:
            OSError: it cannot be opened or made; what it held it holds.
        """
        file, _ = self._opened()
        if empty:
            self._end = -1
            file.truncate(0)
            self.unsynced = True

    def _folder(self) -> Folder:
        return self._options.vfs.folder(self._directory, readable=True)

    def _opened(self) -> tuple[File, Stat]:
        """Return the file that has the name, and what it is like (I1)."""
        if self._file is not None:
            try:
                info = self._options.vfs.stat(self.path)
            except (FileNotFoundError, NotADirectoryError):
                pass
            else:
                if identity_of(info) == self._identity:
                    return self._file, info
            self.let_go()
        sync: Sync = "always" if self._options.syncs else "never"
        folder = open_folder(self._directory, sync=sync, vfs=self._options.vfs)
        try:
            return self._open(folder)
        finally:
            close_quietly(folder)

    def _open(self, folder: Folder) -> tuple[File, Stat]:
        is_new = False
        try:
            file = folder.open(self._name, "write")
        except FileNotFoundError:
            file, is_new = self._make(folder), True
        try:
            info = file.stat()
            if is_new:
                self._make_durable(folder, info)
            else:
                self._make_sure(file, folder, info)
        except BaseException:
            close_quietly(file)
            raise
        self._file, self._identity, self._end = file, identity_of(info), -1
        self._options.rotation.opened(info)
        return file, info

    def _make_sure(self, file: File, folder: Folder, info: Stat) -> None:
        """See to it that a file that was found is one, and its name durable (I2)."""
        refuse_other_kinds(self.path, info)
        if self._options.syncs:
            with self._watched:
                folder.sync()
        file.drop_cache()  # what a failed sync has left there is not on the disk

    def _make(self, folder: Folder) -> File:
        if self._options.syncs and not self._is_settled:
            self._settle(folder)
        file = folder.open(self._name, "create", permissions=self._options.permissions)
        self._is_settled = False
        return file

    def _make_durable(self, folder: Folder, info: Stat) -> None:
        """Make the name of a new file durable, or remove it again (I2)."""
        if self._options.syncs:
            try:
                with self._watched:
                    folder.sync()
            except BaseException:
                if not info.st_size:
                    forget(folder, self._name)
                raise

    def _settle(self, folder: Folder) -> None:
        """Perhaps somebody has renamed the log a moment ago (I2)."""
        with self._watched:
            folder.sync()

    # ------------------------------------------------------------ rotating, syncing, letting go

    def rotate(self) -> None:
        """Give the log its next name, and make a new file with the old one; not if it is empty.

        Raises:
            OSError: perhaps not all files have moved; no line is lost.
        """
        _, size = self._ready()
        if size:
            self._give_name_away()
            self._opened()

    def _give_name_away(self) -> None:
        self.let_go()
        folder = self._folder()
        try:
            self._options.rotation.rotate(folder, self._name, self._watched)
            with self._watched:
                folder.sync()
            self._is_settled = True
        finally:
            close_quietly(folder)

    def sync(self) -> None:
        """Make durable what was appended.

        Raises:
            OSError: perhaps not all of it is durable, and no other sync would tell.
        """
        file = self._file
        if self.unsynced and file is not None:
            self.sync_now(file)
            self.unsynced = False  # now: one that was interrupted has still to be made

    def sync_now(self, file: File) -> None:
        """Sync a file of this log; its failure is remembered.

        Raises:
            OSError: as `sync`.
        """
        with self._watched:
            file.sync_data()

    def sync_name(self) -> None:
        """Make the name of the log durable, where opening it did not.

        Raises:
            OSError: perhaps it is not.
        """
        if not self._options.syncs and self._file is not None:
            folder = self._folder()
            try:
                with self._watched:
                    folder.sync()
            finally:
                close_quietly(folder)

    def duplicate(self) -> File | None:
        """Return another descriptor, to sync what was appended so far; None if it is synced."""
        if self.unsynced and self._file is not None:
            duplicate = self._file.duplicate()
            self.unsynced = False
            return duplicate
        return None

    def let_go(self) -> None:
        """Close the file, what was appended being durable (I7).

        Raises:
            OSError: as `sync`; it is closed all the same.
        """
        try:
            self.sync()
        finally:
            self.forget()

    def forget(self) -> None:
        """Close the file as it is; never fails."""
        file, self._file = self._file, None
        self._identity, self._end, self.unsynced = None, -1, False
        close_quietly(file)
