"""The recorder at work: takes one stopped call after the other, and writes down what it does.

I1 Every call that changes the recorded folder is carried out here, one after the other; the order
   of the operations is the order in which the kernel did them.
I2 What changes the folder and is not understood ends the program and the recording; nothing is
   ever left out.
I3 When `record` returns or raises, no process of the program is left.
"""

from __future__ import annotations

import errno
import os
import select
import signal
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.crash.recorders import attributes, contents, naming, opening, syncs
from holdfast.crash.recorders.credentials import Credentials
from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.filter import TOLD
from holdfast.crash.recorders.notify import answer, is_alive, let_pass, receive, tune
from holdfast.crash.recorders.tasks import Gone, Tasks
from holdfast.crash.recorders.traps import Trap
from holdfast.crash.sites import SiteFinder

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.crash.recorders.faults import Fault, Faults
    from holdfast.crash.recorders.launch import Launched
    from holdfast.crash.recorders.notify import Notification
    from holdfast.crash.recorders.scene import Action, Scene
    from holdfast.crash.recorders.syscalls import Architecture
    from holdfast.crash.recorders.tasks import Task

__all__ = ["Limits", "Supervisor"]

_HANDLERS: Final[dict[str, Callable[[Scene, Trap], Action | None]]] = {
    **dict.fromkeys(("write", "pwrite64", "writev", "pwritev", "pwritev2"), contents.write),
    **dict.fromkeys(("truncate", "ftruncate"), contents.truncate),
    **dict.fromkeys(("sendfile", "copy_file_range"), contents.copy),
    "splice": contents.splice,
    "fallocate": contents.fallocate,
    "ioctl": contents.ioctl,
    **dict.fromkeys(("open", "openat", "openat2", "creat"), opening.open_file),
    **dict.fromkeys(("rename", "renameat", "renameat2"), naming.rename),
    **dict.fromkeys(("link", "linkat"), naming.link),
    **dict.fromkeys(("symlink", "symlinkat"), naming.make_symlink),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), naming.remove),
    **dict.fromkeys(("mkdir", "mkdirat"), naming.make_folder),
    **dict.fromkeys(("mknod", "mknodat"), naming.make_special),
    **dict.fromkeys(("chmod", "fchmod", "fchmodat", "fchmodat2"), attributes.change_mode),
    **dict.fromkeys(("chown", "fchown", "lchown", "fchownat"), attributes.change_owner),
    **dict.fromkeys(("setxattr", "lsetxattr", "fsetxattr"), attributes.set_xattr),
    **dict.fromkeys(("removexattr", "lremovexattr", "fremovexattr"), attributes.remove_xattr),
    **dict.fromkeys(("fsync", "fdatasync"), syncs.sync_inode),
    **dict.fromkeys(("sync", "syncfs"), syncs.sync_all),
    "mmap": syncs.map_file,
    "msync": syncs.sync_mapping,
}
_REFUSED: Final = {
    "io_uring_enter": "uses an io_uring that was there before it was recorded",
    "io_uring_register": "uses an io_uring that was there before it was recorded",
    "io_submit": "submits asynchronous input and output (io_submit), which no recorder here sees",
    "open_by_handle_at": "opens files by handle",
    "setxattrat": "calls setxattrat",
    "removexattrat": "calls removexattrat",
    "chroot": "changes its root folder",
    "pivot_root": "changes its root folder",
    "mount": "mounts filesystems",
    "umount2": "mounts filesystems",
    "move_mount": "mounts filesystems",
    "setrlimit": "limits the size of files",
    "prlimit64": "limits the size of files",
}
_MOVING: Final = frozenset({"chdir", "fchdir", "unshare", "setns"})
_BAD_ARGUMENTS: Final = frozenset({errno.EBADF, errno.EFAULT, errno.ENOENT, errno.ENOTDIR}) | {
    *(errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES, errno.EINVAL)
}


class Limits(NamedTuple):
    """When a recording is to end, whether the program did or not."""

    deadline: float
    stop: int
    progress: Callable[[int], object] | None = None


class Supervisor:
    """Answers the calls of one program until nobody is left to make any."""

    def __init__(self, scene: Scene, architecture: Architecture, faults: Faults) -> None:
        self.timed_out = False
        self._scene = scene
        self._audit = architecture.audit
        self._names = {number: name for name, number in architecture.numbers.items()}
        self._faults = faults
        self._poll = select.poll()
        self._tasks = Tasks(self._poll)
        self._sites = SiteFinder()
        self._credentials = Credentials(architecture.numbers)

    def run(self, launched: Launched, limits: Limits) -> None:
        """Serve until the last process is gone, the time is over, or `stop` is readable.

        Raises:
            RecordingRefused: the program did what cannot be recorded.
        """
        tune(launched.listener)
        for descriptor in (launched.listener, launched.report, limits.stop):
            self._poll.register(descriptor, select.POLLIN)
        going = True
        while going:
            ready = self._poll.poll(max(limits.deadline - monotonic(), 0) * 1000)
            self.timed_out = not ready
            waiting = False
            for descriptor, events in ready:
                if descriptor == launched.listener:
                    waiting = bool(events & select.POLLIN)
                    if not waiting:
                        self._poll.unregister(descriptor)
                elif descriptor == launched.report:
                    going = launched.hear()
                elif descriptor == limits.stop:
                    return
                else:
                    self._ended(descriptor)
            if waiting:
                self._serve(launched.listener, limits)
            going = going and not self.timed_out

    def close(self) -> None:
        """Let go of everything that was opened on the way."""
        self._tasks.close()
        self._sites.close()

    def store_changes(self) -> None:
        """Write down what was stored into mapped files since the last call."""
        changes = self._scene.maps.changes()
        if changes:
            self._scene.ledger.begin("(stores into mapped files)", (0, 0), ())
            self._scene.ledger.emit(*changes)

    def _ended(self, pidfd: int) -> None:
        task = self._tasks.ended(pidfd)
        if task.thread == task.process:
            self._sites.forget(task.process)

    def _serve(self, listener: int, limits: Limits) -> None:
        notification = receive(listener)
        if notification is None:
            return
        try:
            task = self._tasks.of(notification.thread)
            self._handle(notification, task)
        except Gone:
            return
        if limits.progress is not None:
            limits.progress(len(self._scene.ledger.calls))

    def _handle(self, notification: Notification, task: Task) -> None:
        name = self._name(notification, task)
        listener = self._scene.listener
        if name in TOLD:
            self._note(name, task)
            let_pass(listener, notification)
            return
        if name in _REFUSED:
            self._refuse(notification, task, name)
            return
        trap = Trap(name, notification, task)
        try:
            self._decide(trap)
        finally:
            trap.close()
            self._scene.ledger.release()

    def _note(self, name: str, task: Task) -> None:
        """A process is about to become another: program, current folder, user or umask."""
        if name.startswith("execve"):
            self._sites.forget(task.process)
            self._tasks.executes(task)
        elif name in _MOVING:
            self._tasks.standing.moves(task.thread)
        else:
            self._credentials.told(name)

    def _name(self, notification: Notification, task: Task) -> str:
        """Return the name of the call.

        Raises:
            RecordingRefused: it is made in the way of another kind of processor.
        """
        if notification.architecture == self._audit:
            name = self._names.get(notification.number)
            if name is not None:
                return name
        raise RecordingRefused(
            f"process {task.process}: makes system calls as a 32-bit program, which the seccomp "
            "recorder does not follow. It was ended; its files stand. Use a 64-bit build."
        )

    def _refuse(self, notification: Notification, task: Task, name: str) -> None:
        asks_only = name == "prlimit64" and not notification.arguments[2]
        if asks_only:
            let_pass(self._scene.listener, notification)
            return
        raise RecordingRefused(
            f"process {task.process}: {_REFUSED[name]}, and what that does to the recorded folder "
            "cannot be followed. It was ended; its files stand. "
            "Switch that off for the test, or test through another recorder."
        )

    def _decide(self, trap: Trap) -> None:
        """Find out whether the call concerns the recorded folder, and carry it out if so."""
        listener = self._scene.listener
        try:
            action = _HANDLERS[trap.name](self._scene, trap)
        except OSError as error:
            self._answer_bad_arguments(trap, error)
            return
        if not is_alive(listener, trap.notification):
            raise Gone
        if action is None:
            let_pass(listener, trap.notification)
            return
        if self._scene.maps:
            self.store_changes()
        fault = self._faults.next(trap.name)
        if fault is not None and fault.kind == "short" and action.shortened is not None:
            action = action.shortened(fault.value)
            fault = None
        task = trap.task
        sites = self._sites.sites(task.process, task.thread, trap.notification.instruction_pointer)
        self._scene.ledger.begin(action.text, (task.process, task.thread), sites)
        self._act(trap, action, fault)

    def _act(self, trap: Trap, action: Action, fault: Fault | None) -> None:
        if fault is not None and fault.kind == "kill":
            self._scene.ledger.fail("SIGKILL")
            signal.pidfd_send_signal(trap.task.pidfd, signal.SIGKILL)
        else:
            self._carry_out(trap, action, fault)

    def _answer_bad_arguments(self, trap: Trap, error: OSError) -> None:
        """The call names nothing that is there: say so, as the kernel would.

        Raises:
            RecordingRefused: it is the recorder that could not look.
        """
        if error.errno not in _BAD_ARGUMENTS:
            raise RecordingRefused(
                f"{trap.name} of process {trap.task.process}: the recorder could not look at what "
                f"it is about ({error}). The program was ended; its files stand. Try again."
            ) from error
        answer(self._scene.listener, trap.notification, 0, error=error.errno or 0)

    def _carry_out(self, trap: Trap, action: Action, fault: Fault | None) -> None:
        ledger, listener = self._scene.ledger, self._scene.listener
        try:
            if fault is not None and fault.kind == "error":
                raise OSError(fault.value, os.strerror(fault.value))
            self._credentials.assume(trap.task)
            try:
                result = action.perform()
            finally:
                self._credentials.drop()
                trap.close()  # before the answer: a copy that is open still would hold its locks
        except OSError as error:
            number = error.errno or errno.EIO
            ledger.fail(errno.errorcode.get(number, str(number)))
            if action.failed is not None:
                action.failed()
            answer(listener, trap.notification, 0, error=number)
        else:
            if result is not None:
                answer(listener, trap.notification, result)
