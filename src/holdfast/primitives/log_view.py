"""How far a log may be read: asked of the shared tail, without a lock.

Under `sync="always"` a reader sees what is durable, otherwise what is written; who reads a journal
without joining syncs, what is written unless its writer waits for a sync. After a failed sync only
what is known durable is shown, because the page cache may show what the disk has not got.
"""

from __future__ import annotations

from errno import EIO

from holdfast.formats.log_format import MAX_SEGMENT_BYTES, segment_name
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.log_errors import gone
from holdfast.primitives.log_hint import (
    BUSY,
    DURABLE,
    END,
    EPOCH,
    LAST,
    MAP_BYTES,
    POISON,
    SALT,
    WANTED,
    WORDS,
    Place,
    are_ours,
    boot_number,
    place_of,
)
from holdfast.primitives.log_open import LOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import VFS, File, Folder
    from holdfast.vfs.api import Words

__all__ = ["View"]


class View:
    """The folder of a log, open for reading, and the shared tail if there is one to be believed."""

    __slots__ = (
        "_asked",
        "_boot",
        "_file",
        "_identity",
        "_limit_word",
        "_words",
        "folder",
        "path",
        "place",
        "vfs",
    )

    def __init__(self, path: str, *, durable: bool, asked: bool = False, vfs: VFS) -> None:
        self.path = path
        self.vfs = vfs
        self.folder: Folder | None = None
        self._limit_word = DURABLE if durable else LAST
        self._asked = asked
        self._boot = 0
        self._identity: tuple[int, int] = (0, 0)
        self._file: File | None = None
        self._words: Words | None = None
        self.place: Place | None = None
        """Which segment the words speak of, by the last look; None: nobody tells."""

    def open(self) -> Folder | None:
        """Return the folder; None if there is no log yet.

        Raises:
            OSError: it is there and cannot be opened.
        """
        if self.folder is None:
            try:
                self.folder = self.vfs.folder(self.path)
            except FileNotFoundError:
                return None
        return self.folder

    def limit(self) -> int | None:
        """Return the last sequence that may be shown; None if nobody tells: the log must be read.

        Raises:
            Corruption: the shared tail speaks of a segment that is gone.
            OSError: the log cannot be read.
        """
        if self._words is not None and not self._is_current():
            self.close()  # another file may have other words, in another folder
        words = self._words or self._attach()
        if words is None:
            return None
        if self.place is None or words[SALT] != self.place.salt:
            self.place = self._believable(words)
            if self.place is None:
                return None
        limit = words[DURABLE] if words[POISON] else words[self._limit_word]
        last = words[LAST]
        if self._asked and not words[POISON] and words[DURABLE] >= min(words[WANTED], last):
            limit = last
        return limit if limit <= last else None

    def epoch(self) -> tuple[int, ...] | None:
        """Return what is another one when records that were shown may be gone; None: nobody tells.

        That is so when a sync has failed, and when somebody has recovered from that.

        Raises:
            OSError: the log cannot be looked at.
        """
        if self._words is not None and not self._is_current():
            self.close()
        words = self._words or self._attach()
        if words is None or not are_ours(words, self._boot):
            return None
        return (*self._identity, words[EPOCH], words[POISON])

    def awaits(self, last: int) -> bool:
        """Look whether a writer waits for the sync of a record up to `last`.

        Raises:
            Exception: as `limit`.
        """
        if self.limit() is None or self._words is None:
            return False
        return self._words[DURABLE] < min(self._words[WANTED], last)

    def show_durable(self) -> None:
        """Show no more than what is durable, from now on."""
        self._limit_word, self._asked = DURABLE, False

    def poison(self, error: OSError) -> None:
        """Tell everybody that a sync failed; nobody is told where this process may not write.

        Without a lock: who recovers meanwhile writes anew what the sync has not covered.
        """
        folder = self.open()
        try:
            file = None if folder is None else folder.open(LOCK, "write")
        except OSError:
            return
        try:
            if file is not None and file.stat().st_size >= MAP_BYTES:
                words = file.words(WORDS)
                if are_ours(words, self._boot):
                    words[POISON] = error.errno or EIO
                words.release()
        finally:
            close_quietly(file)

    def _is_current(self) -> bool:
        """Look whether the path names the lock file that is open, and it has not been cut.

        An access to a word of a file that was cut would end the process.
        """
        try:
            info = self.vfs.stat(f"{self.path}/{LOCK}")
        except (FileNotFoundError, NotADirectoryError):
            return False
        return info.st_size >= MAP_BYTES and (info.st_dev, info.st_ino) == self._identity

    @property
    def durable(self) -> int | None:
        """The last sequence known durable; None if nobody tells."""
        return None if self.limit() is None or self._words is None else self._words[DURABLE]

    @property
    def written(self) -> int | None:
        """The last sequence written; None if nobody tells."""
        return None if self.limit() is None or self._words is None else self._words[LAST]

    def _attach(self) -> Words | None:
        folder = self.open()
        if folder is None:
            return None
        try:
            file = folder.open(LOCK, "read")
        except (FileNotFoundError, PermissionError):
            return None
        try:
            info = file.stat()
            if info.st_size >= MAP_BYTES:
                self._identity = (info.st_dev, info.st_ino)
                self._words = file.words(WORDS)
                self._boot = boot_number(self.vfs.boot())
                self._file = file
        finally:
            if self._words is None:
                close_quietly(file)
        return self._words

    def _believable(self, words: Words) -> Place | None:
        """Return the place that the words name if the very file is there."""
        place = place_of(words, self._boot)
        folder = self.open()
        if place is None or folder is None:
            return None
        if not place.inode and words[POISON]:
            return place
        try:
            file = folder.open(segment_name(place.first), "read")
        except FileNotFoundError:
            self._refuse_loss(folder, words, place)
            return None
        except OSError as error:
            error.filename = f"{folder.path}/{segment_name(place.first)}"
            raise
        try:
            info = file.stat()
            is_it = (info.st_dev, info.st_ino) == (place.device, place.inode)
            return place if is_it and not _is_stale(words, file) else None
        finally:
            close_quietly(file)

    def _refuse_loss(self, folder: Folder, words: Words, place: Place) -> None:
        """Raise unless the segment was followed by another and dropped meanwhile."""
        if place_of(words, self._boot) == place and segment_name(place.first) not in folder.names():
            raise gone(folder, place.first)

    def close(self) -> None:
        """Close what is open; idempotent."""
        words, self._words, self.place = self._words, None, None
        if words is not None:
            words.release()
        close_quietly(self._file)
        close_quietly(self.folder)
        self._file = self.folder = None


def _is_stale(words: Words, file: File) -> bool:
    """Look whether something stands behind the end: whoever writes there says so, or moves it."""
    end = words[END]
    if words[BUSY] or end > MAX_SEGMENT_BYTES:
        return False
    return any(file.read(8, offset=end)) and not words[BUSY] and words[END] == end
