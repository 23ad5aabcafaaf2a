"""Every public operation, every call in it, every errno: the promise holds and nothing is left."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Mapping
from pathlib import Path

import pytest

from holdfast.compat.atomicwrites import atomic_write
from holdfast.errors import CommittedNotDurable, PartlyCommitted
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.replace import replace_bytes, write_bytes, write_text
from holdfast.primitives.replacing import replacing
from holdfast.primitives.sweep import sweep
from holdfast.primitives.target import look
from holdfast.primitives.write_many import write_many
from holdfast.primitives.writer import open as hold_open
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Faulty, Stopped, each_fault
from holdfast.vfs.memory import MemoryVFS
from tests.conftest import open_below
from tests.support.leftovers import temporary

OLD, NEW = b"old contents", b"the new contents"
EFFECTS = (
    "EIO",
    "ENOSPC",
    "EACCES",
    "EPERM",
    "EBUSY",
    "ENOENT",
    "EINTR",
    "EMFILE",
    "EROFS",
    "short 1",
)
# A name whose own removal has failed is left to the sweeper; so is what `stop` leaves.
REMOVALS = {"unlink", "rmdir", "names", "stat", "folder", "lock"}


def write(vfs, top: str) -> None:
    write_bytes(f"{top}/a", NEW, vfs=vfs)


def write_with_backup(vfs, top: str) -> None:
    write_bytes(f"{top}/a", NEW, backup="b", vfs=vfs)


def write_permissions(vfs, top: str) -> None:
    write_text(f"{top}/a", NEW.decode(), permissions=0o640, vfs=vfs)


def write_never(vfs, top: str) -> None:
    write_bytes(f"{top}/a", NEW, sync="never", vfs=vfs)


def write_into_new_folders(vfs, top: str) -> None:
    write_bytes(f"{top}/x/y/a", NEW, vfs=vfs)


def write_through_symlink(vfs, top: str) -> None:
    write_bytes(f"{top}/link", NEW, vfs=vfs)


def replace_in_folder(vfs, top: str) -> None:
    folder = vfs.folder(top or "/")
    try:
        replace_bytes(folder, "a", NEW, old=look(folder, "a"), vfs=vfs)
    finally:
        close_quietly(folder)


def stream(vfs, top: str) -> None:
    with hold_open(f"{top}/a", "wb", vfs=vfs) as file:
        file.write(NEW[:5])
        file.flush()
        file.write(NEW[5:])


def stream_text(vfs, top: str) -> None:
    with hold_open(f"{top}/a", "w", vfs=vfs) as file:
        file.write(NEW.decode())


def create(vfs, top: str) -> None:
    with hold_open(f"{top}/c", "xb", vfs=vfs) as file:
        file.write(NEW)


def many(vfs, top: str) -> None:
    write_many({f"{top}/a": NEW, f"{top}/n/c": NEW, f"{top}/d": NEW.decode()}, vfs=vfs)


OPERATIONS = [
    write, write_with_backup, write_permissions, write_never, write_into_new_folders,
    write_through_symlink, replace_in_folder, stream, stream_text, create, many,
]  # fmt: skip


def attempt(operation, vfs, top: str) -> BaseException | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            operation(vfs, top)
        except (Exception, Stopped) as error:
            return error
    return None


def judge(tree: Mapping[str, object], error: BaseException | None, fault) -> None:
    """Old or new everywhere, and what the error says is what the disk holds."""
    files = {name: value for name, value in tree.items() if isinstance(value, bytes)}
    # A stat that says ENOENT of a symlink says that there is none.
    kept = {name: value for name, value in files.items() if not name.endswith(".holdfast-tmp")}
    allowed = {
        "a": {OLD, NEW},
        "b": {OLD},
        "x/y/a": {NEW},
        "c": {NEW},
        "n/c": {NEW},
        "d": {NEW},
    }
    if fault.effect == "ENOENT":
        allowed["link"] = {NEW}
    for name, value in kept.items():
        assert value in allowed[name], f"{fault}: {name} holds {value!r}"
    assert "a" in kept, f"{fault}: the file is missing"
    written = {name for name in kept if name != "b" and kept[name] == NEW}
    match error:
        case Stopped():
            return
        case None | CommittedNotDurable():
            assert written, f"{fault}: reported as written, and it is not"
        case PartlyCommitted():
            assert {Path(path).name for path in error.committed} == {Path(n).name for n in written}
        case _:
            assert not written, f"{fault}: reported as not written ({error!r}), and it is"
            assert getattr(error, "errno", None) is not None, f"{fault}: {error!r}"


@pytest.mark.parametrize("unnamed", [True, False], ids=["unnamed", "named"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda f: f.__name__)
def test_every_fault_leaves_old_or_new_and_nothing_else(operation, unnamed) -> None:
    """In memory: no temp, no lock, no descriptor, and the error tells the outcome."""
    tried = 0
    for fault in each_fault(*EFFECTS, "stop"):
        disk = MemoryVFS(unnamed_files=unnamed)
        disk.write_tree({"a": OLD, "link": "-> a"})
        vfs = Faulty(disk, fault)
        error = attempt(operation, vfs, "")
        tried += fault.fired
        judge(disk.tree(), error, fault)
        assert [] == disk.leftovers() or vfs.stopped, f"{fault}: {disk.leftovers()}"
        left = [n for n in disk.tree() if n.endswith(".holdfast-tmp")]
        if fault.effect == "stop" or struck_a_removal(error, fault, left):
            sweep("/", recursive=True, vfs=disk)
            left = [n for n in disk.tree() if n.endswith(".holdfast-tmp")]
        assert [] == left, f"{fault} in {operation.__name__}"

    assert tried > 5 * len(EFFECTS)


def struck_a_removal(error, fault, left) -> bool:
    """A fault that nobody saw, or that was noted, struck the removal of a temp itself."""
    notes = getattr(error, "__notes__", [])
    return bool(left) and (error is None or any("could not be removed" in n for n in notes))


@pytest.mark.parametrize("operation", [*OPERATIONS], ids=lambda f: f.__name__)
def test_every_fault_on_the_system(tmp_path, operation) -> None:
    """The same on a real filesystem, with fewer errnos."""
    for number, fault in enumerate(each_fault("ENOSPC", "short 1")):
        top = tmp_path / str(number)
        top.mkdir()
        (top / "a").write_bytes(OLD)
        (top / "link").symlink_to("a")
        error = attempt(operation, Faulty(SYSTEM, fault), str(top))
        tree = {
            str(path.relative_to(top)): path.read_bytes()
            for path in top.rglob("*")
            if path.is_file() and not path.is_symlink()
        }
        judge(tree, error, fault)
        del error
        gc.collect()
        assert [] == open_below(top), str(fault)
        if temporary(top):
            sweep(top, recursive=True)
        assert [] == temporary(top), str(fault)


def through_a_path(vfs, top: str) -> None:
    with replacing(f"{top}/a", vfs=vfs) as path:
        path.write_bytes(NEW)


def test_every_fault_in_the_path_form(tmp_path) -> None:
    """`replacing`: old or new, the private folder gone or swept, nothing open."""
    for number, fault in enumerate(each_fault("EIO", "stop")):
        top = tmp_path / str(number)
        top.mkdir()
        (top / "a").write_bytes(OLD)
        vfs = Faulty(SYSTEM, fault)
        error = attempt(through_a_path, vfs, str(top))
        judge({"a": (top / "a").read_bytes()}, error, fault)
        del error
        gc.collect()
        assert [] == open_below(top), str(fault)
        sweep(top)
        assert [] == temporary(top), str(fault)


def drop_in(top: Path) -> None:
    with atomic_write(top / "a", overwrite=True, mode="wb") as file:
        file.write(NEW)


def test_drop_in_writes(tmp_path) -> None:
    """The operation of the drop-in that the others are compared with does what it should."""
    (tmp_path / "a").write_bytes(OLD)
    drop_in(tmp_path)

    assert NEW == (tmp_path / "a").read_bytes()


def test_sweep_survives_every_fault() -> None:
    """A sweep skips what it cannot look at, and never takes more than it should."""
    for fault in each_fault(*EFFECTS, "stop"):
        disk = MemoryVFS()
        left = ".a.0123456789abcdef.holdfast-tmp"
        disk.write_tree(
            {
                "a": OLD,
                left: b"x",
                "n/a": OLD,
                f"n/{left}": b"x",
                f"p/{left}/{left}": b"",
            }
        )
        error = attempt(
            lambda vfs, top: sweep("/", recursive=True, vfs=vfs),
            Faulty(disk, fault),
            "",
        )
        assert error is None or isinstance(error, OSError | Stopped), f"{fault}: {error!r}"
        assert {"a": OLD, "n/a": OLD} == {k: v for k, v in disk.tree().items() if k[-1] == "a"}
        assert [] == disk.leftovers() or fault.effect == "stop", str(fault)
        sweep("/", recursive=True, vfs=disk)
        assert {"a": OLD, "n": None, "n/a": OLD, "p": None} == disk.tree(), str(fault)
