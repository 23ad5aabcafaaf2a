"""Calls that change what a file holds: writes of all kinds, truncation, allocation, cloning."""

from __future__ import annotations

import fcntl
import os
import stat
from ctypes import byref, c_int64
from struct import pack, unpack
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders import kernel
from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.filter import IOCTLS_COPYING, IOCTLS_REFUSED
from holdfast.crash.recorders.scene import Action
from holdfast.crash.recorders.tree import TREE_BYTES_MAX, read_at, too_large
from holdfast.vfs.operations import SetAttributes, SyncFile, Truncate, Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.crash.recorders.scene import Scene
    from holdfast.crash.recorders.traps import Trap

__all__ = ["copy", "fallocate", "ioctl", "splice", "truncate", "write"]

_RWF_DSYNC, _RWF_SYNC, _RWF_APPEND = 0x02, 0x04, 0x10
_KEEP_SIZE, _PUNCH_HOLE, _COLLAPSE, _ZERO, _INSERT = 0x01, 0x02, 0x08, 0x10, 0x20
_UNSHARE: Final = 0x40
_HERE: Final = -1


def write(scene: Scene, trap: Trap) -> Action | None:
    """Any of the write family: to a recorded file, or to the stdout that acknowledges."""
    own = trap.descriptor(0)
    inode = scene.file(own)
    if inode is None:
        return _say(scene, trap, own)
    data = _data(trap)
    return _write(scene, trap, (inode, own, data)) if data else None


def _data(trap: Trap) -> bytes:
    """What is to be written."""
    if trap.name in {"write", "pwrite64"}:
        return trap.task.read(trap.arguments[1], trap.arguments[2])
    return trap.task.vectors(trap.arguments[1], trap.arguments[2])


def _say(scene: Scene, trap: Trap, own: int) -> Action | None:
    stdout = scene.stdout
    if stdout is None or not stdout.is_behind(own):
        return None
    data = _data(trap)

    def perform() -> int:
        written = os.write(own, data)
        scene.ledger.emit(*stdout.lines(data[:written]))
        return written

    return Action(f"{trap.name}(stdout, {_shown(data)})", perform)


def _shown(data: bytes) -> str:
    text = data.decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _write(scene: Scene, trap: Trap, what: tuple[int, int, bytes]) -> Action:
    inode, own, data = what

    def perform() -> int:
        flags = fcntl.fcntl(own, fcntl.F_GETFL)
        written, offset = _carry_out(trap, own, data, appends=bool(flags & os.O_APPEND))
        _grown(scene, inode, offset + written)
        scene.ledger.emit(Write(inode, offset, data[:written]))
        _clear_special_mode(scene, inode, own)
        if flags & os.O_DSYNC or _extra(trap) & (_RWF_DSYNC | _RWF_SYNC):
            scene.ledger.emit(SyncFile(inode))
            scene.maps.synced(inode)
        return written

    text = f"{trap.name}({scene.label(inode)}, {len(data)} bytes)"

    def shortened(size: int) -> Action:
        return _write(scene, trap, (inode, own, data[:size]))

    return Action(text, perform, None, shortened)


def _carry_out(trap: Trap, own: int, data: bytes, *, appends: bool) -> tuple[int, int]:
    """Write; return how much, and where."""
    asked, extra = _offset(trap), _extra(trap)
    if asked == _HERE and not extra:
        written = os.write(own, data)
        return written, os.lseek(own, 0, os.SEEK_CUR) - written
    if trap.name == "pwritev2":
        written = os.pwritev(own, [data], asked, extra)
    else:
        written = os.pwrite(own, data, asked)
    if appends or extra & _RWF_APPEND:
        return written, os.fstat(own).st_size - written
    return written, os.lseek(own, 0, os.SEEK_CUR) - written if asked == _HERE else asked


def _offset(trap: Trap) -> int:
    return _HERE if trap.name in {"write", "writev"} else trap.offset(3)


def _extra(trap: Trap) -> int:
    return trap.value(5) if trap.name == "pwritev2" else 0


def _grown(scene: Scene, inode: int, size: int) -> None:
    if size > TREE_BYTES_MAX:
        raise too_large(scene.ledger.path_of(inode))


def _clear_special_mode(scene: Scene, inode: int, own: int) -> None:
    """A write takes the set-id bits away."""
    if inode in scene.ledger.special_modes:
        mode = stat.S_IMODE(os.fstat(own).st_mode)
        if mode != scene.ledger.special_modes[inode]:
            scene.ledger.emit(SetAttributes(inode, mode))


def truncate(scene: Scene, trap: Trap) -> Action | None:
    """`truncate` and `ftruncate`."""
    if trap.name == "ftruncate":
        inode = scene.file(trap.descriptor(0))
    else:
        inode = scene.inode(trap.stat(0, follow=True))
    if inode is None:
        return None
    size = trap.offset(1)

    def perform() -> int:
        scene.execute(trap)
        _grown(scene, inode, size)
        scene.ledger.emit(Truncate(inode, size))
        return 0

    return Action(f"{trap.name}({scene.label(inode)}, {size})", perform)


def fallocate(scene: Scene, trap: Trap) -> Action | None:
    """Room made, zeroed, or given back.

    Raises:
        RecordingRefused: the rest of the file is to be moved; the files stand as they are.
        OSError: a bad descriptor.
    """
    own = trap.descriptor(0)
    inode = scene.file(own)
    if inode is None:
        return None
    mode, offset, length = trap.value(1), trap.offset(2), trap.offset(3)
    if mode & ~(_KEEP_SIZE | _PUNCH_HOLE | _ZERO | _UNSHARE):
        raise RecordingRefused(
            f"{scene.ledger.path_of(inode)}: fallocate with mode {mode:#x} moves what is in the "
            "file, which is not modelled. The program was ended; its files stand. "
            "Test it with this way of writing switched off."
        )

    def perform() -> int:
        before = os.fstat(own).st_size
        scene.execute(trap)
        after = os.fstat(own).st_size
        _grown(scene, inode, after)
        zeros = min(offset + length, before) - offset
        if mode & (_PUNCH_HOLE | _ZERO) and zeros > 0:
            scene.ledger.emit(Write(inode, offset, bytes(zeros)))
        if after != before:
            scene.ledger.emit(Truncate(inode, after))
        return 0

    return Action(f"fallocate({scene.label(inode)}, {mode:#x}, {offset}, {length})", perform)


def splice(scene: Scene, trap: Trap) -> Action | None:
    """Into a recorded file: EINVAL, as on a filesystem without it; programs then write."""
    inode = scene.file(trap.descriptor(2))
    if inode is None:
        return None

    def perform() -> int:
        raise OSError(22, os.strerror(22))

    return Action(f"splice(to {scene.label(inode)})", perform)


def copy(scene: Scene, trap: Trap) -> Action | None:
    """`sendfile` and `copy_file_range` into a recorded file."""
    to = 0 if trap.name == "sendfile" else 2
    own = trap.descriptor(to)
    inode = scene.file(own)
    if inode is None:
        return None

    def perform() -> int:
        copied, offset = _copy(scene, trap, own)
        if copied:
            _grown(scene, inode, offset + copied)
            scene.ledger.emit(*_read_back(inode, own, start=offset, stop=offset + copied))
            if fcntl.fcntl(own, fcntl.F_GETFL) & os.O_DSYNC:
                scene.ledger.emit(SyncFile(inode))
        return copied

    return Action(f"{trap.name}(to {scene.label(inode)})", perform)


def _copy(scene: Scene, trap: Trap, own: int) -> tuple[int, int]:
    """Copy; return how much, and where to. Offsets in the thread's memory are kept."""
    pointers = {at: trap.arguments[at] for at in ((2,) if trap.name == "sendfile" else (1, 3))}
    places = {
        at: c_int64(unpack("=q", trap.task.read(address, 8))[0])
        for at, address in pointers.items()
        if address
    }
    given: list[object] = [
        trap.descriptor(at) if letter == "f" else trap.offset(at)
        for at, letter in enumerate(trap.shape)
    ]
    for at, place in places.items():
        given[at] = byref(place)
    start = places[3].value if 3 in places and trap.name != "sendfile" else None
    copied = kernel.syscall(scene.numbers[trap.name], *given)
    for at, place in places.items():
        kernel.write_memory(trap.task.thread, pointers[at], pack("=q", place.value))
    return copied, os.lseek(own, 0, os.SEEK_CUR) - copied if start is None else start


def _read_back(inode: int, own: int, *, start: int, stop: int) -> list[Write]:
    """What a file holds now, as a write."""
    reading = os.open(f"/proc/self/fd/{own}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = read_at(reading, start, stop - start)
    finally:
        os.close(reading)
    return [Write(inode, start, data)] if data else []


def ioctl(scene: Scene, trap: Trap) -> Action | None:
    """Cloning another file.

    Raises:
        RecordingRefused: another request that changes a file; the files stand as they are.
        OSError: a bad descriptor.
    """
    own = trap.descriptor(0)
    request, inode = trap.value(1) & 0xFFFFFFFF, scene.inode(os.fstat(own))
    if inode is None:
        return None
    name = {**IOCTLS_COPYING, **IOCTLS_REFUSED}[request]
    if request in IOCTLS_REFUSED:
        raise RecordingRefused(
            f"{scene.ledger.path_of(inode)}: ioctl {name} is not modelled. The program was ended; "
            "its files stand. Test it with this way of writing switched off."
        )
    return Action(f"ioctl({scene.label(inode)}, {name})", _clone(scene, trap, inode))


def _clone(scene: Scene, trap: Trap, inode: int) -> Callable[[], int]:
    own, whole = trap.descriptor(0), trap.value(1) & 0xFFFFFFFF == 0x40049409

    def perform() -> int:
        if whole:
            fcntl.ioctl(own, 0x40049409, trap.own(trap.task.descriptor(trap.value(2))))
            start, stop = 0, os.fstat(own).st_size
        else:
            source, *rest = unpack("=q3Q", trap.task.read(trap.arguments[2], 32))
            ours = trap.own(trap.task.descriptor(source))
            fcntl.ioctl(own, 0x4020940D, pack("=q3Q", ours, *rest))
            start, stop = rest[2], rest[2] + rest[1] if rest[1] else os.fstat(own).st_size
        _grown(scene, inode, stop)
        scene.ledger.emit(*_read_back(inode, own, start=start, stop=stop))
        return 0

    return perform
