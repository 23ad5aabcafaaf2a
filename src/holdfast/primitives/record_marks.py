"""Marks in the sidecar: whether what was last written under a lock byte may still await its sync.

A mark is a word of 8 bytes for each lock byte. It holds the id of the file when nothing awaits a
sync, the token of a handle when that handle was the last to write, and anything else (another
file's id, nothing, the token of a process that was killed) when nobody can tell. Zeros stand for
the id if the word before the marks holds that: who makes a file writes it there, and nobody else.

Two words before that tell of failed syncs: the alarm, which whoever has seen one sets to his token,
and what the alarm was when somebody has written anew what such a sync may have lost.

None of this is ever synced, nor need be: after a power cut all that can be read is durable. A mark
that has survived it wrongly costs one sync more.

I1  A handle changes a mark only while it holds its lock byte, or before the file has its name.
I2  Its own token stands in the mark before it writes a slot, and the id only after a sync that
    began when all slots under the byte were written.
"""

from __future__ import annotations

import os

from holdfast.primitives.folders import close_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import VFS, File

__all__ = ["MARKS_AT", "MARK_BYTES", "Marks", "clear_all"]

MARKS_AT = 4096
"""Where the marks begin: behind the lock bytes, which some systems keep others from reading."""
MARK_BYTES = 8
_ID_AT, _ALARM_AT, _MENDED_AT = MARKS_AT - 8, MARKS_AT - 16, MARKS_AT - 24


def _open(path: str, *, permissions: int, vfs: VFS) -> File:
    folder_path, name = os.path.split(path)
    folder = vfs.folder(folder_path)
    try:
        return folder.open(name, "create", permissions=permissions)
    except OSError as error:
        error.filename = path
        raise
    finally:
        close_quietly(folder)


def clear_all(path: str, number: int, *, permissions: int, vfs: VFS) -> None:
    """Say of a file that is to be made that nothing awaits a sync; `number` is its id.

    Raises:
        OSError: the sidecar cannot be written.
    """
    file = _open(path, permissions=permissions, vfs=vfs)
    try:
        file.write(number.to_bytes(MARK_BYTES, "little"), offset=_ID_AT)
    finally:
        close_quietly(file)


class Marks:
    """The marks as one handle sees them; `renew` in a forked child.

    Args:
        path: The sidecar.
        number: The id of the file.
        permissions: Of a sidecar that is made.
        vfs: The filesystem.
    """

    __slots__ = ("_alarm", "_clear", "_file", "_mine", "_vfs")

    def __init__(self, path: str, number: int, *, permissions: int, vfs: VFS) -> None:
        self._clear = number.to_bytes(MARK_BYTES, "little")
        self._vfs = vfs
        self._file = _open(path, permissions=permissions, vfs=vfs)
        self._alarm = self._word(_ALARM_AT)
        self.renew()

    def renew(self) -> None:
        """Take another token."""
        self._mine = int(self._vfs.token(), 16).to_bytes(MARK_BYTES, "little")

    def look(self, byte: int) -> bool | None:
        """True if this handle was the last to write, False if nothing awaits a sync; None: unsure.

        Raises:
            OSError: the sidecar cannot be read.
        """
        mark = self._word(MARKS_AT + MARK_BYTES * byte)
        if not any(mark):  # never set, unless somebody has cut the sidecar, which is told thus
            mark = self._word(_ID_AT)
        return True if mark == self._mine else False if mark == self._clear else None

    def set(self, byte: int) -> None:
        """Say that this handle writes (I1, I2).

        Raises:
            OSError: the sidecar cannot be written.
        """
        self._file.write(self._mine, offset=MARKS_AT + MARK_BYTES * byte)

    def clear(self, byte: int) -> None:
        """Say that nothing awaits a sync (I1, I2); a failure is no harm, it costs a sync."""
        try:
            self._file.write(self._clear, offset=MARKS_AT + MARK_BYTES * byte)
        except OSError:
            pass

    def raise_alarm(self) -> None:
        """Say that a sync has failed; the system tells each handle by itself as well."""
        try:
            self._file.write(self._mine, offset=_ALARM_AT)
        except OSError:
            pass

    @property
    def is_alarmed(self) -> bool:
        """Whether a sync has failed, of any handle, since this one was opened.

        Raises:
            OSError: the sidecar cannot be read.
        """
        return self._word(_ALARM_AT) != self._alarm

    @property
    def is_mended(self) -> bool:
        """Whether what a failed sync may have lost before was written anew."""
        return self._word(_MENDED_AT) == self._alarm or not any(self._alarm)

    def mended(self) -> None:
        """Say that it was; a failure costs doing it again."""
        try:
            self._file.write(self._alarm, offset=_MENDED_AT)
        except OSError:
            pass

    def _word(self, offset: int) -> bytes:
        return self._file.read(MARK_BYTES, offset=offset).ljust(MARK_BYTES, b"\0")

    def close(self) -> None:
        """Close; idempotent."""
        close_quietly(self._file)
