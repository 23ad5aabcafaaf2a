"""The crash test of a command: record it, try every state, report.

The program runs in the named folder itself, as in any run: what was there before is the durable
start state, and what it writes stays. Without a folder it runs in a new, empty one that is removed
at the end, so that each run begins alike.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, NoReturn

from holdfast.crash.checkers import function_of
from holdfast.crash.explorer import explore
from holdfast.crash.explorer.keep import try_folder
from holdfast.crash.program import (
    environment,
    judge,
    program_words,
    refuse_unmet,
    remedy_for,
    run_setup,
    stands,
    stdout_to,
    working_folder,
)
from holdfast.crash.recorders import CallFault, RecordingError, record_command
from holdfast.crash.refusals import WrongUse
from holdfast.crash.stored import load, save
from holdfast.crash.values import quoted, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.crash.explorer import Check, Report
    from holdfast.crash.explorer.folders import Isolation
    from holdfast.crash.progress import Progress
    from holdfast.crash.recording import Recording
    from holdfast.vfs.micro import Model

__all__ = ["Settings", "replay_words", "run"]

_STDERR: Final = 2


class Settings(NamedTuple):
    """What was asked for, in the names of the options; `source` is the file of `--from`."""

    command: tuple[str, ...] = ()
    root: str | None = None
    cwd: str | None = None
    setup: str | None = None
    check: str | None = None
    check_cmd: str | None = None
    recover: str | None = None
    recover_cmd: str | None = None
    ack: Literal["path", "stdout"] = "path"
    recorder: Literal["auto", "seccomp", "strace"] = "auto"
    faults: tuple[tuple[str, int, str], ...] = ()
    timeout_s: float = 60.0
    any_exit: bool = False
    save: str | None = None
    source: str | None = None
    model: Model = "linux"
    sector_bytes: int = 4096
    garbage: bool = False
    atomic_across: bool = False
    budget_s: float = 30.0
    check_timeout_s: float = 10.0
    seed: int = 0
    limit: int = 4096
    fast: bool = False
    keep: str | None = None
    replay: str | None = None
    exhaustive: bool = False


def run(settings: Settings, *, progress: Progress | None = None) -> Report:
    """Record the command (or load a recording), try every state that a crash may leave, report.

    The check is found before anything runs. What the program prints goes to standard error; what
    the check prints goes nowhere, and to standard error in a replay.

    Raises:
        WrongUse: The options contradict each other, the check cannot be had, or the program writes
            nothing into the folder; no crash was tried.
        ProgramFailed: The program failed by itself; no crash was tried, its files stand.
        CheckFails: The check fails without any crash; no crash was tried.
        RecordingError: No recording came about; the program's files stand.
        Corruption: The recording of `--from` was damaged; nothing was run.
        OSError: A file cannot be read or written; no crash was tried. A folder of `--keep` that
            cannot be used is found before anything runs.
    """
    _refuse_contradictions(settings)
    check, isolation = _check(settings)
    recover = _recover(settings)
    if settings.keep is not None:
        _try_keep(settings.keep)
    recording, notes = _recorded(settings, progress)
    with stdout_to(_STDERR if settings.replay else os.devnull):
        report = explore(
            recording,
            check,
            model=settings.model,
            block_bytes=settings.sector_bytes,
            garbage=settings.garbage,
            atomic_across=settings.atomic_across,
            budget_s=settings.budget_s,
            seed=settings.seed,
            limit=settings.limit,
            isolation=isolation,
            check_timeout_s=settings.check_timeout_s,
            recover=recover,
            keep=settings.keep,
            replay=settings.replay,
            progress=_told_to(progress),
        )
    if is_short(settings, report):
        notes.append(_SHORT)
    return report._replace(notes=(*report.notes, *notes))


_SHORT: Final = (
    "--exhaustive: not every state was tried, so the exit code is not 0: raise --budget and "
    "--limit, or write less"
)


def is_short(settings: Settings, report: Report) -> bool:
    """Whether every state was wanted, and some were not tried."""
    return settings.exhaustive and report.replay_id is None and not report.exhaustive


def _try_keep(folder: str) -> None:
    if not folder:
        _refuse("--keep: give a folder")
    try:
        try_folder(folder)
    except OSError as error:
        error.add_note("Nothing was run. Name another folder with --keep.")
        raise


def _told_to(progress: Progress | None) -> Callable[[int, int | None, int, float], object] | None:
    if progress is None:
        return None
    return lambda tried, _, bugs, seconds: progress.exploring(tried, bugs=bugs, seconds=seconds)


def replay_words(settings: Settings) -> str:
    """The rest of a command line that replays a finding of this one, quoted for a shell."""
    defaults = Settings()._asdict()
    line: list[str] = []
    for name, value in settings._asdict().items():
        if name in _NOT_IN_REPLAY or value == defaults[name]:
            continue
        line.append(f"--{_OPTIONS.get(name, name.replace('_', '-'))}")
        if value is not True:
            line.append(f"{value:g}" if isinstance(value, float) else str(value))
    for call, nth, do in settings.faults:
        line += ["--fault", f"{call}:{do}:{nth}"]
    return " ".join(map(quoted, [*line, *(["--", *settings.command] if settings.command else [])]))


_OPTIONS: Final = {
    "source": "from",
    "sector_bytes": "sector",
    "timeout_s": "timeout",
    "check_timeout_s": "check-timeout",
}
_NOT_IN_REPLAY: Final = {"command", "faults", "save", "keep", "replay", "budget_s", "exhaustive"}


def _refuse_contradictions(settings: Settings) -> None:
    if (settings.check is None) is (settings.check_cmd is None):
        _refuse("give one check: --check pkg.mod:fn, or --check-cmd LINE")
    if settings.recover is not None and settings.recover_cmd is not None:
        _refuse("give one recovery: --recover pkg.mod:fn, or --recover-cmd LINE")
    if settings.fast and settings.check_cmd is not None:
        _refuse("--fast runs a Python check in this process; --check-cmd is none")
    if not settings.command and settings.source is None:
        _refuse("give the program to run after --, or a recording with --from")
    if settings.source is not None:
        given = settings.command or settings.root or settings.setup or settings.faults
        if given or settings.save:
            _refuse("--from takes a recording, so no program is run: leave out what is about one")


def _refuse(message: str) -> NoReturn:
    raise WrongUse(f"{message}. See holdfast crash --help.")


def _check(settings: Settings) -> tuple[Check | Sequence[str], Isolation]:
    if settings.check is not None:
        check = function_of(settings.check, parameters=("dir", "acked"))
        return check, "process" if settings.fast else "fork"
    return program_words(_line("--check-cmd", settings.check_cmd or "")), "exec"


def _recover(settings: Settings) -> Callable[[str], object] | None:
    if settings.recover is not None:
        return function_of(settings.recover, parameters=("dir",))
    if settings.recover_cmd is None:
        return None
    argv = program_words(_line("--recover-cmd", settings.recover_cmd))

    def become(folder: str) -> NoReturn:
        os.chdir(folder)
        os.execvpe(argv[0], argv, environment())  # noqa: S606 - a list, never a shell

    return become


def _line(option: str, text: str) -> list[str]:
    """The words of a command that is given as one line.

    Raises:
        WrongUse: It cannot be split; nothing was run.
    """
    try:
        return words(text)
    except ValueError as error:
        raise WrongUse(f"{option}: {error}.") from None


def _recorded(settings: Settings, progress: Progress | None) -> tuple[Recording, list[str]]:
    if settings.source is not None:
        recording = load(settings.source)
        return recording, judge(recording, (), folder=None, any_exit=settings.any_exit)
    any_exit = settings.any_exit or bool(settings.faults)
    with working_folder(settings.root) as folder:
        start = _start(settings, folder)
        if settings.setup is not None:
            run_setup(_line("--setup", settings.setup), folder)
        argv = program_words(settings.command, start)
        recording = _record(settings, argv, where=(folder, start), progress=progress)
        if settings.save is not None:
            save(recording, settings.save)
        refuse_unmet(recording, stands=stands(settings.root))
        notes = judge(
            recording,
            settings.command,
            folder=settings.root,
            any_exit=any_exit,
            remedy=remedy_for(argv, start, folder=settings.root),
            lines=settings.ack == "stdout",
        )
        return recording, notes


def _start(settings: Settings, folder: str) -> str:
    start = folder if settings.cwd is None else os.path.realpath(settings.cwd)
    if not os.path.isdir(start):
        raise WrongUse(f"--cwd: {settings.cwd}: is no folder. Nothing was run.")
    return start


def _record(
    settings: Settings, argv: list[str], *, where: tuple[str, str], progress: Progress | None
) -> Recording:
    folder, start = where
    with stdout_to(_STDERR):
        try:
            return record_command(
                argv,
                root=folder,
                cwd=start,
                env=environment(unbuffered=settings.ack == "stdout"),
                recorder=settings.recorder,
                ack=settings.ack,
                faults=[CallFault(*fault) for fault in settings.faults],
                timeout_s=settings.timeout_s,
                progress=None if progress is None else progress.recording,
            )
        except ValueError as error:
            raise WrongUse(f"--fault: {error}. Nothing was run.") from error
        except RecordingError as error:
            if settings.root is None:  # the recorder does not know that the folder goes
                error.message = _STAND.sub("files are gone with the new folder", error.message)
            raise


_STAND: Final = re.compile(
    r"files stand(?: as they were then| as they are| as the program left them)?"
)
