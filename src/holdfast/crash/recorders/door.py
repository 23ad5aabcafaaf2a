"""The door of the recorders: run a program, or a function in a fork, and record what it does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TypedDict

from holdfast.crash.recorders.errors import RecorderUnavailable
from holdfast.crash.recorders.launch import Program
from holdfast.crash.recorders.nesting import refuse_nesting
from holdfast.crash.recorders.seccomp import Options, record_by_seccomp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Unpack

    from holdfast.crash.recorders.faults import CallFault
    from holdfast.crash.recording import Recording

__all__ = ["Recorder", "RecordingOptions", "record_call", "record_command"]

Recorder = Literal["auto", "seccomp", "strace"]


class RecordingOptions(TypedDict, total=False):
    """What `record_command` and `record_call` take alike.

    `cwd`: where the program starts (default: the recorded folder). `ack`: `path`: opening
    `/hf-mark:NAME` acknowledges NAME; `stdout`: each whole line written to stdout does so too.
    `faults`: failures on order. `timeout_s`: when to give up, and kill. `progress`: called with the
    number of calls so far.
    """

    cwd: str | None
    ack: Literal["path", "stdout"]
    faults: Sequence[CallFault]
    timeout_s: float
    progress: Callable[[int], object] | None


def record_command(
    argv: Sequence[str],
    *,
    root: str,
    env: Mapping[str, str] | None = None,
    recorder: Recorder = "auto",
    **options: Unpack[RecordingOptions],
) -> Recording:
    """Run a program, and record what it and all that it starts do below `root`.

    The program's stdout and stderr are ours, its stdin is empty. Its exit code is in the recording,
    whatever it is. When this returns or raises, no process of it is left.

    Args:
        argv: found on PATH, never given to a shell.
        root: the folder to be recorded.
        env: the whole environment of the program; None: ours.
        recorder: `auto` takes strace where seccomp notification is forbidden, and says so in the
            recording's notes.
        options: see `RecordingOptions`.

    Raises:
        RecorderUnavailable: forbidden here; nothing was run.
        ProgramNotStarted: it could not be executed; nothing was run.
        ProgramTimedOut: it did not end in time and was killed; its files stand.
        RecordingRefused: it did what cannot be recorded; it was killed, its files stand.
        OSError: `root` cannot be read; nothing was run.
    """
    refuse_nesting()
    folder = os.path.realpath(root)
    cwd = options.get("cwd")
    program = Program(tuple(argv), None, folder if cwd is None else cwd, env)
    if recorder == "strace":
        return _by_strace(program, folder, options)
    try:
        return record_by_seccomp(program, _chosen(folder, options))
    except RecorderUnavailable as error:
        if recorder == "seccomp":
            raise
        try:
            recording = _by_strace(program, folder, options)
        except RecorderUnavailable as other:
            raise _neither(error, other) from other
        return recording._replace(notes=(*recording.notes, f"{error} So strace was used."))


def _neither(*errors: RecorderUnavailable) -> RecorderUnavailable:
    reasons = " ".join(str(error).partition(" Nothing was run.")[0] for error in errors)
    return RecorderUnavailable(
        f"{reasons} Nothing was run. Allow seccomp notification or ptrace in the container, and "
        "have strace installed for the latter."
    )


def record_call(
    function: Callable[[], object], *, root: str, **options: Unpack[RecordingOptions]
) -> Recording:
    """Run a function in a forked child, and record it as `record_command` does a program.

    An exception is a traceback on stderr and status 1.

    Args:
        function: what the child does; what it changes in memory is lost with the child.
        root: the folder to be recorded.
        options: see `RecordingOptions`.

    Raises:
        RecorderUnavailable: forbidden here; nothing was run.
        ProgramTimedOut: it did not end in time and was killed; its files stand.
        RecordingRefused: it did what cannot be recorded; it was killed, its files stand.
        OSError: `root` cannot be read; nothing was run.
    """
    refuse_nesting()
    folder = os.path.realpath(root)
    cwd = options.get("cwd")
    program = Program(None, function, folder if cwd is None else cwd, None)
    return record_by_seccomp(program, _chosen(folder, options))


def _chosen(root: str, options: RecordingOptions) -> Options:
    return Options(
        root,
        options.get("ack", "path"),
        options.get("faults", ()),
        options.get("timeout_s", 60.0),
        options.get("progress"),
    )


def _by_strace(program: Program, root: str, options: RecordingOptions) -> Recording:
    from holdfast.crash.recorders.strace import record_command_by_strace

    return record_command_by_strace(
        program.command or (),
        root=root,
        cwd=program.folder,
        env=program.environment,
        ack=options.get("ack", "path"),
        faults=options.get("faults", ()),
        timeout_s=options.get("timeout_s", 60.0),
    )
