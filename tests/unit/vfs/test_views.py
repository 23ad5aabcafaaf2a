"""The states of one moment."""

from __future__ import annotations

from random import Random

from holdfast.vfs.looks import Looks
from holdfast.vfs.moments import Settings, moments
from holdfast.vfs.operations import ROOT, Create, Link, Node, Operation, SyncFile, Tree, Write
from holdfast.vfs.picks import Library
from holdfast.vfs.views import View

TREE: Tree = {ROOT: Node("folder", entries=(("f", 2),)), 2: Node("file", data=b"old")}


def view_of(*operations: Operation, at: int | None = None) -> View:
    """The last moment."""
    *_, moment = moments(TREE, operations, Settings(at=at))
    library = Library(garbage=False)
    return View(library, Looks(moment.disk, library.shares), moment)


def trees(view: View, cost: int) -> list[bytes]:
    """What `f` holds in the states that lost so much."""
    return [found.tree()[2].data for found in view.dropping(cost) if found is not None]


def test_states_by_what_they_lost() -> None:
    """All survives first; at a moment by itself also what was possible before."""
    write = Write(2, 3, b"new")
    alone = view_of(write, at=1)
    assert [[b"oldnew"], [b"old\0\0\0", b"old"], []] == [trees(alone, n) for n in range(3)]
    both = view_of(Write(2, 0, b"O"), write)
    assert [b"\0"] != trees(both, 0)
    assert all(len(found) > 3 or found[:1] in b"Oo" for found in trees(both, 1))


def test_moment_after_a_sync_has_no_new_states() -> None:
    """A sync makes states impossible, and none possible."""
    assert view_of(Write(2, 0, b"new")).is_new
    assert not view_of(Write(2, 0, b"new"), SyncFile(2)).is_new


def test_sample_with_the_chance_one_has_lost_everything() -> None:
    """Names first, then what can still be reached."""
    view = view_of(Create(3, Node("file")), Link(ROOT, "n", 3), Write(3, 0, b"x"))
    found = view.sample(1.0, Random(1))
    assert {ROOT, 2} == set(found.tree())
    assert 1 == len(found.dropped)


def test_inside_is_said_of_a_part_of_the_last_operation() -> None:
    """Not if all of it is lost, nor if anything older is."""
    view = view_of(Write(2, 0, b"O"), Write(2, 3, b"new"))
    by_loss = [view.inside(found.dropped) for found in view.dropping(1) if found is not None]
    assert {None, 1} == set(by_loss)
    assert view.inside(()) is None
