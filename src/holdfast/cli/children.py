"""Runs a command for a verb: its output, its exit code, and the signals meant for it."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager

from holdfast.cli.exits import CANNOT_RUN, NOT_FOUND, Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Generator, Sequence
    from types import FrameType
    from typing import Any, NamedTuple, NoReturn
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Ended", "replace_process", "run", "shell_words"]

_FORWARDED = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT")
_FROM_TERMINAL = ("SIGINT", "SIGQUIT")
_IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFZ", "SIGXFSZ")


class Ended(NamedTuple):
    """How a command ended.

    `code`: its exit code, 128 + n for signal n; `output`: what it printed, where that was wanted;
    `interrupted`: the signal that this process got meanwhile, 0 for none.
    """

    code: int
    output: bytes
    interrupted: int


def run(command: Sequence[str], *, data: bytes | None = None, inherit: Sequence[int] = ()) -> Ended:
    """Run a command to its end.

    Args:
        command: Its words; found on PATH.
        data: What it reads, and then its output is returned; None: both are this process's own.
        inherit: Descriptors that it gets beside the three of every process; none on Windows, where
            there is no such thing.

    Raises:
        Failure: it is not there (127) or cannot be run (126).
    """
    import subprocess

    stream = None if data is None else subprocess.PIPE
    with _forwarding() as forward, _writing_to_pipes():
        try:
            child = subprocess.Popen(
                command,
                stdin=stream,
                stdout=stream,
                pass_fds=inherit if os.name == "posix" else (),
            )
        except OSError as error:
            raise _cannot_run(command[0], error) from None
        forward.to(child)
        output, _ = child.communicate(data)
    code = child.returncode
    return Ended(128 - code if code < 0 else code, output or b"", forward.got)


def replace_process(command: Sequence[str], *, inherit: int) -> NoReturn:
    """Become the command, with one more descriptor open.

    Raises:
        Failure: it is not there (127) or cannot be run (126).
    """
    try:
        os.set_inheritable(inherit, True)
        for name in _IGNORED_BY_PYTHON:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.execvp(command[0], list(command))  # noqa: S606 (no shell is the point)
    except OSError as error:
        raise _cannot_run(command[0], error) from None


def shell_words(line: str) -> list[str]:
    """The words that make a shell run this line."""
    return [os.environ.get("SHELL", "/bin/sh"), "-c", line]


def _cannot_run(name: str, error: OSError) -> Failure:
    missing = isinstance(error, FileNotFoundError | NotADirectoryError)
    return Failure(f"{name}: {error.strerror}", NOT_FOUND if missing else CANNOT_RUN)


class _Forward:
    """Passes signals on to the child, unless the terminal gives them to it anyway."""

    def __init__(self) -> None:
        self.got = 0
        self._child: subprocess.Popen[bytes] | None = None
        from_terminal = _FROM_TERMINAL if _in_foreground() else ()
        self._shared = {getattr(signal, name, 0) for name in from_terminal}

    def to(self, child: subprocess.Popen[bytes]) -> None:
        """Name the child; what came before it was there is passed on now."""
        self._child = child
        if self.got:
            self(self.got, None)

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        del frame
        self.got = signum
        if self._child is not None and signum not in self._shared:
            self._child.send_signal(signum)


@contextmanager
def _writing_to_pipes() -> Generator[None]:
    """A command that does not read to the end must not end this process; its own is the default."""
    signum = getattr(signal, "SIGPIPE", None)
    before = None if signum is None else signal.signal(signum, signal.SIG_IGN)
    try:
        yield
    finally:
        if signum is not None:
            signal.signal(signum, before)


@contextmanager
def _forwarding() -> Generator[_Forward]:
    forward = _Forward()
    before: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {}
    for name in _FORWARDED:
        signum = getattr(signal, name, None)
        if signum is not None and signal.getsignal(signum) is not signal.SIG_IGN:
            before[signum] = signal.signal(signum, forward)
    try:
        yield forward
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _in_foreground() -> bool:
    """Whether this is the foreground job of a terminal, whose keys reach the child as well."""
    for fd in (0, 1, 2):
        try:
            if os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp():
                return True
        except (OSError, AttributeError):
            continue
    return False
