"""Tries every state that a crash may leave, and says which break a promise, where, and how to mend.

`explore` makes each state of a `Recording` as a real folder and runs a check on it;
`explore_memory` does so on filesystems in memory. Both give a `Report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.crash.explorer.cases import Check, Outcome
from holdfast.crash.explorer.exploring import Exploration, Options
from holdfast.crash.explorer.failures import CheckFails, ExplorerError, TreeRefused, UnknownState
from holdfast.crash.explorer.findings import MODELS, Finding
from holdfast.crash.explorer.folders import FolderBench
from holdfast.crash.explorer.memory import MemoryBench, recording_of
from holdfast.crash.explorer.report import Report
from holdfast.crash.explorer.reporting import replay_report, report_of
from holdfast.vfs.micro import PAGE_BYTES
from holdfast.vfs.states import CrashOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.crash.explorer.cases import Bench
    from holdfast.crash.explorer.exploring import Progress
    from holdfast.crash.explorer.folders import Isolation
    from holdfast.crash.explorer.memory import MemoryCheck
    from holdfast.crash.recording import Recording
    from holdfast.vfs.memory import MemoryVFS
    from holdfast.vfs.micro import Model

__all__ = [
    "Check",
    "CheckFails",
    "ExplorerError",
    "Finding",
    "Outcome",
    "Report",
    "TreeRefused",
    "UnknownState",
    "explore",
    "explore_memory",
]


def explore(
    recording: Recording,
    check: Check | Sequence[str],
    *,
    model: Model = "linux",
    block_bytes: int = PAGE_BYTES,
    garbage: bool = False,
    atomic_across: bool = False,
    budget_s: float = 30.0,
    seed: int = 0,
    limit: int = 4096,
    isolation: Isolation = "fork",
    check_timeout_s: float = 10.0,
    recover: Callable[[str], object] | None = None,
    keep: str | None = None,
    replay: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Check every state that a crash may have left, each in a folder of its own.

    The folder of the program is not touched: states are made in a scratch folder, in memory where
    there is room, which is removed at the end.

    Args:
        recording: what the program did.
        check: called with a folder and the list of what was acknowledged; raises (or returns
            False) if a promise is broken. It may write into the folder. With `exec`: a command
            line, run with the folder and a file of acknowledgements behind it; any exit code but
            0 is a broken promise, and its standard error says which (its output is dropped).
        model: the weakest one that is tried; the stronger ones are tried before it.
        block_bytes: what survives as one piece: 4096, or 512.
        garbage: lost new blocks show old disk contents instead of zeros.
        atomic_across: a rename from one folder to another is one change.
        budget_s: stop after this time, and say so.
        seed: of the samples.
        limit: combinations that are tried at one point; beyond that they are sampled.
        isolation: `fork`: each check in a process of its own. `exec`: a command. `process`: here,
            ten times as fast; the check must leave nothing behind, such as a cache or an open file.
        check_timeout_s: a check that takes longer hangs.
        recover: called with the folder of states that the check passes; what it does is recorded,
            and crashed as well.
        keep: a folder to keep the smallest state of each finding in.
        replay: the id of a finding: check its state alone, and keep it.
        progress: called with states tried, None (how many there are is not known before), bugs so
            far and seconds, at most ten times a second.

    Raises:
        CheckFails: The check fails without any crash; no crash was tried.
        TreeRefused: The recording has names that lead outside its folder; nothing was made.
        UnknownState: `replay` names no state; nothing was checked.
        OSError: The scratch folder cannot be written; it was removed.
    """
    options = _options(model, budget_s=budget_s, seed=seed, recover=recover, progress=progress)
    options.states.update(_states(block_bytes, limit=limit, seed=seed, garbage=garbage))
    if atomic_across:
        options.states["atomic_across"] = True
    size_bytes = sum(len(node.data) for node in recording.after.values())
    bench = FolderBench(
        check,
        isolation=isolation,
        timeout_s=check_timeout_s,
        recover=recover,
        tree_bytes=size_bytes,
    )
    return _run(recording, bench, options, keep=keep, replay=replay)


def explore_memory(
    disk: MemoryVFS,
    check: MemoryCheck,
    *,
    recording: Recording | None = None,
    model: Model = "linux",
    block_bytes: int = PAGE_BYTES,
    garbage: bool = False,
    atomic_across: bool = False,
    budget_s: float = 30.0,
    seed: int = 0,
    limit: int = 4096,
    recover: Callable[[MemoryVFS], object] | None = None,
    keep: str | None = None,
    replay: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Check every state that a crash of a filesystem in memory may have left.

    Each state is a filesystem of its own, with the settings of `disk`, which is not changed. The
    check runs in this process. Options are those of `explore`.

    Args:
        disk: what the program has worked on.
        check: called with a filesystem and the list of what was acknowledged.
        recording: what was done to `disk`, with the lines of the program; made of its history,
            without any lines, if it is left out.
        recover: called with filesystems that the check passes; crashed as well.

    Raises:
        CheckFails: The check fails without any crash; no crash was tried.
        UnknownState: `replay` names no state; nothing was checked.
    """
    options = _options(model, budget_s=budget_s, seed=seed, recover=recover, progress=progress)
    options.states.update(_states(block_bytes, limit=limit, seed=seed, garbage=garbage))
    if atomic_across:
        options.states["atomic_across"] = True
    bench = MemoryBench(disk, check, recover=recover)
    recorded = recording_of(disk) if recording is None else recording
    return _run(recorded, bench, options, keep=keep, replay=replay)


def _options(
    model: Model,
    *,
    budget_s: float,
    seed: int,
    recover: object,
    progress: Progress | None,
) -> Options:
    if model not in MODELS:
        raise ValueError(f"model {model!r}: choose one of {', '.join(MODELS)}")
    return Options(model, CrashOptions(), budget_s, seed, recover is not None, progress)


def _states(block_bytes: int, *, limit: int, seed: int, garbage: bool) -> CrashOptions:
    if limit < 1:
        raise ValueError(f"limit {limit}: at least one combination must be tried")
    return CrashOptions(block_bytes=block_bytes, garbage=garbage, limit=limit, seed=seed)


def _run(
    recording: Recording,
    bench: Bench,
    options: Options,
    *,
    keep: str | None,
    replay: str | None,
) -> Report:
    exploration = Exploration(recording, bench, options)
    try:
        if replay is not None:
            return replay_report(exploration, replay, keep=keep)
        return report_of(exploration, keep=keep)
    finally:
        bench.close()
