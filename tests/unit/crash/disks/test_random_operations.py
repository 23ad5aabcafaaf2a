"""Random sequences."""

from __future__ import annotations

from holdfast.crash.disks.random_operations import random_steps
from holdfast.crash.disks.steps import operations_of, start_tree
from holdfast.vfs.model import Disk


def test_same_seed_gives_the_same_sequence() -> None:
    """And another seed another one."""
    assert random_steps(7) == random_steps(7)
    assert random_steps(7) != random_steps(8)


def test_sequence_is_as_long_as_asked_for() -> None:
    """However often a draw is impossible."""
    assert {15} == {len(random_steps(seed, length=15)) for seed in range(50)}


def test_every_kind_of_call_is_drawn() -> None:
    """None is so unlikely that a run would miss it."""
    calls = {step.call for seed in range(60) for step in random_steps(seed)}

    assert {
        "chmod", "create", "exchange", "fdatasync", "fsync", "link", "mkdir", "rename", "rmdir",
        "setxattr", "syncfs", "truncate", "unlink", "write", "writeback",
    } == calls  # fmt: skip


def test_blocks_are_often_overwritten_before_a_sync() -> None:
    """In every second sequence, some block has writes that survive only in their order."""
    assert 50 < sum(_has_chains(seed) for seed in range(100))


def _has_chains(seed: int) -> bool:
    disk, found = Disk(start_tree(), model="linux"), False
    for at, operation in enumerate(operations_of(random_steps(seed))[0]):
        disk.apply(operation, at)
        found = found or any(disk.chains(group) for group in disk.groups())
    return found
