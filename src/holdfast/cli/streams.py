"""The standard streams, which may be closed or full.

Invariants:
    I1  Where a stream was closed, /dev/null has its descriptor, opened so that its use fails as
        before: no file that is opened later gets the number, and with it what is meant for it.
    I2  What cannot be printed on standard output is an error, told once; what cannot be printed on
        standard error is lost.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["OUTPUT", "drop_output", "mend", "say", "show", "show_bytes", "show_now"]

OUTPUT = "standard output"
"""What an error of it has as its file name."""

_dropped: list[TextIO] = []  # kept: Python tells of a stream that fails when it is collected


def mend() -> None:
    """Fill the places of streams that are closed (I1); `sys.stdin` stays None."""
    for fd, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        if stream is None:
            filler = os.open(os.devnull, os.O_RDONLY if fd else os.O_WRONLY)
            os.set_inheritable(filler, True)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = _nowhere()


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8", errors="replace")


def show(text: str, *, end: str = "\n") -> None:
    """Print on standard output.

    Raises:
        OSError: it cannot be printed; with `OUTPUT` as its file name.
    """
    try:
        print(text, end=end)
    except OSError as error:
        raise _lost(error) from None


def show_now(text: str = "", *, end: str = "\n") -> None:
    """Print on standard output, with all that was printed before, and see it arrive.

    Raises:
        OSError: it cannot be printed; with `OUTPUT` as its file name.
    """
    show(text, end=end)
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _lost(error) from None


def show_bytes(data: bytes, *, now: bool = False) -> None:
    """Print bytes as they are, behind all text that was printed before; `now`: see them arrive.

    Raises:
        OSError: they cannot be printed; with `OUTPUT` as its file name.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        if now:
            sys.stdout.buffer.flush()
    except OSError as error:
        raise _lost(error) from None


def _lost(error: OSError) -> OSError:
    drop_output()
    error.filename = OUTPUT
    return error


def drop_output() -> None:
    """Let what is still buffered, and all that follows, go nowhere: else each flush fails again."""
    _dropped.append(sys.stdout)
    sys.stdout = _nowhere()


def say(line: str) -> None:
    """Print a line on standard error, if that can be."""
    try:
        print(line, file=sys.stderr)
    except (OSError, ValueError):
        return  # there is nobody to be told
