"""Runs the program of a command line: where, from which files, and what to make of its end.

What the program and its setup print goes to standard error, so that standard output is the report.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from holdfast.crash.refusals import ProgramFailed, ProgramNotFound, WrongUse
from holdfast.vfs.operations import Mark

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from holdfast.crash.recording import Recording

__all__ = [
    "environment",
    "judge",
    "program_words",
    "run_setup",
    "stdout_to",
    "working_folder",
]

_SCRIPT: Final = re.compile(r"\.(py|pyz|js|mjs|cjs|ts|sh|bash|rb|pl|php|lua|jar)$")
_STDERR: Final = 2
_UNACKNOWLEDGED: Final = (
    "nothing was acknowledged, so whether a finished write survives was not tested: call "
    "holdfast.crash.ack(TEXT), open /hf-mark:TEXT, or give --ack stdout"
)


@contextmanager
def working_folder(root: str | None) -> Generator[str]:
    """Give the folder to be recorded; without one, a new and empty one, removed at the end.

    Raises:
        WrongUse: It is no folder; nothing was run.
    """
    if root is not None:
        if not os.path.isdir(root):
            missing = not os.path.lexists(root)
            why = "there is no such folder. Make it first" if missing else "is no folder"
            raise WrongUse(f"{root}: {why}. Nothing was run.")
        yield os.path.realpath(root)
        return
    folder = tempfile.mkdtemp(prefix="holdfast-crash-")
    try:
        yield os.path.realpath(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def stdout_to(target: int | str) -> Generator[None]:
    """Let what is printed, here and by children, go to another descriptor or file meanwhile."""
    shown = sys.stdout
    shown.flush()
    kept = os.dup(1)
    try:
        other = os.open(target, os.O_WRONLY) if isinstance(target, str) else os.dup(target)
        os.dup2(other, 1)
        os.close(other)
        with open(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False) as stream:
            sys.stdout = stream
            yield
    finally:
        sys.stdout = shown
        os.dup2(kept, 1)
        os.close(kept)


def environment(*, unbuffered: bool = False) -> Mapping[str, str]:
    """Ours, and Python writes no bytecode, which would make each later recording another one.

    With `unbuffered` it prints each line at once, as on a terminal: to a pipe it would wait.
    """
    own = {"PYTHONDONTWRITEBYTECODE": "1"}
    return own | ({"PYTHONUNBUFFERED": "1"} if unbuffered else {}) | dict(os.environ)


def program_words(command: Sequence[str], folder: str | None = None) -> list[str]:
    """The command, with its program and script found from the current folder.

    The program starts in `folder`, or in one that is not known yet. A relative path of the program
    itself, and of a script that is its first argument, is made absolute if it leads to a file from
    here and to none from there.

    Raises:
        ProgramNotFound: There is no such program.
    """
    found = list(command)
    places = [0] if os.sep in found[0] else []
    places += [n for n, word in enumerate(found[1:], 1) if not word.startswith("-")][:1]
    for place in places:
        word = found[place]
        is_script = place == 0 or _SCRIPT.search(word)
        is_there = folder is not None and os.path.exists(os.path.join(folder, word))
        if is_script and os.path.isfile(word) and not is_there:
            found[place] = os.path.abspath(word)
    _refuse_unfound(found[0], folder or os.curdir)
    return found


def _refuse_unfound(word: str, folder: str) -> None:
    if os.sep in word:
        if not os.path.exists(os.path.join(folder, word)):
            raise ProgramNotFound(
                f"{word}: there is no such program, neither here nor where it is to start. "
                "Nothing was run."
            )
    elif shutil.which(word) is None:
        raise ProgramNotFound(f"{word}: there is no such program on PATH. Nothing was run.")


def run_setup(words: Sequence[str], folder: str) -> None:
    """Run what makes the start state; what it leaves counts as durable.

    Raises:
        ProgramFailed: It failed; the program was not run.
        WrongUse: It cannot be started.
    """
    argv = program_words(words, folder)
    try:
        done = subprocess.run(  # noqa: S603 - the user's own, as a list
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=_STDERR,
            env=environment(),
            check=False,
        )
    except OSError as error:
        raise WrongUse(f"--setup: {argv[0]}: {error.strerror}. Nothing was run.") from error
    if done.returncode:
        raise ProgramFailed(
            f"--setup: {argv[0]} {_ending(done.returncode)}. The program was not run."
        )


def judge(
    recording: Recording, command: Sequence[str], *, folder: str | None, any_exit: bool = False
) -> list[str]:
    """Decide whether this recording is worth crashing; return what a reader should know.

    Raises:
        ProgramFailed: The program failed by itself, and that was not expected.
        WrongUse: It wrote nothing below the folder.
    """
    name = " ".join(command[:3]) or "the program"
    if recording.status and not any_exit:
        raise ProgramFailed(
            f"{name} {_ending(recording.status)} without any crash. No crash was tried; what it "
            f"wrote stands. {_remedy(command, folder)}"
        )
    if all(isinstance(operation, Mark) for operation in recording.operations):
        where = f"below {folder}" if folder is not None else "in its folder"
        raise WrongUse(
            f"{name} changed nothing {where}, so there is nothing to crash. Name the folder that "
            "it writes to with --root, or have it write to its current folder."
        )
    if any(isinstance(operation, Mark) for operation in recording.operations):
        return []
    return [_UNACKNOWLEDGED]


def _ending(status: int) -> str:
    if status >= 0:
        return f"exited with {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def _remedy(command: Sequence[str], folder: str | None) -> str:
    here = [
        word
        for word in command[1:]
        if folder is not None
        and os.path.isfile(word)
        and not os.path.exists(os.path.join(folder, word))
        and not os.path.isabs(word)
    ]
    if here:
        return f"It ran in {folder}, where there is no {here[0]}: give its whole path, or --cwd ."
    return "Mend it, or give --any-exit to crash what it did until then."
