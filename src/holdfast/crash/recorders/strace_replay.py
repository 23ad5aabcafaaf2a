"""A whole log, carried over: threads are followed, calls are handed to their handlers."""

from __future__ import annotations

import re
import signal
from collections import defaultdict
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders import strace_calls, strace_names
from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.strace_parser import Ended, Finished, births_in
from holdfast.crash.recorders.strace_step import Effect, Step
from holdfast.crash.recorders.strace_world import Process, Surroundings
from holdfast.crash.recorders.syscalls import FAMILIES
from holdfast.vfs.operations import Truncate, Write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdfast.crash.recorders.strace_world import World
    from holdfast.vfs.operations import Mark, Tree

__all__ = ["TRACED", "UNSEEN_STORES", "Replay"]

UNSEEN_STORES: Final = ("*-shm", "lock.mdb")
"""Files that are mapped to be written and that their programs make anew after a crash."""

_REFUSED: Final = frozenset(
    {"io_uring_setup", "io_submit", "open_by_handle_at", "chroot", "pivot_root", "setxattrat"}
    | {"mount", "umount2", "move_mount", "removexattrat"}
)
_HANDLERS: Final[dict[str, Callable[[Step], Effect | None]]] = {
    "open": strace_calls.open_file,
    "write": strace_calls.write,
    "truncate": strace_calls.truncate,
    "fallocate": strace_calls.fallocate,
    "copy": strace_calls.copy,
    "splice": strace_calls.copy,
    "rename": strace_names.rename,
    "link": strace_names.link,
    "symlink": strace_names.make_symlink,
    "unlink": strace_names.remove,
    "rmdir": strace_names.remove,
    "mkdir": strace_names.make_folder,
    "mknod": strace_names.make_special,
    "chmod": strace_names.change_mode,
    "chown": strace_names.change_owner,
    "setxattr": strace_names.set_xattr,
    "removexattr": strace_names.remove_xattr,
    "fsync": strace_names.sync_inode,
    "fdatasync": strace_names.sync_inode,
    "sync": strace_names.sync_all,
    "syncfs": strace_names.sync_all,
}
_FOLLOWED: Final = (
    *("read", "readv", "lseek", "mmap", "mprotect", "ioctl", "dup", "dup2", "dup3", "fcntl"),
    *("chdir", "fchdir", "umask", "execve", "execveat", "clone", "clone3", "fork", "vfork"),
    "seccomp",
)
TRACED: Final = sorted({*_HANDLERS, *FAMILIES, *_REFUSED, *_FOLLOWED} - {"copy"})
"""The calls that have to be in the log."""

_CHANGING_REQUEST: Final = re.compile(
    r".*(CLONE|RESVSP|ZERO_RANGE|SNAP_|SUBVOL_|SWAP_BOOT|MOVE_EXT).*"
)


class Replay:
    """One log, call by call."""

    def __init__(
        self, world: World, *, cwd: bytes, umask: int, stdout: Callable[[bytes], Iterable[Mark]]
    ) -> None:
        self.started = False
        self.start_error: str | None = None
        self._status: int | str | None = None
        self._world = world
        self._stdout = stdout
        self._stdout_path = b""
        self._first: int | None = None
        self._cwd, self._umask = cwd, umask
        self._threads: dict[int, Process] = {}
        self._births: dict[int, list[tuple[int, frozenset[str]]]] = defaultdict(list)
        self._unseen: dict[int, None] = {}

    def acknowledge_by(self, stdout: bytes) -> None:
        """Whole lines that are written to what is called so are acknowledgements."""
        self._stdout_path = stdout

    def learn_births(self, calls: Iterable[Finished | Ended]) -> None:
        """Note which thread made which: a child may be heard of before its parent's call ends."""
        for child, parent, flags in births_in(calls):
            self._births[child].append((parent, flags))

    def follow(self, calls: Iterable[Finished | Ended]) -> None:
        """Carry the log over.

        Raises:
            RecordingRefused: the program did what strace does not tell.
            ValueError: a call is of another shape than it should be.
        """
        for call in calls:
            self._first = call.thread if self._first is None else self._first
            if isinstance(call, Ended):
                self._threads.pop(call.thread, None)
                if call.thread == self._first:
                    self._status = call.status
            else:
                self._follow(call, self._thread(call.thread))

    def _thread(self, number: int) -> Process:
        known = self._threads.get(number)
        if known is None:
            if self._births[number]:
                parent, flags = self._births[number].pop(0)
                known = self._thread(parent).child(number, flags)
            else:
                spot = self._world.spot_of(self._cwd)
                known = Process(number, {}, Surroundings(spot, self._umask))
            self._threads[number] = known
        return known

    def _follow(self, call: Finished, process: Process) -> None:
        step = Step(self._world, process, call)
        name = FAMILIES.get(call.name, call.name)
        if name in _REFUSED:
            self._refuse(call)
        handler = _HANDLERS.get(name)
        if handler is None:
            on_call: Callable[[Step], None] | None = getattr(self, f"_on_{name}", None)
            if on_call is not None:
                on_call(step)
            return
        effect = handler(step)
        if effect is None and name == "write":
            effect = self._said(step)
        if effect is not None:
            self._write_down(step, effect)

    def _write_down(self, step: Step, effect: Effect) -> None:
        ledger, call = self._world.ledger, step.call
        ledger.begin(effect.text, (step.process.leader, call.thread), ())
        if call.error and not effect.is_meant_to_fail:
            ledger.fail(call.error)
        self._world.emit(*(effect.failed if call.error else effect.operations))
        if effect.synced is not None and not call.error:
            ledger.emit_synced(effect.synced, self._world.notes)

    def _said(self, step: Step) -> Effect | None:
        """Lines on the program's stdout, where they acknowledge."""
        if not self._stdout_path or step.descriptor(0).path != self._stdout_path or step.call.error:
            return None
        data = strace_calls.data_of(step)[: step.call.result]
        return Effect(f"{step.call.name}(stdout, {len(data)} bytes)", tuple(self._stdout(data)))

    def _refuse(self, call: Finished) -> None:
        if not call.error:
            raise RecordingRefused(
                f"{call.name}: what it does is not told by strace. The files stand. "
                "Test the program with it switched off, or use the seccomp recorder."
            )

    def _on_read(self, step: Step) -> None:
        strace_calls.read(step)

    _on_readv = _on_read

    def _on_lseek(self, step: Step) -> None:
        strace_calls.seek(step)

    def _on_dup(self, step: Step) -> None:
        if not step.call.error:
            file = step.process.files.get(step.descriptor(0).number)
            step.process.files.pop(step.call.result, None)
            if file is not None and step.file(0) is not None:
                step.process.files[step.call.result] = file

    _on_dup2 = _on_dup3 = _on_dup

    def _on_fcntl(self, step: Step) -> None:
        if step.call.arguments[1].startswith("F_DUPFD"):
            self._on_dup(step)
        elif step.call.arguments[1] == "F_SETFL" and (file := step.file(0)):
            file.appends = "O_APPEND" in step.flags(2)

    def _on_chdir(self, step: Step) -> None:
        if not step.call.error and (spot := step.find(0, follow=True).spot) is not None:
            step.process.around.spot = spot

    def _on_fchdir(self, step: Step) -> None:
        if not step.call.error:
            step.process.around.spot = self._world.spot_of(step.descriptor(0).path)

    def _on_umask(self, step: Step) -> None:
        step.process.around.umask = step.number(0) & 0o777

    def _on_seccomp(self, step: Step) -> None:
        if "SECCOMP_FILTER_FLAG_NEW_LISTENER" in step.flags(1) and not step.call.error:
            raise RecordingRefused(
                "seccomp: the program watches calls by seccomp notification (a recorder within a "
                "recorder, perhaps), which hides them from strace. The files stand. "
                "Record the inner program alone."
            )

    def _on_execve(self, step: Step) -> None:
        if step.call.error:
            self.start_error = self.start_error or step.call.error
        else:
            self.started = True
            step.process.files = dict(step.process.files)
            step.process.mapped = []

    _on_execveat = _on_execve

    def _on_ioctl(self, step: Step) -> None:
        if step.call.error or not _CHANGING_REQUEST.fullmatch(step.call.arguments[1]):
            return
        if file := step.file(0):
            raise step.refused(file.inode, f"ioctl {step.call.arguments[1]} changed the file")

    def _on_mmap(self, step: Step) -> None:
        if step.call.error:
            return
        start, stop = step.call.result, step.call.result + step.number(1)
        step.process.unmap(start, stop)
        shared = step.flags(3) & {"MAP_SHARED", "MAP_SHARED_VALIDATE"}
        file = step.regular(4) if shared and "MAP_ANONYMOUS" not in step.flags(3) else None
        if file is None or not file.writable:
            return
        if "PROT_WRITE" in step.flags(2):
            self._unseen_stores(file.inode)
        step.process.mapped.append((start, stop, file.inode))

    def _on_mprotect(self, step: Step) -> None:
        if step.call.error or "PROT_WRITE" not in step.flags(2):
            return
        start = step.number(0)
        for low, high, inode in step.process.mapped:
            if low < start + step.number(1) and start < high:
                self._unseen_stores(inode)

    def _unseen_stores(self, inode: int) -> None:
        path = self._world.ledger.path_of(inode)
        if not any(fnmatch(path.rpartition("/")[2], pattern) for pattern in UNSEEN_STORES):
            raise RecordingRefused(
                f"{path}: was mapped to be written, and stores into it are no calls that strace "
                "could see. The files stand. Use the seccomp recorder."
            )
        if inode not in self._unseen:
            self._unseen[inode] = None
            self._world.notes[f"stores into {path} are seen at the end alone"] = None

    def finish(self, after: Tree) -> None:
        """Take what was stored unseen into files that may be from what was left of them."""
        for inode in self._unseen:
            found = after.get(inode)
            if found is not None and found.data != bytes(self._world.contents[inode]):
                self._world.emit(Write(inode, 0, found.data), Truncate(inode, len(found.data)))

    @property
    def ended(self) -> bool:
        """Whether the program itself ended, and not by being killed."""
        return self._status not in {None, "SIGKILL"}

    def note(self, text: str) -> None:
        """Say something about the recording."""
        self._world.notes[text] = None

    def exit_status(self) -> int:
        """How the program ended: its exit code, or minus the signal."""
        if isinstance(self._status, str):
            return -signal.Signals[self._status]
        return 0 if self._status is None else self._status
