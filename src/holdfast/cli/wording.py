"""Errors as one line for a person at a shell: paths as they were given, no word of a program."""

from __future__ import annotations

import errno
import os
import re

from holdfast.cli.streams import OUTPUT
from holdfast.errors import LockTimeout

__all__ = ["describe", "path_of"]

_TEMPORARY = ".holdfast-tmp"
_OF_THE_FOLDER = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FOR_PROGRAMS = re.compile(
    r"\s*(?:Pass (?:a larger max_size_bytes|default=|codec=)|Open it with read_only=)[^.]*\."
)


def describe(error: Exception, given: str = "") -> str:
    """The error in one line: path, reason, and what its notes say of the disk.

    Args:
        error: The error; a system's may name its file by the last part alone.
        given: The path that the user gave; ends with a slash where it is a folder to work in.
    """
    text = _text(error, given)
    notes: list[str] = [
        _without_path(note, error, given) for note in getattr(error, "__notes__", [])
    ]
    lines = [f"{text.rstrip('.')}.", *notes] if notes else [text]
    line = " ".join(word for line in lines for word in _printable(line).split())
    line = _FOR_PROGRAMS.sub("", line).replace("holdfast.sweep()", "`holdfast sweep`")
    return _as_given(line, given)


def _text(error: Exception, given: str) -> str:
    if isinstance(error, LockTimeout):
        who = error.holder or "somebody whom the system does not name"
        waited = f"{error.waited_s:.3f}".rstrip("0").rstrip(".")
        return f"{error.path}: held by {who}, waited {waited} s. Nothing was changed."
    if isinstance(error, OSError) and not hasattr(error, "message") and error.strerror:
        name = _name(error, given)
        reason = error.strerror + _where(error, given)
        return f"{name}: {reason}" if name else reason
    if isinstance(error, MemoryError):
        return "out of memory"
    return str(error) or type(error).__name__


def path_of(error: Exception, given: str = "") -> str | None:
    """The path that the error is about, where it names one."""
    path = getattr(error, "path", None)
    if isinstance(path, str) and path:
        return _as_given(path, given)
    return (_name(error, given) if isinstance(error, OSError) else "") or None


def _name(error: OSError, given: str) -> str:
    """The file of a system's error, as the user would call it."""
    name = error.filename if isinstance(error.filename, str) else ""
    if not given or name == OUTPUT or os.path.dirname(name):
        return name.rstrip(os.sep) or name
    folder, own = os.path.split(given)
    whole = given if own else folder
    if not name or _is_temporary(name) or name == os.path.basename(whole):
        return whole
    at = f"{os.sep}{folder}{os.sep}".rfind(f"{os.sep}{name}{os.sep}")
    if own and at >= 0:  # a folder on the way
        return folder[: at + len(name)]
    if own not in name:  # what a symlink leads to, or is beside that
        from holdfast.vfs import SYSTEM

        folder = os.path.dirname(SYSTEM.resolve(given))
    return os.path.join(folder, name)


def _where(error: OSError, given: str) -> str:
    """Say that the folder refuses, where the file itself would not."""
    is_beside = (
        os.path.basename(given)
        and isinstance(error.filename, str)
        and _is_temporary(error.filename)
    )
    return " in its folder" if is_beside and error.errno in _OF_THE_FOLDER else ""


def _is_temporary(name: str) -> bool:
    return name.startswith(".") and name.endswith(_TEMPORARY)


def _without_path(note: str, error: Exception, given: str) -> str:
    """The note without the path at its head, which the line begins with already."""
    for path in (given.rstrip(os.sep), given and os.path.abspath(given), path_of(error, given)):
        if path and note.startswith(f"{path}: "):
            rest = note[len(path) + 2 :]
            return rest[:1].upper() + rest[1:]
    return note


def _as_given(text: str, given: str) -> str:
    """The text with the path as the user gave it, where it has been made absolute."""
    if not given or os.path.isabs(given):
        return text
    shown, whole = given.rstrip(os.sep), re.escape(os.path.abspath(given))
    return re.sub(rf"(?<![^\s'\"(]){whole}(?![^\s:.,;'\")/])", lambda _: shown, text)


def _printable(text: str) -> str:
    """Without control characters and lone surrogates: a file's name must not steer the terminal."""
    return "".join(c if c.isprintable() or c.isspace() else ascii(c)[1:-1] for c in text)
