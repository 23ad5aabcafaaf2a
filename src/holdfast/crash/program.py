"""Runs the program of a command line: where, from which files, and what to make of its end.

What the program and its setup print goes to standard error, so that standard output is the report.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from holdfast.crash.endings import ending
from holdfast.crash.recorders.errors import ProgramNotStarted
from holdfast.crash.recorders.faults import NOT_MET
from holdfast.crash.refusals import ProgramFailed, ProgramNotFound, WrongUse
from holdfast.crash.values import quoted
from holdfast.vfs.operations import Mark

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from holdfast.crash.recording import Recording

__all__ = [
    "environment",
    "judge",
    "program_words",
    "refuse_unmet",
    "remedy_for",
    "run_setup",
    "stands",
    "stdout_to",
    "working_folder",
]

_SCRIPT: Final = re.compile(r"\.(py|pyz|js|mjs|cjs|ts|sh|bash|rb|pl|php|lua|jar)$")
_STDERR: Final = 2
_NAME_CHARACTERS: Final = 80
_UNACKNOWLEDGED: Final = (
    "nothing was acknowledged, so whether a finished write survives was not tested: call "
    "holdfast.crash.ack(TEXT), open /hf-mark:TEXT, or give --ack stdout"
)
_UNPRINTED: Final = (
    "no whole line was printed, so nothing was acknowledged, and whether a finished write survives "
    "was not tested: end each line with a line feed"
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
        ProgramNotStarted: There is one, on PATH, that may not be executed.
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
        if there := shutil.which(word, os.F_OK):
            raise ProgramNotStarted(
                f"{there}: cannot be executed: Permission denied. Nothing was run. "
                "Make it executable, such as by chmod +x."
            )
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
            f"--setup: {argv[0]} {ending(done.returncode)}. The program was not run."
        )


def refuse_unmet(recording: Recording, *, stands: str) -> None:
    """Refuse a recording in which a failure on order did not come.

    Raises:
        WrongUse: No call met it, so the run was one without it; `stands` says what of its files.
    """
    unmet = [note for note in recording.notes if note.startswith(NOT_MET)]
    if unmet:
        raise WrongUse(
            f"--fault: {'; '.join(unmet)}. No crash was tried; {stands}. Name a call that the "
            "program makes in the folder, counted from 1."
        )


def judge(
    recording: Recording,
    command: Sequence[str],
    *,
    folder: str | None,
    any_exit: bool = False,
    remedy: str = "",
    lines: bool = False,
) -> list[str]:
    """Decide whether this recording is worth crashing; return what a reader should know.

    Args:
        command: as it was given.
        folder: the one that was named; None: a new one.
        any_exit: it may fail by itself.
        remedy: what to do if it did.
        lines: what it printed was to acknowledge.

    Raises:
        ProgramFailed: The program failed by itself, and that was not expected.
        WrongUse: It wrote nothing below the folder.
    """
    name = _name(command)
    if recording.status and not any_exit:
        raise ProgramFailed(
            f"{name} {ending(recording.status)} without any crash. No crash was tried; "
            f"{stands(folder)}. {remedy or _MEND}"
        )
    if all(isinstance(operation, Mark) for operation in recording.operations):
        where = f"below {folder}" if folder is not None else "in its folder"
        raise WrongUse(
            f"{name} changed nothing {where}, so there is nothing to crash. Name the folder that "
            "it writes to with --root, or have it write to its current folder."
        )
    if any(isinstance(operation, Mark) for operation in recording.operations):
        return []
    return [_UNPRINTED if lines else _UNACKNOWLEDGED]


_MEND: Final = "Mend it, or give --any-exit to crash what it did until then."


def stands(folder: str | None) -> str:
    """Say what has become of the files of a program that is not crashed."""
    return "what it wrote is gone with its new folder" if folder is None else "what it wrote stands"


def remedy_for(argv: Sequence[str], start: str, *, folder: str | None) -> str:
    """Say what to do about a program that failed.

    The usual reason is a file that is here, but not in `start`, where it ran; `argv` has the words
    that it was run with, `folder` is the one that was named.
    """
    for word in argv[1:]:
        if os.path.isfile(word) and not os.path.exists(os.path.join(start, word)):
            where = "a new folder" if folder is None else start
            return f"It ran in {where}, where there is no {word}: give its whole path, or --cwd ."
    return _MEND


def _name(command: Sequence[str]) -> str:
    text = " ".join(map(quoted, command))
    if len(text) > _NAME_CHARACTERS:
        text = f"{text[: _NAME_CHARACTERS - 4]} ..."
    return text or "the program"
