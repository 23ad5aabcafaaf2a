"""Calls of a log that open files, and that change what is in them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.marks import mark_in
from holdfast.crash.recorders.strace_parser import (
    descriptor_of,
    flags_of,
    number_of,
    text_of,
    vectors_of,
)
from holdfast.crash.recorders.strace_step import Effect, new_node
from holdfast.crash.recorders.strace_world import OpenFile
from holdfast.crash.recorders.unsynced import Part, Synced
from holdfast.vfs.operations import Create, Link, Node, Truncate, Write

if TYPE_CHECKING:
    from holdfast.crash.recorders.strace_parser import Descriptor
    from holdfast.crash.recorders.strace_step import Step
    from holdfast.vfs.operations import Operation

__all__ = [
    "copy",
    "data_of",
    "fallocate",
    "open_file",
    "read",
    "seek",
    "truncate",
    "write",
]

_SHOWN: Final = (
    *("O_WRONLY", "O_RDWR", "O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND", "O_DSYNC", "O_SYNC"),
    "O_TMPFILE",
)
_FALLOC: Final = {
    "FALLOC_FL_KEEP_SIZE": 0x01,
    "FALLOC_FL_PUNCH_HOLE": 0x02,
    "FALLOC_FL_COLLAPSE_RANGE": 0x08,
    "FALLOC_FL_ZERO_RANGE": 0x10,
    "FALLOC_FL_INSERT_RANGE": 0x20,
    "FALLOC_FL_UNSHARE_RANGE": 0x40,
}
_MOVING: Final = frozenset({"FALLOC_FL_COLLAPSE_RANGE", "FALLOC_FL_INSERT_RANGE"})
_ZEROING: Final = frozenset({"FALLOC_FL_PUNCH_HOLE", "FALLOC_FL_ZERO_RANGE"})
_SET_ID: Final = 0o6000
_GROUP_EXECUTE: Final = 0o010


def open_file(step: Step) -> Effect | None:
    """`open` and its kin: a new name, a file without one, a file that is cut to nothing."""
    call = step.call
    at = 1 if call.name in {"openat", "openat2"} else 0
    mark = mark_in(text_of(call.arguments[at]))
    if mark is not None:
        return Effect(f"ack({mark.text!r})", (mark,), (mark,), is_meant_to_fail=True)
    if call.error:
        return None
    flags, mode = _how(step, at + 1)
    opened = descriptor_of(f"{call.result}{call.rest.strip()}")
    step.process.files.pop(opened.number, None)
    if "O_PATH" in flags:
        return None
    if "O_TMPFILE" in flags:
        return _open_unnamed(step, opened, (flags, mode))
    inode = _inode_of(step, opened, at)
    if inode is None:
        return _create(step, opened, (flags, mode)) if "O_CREAT" in flags else None
    step.process.files[opened.number] = OpenFile(inode, flags)
    if step.world.ledger.kinds[inode] != "file" or not flags & {"O_CREAT", "O_TRUNC"}:
        return None
    operations = (Truncate(inode, 0),) if "O_TRUNC" in flags else ()
    return Effect(f"{call.name}({step.label(inode)}, {_shown(flags)})", operations)


def _how(step: Step, at: int) -> tuple[frozenset[str], int]:
    if step.call.name == "creat":
        return frozenset({"O_CREAT", "O_TRUNC", "O_WRONLY"}), step.number(1)
    if step.call.name == "openat2":
        fields = step.call.arguments[at].strip("{}").split(", ")
        how: dict[str, str] = {}
        for field in fields:
            word, _, value = field.partition("=")
            how[word] = value
        return flags_of(how["flags"]), number_of(how.get("mode", "0"))
    return step.flags(at), step.number(at + 1)


def _inode_of(step: Step, opened: Descriptor, at: int) -> int | None:
    world = step.world
    spot = step.find(at, follow=True).spot if opened.is_deleted else world.spot_of(opened.path)
    return spot if isinstance(spot, int) else None


def _create(step: Step, opened: Descriptor, how: tuple[frozenset[str], int]) -> Effect | None:
    place = step.world.place_of(opened.path)
    if place is None:
        return None
    inode, node = new_node(step, Node("file", how[1]), place.folder)
    step.process.files[opened.number] = OpenFile(inode, how[0])
    label = repr(step.world.ledger.entry_path(*place))
    operations = (Create(inode, node), Link(place.folder, place.name, inode))
    return Effect(f"{step.call.name}({label}, {_shown(how[0])})", operations)


def _open_unnamed(step: Step, opened: Descriptor, how: tuple[frozenset[str], int]) -> Effect | None:
    folder = step.world.spot_of(os.path.dirname(opened.path))
    if not isinstance(folder, int):
        return None
    inode, node = new_node(step, Node("file", how[1]), folder)
    step.process.files[opened.number] = OpenFile(inode, how[0])
    text = f"{step.call.name}({step.label(folder)}, {_shown(how[0])})"
    return Effect(text, (Create(inode, node),))


def _shown(flags: frozenset[str]) -> str:
    return "|".join(name for name in _SHOWN if name in flags) or "O_RDONLY"


def read(step: Step) -> None:
    """`read` moves the descriptor on."""
    file = step.file(0)
    if file and not step.call.error:
        file.position += step.call.result


def seek(step: Step) -> None:
    """`lseek` moves the descriptor."""
    file = step.file(0)
    if file and not step.call.error:
        file.position = step.call.result


def write(step: Step) -> Effect | None:
    """Any of the write family to a recorded file."""
    file = step.regular(0)
    if file is None:
        return None
    data = data_of(step)
    text = f"{step.call.name}({step.label(file.inode)}, {len(data)} bytes)"
    if not data or step.call.error:
        return Effect(text) if data else None
    return _written(step, file, (text, data[: step.call.result]))


def data_of(step: Step) -> bytes:
    """What a call of the write family was given to write."""
    single = step.call.name in {"write", "pwrite64"}
    return (text_of if single else vectors_of)(step.call.arguments[1])


def _written(step: Step, file: OpenFile, what: tuple[str, bytes]) -> Effect:
    text, data = what
    here = step.call.name in {"write", "writev"} or step.number(3) == -1
    flags = step.flags(4)
    offset = file.position if here else step.number(3)
    if (file.appends and "RWF_NOAPPEND" not in flags) or "RWF_APPEND" in flags:
        offset = len(step.world.contents[file.inode])
    if here:
        file.position = offset + len(data)
    _refuse_set_id(step, file.inode)
    write = Write(file.inode, offset, data)
    return Effect(text, (write,), synced=_synced(file, write, flags=flags))


def _synced(file: OpenFile, write: Write, *, flags: frozenset[str]) -> Synced | None:
    """What a synchronous write synced: what it wrote, and no more."""
    if file.sync is None and not flags & {"RWF_DSYNC", "RWF_SYNC"}:
        return None
    part = Part(write.inode, write.offset, write.offset + len(write.data))
    data_only = file.sync != "full" and "RWF_SYNC" not in flags
    return Synced(part, "a synchronous write into", data_only)


def _refuse_set_id(step: Step, inode: int) -> None:
    """A write takes these bits away, or not, by rights that the log does not tell."""
    mode = step.world.attributes[inode][0]
    if mode & _SET_ID and (mode & _SET_ID != 0o2000 or mode & _GROUP_EXECUTE):
        raise step.refused(inode, "a set-id program was written to")


def truncate(step: Step) -> Effect | None:
    """`truncate` and `ftruncate`."""
    if step.call.name == "ftruncate":
        file = step.regular(0)
        inode = file.inode if file else None
    else:
        spot = step.find(0, follow=True).spot
        inode = spot if isinstance(spot, int) else None
    if inode is None:
        return None
    size = step.number(1)
    return Effect(f"{step.call.name}({step.label(inode)}, {size})", (Truncate(inode, size),))


def fallocate(step: Step) -> Effect | None:
    """Room made, zeroed, or given back."""
    file = step.regular(0)
    if file is None:
        return None
    mode, offset, length = step.flags(1), step.number(2), step.number(3)
    if mode & _MOVING:
        raise step.refused(file.inode, "fallocate moved what is in the file")
    size = len(step.world.contents[file.inode])
    operations: list[Operation] = []
    zeros = min(offset + length, size) - offset
    if mode & _ZEROING and zeros > 0:
        operations.append(Write(file.inode, offset, bytes(zeros)))
    if offset + length > size and "FALLOC_FL_KEEP_SIZE" not in mode:
        operations.append(Truncate(file.inode, offset + length))
    shown = sum(_FALLOC.get(name, 0) for name in mode)
    text = f"fallocate({step.label(file.inode)}, {shown:#x}, {offset}, {length})"
    return Effect(text, tuple(operations))


def copy(step: Step) -> Effect | None:
    """`sendfile`, `copy_file_range` and `splice` into a recorded file, or out of one."""
    name, count = step.call.name, step.call.result
    to, source = (0, 1) if name == "sendfile" else (2, 0)
    offsets = {0: "NULL", 1: step.call.arguments[2]} if name == "sendfile" else {}
    offsets = offsets or {2: step.call.arguments[3], 0: step.call.arguments[1]}
    read_from = step.file(source)
    start = _moved(read_from, offsets[source], count)
    file = step.regular(to)
    if file is None:
        return None
    text = f"{name}(to {step.label(file.inode)})"
    if count <= 0:
        return Effect(text)
    if name == "splice":
        raise step.refused(file.inode, "splice put bytes into the file")
    offset = _moved(file, offsets[to], count)
    if file.appends:
        offset = len(step.world.contents[file.inode])
    data = _copied(step, read_from, (source, start, count))
    write = Write(file.inode, offset, data)
    return Effect(text, (write,), synced=_synced(file, write, flags=frozenset()))


def _moved(file: OpenFile | None, given: str, count: int) -> int:
    """Where the copying began; a descriptor without an offset of its own is moved on."""
    if given != "NULL":
        return number_of(given.strip("[]").partition("]")[0].strip())
    start = file.position if file else 0
    if file:
        file.position += max(count, 0)
    return start


def _copied(step: Step, file: OpenFile | None, part: tuple[int, int, int]) -> bytes:
    source, start, count = part
    if file is not None:
        return bytes(step.world.contents[file.inode][start : start + count])
    raise RecordingRefused(
        f"{os.fsdecode(step.descriptor(source).path)}: was copied by {step.call.name} from outside "
        "of the recorded folder, and strace does not tell what was in it. The files stand. "
        "Use the seccomp recorder, or record the folder above both."
    )
