"""Rotation by size: names, numbers, and what is given up."""

from __future__ import annotations

import errno
from contextlib import closing

import pytest

from holdfast.primitives.line_log_rotation import SizeRotation, Watched
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace


def rotated(names: list[str], keep: int | None) -> dict[str, object]:
    """What is where after a rotation; each file holds the name that it had."""
    vfs = MemoryVFS()
    vfs.write_tree({name: name.encode() for name in names})
    with closing(vfs.folder("/")) as folder:
        SizeRotation(None, keep).rotate(folder, "a", Watched())
    tree = vfs.tree().items()
    return {name: value.decode() for name, value in tree if isinstance(value, bytes)}


@pytest.mark.parametrize(
    ("names", "keep", "expected"),
    [
        (["a"], None, {"a.1": "a"}),
        (["a", "a.1", "a.2"], None, {"a.1": "a", "a.2": "a.1", "a.3": "a.2"}),
        (["a", "a.1", "a.2"], 2, {"a.1": "a", "a.2": "a.1"}),
        (["a", "a.1"], 1, {"a.1": "a"}),
        (["a", "a.1", "a.3"], None, {"a.1": "a", "a.2": "a.1", "a.3": "a.3"}),
        (["a", "a.2"], 5, {"a.1": "a", "a.2": "a.2"}),
        (["a", "a.1", "a.2", "a.3", "a.4"], 2, {"a.1": "a", "a.2": "a.1"}),
        (["a", "a.1", "a.20261123"], 1, {"a.1": "a", "a.20261123": "a.20261123"}),
    ],
)
def test_files_move_up_to_the_first_free_number(names, keep, expected) -> None:
    """I1, I3: what is beyond `keep` goes, and a date is no number."""
    assert expected == rotated(names, keep)


def test_each_rename_comes_after_a_sync() -> None:
    """I2: of two changes of names that no sync parts, a crash may keep the second alone."""
    vfs = MemoryVFS()
    vfs.write_tree({"a": b"", "a.1": b"", "a.2": b""})
    trace = Trace(vfs)
    with closing(trace.folder("/")) as folder:
        SizeRotation(None, None).rotate(folder, "a", Watched())
    calls = [call.operation for call in trace.calls if call.operation in {"rename", "sync_folder"}]

    assert ["sync_folder", "rename"] * 3 == calls


def test_log_is_due_when_it_would_grow_too_large() -> None:
    """An empty one never is, and without a limit none."""
    rotation = SizeRotation(100, None)

    assert not rotation.is_due(90, 10)
    assert rotation.is_due(90, 11)
    assert not rotation.is_due(0, 1000)
    assert not SizeRotation(None, None).is_due(10**9, 1)


def test_failed_sync_is_remembered() -> None:
    """The first one; another error is none of a sync."""
    vfs = MemoryVFS()
    vfs.write_tree({"a": b"", "a.1": b""})
    watched = Watched()
    with (
        closing(Faulty(vfs, Fault("sync_folder", 2, effect="EIO")).folder("/")) as folder,
        pytest.raises(OSError),
    ):
        SizeRotation(None, None).rotate(folder, "a", watched)

    assert watched.failed is not None
    assert errno.EIO == watched.failed.errno
    assert {"a", "a.2"} == set(vfs.tree())
    with pytest.raises(OSError), Watched() as nothing:
        assert nothing is None
        raise OSError
