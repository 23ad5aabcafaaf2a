"""The user's editor on a private copy of some contents.

The copy is a file of the same name, so that an editor knows its kind, in a folder of its own that
nobody else may enter; it is removed in the end, whatever happened.
"""

from __future__ import annotations

import os
import sys

from holdfast.cli import children
from holdfast.cli.exits import WRONG_SETTING, Failure
from holdfast.primitives.temp import write_all
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Self

    from holdfast.vfs import Folder

__all__ = ["Copy", "wants_another_try"]

_PIECE_BYTES: Final = 1 << 20
_TEMPORARY: Final = "/tmp"  # noqa: S108 (what is made in it is a folder of our own)


class Copy:
    """A context in which the copy exists."""

    def __init__(self, path: str, data: bytes) -> None:
        place = os.environ.get("TMPDIR") or os.environ.get("TEMP") or _TEMPORARY
        self._name = os.path.basename(path)
        self._place = SYSTEM.folder(place)
        self._own = f"holdfast-edit-{SYSTEM.token()}"
        self._place.mkdir(self._own, permissions=0o700)
        self._folder: Folder = SYSTEM.folder(os.path.join(place, self._own))
        file = self._folder.open(self._name, "new", permissions=0o600)
        try:
            write_all(file, data)
        finally:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the copy, and what the editor left beside it."""
        for name in self._folder.names():
            self._folder.unlink(name)
        self._folder.close()
        self._place.rmdir(self._own)
        self._place.close()

    def open_in_editor(self) -> int:
        """Let the user edit; return the editor's exit code.

        Raises:
            Failure: no editor is set, or it cannot be run.
        """
        words = [*_editor(), os.path.join(self._folder.path, self._name)]
        return children.run(words).code

    def read(self) -> bytes:
        """What was saved; nothing if the copy was removed."""
        try:
            file = self._folder.open(self._name, "read")
        except FileNotFoundError:
            return b""
        try:
            pieces = iter(lambda: file.read(_PIECE_BYTES), b"")
            return b"".join(pieces)
        finally:
            file.close()


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


def wants_another_try() -> bool:
    """Ask the user, if there is one, whether to open the editor again."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    print("Open the editor again? [Y/n] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    return bool(answer) and not answer.strip().lower().startswith("n")
