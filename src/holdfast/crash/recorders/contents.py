"""Calls that change what a file holds: writes of all kinds, truncation, allocation, cloning."""

from __future__ import annotations

import fcntl
import mmap
import os
import stat
from ctypes import byref, c_int64
from struct import pack, unpack
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders import kernel
from holdfast.crash.recorders.arrivals import forget_sync, note_change
from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.filter import IOCTLS_COPYING, IOCTLS_REFUSED
from holdfast.crash.recorders.scene import Action
from holdfast.crash.recorders.tree import TREE_BYTES_MAX, read_at, too_large
from holdfast.crash.recorders.unsynced import Part, Synced
from holdfast.vfs.operations import SetAttributes, Truncate, Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.crash.recorders.scene import Scene
    from holdfast.crash.recorders.traps import Trap

__all__ = ["copy", "fallocate", "ioctl", "splice", "truncate", "write"]

_RWF_DSYNC, _RWF_SYNC, _RWF_APPEND, _RWF_NOAPPEND = 0x02, 0x04, 0x10, 0x20
_KEEP_SIZE, _PUNCH_HOLE, _COLLAPSE, _ZERO, _INSERT = 0x01, 0x02, 0x08, 0x10, 0x20
_UNSHARE: Final = 0x40
_HERE: Final = -1


def write(scene: Scene, trap: Trap) -> Action | None:
    """Any of the write family: to a recorded file, or to the stdout that acknowledges."""
    own = trap.descriptor(0)
    inode = scene.file(own)
    if inode is None:
        note_change(scene, own)
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
        written, offset = _carry_out(trap, own, data, flags=flags)
        part = Part(inode, offset, offset + written)
        _grown(scene, inode, part.stop)
        scene.ledger.emit(Write(inode, offset, data[:written]))
        _clear_special_mode(scene, inode, own)
        _sync_written(scene, part, flags=flags, extra=_extra(trap))
        return written

    text = f"{trap.name}({scene.label(inode)}, {len(data)} bytes)"

    def shortened(size: int) -> Action:
        return _write(scene, trap, (inode, own, data[:size]))

    return Action(text, perform, None, shortened)


def _sync_written(scene: Scene, part: Part, *, flags: int, extra: int = 0) -> None:
    """Write down what a synchronous write synced: what it wrote, and no more."""
    if flags & os.O_DSYNC or extra & (_RWF_DSYNC | _RWF_SYNC):
        full = flags & os.O_SYNC == os.O_SYNC or extra & _RWF_SYNC
        synced = Synced(part, "a synchronous write into", data_only=not full)
        scene.ledger.emit_synced(synced, scene.notes)


def _carry_out(trap: Trap, own: int, data: bytes, *, flags: int) -> tuple[int, int]:
    """Write; return how much, and where."""
    asked, extra = _offset(trap), _extra(trap)
    source = _placed(trap, data) if flags & os.O_DIRECT else data
    if asked == _HERE and not extra:
        written = os.write(own, source)
        return written, os.lseek(own, 0, os.SEEK_CUR) - written
    if trap.name == "pwritev2":
        written = os.pwritev(own, [source], asked, extra)
    else:
        written = os.pwrite(own, source, asked)
    if (flags & os.O_APPEND and not extra & _RWF_NOAPPEND) or extra & _RWF_APPEND:
        return written, os.fstat(own).st_size - written
    return written, os.lseek(own, 0, os.SEEK_CUR) - written if asked == _HERE else asked


def _placed(trap: Trap, data: bytes) -> memoryview:
    """Place bytes for O_DIRECT: as far from the start of a page as in the program's memory."""
    start = 0
    if trap.name in {"write", "pwrite64"}:
        start = trap.arguments[1] % mmap.PAGESIZE
    pages = memoryview(mmap.mmap(-1, start + len(data)))
    pages[start:] = data
    return pages[start:]


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
    by_descriptor = trap.name == "ftruncate"
    found = os.fstat(trap.descriptor(0)) if by_descriptor else trap.stat(0, follow=True)
    inode = scene.inode(found)
    if inode is None or not stat.S_ISREG(found.st_mode):
        forget_sync(scene, found)
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
        note_change(scene, own)
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
    own = trap.descriptor(2)
    inode = scene.file(own)
    if inode is None:
        note_change(scene, own)
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
        note_change(scene, own)
        return None

    def perform() -> int:
        copied, offset = _copy(scene, trap, own)
        if copied:
            part = Part(inode, offset, offset + copied)
            _grown(scene, inode, part.stop)
            scene.ledger.emit(*_read_back(own, part))
            _sync_written(scene, part, flags=fcntl.fcntl(own, fcntl.F_GETFL))
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


def _read_back(own: int, part: Part) -> list[Write]:
    """What a file holds now, as a write."""
    reading = os.open(f"/proc/self/fd/{own}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = read_at(reading, part.start, part.stop - part.start)
    finally:
        os.close(reading)
    return [Write(part.inode, part.start, data)] if data else []


def ioctl(scene: Scene, trap: Trap) -> Action | None:
    """Cloning another file.

    Raises:
        RecordingRefused: another request that changes a file; the files stand as they are.
        OSError: a bad descriptor.
    """
    own = trap.descriptor(0)
    request, inode = trap.value(1) & 0xFFFFFFFF, scene.inode(os.fstat(own))
    if inode is None:
        note_change(scene, own)
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
        scene.ledger.emit(*_read_back(own, Part(inode, start, stop)))
        return 0

    return perform
