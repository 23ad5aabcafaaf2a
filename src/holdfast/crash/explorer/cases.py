"""What goes to a check and what comes back: one case and its outcome."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

from holdfast.crash.explorer.deferred import deferred_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from holdfast.crash.explorer.trees import Paths
    from holdfast.crash.recording import Recording
    from holdfast.vfs.micro import Model
    from holdfast.vfs.states import CrashState

__all__ = [
    "HOLDS",
    "SCRATCH",
    "Bench",
    "Case",
    "Check",
    "Outcome",
    "OutcomeKind",
    "Outcomes",
    "RecoveryFailed",
    "TimeIsUp",
    "call",
    "relative",
    "words_of",
]

Check: TypeAlias = "Callable[[str, list[str]], object]"
"""`check(folder, acked)` raises if a promise is broken; `acked` is what the program had said."""

SCRATCH = "holdfast-states-"
"""How the names of scratch folders begin."""

Outcomes: TypeAlias = "Generator[tuple[Case, Outcome], None, None]"

OutcomeKind = Literal["holds", "violated", "crashed", "hung", "exited"]
_SAID_CHARACTERS = 8000


class Outcome(NamedTuple):
    """What a check made of a state.

    `violated`: it raised (or exited with a code that is not 0, if it is a command); `crashed`: it
    died by a signal; `hung`: it did not end in time; `exited`: it ended its process. `is_stderr`:
    `said` is the standard error of a command, in which the line that tells most may be anywhere.
    """

    kind: OutcomeKind
    said: str = ""
    is_stderr: bool = False


HOLDS = Outcome("holds")


class Case(NamedTuple):
    """One state that a check is to look at. `ordinal` tells states without losses apart."""

    model: Model
    state: CrashState
    paths: Paths
    acked: tuple[str, ...]
    ordinal: int = 0


class RecoveryFailed(Exception):
    """The recovery itself ended badly."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Bench(Protocol):
    """Where states are made and checked: real folders, or filesystems in memory."""

    @property
    def notes(self) -> list[str]:
        """What a reader of the report should know."""
        ...

    def run(self, cases: Iterable[Case]) -> Outcomes:
        """Check each case; they come back in the order given. To close it ends what runs."""
        ...

    def record_recovery(self, case: Case) -> Recording:
        """Recover from this state under a recorder.

        Raises:
            RecoveryFailed: It ended badly.
        """
        ...

    def close(self) -> None:
        """Remove what was made."""


def call(check: Callable[[], object], *, folder: str = "") -> Outcome:
    """Run a check in this process and say how it ended, with paths relative to the folder."""
    try:
        answer = check()
    except SystemExit as leaving:
        return Outcome("exited", f"the check called exit({leaving.code!r})")
    except Exception as error:
        return Outcome("violated", words_of(error, folder))
    except BaseException as error:
        if all(kind.__module__ != "_pytest.outcomes" for kind in type(error).__mro__):
            raise  # the alarm, or a signal that is meant for the tester
        return Outcome("violated", words_of(error, folder))  # pytest.fail
    if what := deferred_answer(answer):
        return Outcome("violated", f"the check returned {what}, and nothing of it was run")
    return HOLDS if answer is not False else Outcome("violated", "the check returned False")


class TimeIsUp(BaseException):
    """The alarm of a check that runs in this process."""


def words_of(error: BaseException, folder: str) -> str:
    """What an exception says, with paths relative to the folder; where it was, if it is silent."""
    name, text = type(error).__name__, str(error)
    if not text:
        text = _place_of(error)
    return relative(f"{name}: {text}" if text else name, folder)


def relative(text: str, folder: str) -> str:
    """Take the scratch folder, which is another one each time, out of a text, and bound it."""
    short = text.replace(folder + "/", "").replace(folder, ".") if folder else text
    above = os.path.dirname(folder)
    if SCRATCH in above:
        short = short.replace(f"{above}-acked", "$HOLDFAST_CRASH_ACKED").replace(above, "..")
        short = short.replace(os.path.dirname(above), "../..")
    return short if len(short) <= _SAID_CHARACTERS else short[:_SAID_CHARACTERS] + " ..."


def _place_of(error: BaseException) -> str:
    from traceback import extract_tb

    frames = extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return f"{last.line} ({last.filename}:{last.lineno})"
