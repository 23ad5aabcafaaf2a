"""Records a program by strace(1): the fall-back, and the cross-check of the other recorder.

Nothing is carried out in the program's stead: its calls are read afterwards from a log. So stores
into mapped files are not seen, and a program that makes them is refused (`UNSEEN_STORES` apart);
calls of several threads stand in the order in which they ended; no line of the program is named.

I1. A recording that is given out was replayed and gave what the program left.
I2. When `record_command_by_strace` returns or raises, no process of the program is left.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Final, Literal

from holdfast.crash.recorders.check import check_replay
from holdfast.crash.recorders.errors import (
    ProgramNotStarted,
    ProgramTimedOut,
    RecorderUnavailable,
    RecordingRefused,
)
from holdfast.crash.recorders.ledger import Ledger
from holdfast.crash.recorders.marks import StandardOutput
from holdfast.crash.recorders.nesting import refuse_nesting, traced_by
from holdfast.crash.recorders.strace_parser import Ended, Finished, read_log
from holdfast.crash.recorders.strace_replay import Replay
from holdfast.crash.recorders.strace_tracer import TracedProgram, trace
from holdfast.crash.recorders.strace_world import World
from holdfast.crash.recorders.tree import read_tree
from holdfast.crash.recording import Recording
from holdfast.vfs.operations import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from holdfast.crash.recorders.faults import CallFault
    from holdfast.vfs.operations import Mark, Node, Tree

__all__ = ["record_command_by_strace"]

_LOG_ENCODING: Final = "iso-8859-1"  # of a path that strace could not look up, any byte may come


def record_command_by_strace(
    argv: Sequence[str],
    *,
    root: str,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    ack: Literal["path", "stdout"] = "path",
    faults: Sequence[CallFault] = (),
    timeout_s: float = 60.0,
) -> Recording:
    """Run a program and record what it, its children and its threads do below `root`.

    Its exit code is in the recording, whatever it is. Its stdout and stderr are ours, its stdin is
    empty. The log is kept in the folder for temporary files while it runs.

    Args:
        argv: found on PATH, never given to a shell.
        root: the folder to be recorded.
        cwd: where the program starts; None: in `root`.
        env: the whole environment of the program; None: ours.
        ack: `stdout`: each whole line that is written to stdout acknowledges, beside /hf-mark:NAME.
        faults: none: strace counts calls on all files, not on those of `root`.
        timeout_s: when to give up, and kill.

    Raises:
        RecorderUnavailable: there is no strace, it may not trace, or faults were ordered; nothing
            was run.
        ProgramNotStarted: it could not be executed; nothing was run.
        ProgramTimedOut: it did not end in time and was killed; its files stand.
        RecordingRefused: it did what strace does not tell; its files stand.
        OSError: `root` cannot be read; nothing was run.
    """
    refuse_nesting()
    _check_available(faults)
    folder = os.path.realpath(root)
    run = TracedProgram(argv, folder if cwd is None else os.path.realpath(cwd), env, timeout_s)
    _check_executable(run)
    ledger = Ledger()
    before = read_tree(folder, ledger.number)
    world = World(ledger, folder, before)
    with tempfile.TemporaryDirectory(prefix="holdfast-strace-") as keep:
        log = os.path.join(keep, "log")
        stdout = StandardOutput() if ack == "stdout" else None
        replay = Replay(world, cwd=os.fsencode(run.cwd), umask=_umask(), stdout=_lines(stdout))
        if stdout is not None:
            replay.acknowledge_by(b"pipe:[%d]" % os.fstat(stdout.writing).st_ino)
        try:
            in_time = trace(run, log, stdout=stdout)
            _carry_over(replay, log)
        finally:
            complete = stdout is None or stdout.finish()
    if not complete:
        raise RecordingRefused(
            "stdout: the program wrote to it by a call that was not seen, so its acknowledgements "
            "are not known. Its files stand. Acknowledge by opening /hf-mark:NAME instead."
        )
    _check_ended(run, replay, in_time=in_time)
    return _recording(world, replay, before)


def _check_available(faults: Sequence[CallFault]) -> None:
    if shutil.which("strace") is None:
        raise RecorderUnavailable(
            "strace recorder: strace is not installed. Nothing was run. "
            "Install the package of that name, or use the seccomp recorder."
        )
    if faults:
        raise RecorderUnavailable(
            "strace recorder: it cannot make calls on the recorded files fail. Nothing was run. "
            "Use the seccomp recorder, or order no faults."
        )


def _check_executable(run: TracedProgram) -> None:
    path = (os.environ if run.env is None else run.env).get("PATH", os.defpath)
    name = run.argv[0] if run.argv else ""
    where = os.path.join(run.cwd, name) if os.path.dirname(name) else name
    if not name or shutil.which(where, path=path) is None:
        raise ProgramNotStarted(
            f"{name}: cannot be executed: it is not there, or is no program. Nothing was run. "
            "Check the command and its path."
        )


def _umask() -> int:
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        words = dict(line.split(":", 1) for line in status if ":" in line)
    return int(words["Umask"], 8)


def _lines(stdout: StandardOutput | None) -> Callable[[bytes], Iterable[Mark]]:
    """What turns bytes that were written to stdout into acknowledgements."""
    return stdout.lines if stdout else lambda _: ()


def _carry_over(replay: Replay, log: str) -> None:
    try:
        replay.learn_births(_read(log))
        replay.follow(_read(log))
    except (ValueError, KeyError, IndexError) as error:
        raise RecordingRefused(
            f"the log of strace could not be understood ({error}). The program's files stand. "
            "Use the seccomp recorder."
        ) from error


def _read(log: str) -> Iterator[Finished | Ended]:
    if not os.path.exists(log):
        return
    with open(log, encoding=_LOG_ENCODING, newline="\n") as lines:
        yield from read_log(lines)


def _check_ended(run: TracedProgram, replay: Replay, *, in_time: bool) -> None:
    if not replay.started:
        if replay.start_error is not None:
            raise ProgramNotStarted(
                f"{run.argv[0]}: cannot be executed: {replay.start_error}. Nothing was run. "
                "Check the command and its path."
            )
        tracer = traced_by()
        why = f"process {tracer} traces this one already, " if tracer else ""
        raise RecorderUnavailable(
            f"strace recorder: {why}strace may not trace here; what it said is on stderr. "
            "Nothing was run. Allow ptrace in the container, or use the seccomp recorder."
        )
    if not in_time and replay.ended:
        replay.note(
            "the program ended, but processes that it had started still ran when the time was "
            "over: they were killed"
        )
    elif not in_time:
        raise ProgramTimedOut(
            f"{run.argv[0]}: still ran after {run.timeout_s:g} s. It and its children were killed; "
            "its files stand as they were then. Allow it more time (--timeout, timeout_s), or look "
            "at what it waits for (its stdin is empty)."
        )


def _recording(world: World, replay: Replay, before: Tree) -> Recording:
    root = os.fsdecode(world.root)
    after = renumbered(read_tree(root, Ledger().number), world.ledger.names)
    replay.finish(after)
    ledger = world.ledger
    check_replay(before, ledger.operations, after)
    return Recording(
        before,
        tuple(ledger.operations),
        tuple(ledger.origins),
        tuple(ledger.calls),
        after,
        replay.exit_status(),
        "strace",
        tuple(world.notes),
    )


def renumbered(tree: Tree, names: Mapping[int, Mapping[str, int]]) -> dict[int, Node]:
    """The tree with the inode numbers that the recording knows its names by."""
    known, taken = {ROOT: ROOT}, {ROOT}
    free = max((n for entries in names.values() for n in entries.values()), default=ROOT) + 1
    todo = [ROOT]
    while todo:
        folder = todo.pop()
        for name, entry in tree[folder].entries:
            if entry not in known:
                number = names.get(known[folder], {}).get(name, free)
                known[entry] = free if number in taken else number
                free += known[entry] == free
                taken.add(known[entry])
                todo.append(entry)
    return {
        known[inode]: node._replace(entries=tuple((n, known[e]) for n, e in node.entries))
        for inode, node in tree.items()
    }
