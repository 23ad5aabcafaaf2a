"""Steps: the system calls do on a disk what the operations do in the model."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.disks.random_operations import random_steps
from holdfast.crash.disks.steps import Names, operations_of, perform, prepare, start_tree, without
from holdfast.crash.disks.trees import canonical, read_tree
from holdfast.vfs.membership import could_be
from holdfast.vfs.operations import SyncAll


@pytest.fixture
def folder(tmp_path) -> str:
    os.chmod(tmp_path, 0o755)
    prepare(str(tmp_path))
    return str(tmp_path)


def test_start_on_disk_is_the_start_of_the_model(folder) -> None:
    """Both are the same tree."""
    assert canonical(read_tree(folder)) == canonical(start_tree())


@pytest.mark.parametrize("seed", range(25))
def test_calls_and_operations_agree(folder, seed) -> None:
    """After a sequence and a sync of everything, the one tree of the model is that on disk."""
    steps = random_steps(seed, length=20)
    for step in steps:
        perform(step, folder)
    operations, _ = operations_of(steps)
    operations.append(SyncAll())

    assert could_be(start_tree(), operations, read_tree(folder), at=len(operations), model="posix")


def test_steps_count_their_operations() -> None:
    """A created file is two operations, a write-back none."""
    names = Names()
    steps = [names.step("create", "x"), names.step("writeback", "x"), names.step("unlink", "x")]

    assert [0, 2, 2, 3] == operations_of(steps)[1]


@pytest.mark.parametrize(
    "call",
    [
        ("create", "a"),
        ("create", "nowhere/x"),
        ("write", "x", 0, b""),
        ("rename", "a", "d"),
        ("rename", "a", "a"),
        ("rename", "a", "nowhere/a"),
        ("exchange", "a", "a"),
        ("link", "a", "b"),
        ("mkdir", "d"),
        ("rmdir", "d"),
        ("syncfs", "a"),
        ("writeback", "d"),
    ],
)
def test_impossible_step_is_refused_and_changes_nothing(call) -> None:
    """The names are as they were."""
    names = Names()
    before = dict(names.files), dict(names.folders)
    with pytest.raises(KeyError):
        names.step(*call)

    assert before == (names.files, names.folders)


def test_step_can_be_left_out_unless_another_needs_it() -> None:
    """What is left makes sense by itself, with inode numbers of its own."""
    names = Names()
    steps = (names.step("create", "x"), names.step("create", "y"), names.step("unlink", "x"))

    assert without(steps, 0) is None
    fewer = without(steps, 2)
    assert fewer is not None
    assert ["create('x')", "create('y')"] == list(map(str, fewer))


def test_step_reads_as_a_call() -> None:
    """Long data are told by length and first byte."""
    assert "write('a', 4096, 3 x 'z')" == str(Names().step("write", "a", 4096, b"zzz"))
