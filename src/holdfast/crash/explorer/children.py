"""The two kinds of process that look at one state: a function in a fork, and a command."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn, cast, get_args

from holdfast.crash.endings import signal_name
from holdfast.crash.explorer.cases import HOLDS, Outcome, OutcomeKind, call, relative, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.crash.explorer.cases import Case, Check
    from holdfast.crash.explorer.place import Place

__all__ = ["Command", "Forked"]

_FORKED_SAID_BYTES = 32 << 10


class Forked:
    """Runs a function in the fork."""

    def __init__(self, check: Check) -> None:
        self._check = check

    def become(self, place: Place, case: Case, *, out: int) -> NoReturn:
        """Call it, and say how that ended as `KIND text`."""
        try:
            outcome = call(lambda: self._check(place.folder, [*case.acked]), folder=place.folder)
        except BaseException as error:  # in a fork it is the check's own, not for the tester
            outcome = Outcome("violated", words_of(error, place.folder))
        sys.stdout.flush()
        sys.stderr.flush()
        text = f"{outcome.kind} {outcome.said}".encode("utf-8", "backslashreplace")
        todo = text[:_FORKED_SAID_BYTES]
        while todo:
            todo = todo[os.write(out, todo) :]
        os._exit(0)

    def outcome(self, status: int, said: bytes, *, folder: str) -> Outcome:
        """Read what the fork said; if it said nothing, the check ended the process."""
        if status < 0:
            return _killed(status, "")
        kind, _, text = said.decode("utf-8", "replace").partition(" ")
        if status or kind not in get_args(OutcomeKind):
            return Outcome("exited", f"the check ended its process with exit code {status}")
        return Outcome(cast("OutcomeKind", kind), relative(text, folder))


class Command:
    """Runs a command with the folder, and a file with an acknowledgement on each line, behind it.

    Both are in its environment too, as HOLDFAST_CRASH_FOLDER and HOLDFAST_CRASH_ACKED. A line feed
    in an acknowledgement is written as a backslash and an n. Its standard output is dropped.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = [os.fspath(argument) for argument in argv]

    def become(self, place: Place, case: Case, *, out: int) -> NoReturn:
        """Replace the process by the command."""
        acked = os.path.dirname(place.folder) + "-acked"
        with open(acked, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            file.writelines(f"{_on_one_line(text)}\n" for text in case.acked)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(out, 2)
        environment = dict(
            os.environ, HOLDFAST_CRASH_FOLDER=place.folder, HOLDFAST_CRASH_ACKED=acked
        )
        try:
            os.execvpe(  # noqa: S606 - a list, as it was given, and never a shell
                self._argv[0], [*self._argv, place.folder, acked], environment
            )
        except OSError as error:
            os.write(2, f"{self._argv[0]}: {error.strerror}\n".encode("utf-8", "replace"))
            os._exit(127)

    def outcome(self, status: int, said: bytes, *, folder: str) -> Outcome:
        """0 holds; anything else is a violation, and the standard error says which."""
        text = relative(said.decode("utf-8", "replace").strip(), folder)
        if status == 0:
            return HOLDS
        if status < 0:
            return _killed(status, text)
        return Outcome("violated", text or f"exit code {status}", is_stderr=True)


def _on_one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _killed(status: int, said: str) -> Outcome:
    ended = f"the check was killed by {signal_name(-status)}"
    return Outcome("crashed", ended + (f"\n{said}" if said else ""))
