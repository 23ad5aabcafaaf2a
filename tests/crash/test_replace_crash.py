"""A crash at every point of every operation: old or new, and durable after the return.

The last tests are the teeth: with a sync, rename or lock switched off the checks must fail.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.primitives.folders import open_folder
from holdfast.primitives.replace import replace_bytes, write_bytes
from holdfast.primitives.replacing import replacing
from holdfast.primitives.sweep import sweep
from holdfast.primitives.target import look
from holdfast.primitives.write_many import write_many
from holdfast.primitives.writer import open as hold_open
from holdfast.vfs.fault import Without
from holdfast.vfs.memory import MemoryVFS

OLD, NEW = b"old contents", b"the new contents, which are longer"
LARGE = b"x" * 10_000


def write(vfs) -> None:
    write_bytes("/a", NEW, vfs=vfs)


def write_large(vfs) -> None:
    write_bytes("/a", LARGE, vfs=vfs)


def write_with_attributes(vfs) -> None:
    write_bytes("/a", NEW, permissions=0o640, vfs=vfs)


def write_backup(vfs) -> None:
    write_bytes("/a", NEW, backup="b", vfs=vfs)


def write_in_new_folders(vfs) -> None:
    write_bytes("/x/y/c", NEW, vfs=vfs)


def write_in_open_folder(vfs) -> None:
    folder = open_folder("/", sync="always", vfs=vfs)
    replace_bytes(folder, "a", NEW, old=look(folder, "a"), vfs=vfs)
    folder.close()


def stream(vfs) -> None:
    with hold_open("/a", "wb", vfs=vfs) as file:
        for part in (NEW[:7], NEW[7:]):
            file.write(part)
            file.flush()


def create(vfs) -> None:
    with hold_open("/c", "xb", vfs=vfs) as file:
        file.write(NEW)


def many(vfs) -> None:
    write_many({"/a": NEW, "/c": NEW}, vfs=vfs)


def through_a_path(vfs) -> None:
    with replacing("/a", vfs=vfs) as path:
        folder = vfs.folder(str(path.parent))
        file = folder.open(path.name, "new")
        file.write(NEW)
        file.close()
        folder.close()


OPERATIONS: list[tuple[Callable[..., None], dict[str, set[bytes | None]]]] = [
    (write, {"a": {OLD, NEW}}),
    (write_large, {"a": {OLD, LARGE}}),
    (write_with_attributes, {"a": {OLD, NEW}}),
    (write_backup, {"a": {OLD, NEW}, "b": {OLD, b"older"}}),
    (write_in_new_folders, {"x/y/c": {None, NEW}}),
    (write_in_open_folder, {"a": {OLD, NEW}}),
    (stream, {"a": {OLD, NEW}}),
    (create, {"c": {None, NEW}}),
    (many, {"a": {OLD, NEW}, "c": {None, NEW}}),
    (through_a_path, {"a": {OLD, NEW}}),
]


def disk_for(operation, *, unnamed: bool) -> MemoryVFS:
    disk = MemoryVFS(unnamed_files=unnamed)
    tree = {"a": OLD, "b": b"older"} if operation is write_backup else {"a": OLD}
    disk.write_tree(tree)
    return disk


def check(operation, allowed, vfs, disk: MemoryVFS) -> int:
    """Run, then look at every state; return how many there were. Fails with what is wrong."""
    operation(vfs)
    disk.mark("returned")
    crashed = disk.crash_states()
    for state in crashed:
        tree = state.tree()
        returned = bool(state.crash_state and state.crash_state.marks)
        for name, values in allowed.items():
            assert tree.get(name) in values, f"torn: {name} holds {tree.get(name)!r}"
            if returned and name != "b":
                assert tree.get(name) in values - {OLD, None}, f"not durable: {name}"
        if returned and "b" in allowed:
            assert tree["b"] == OLD, "not durable: b"
        if "b" in allowed and tree["a"] == NEW:
            assert tree["b"] == OLD, "lost: the replaced contents are nowhere"
        sweep("/", recursive=True, vfs=state)
        left = [name for name in state.tree() if name.endswith(".holdfast-tmp")]
        assert [] == left, f"left: {left}"
    assert crashed.exhaustive
    return crashed.states


@pytest.mark.parametrize("unnamed", [True, False], ids=["unnamed", "named"])
@pytest.mark.parametrize(
    ("operation", "allowed"), OPERATIONS, ids=lambda v: getattr(v, "__name__", "")
)
def test_every_crash_state_is_old_or_new(operation, allowed, unnamed) -> None:
    """Whole at any moment, durable after the return, and what is left over is swept."""
    disk = disk_for(operation, unnamed=unnamed)

    assert 2 < check(operation, allowed, disk, disk)


def test_file_that_is_created_never_shows_a_part() -> None:
    """I6: in no state of a crash has the name an incomplete file."""
    disk = MemoryVFS()
    create(disk)
    seen = {state.tree().get("c") for state in disk.crash_states()}

    assert {None, NEW} == seen


@pytest.mark.parametrize(
    ("switched_off", "operation", "complaint"),
    [
        ("sync", write, "torn"),
        ("sync", stream, "torn"),
        ("sync", create, "torn"),
        ("sync", many, "torn"),
        ("sync_folder", write, "not durable"),
        ("sync_folder", create, "not durable"),
        ("sync_folder", many, "not durable"),
        ("sync_folder", write_in_new_folders, "not durable"),
        ("rename", write, "torn"),
        ("rename", write_large, "torn"),
        ("rename", many, "torn"),
    ],
)
def test_without_it_a_crash_state_breaks_the_promise(switched_off, operation, complaint) -> None:
    """Teeth: each sync, folder sync and rename is needed, and its absence is noticed by name."""
    disk = disk_for(operation, unnamed=False)
    allowed = dict(OPERATIONS)[operation]
    with pytest.raises(AssertionError, match=complaint):
        check(operation, allowed, Without(disk, switched_off), disk)


def test_without_the_lock_a_sweeper_takes_the_temp_of_the_living() -> None:
    """Teeth: the lock of the temp is what keeps a sweeper away."""
    disk = MemoryVFS()
    disk.write_tree({"a": OLD})
    with (
        pytest.raises(FileNotFoundError),
        hold_open("/a", "wb", vfs=Without(disk, "lock")) as file,
    ):
        file.write(NEW)
        assert 1 == len(sweep("/", vfs=disk))

    assert {"a": OLD} == disk.tree()


def test_without_the_sync_of_new_folders_the_file_is_lost() -> None:
    """Teeth: a folder made on the way that is not synced takes the file with it."""
    disk = MemoryVFS()
    open_folder("/x/y", sync="never", vfs=disk).close()
    write_bytes("/x/y/c", NEW, vfs=disk)

    assert {} in [state.tree() for state in disk.crash_states(at=len(disk.core.operations))]
