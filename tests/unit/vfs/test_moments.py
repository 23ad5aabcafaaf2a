"""The moments of a crash."""

from __future__ import annotations

import pytest

from holdfast.vfs.moments import Settings, moments
from holdfast.vfs.operations import ROOT, Mark, Node, Operation, SyncFailed, Tree, Write

TREE: Tree = {ROOT: Node("folder", entries=(("f", 2),)), 2: Node("file", data=b"old")}
OPERATIONS: list[Operation] = [Write(2, 0, b"a"), Mark("x"), Write(2, 0, b"b")]


def test_moments_are_all_or_one() -> None:
    """There is one before the first operation, and one behind each."""
    assert [0, 1, 2, 3] == [moment.at for moment in moments(TREE, OPERATIONS, Settings())]
    one = moments(TREE, OPERATIONS, Settings(at=2))
    assert [(2, ("x",))] == [(moment.at, moment.marks) for moment in one]


@pytest.mark.parametrize("model", ["posix", "linux", "prefix"])
def test_everything_that_was_done_is_there_now(model) -> None:
    """At each moment the disk as it is now is what a reader sees then."""
    found = [m.disk.node(2).data for m in moments(TREE, OPERATIONS, Settings(model=model))]
    assert [b"old", b"ald", b"ald", b"bld"] == found


def test_kill_may_come_inside_a_write() -> None:
    """Each page boundary is a moment inside the write, and says so."""
    found = [
        (moment.at, moment.inside, len(moment.disk.node(2).data))
        for moment in moments(TREE, [Write(2, 100, b"x" * 8192)], Settings(model="prefix"))
    ]
    assert [(0, None, 3), (1, 0, 4096), (1, 0, 8192), (1, None, 8292)] == found


def test_kill_loses_nothing_that_a_sync_failed_on() -> None:
    """The page cache of the living system still has it."""
    operations = [Write(2, 0, b"a"), SyncFailed(2)]
    last = list(moments(TREE, operations, Settings(model="prefix")))[-1]
    assert 0 == last.disk.loose


def test_new_states_need_a_mark_or_a_change() -> None:
    """A moment after a mark is new as a whole, others in what they changed."""
    assert [True, False, True, False] == [m.anew for m in moments(TREE, OPERATIONS, Settings())]


@pytest.mark.parametrize(
    "settings",
    [Settings(block_bytes=1000), Settings(block_bytes=0), Settings(block_bytes=8192)],
)
def test_blocks_that_do_not_divide_a_page_are_refused(settings) -> None:
    """What survives as one piece divides a page."""
    with pytest.raises(ValueError, match="must divide 4096"):
        settings.check()


def test_model_that_does_not_exist_is_refused() -> None:
    """A wrong name is not taken for the default."""
    with pytest.raises(ValueError, match="no model 'ext4'"):
        Settings(model="ext4").check()  # type: ignore[arg-type]
