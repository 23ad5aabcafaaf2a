"""Records a program by seccomp user notification: no root, nothing to install, exact results.

What it does to the program: `no_new_privs` is set, so set-uid programs run without their rights;
`io_uring_setup` and `splice` into a recorded file fail as on a kernel without them; stdin is empty;
the calls of all its threads that change files are carried out one at a time. A path in memory that
it may not read (PROT_NONE) is no EFAULT.
"""

from __future__ import annotations

import gc
import os
import select
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Literal, NamedTuple

from holdfast.crash.recorders import kernel
from holdfast.crash.recorders.check import check_replay
from holdfast.crash.recorders.errors import (
    ProgramTimedOut,
    RecorderUnavailable,
    RecordingError,
    RecordingRefused,
)
from holdfast.crash.recorders.faults import NOT_MET, Faults
from holdfast.crash.recorders.launch import launch
from holdfast.crash.recorders.marks import StandardOutput
from holdfast.crash.recorders.scene import Scene
from holdfast.crash.recorders.supervisor import Limits, Supervisor
from holdfast.crash.recorders.syncs import map_inherited
from holdfast.crash.recorders.tasks import Tasks
from holdfast.crash.recorders.tree import read_tree
from holdfast.crash.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.crash.recorders.faults import CallFault
    from holdfast.crash.recorders.launch import Launched, Program
    from holdfast.vfs.operations import Tree

__all__ = ["Options", "record_by_seccomp"]


class Options(NamedTuple):
    """How to record."""

    root: str
    ack: Literal["path", "stdout"] = "path"
    faults: Sequence[CallFault] = ()
    timeout_s: float = 60.0
    progress: Callable[[int], object] | None = None


def record_by_seccomp(program: Program, options: Options) -> Recording:
    """Run a program and record what it does below `options.root`.

    Raises:
        RecorderUnavailable: forbidden here; nothing was run.
        ProgramNotStarted: it could not be executed; nothing was run.
        ProgramTimedOut: it was killed; its files stand.
        RecordingRefused: it did what cannot be recorded; it was killed, its files stand.
    """
    architecture = kernel.native_architecture()
    faults = Faults(options.faults)
    scene = Scene(architecture, options.root)
    before = scene.start()
    scene.stdout = StandardOutput() if options.ack == "stdout" else None
    try:
        if scene.stdout is not None:
            program = program._replace(stdout=scene.stdout.writing)
        session = _Session(scene, Supervisor(scene, architecture, faults), options)
        launched = launch(program, architecture)
        try:
            session.run(launched, name=str(program.command[0]) if program.command else "function")
        finally:
            launched.end()
        session.supervisor.store_changes()
    finally:
        complete = scene.close()
    if not complete:
        raise RecordingRefused(
            "stdout: the program wrote to it by a call that was not seen, so its acknowledgements "
            "are not known. Its files stand. Acknowledge by opening /hf-mark:NAME instead."
        )
    return _recording(scene, before, status=launched.status, faults=faults)


def _recording(scene: Scene, before: Tree, *, status: int | None, faults: Faults) -> Recording:
    ledger = scene.ledger
    try:
        after = read_tree(scene.root, ledger.number)
    except OSError as error:
        raise RecordingRefused(
            f"{scene.root}: cannot be read after the program ({error.strerror}), so the recording "
            "could not be checked. What the program wrote stands. See whether it moved the folder, "
            "or made paths of more than 4,095 bytes, the folder's own included."
        ) from error
    check_replay(before, ledger.operations, after)
    notes = [*scene.notes, *(f"{NOT_MET}{fault}" for fault in faults.left())]
    if status is None:
        raise RecordingError(
            "the process that watches over the program was killed. The program was ended; its "
            "files stand. Try again."
        )
    return Recording(
        before,
        tuple(ledger.operations),
        tuple(ledger.origins),
        tuple(ledger.calls),
        after,
        status,
        "seccomp",
        tuple(notes),
    )


class _Session:
    """The recorder's thread: it has a current folder and a umask of its own."""

    def __init__(self, scene: Scene, supervisor: Supervisor, options: Options) -> None:
        self.supervisor = supervisor
        self._scene = scene
        self._options = options
        self._error: BaseException | None = None

    def run(self, launched: Launched, *, name: str) -> None:
        """Let the program run to its end; an interrupt ends it at once."""
        launched.meet()
        self._scene.listener = launched.listener
        stop_read, stop_write = os.pipe2(os.O_CLOEXEC)
        deadline = monotonic() + self._options.timeout_s
        limits = Limits(deadline, stop_read, self._options.progress)
        thread = Thread(target=self._serve, args=(launched, limits), name="holdfast-recorder")
        collects = gc.isenabled()
        gc.disable()  # what is recorded has no cycles, and every collection would look at all of it
        try:
            thread.start()
            thread.join()
        finally:
            os.close(stop_write)
            thread.join()
            if collects:
                gc.enable()
            os.close(stop_read)
            self.supervisor.close()
        if self._error is not None:
            raise self._error
        launched.check_started(name)
        self._judge_end(launched, name)

    def _serve(self, launched: Launched, limits: Limits) -> None:
        try:
            kernel.own_working_folder()
            self._probe(launched)
            map_inherited(self._scene, launched.process)
            if self._scene.stdout is not None:
                self._scene.stdout.start()
            launched.go()
            self.supervisor.run(launched, limits)
        except BaseException as error:
            self._error = error

    def _probe(self, launched: Launched) -> None:
        """Try once what each call needs.

        Raises:
            RecorderUnavailable: looking into other processes is forbidden.
        """
        tasks = Tasks(select.poll())
        try:
            task = tasks.of(launched.process)
            os.close(task.descriptor(0))
            os.stat(f"/proc/{launched.process}/cwd/.")
        except (OSError, RecordingRefused) as error:
            raise RecorderUnavailable(
                f"seccomp recorder: the container forbids looking into a child ({error}). "
                "Nothing was run. Record a command by strace."
            ) from error
        finally:
            tasks.close()

    def _judge_end(self, launched: Launched, name: str) -> None:
        if not self.supervisor.timed_out:
            return
        if launched.status is None:
            raise ProgramTimedOut(
                f"{name}: still ran after {self._options.timeout_s:g} s. It and its children were "
                "killed; its files stand as they were then. Allow it more time (--timeout, "
                "timeout_s), or look at what it waits for (its stdin is empty)."
            )
        self._scene.notes[
            "the program ended, but processes that it had started still ran when the time was "
            "over: they were killed"
        ] = None
