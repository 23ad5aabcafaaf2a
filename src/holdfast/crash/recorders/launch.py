"""Starts a program under the filter, stopped before its first instruction.

The child puts itself under the filter, hands the listener over, and waits for a word; so no call of
it is missed, and no thread of the recorder's own process is ever under the filter.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import warnings
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from holdfast.crash.recorders import kernel
from holdfast.crash.recorders.errors import ProgramNotStarted, RecorderUnavailable
from holdfast.crash.recorders.filter import assemble
from holdfast.crash.recorders.warden import run_warden

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from holdfast.crash.recorders.syscalls import Architecture

__all__ = ["Launched", "Program", "launch"]

_READY, _UNAVAILABLE, _NOT_STARTED = b"r", b"u", b"x"
_GRACE_S: Final = 30.0


class Program(NamedTuple):
    """What to run: a command, or a function in a forked child."""

    command: Sequence[str] | None
    function: Callable[[], object] | None
    folder: str
    environment: Mapping[str, str] | None
    stdout: int | None = None


class Launched:
    """A program that waits to be let go, and the process that watches over it.

    I1 Once `end` was called, no process of the program is left.
    """

    def __init__(self, warden: int, *, orders: int, report: int, line: socket.socket) -> None:
        self.listener = -1
        self.process = 0
        self.status: int | None = None
        self.report = report
        self._warden = warden
        self._orders = orders
        self._line = line
        self._ended = False

    def meet(self) -> None:
        """Take over the listener.

        Raises:
            RecorderUnavailable: the program could not be put under the filter; it was not run.
        """
        self._line.settimeout(_GRACE_S)
        word, descriptors, _, _ = socket.recv_fds(self._line, 4096, 1)
        if not descriptors:
            reason = os.fsdecode(word[1:]) or "the child died"
            raise RecorderUnavailable(
                f"seccomp recorder: {reason}. Nothing was run. Record a command by strace."
            )
        self.listener = descriptors[0]
        self.process = int(word[1:])

    def go(self) -> None:
        """Let the program run."""
        self._line.sendall(_READY)

    def check_started(self, name: str) -> None:
        """Look whether it could be executed at all.

        Raises:
            ProgramNotStarted: it could not.
        """
        self._line.setblocking(False)
        try:
            word = self._line.recv(4096)
        except BlockingIOError:
            return
        if word.startswith(_NOT_STARTED):
            raise ProgramNotStarted(
                f"{name}: cannot be executed: {os.fsdecode(word[1:])}. Nothing was run. "
                "Check the command and its path."
            )

    def hear(self) -> bool:
        """Read what the warden reports; False when all is over."""
        text = os.read(self.report, 4096)
        if text and self.status is None:
            self.status = int(text.split()[0])
        return bool(text)

    def kill(self) -> None:
        """Have everything killed."""
        if self._orders >= 0:
            os.close(self._orders)
            self._orders = -1

    def end(self) -> None:
        """Kill what is left, wait until it is gone, and let go of everything."""
        if self._ended:
            return
        self._ended = True
        self.kill()
        if self.listener >= 0:
            os.close(self.listener)
        self._line.close()
        os.kill(self._warden, signal.SIGCONT)  # the program may have stopped it
        try:
            os.waitpid(self._warden, 0)
        finally:
            os.close(self.report)


def launch(program: Program, architecture: Architecture) -> Launched:
    """Start a program, stopped."""
    code = assemble(architecture)
    ours, theirs = socket.socketpair()
    orders_read, orders_write = os.pipe2(os.O_CLOEXEC)
    report_read, report_write = os.pipe2(os.O_CLOEXEC)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    with warnings.catch_warnings():
        # Python 3.12+ warns of other threads; the children call what holds no lock of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        warden = os.fork()
    if warden == 0:
        os.close(orders_write)
        os.close(report_read)
        ours.close()

        def child() -> NoReturn:
            os.close(orders_read)
            os.close(report_write)
            _become(program, theirs, (code, architecture.machine))

        run_warden(child, orders=orders_read, report=report_write)
    theirs.close()
    os.close(orders_read)
    os.close(report_write)
    return Launched(warden, orders=orders_write, report=report_read, line=ours)


def _become(program: Program, line: socket.socket, filtering: tuple[bytes, str]) -> NoReturn:
    """In the child: prepare, go under the filter, wait for the word, run."""
    status = 70
    try:
        _prepare(program)
        kernel.let_be_watched()
        try:
            listener = kernel.install_filter(*filtering)
        except OSError as error:
            line.sendall(_UNAVAILABLE + kernel.explain(error).encode())
            os._exit(status)
        socket.send_fds(line, [_READY + b"%d" % os.getpid()], [listener])
        os.close(listener)
        if line.recv(1) != _READY:
            os._exit(status)
        status = _run(program, line)
    finally:
        os._exit(status)


def _prepare(program: Program) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if program.stdout is not None:
        os.dup2(program.stdout, 1)
        os.close(program.stdout)
    os.chdir(program.folder)


def _run(program: Program, line: socket.socket) -> int:
    if program.command is None:
        line.close()
        return _call(program.function)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, other programs do not expect that
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    environment = os.environ if program.environment is None else program.environment
    try:
        os.execvpe(program.command[0], list(program.command), environment)  # noqa: S606 - the user's own
    except OSError as error:
        line.sendall(_NOT_STARTED + str(error.strerror).encode())
    except (ValueError, TypeError) as error:
        line.sendall(_NOT_STARTED + str(error).encode())
    return 127


def _call(function: Callable[[], object] | None) -> int:
    """Run a function as the program: an exception is a traceback on stderr and exit code 1."""
    status = 0
    try:
        if function is not None:
            function()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    return status
