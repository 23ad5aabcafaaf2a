"""The user's editor on a private copy of some contents.

The copy is a file of the same name, so that an editor knows its kind, in a folder of its own that
nobody else may enter. It is removed in the end with all that the editor left beside it; but what
the user wrote, and what could not be taken, stays there and is named.
"""

from __future__ import annotations

import os
import signal
import sys
from stat import S_ISDIR

from holdfast.cli import children
from holdfast.cli.exits import WRONG_SETTING, Failure, note
from holdfast.primitives.folders import open_subfolder
from holdfast.primitives.temp import write_all
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Self

    from holdfast.vfs import File, Folder

__all__ = ["Copy", "is_attended", "wants_another_try"]

_PIECE_BYTES: Final = 1 << 20
_TEMPORARY: Final = "/tmp"  # noqa: S108 (what is made in it is a folder of our own)
_OF_THE_KEYBOARD: Final = ("SIGINT", "SIGQUIT")


class Copy:
    """A context in which the copy exists."""

    def __init__(self, path: str, data: bytes) -> None:
        place = os.environ.get("TMPDIR") or os.environ.get("TEMP") or _TEMPORARY
        name, own = os.path.basename(path), f"holdfast-edit-{SYSTEM.token()}"
        self._data = data
        self._own = os.path.join(os.path.abspath(place), own)
        self.path = os.path.join(self._own, name)
        parent = SYSTEM.folder(place)
        try:
            parent.mkdir(own, permissions=0o700)
        finally:
            parent.close()
        try:
            self._write(name)
        except BaseException:
            self._remove()
            raise

    def _write(self, name: str) -> None:
        folder = SYSTEM.folder(self._own)
        try:
            file = folder.open(name, "new", permissions=0o600)
            try:
                write_all(file, self._data)
            finally:
                file.close()
        finally:
            folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Remove the copy and what is beside it, unless an error would lose the user's work."""
        if error is None or not self.holds_work():
            self._remove()
            return
        error.add_note(self.where())
        if not isinstance(error, Exception):  # a signal, of which nothing else is said
            note("edit", f"interrupted. {self.where()}")

    def where(self) -> str:
        """Where the user's work is, in a sentence."""
        return f"What you wrote is in {self.path}."

    def holds_work(self) -> bool:
        """Whether the user has written something else than was there."""
        try:
            return self.read() not in (b"", self._data)
        except OSError:
            return True  # something is there that cannot be looked at now

    def _remove(self) -> None:
        """Whatever goes wrong with it is said, and is no failure of the edit."""
        try:
            parent = SYSTEM.folder(os.path.dirname(self._own))
            try:
                _remove_tree(parent, os.path.basename(self._own), path=self._own)
            finally:
                parent.close()
        except OSError as error:
            note("edit", f"{self._own}: could not be removed: {error.strerror}")

    def open_in_editor(self) -> int:
        """Let the user edit; return the editor's exit code, or 128 + n if signal n told us to stop.

        Raises:
            Failure: no editor is set, or it cannot be run.
        """
        ended = children.run([*_editor(), self.path])
        from_keyboard = [getattr(signal, name, 0) for name in _OF_THE_KEYBOARD]
        if ended.interrupted and ended.interrupted not in from_keyboard:
            return 128 + ended.interrupted
        return ended.code  # an editor may have a use of its own for Ctrl-C

    def read(self) -> bytes:
        """What was saved; nothing if the copy was removed."""
        try:
            file = self._open()
        except FileNotFoundError:
            return b""
        try:
            pieces = iter(lambda: file.read(_PIECE_BYTES), b"")
            return b"".join(pieces)
        finally:
            file.close()

    def _open(self) -> File:
        folder = SYSTEM.folder(self._own)
        try:
            return folder.open(os.path.basename(self.path), "read")
        finally:
            folder.close()


def _remove_tree(parent: Folder, name: str, *, path: str) -> None:
    """Remove a folder with all in it; no symlink is followed."""
    folder = open_subfolder(parent, name, path=path, vfs=SYSTEM)
    try:
        for entry in folder.names():
            if S_ISDIR(folder.stat(entry).st_mode):
                _remove_tree(folder, entry, path=os.path.join(path, entry))
            else:
                folder.unlink(entry)
    finally:
        folder.close()
    parent.rmdir(name)


def _editor() -> list[str]:
    import shlex

    line = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        words = shlex.split(line)
    except ValueError as error:
        message = f"$VISUAL or $EDITOR cannot be read: {line!r}: {error}"
        raise Failure(message, WRONG_SETTING) from None
    if not words:
        raise Failure("no editor is set. Set $EDITOR, such as EDITOR=nano.", WRONG_SETTING)
    return words


def is_attended() -> bool:
    """Whether there is a user who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def wants_another_try() -> bool:
    """Ask the user whether to open the editor again."""
    print("Open the editor again? [Y/n] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    return bool(answer) and not answer.strip().lower().startswith("n")
