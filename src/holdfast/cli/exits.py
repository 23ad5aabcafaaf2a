"""Exit codes, and the one place that turns an error into one."""

from __future__ import annotations

import errno
import os

from holdfast.cli.streams import OUTPUT, say, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from holdfast.cli.parser import Namespace

__all__ = [
    "BAD_DATA",
    "BUSY",
    "CANNOT_CREATE",
    "CANNOT_RUN",
    "INTERNAL",
    "IO_FAILED",
    "MEANINGS",
    "NO",
    "NOT_FOUND",
    "NO_INPUT",
    "NO_PERMISSION",
    "OK",
    "UNAVAILABLE",
    "USAGE",
    "WRONG_SETTING",
    "Failure",
    "code_of",
    "note",
    "report",
]

OK: Final = 0
NO: Final = 1
USAGE: Final = 2
BAD_DATA: Final = 65
NO_INPUT: Final = 66
UNAVAILABLE: Final = 69
INTERNAL: Final = 70
CANNOT_CREATE: Final = 73
IO_FAILED: Final = 74
BUSY: Final = 75
NO_PERMISSION: Final = 77
WRONG_SETTING: Final = 78
CANNOT_RUN: Final = 126
NOT_FOUND: Final = 127

MEANINGS: Final = {
    OK: "done",
    NO: "the answer is no: a key is missing, a condition is false, a lock is free",
    USAGE: "wrong usage",
    BAD_DATA: "the data are refused: they do not parse, do not fit, or are not what was announced",
    NO_INPUT: "there is no such file, or it is not one that can be read",
    UNAVAILABLE: "the filesystem or this installation cannot do it; nothing was changed",
    INTERNAL: "a fault of holdfast itself",
    CANNOT_CREATE: "it exists already, or cannot be made",
    IO_FAILED: "reading or writing failed; the message says what the disk holds",
    BUSY: "somebody else holds the lock, or was faster (`-E N` changes this code)",
    NO_PERMISSION: "not permitted",
    WRONG_SETTING: "a setting is wrong, such as $EDITOR",
    CANNOT_RUN: "the command was found but cannot be run",
    NOT_FOUND: "the command was not found",
}
"""What each code means; a command's own code is passed through, and 128 + n is signal n."""

_BY_ERRNO: Final = {
    number: code
    for code, numbers in {
        NO_INPUT: (errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG),
        UNAVAILABLE: (
            errno.EROFS, errno.EBUSY, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS,
            errno.ENOLCK, errno.EINVAL, errno.EMLINK,
        ),
        CANNOT_CREATE: (errno.EEXIST, errno.ENOTEMPTY),
        BUSY: (errno.EAGAIN, errno.ETIMEDOUT, errno.EDEADLK),
        NO_PERMISSION: (errno.EACCES, errno.EPERM),
        141: (errno.EPIPE,),
    }.items()
    for number in numbers
}  # fmt: skip


class Failure(Exception):
    """A refusal of the command line itself, with its exit code; nothing was changed."""

    def __init__(self, message: str, exit_code: int, *, path: str | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.path = path


def code_of(error: Exception) -> int:
    """The exit code of an error; `INTERNAL` for one that nobody expected."""
    code = getattr(error, "exit_code", None)
    if isinstance(code, int):
        return code
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, IO_FAILED)
    return IO_FAILED if isinstance(error, MemoryError) else INTERNAL


def note(verb: str, message: str) -> None:
    """Say one line on standard error."""
    say(f"holdfast {verb}: {message}")


def report(verb: str, error: Exception, args: Namespace | None) -> int:
    """Print the error, with --json also as a document on standard output; return its exit code.

    Args:
        verb: Whose error it is.
        args: What the verb was asked; None when that could not be read.
    """
    from holdfast.cli.wording import describe, path_of

    code = code_of(error)
    if code == INTERNAL:
        from traceback import format_exception

        say("".join(format_exception(error)).rstrip("\n"))
    given = _given(args)
    message = describe(error, given)
    if code != NO or not getattr(args, "quiet", False):
        note(verb, message)
    if code == BUSY:
        code = getattr(args, "busy_code", BUSY)
    if getattr(args, "as_json", False):
        facts = {
            "code": code,
            "errno": errno.errorcode.get(getattr(error, "errno", None) or 0),
            "path": path_of(error, given),
            "message": message,
        }
        _print_facts(verb, facts)
    return code


def _print_facts(verb: str, facts: object) -> None:
    from holdfast.cli.output import as_json

    try:
        show(as_json({"error": facts}))
    except OSError as error:
        note(verb, f"{OUTPUT}: {error.strerror}")


def _given(args: Namespace | None) -> str:
    """The path that the verb was given, where it was given one."""
    for name in ("file", "path"):
        path = getattr(args, name, None)
        if isinstance(path, str) and path != "-":
            return path
    folder = getattr(args, "folder", None)
    return os.path.join(folder, "") if isinstance(folder, str) else ""
