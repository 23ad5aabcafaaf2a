"""The registry, first part: operations on whole files, locks and leftovers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from typing import Any

import holdfast
from holdfast.primitives import temp
from holdfast.primitives.folders import open_folder
from holdfast.primitives.replace import replace_bytes
from holdfast.primitives.target import look
from holdfast.vfs import VFS
from holdfast.vfs.fault import Fault, Faulty
from tests.crash.places import TEMPORARY, Place
from tests.crash.promises import MODE, Operation, Values

OLD, NEW = b"old contents " * 24, b"the new contents " * 36
OTHER = b"of somebody else"
LARGE = b"large contents, " * 640
BEFORE = {"a": OLD, "other": OTHER}
REPLACED: dict[str, Values] = {"a": (OLD, NEW)}
MADE: dict[str, Values] = {"c": (None, NEW)}
ATTRIBUTES = {"user.note": b"kept"}
TOKEN = "0123456789abcdef"


def whole(
    name: str, run: Callable[[Place], object], files: dict[str, Values] = REPLACED, **more: object
) -> Operation:
    """An operation on files, with the usual tree before it."""
    return Operation(name, run, files, **{"before": BEFORE, **more})  # type: ignore[arg-type]


def write(at: Place, name: str = "a", data: bytes = NEW, **options: object) -> None:
    holdfast.write_bytes(at.path(name), data, vfs=at.vfs, **options)  # type: ignore[arg-type]


def write_text(at: Place) -> None:
    holdfast.write_text(at.path("a"), NEW.decode(), vfs=at.vfs)


def without_links(at: Place) -> Place:
    """The same place on a filesystem that has no hard links."""
    return at._replace(vfs=Faulty(at.vfs, Fault("link", 1, effect="EPERM", repeat=True)))


def write_in_open_folder(at: Place) -> None:
    with closing(open_folder(at.top, sync="always", vfs=at.vfs)) as folder:
        replace_bytes(folder, "a", NEW, old=look(folder, "a"), vfs=at.vfs)


def stream(at: Place, name: str = "a", mode: str = "wb", backup: str | None = None) -> None:
    with holdfast.open(at.path(name), mode, backup=backup, vfs=at.vfs) as file:  # type: ignore[call-overload]
        for part in (NEW[:77], NEW[77:]):
            file.write(part if "b" in mode else part.decode())
            file.flush()


def create(at: Place, mode: str = "xb") -> None:
    with suppress(FileExistsError):
        stream(at, "c", mode)


def by_a_tool(vfs: VFS, path: str) -> None:
    """A tool that was given a path writes there."""
    above, _, name = path.rpartition("/")
    with closing(vfs.folder(above)) as folder, closing(folder.open(name, "create")) as file:
        temp.write_all(file, NEW)


def through_a_path(at: Place, name: str = "a", backup: str | None = None) -> None:
    with holdfast.replacing(at.path(name), backup=backup, vfs=at.vfs) as path:
        by_a_tool(at.vfs, str(path))


def many(at: Place) -> None:
    files = {at.path("a"): NEW, at.path("c"): NEW, at.path("n/c"): NEW.decode()}
    holdfast.write_many(files, vfs=at.vfs)


def under_a_lock(at: Place, timeout_s: float | None = None) -> None:
    with closing(holdfast.FileLock(at.path("a.lock"), vfs=at.vfs)) as lock:
        lock.acquire(timeout_s=timeout_s)
        write(at)
        lock.release()


def sweep(at: Place) -> None:
    holdfast.sweep(at.path(), recursive=True, vfs=at.vfs)


# The twins for asyncio.


def in_a_loop(function: Callable[[Place], object]) -> Callable[[Place], None]:
    """Run a coroutine function in an event loop of its own."""

    def run(at: Place) -> None:
        asyncio.run(function(at))  # type: ignore[arg-type]

    return run


async def astream(at: Place, name: str = "a", mode: str = "wb") -> None:
    with suppress(FileExistsError):
        async with holdfast.aopen(at.path(name), mode, vfs=at.vfs) as file:  # type: ignore[call-overload]
            await file.write(NEW)


async def athrough_a_path(at: Place) -> None:
    async with holdfast.areplacing(at.path("a"), vfs=at.vfs) as path:
        by_a_tool(at.vfs, str(path))


async def aunder_a_lock(at: Place) -> None:
    with closing(holdfast.FileLock(at.path("a.lock"), vfs=at.vfs)) as lock:
        async with lock:
            await holdfast.awrite_bytes(at.path("a"), NEW, vfs=at.vfs)


# What more than the contents must hold.


def give_attributes(at: Place, *, name: str = "a") -> None:
    """Something that the new contents must keep."""
    at.give(name, mode=MODE, xattrs=ATTRIBUTES)


def attributes_kept(at: Place, returned: bool, *, names: tuple[str, ...] = ("a",)) -> None:
    """Whoever replaced it, the file has the mode and the attributes that it had."""
    for name in names:
        if name in at.tree():
            assert MODE == at.mode(name), f"attributes: {name} has mode {at.mode(name):o}"
            assert ATTRIBUTES == at.xattrs(name), f"attributes: {name} has {at.xattrs(name)}"


def each_its_own(at: Place, returned: bool) -> None:
    """One file of a batch has attributes, the other has none."""
    attributes_kept(at, returned)
    assert {} == at.xattrs("b"), f"attributes: b has {at.xattrs('b')}"


def two(at: Place) -> None:
    holdfast.write_many({at.path("a"): NEW, at.path("b"): NEW}, vfs=at.vfs)


def backup_holds(at: Place, returned: bool, *, name: str = "b") -> None:
    """What was replaced is under the second name as soon as the new contents are in place."""
    tree = at.tree()
    assert tree["a"] == OLD or tree.get(name) == OLD, "lost: what was replaced is nowhere"


BACKED_UP: dict[str, Values] = {"a": (OLD, NEW), "b": (None, OLD)}
BACKUP: dict[str, Any] = {"also": backup_holds, "again": {"b": (OLD, NEW)}}
LEFT = {
    f".a.{TOKEN}{TEMPORARY}": b"half of it",
    f".a.{TOKEN}-0{TEMPORARY}": b"of a batch",
    f".write-many.{TOKEN}{TEMPORARY}": b"",
    f"n/.c.{TOKEN}{TEMPORARY}/.c.{TOKEN}{TEMPORARY}": b"",
    f"n/.c.{TOKEN}{TEMPORARY}/c": b"made by a tool",
}
SWEPT: dict[str, Any] = {"before": {**BEFORE, "n/c": OTHER, **LEFT}}
MANY: dict[str, Values] = {"a": (OLD, NEW), "c": (None, NEW), "n/c": (None, NEW)}
LOCKED: dict[str, Any] = {"beside": ("a.lock",)}
KEPT: dict[str, Any] = {"prepare": give_attributes, "also": attributes_kept}

OPERATIONS = (
    whole("write_bytes", write),
    whole("write_bytes, new file", partial(write, name="c"), MADE),
    whole("write_bytes, 10 KiB", partial(write, data=LARGE), {"a": (OLD, LARGE)}),
    whole("write_bytes, new folders", partial(write, name="x/y/c"), {"x/y/c": (None, NEW)}),
    whole(
        "write_bytes, through a symlink",
        partial(write, name="link"),
        {"d/a": (OLD, NEW)},
        before={"d/a": OLD, "link": "-> d/a", "other": OTHER},
    ),
    whole("write_bytes, mode and attributes", write, **KEPT),
    whole("write_bytes, permissions", partial(write, permissions=0o640), mode=0o640),
    whole("write_bytes, backup", partial(write, backup="b"), BACKED_UP, **BACKUP),
    whole(
        "write_bytes, backup over a backup",
        partial(write, backup="b"),
        {"a": (OLD, NEW), "b": (OTHER, OLD)},
        before={"a": OLD, "b": OTHER},
        **BACKUP,
    ),
    whole(
        "write_bytes, backup by copy",
        lambda at: write(without_links(at), backup="b"),
        BACKED_UP,
        prepare=give_attributes,
        also=lambda at, returned: (
            backup_holds(at, returned),
            attributes_kept(at, returned, names=("a", "b")),
        ),
        again=BACKUP["again"],
    ),
    whole('write_bytes, sync="never"', partial(write, sync="never"), model="prefix"),
    whole("write_text", write_text),
    whole("replace_bytes in an open folder", write_in_open_folder),
    whole("open w", partial(stream, mode="w")),
    whole("open wb", stream),
    whole("open wb, new file", partial(stream, name="c"), MADE),
    whole("open wb, backup", partial(stream, backup="b"), BACKED_UP, **BACKUP),
    whole("open wb, mode and attributes", stream, **KEPT),
    whole("open x", partial(create, mode="x"), MADE),
    whole("open xb", create, MADE),
    whole("replacing", through_a_path),
    whole("replacing, new file", partial(through_a_path, name="c"), MADE),
    whole("replacing, backup", partial(through_a_path, backup="b"), BACKED_UP, **BACKUP),
    whole("replacing, mode and attributes", through_a_path, **KEPT),
    whole("write_many", many, MANY),
    whole(
        "write_many, mode and attributes",
        two,
        {"a": (OLD, NEW), "b": (OLD, NEW)},
        before={"a": OLD, "b": OLD},
        prepare=give_attributes,
        also=each_its_own,
    ),
    whole("sweep", sweep, {"a": (OLD,)}, **SWEPT),
    whole("FileLock", under_a_lock, **LOCKED),
    whole("FileLock, with a time limit", partial(under_a_lock, timeout_s=5), **LOCKED),
    whole(
        "awrite_bytes",
        in_a_loop(lambda at: holdfast.awrite_bytes(at.path("a"), NEW, vfs=at.vfs)),
    ),
    whole(
        "awrite_text",
        in_a_loop(lambda at: holdfast.awrite_text(at.path("a"), NEW.decode(), vfs=at.vfs)),
    ),
    whole(
        "awrite_many",
        in_a_loop(
            lambda at: holdfast.awrite_many({at.path("a"): NEW, at.path("c"): NEW}, vfs=at.vfs)
        ),
        {"a": (OLD, NEW), "c": (None, NEW)},
    ),
    whole("aopen wb", in_a_loop(astream)),
    whole("aopen xb", in_a_loop(partial(astream, name="c", mode="xb")), MADE),
    whole("areplacing", in_a_loop(athrough_a_path)),
    whole(
        "asweep",
        in_a_loop(lambda at: holdfast.asweep(at.path(), recursive=True, vfs=at.vfs)),
        {"a": (OLD,)},
        **SWEPT,
    ),
    whole("FileLock, asyncio", in_a_loop(aunder_a_lock), **LOCKED),
)
