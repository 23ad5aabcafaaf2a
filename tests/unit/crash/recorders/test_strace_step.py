"""One call in its world: arguments that are there and that are not, and what a new inode gets."""

from __future__ import annotations

import os

from holdfast.crash.recorders.strace_parser import Finished
from holdfast.crash.recorders.strace_step import Step, new_node
from holdfast.crash.recorders.strace_world import Process, Surroundings
from holdfast.vfs.operations import ROOT, Node
from tests.support.strace_logs import ONE, Replayed


def step(*arguments: str) -> Step:
    """A call in the recorded folder, with umask 027."""
    world = Replayed("1 sync() = 0", ONE).world
    process = Process(1, {}, Surroundings(ROOT, 0o027))
    return Step(world, process, Finished(1, "fchmod", arguments, 0, None))


def test_arguments_that_are_not_there_are_nothing():
    """Calls with optional arguments are printed without them."""
    assert 0 == step("3").number(2)
    assert frozenset() == step("3").flags(2)
    assert 0o644 == step("3", "0644").number(1)


def test_new_inodes_have_numbers_of_their_own_and_the_umask():
    """Symlinks have all rights."""
    it = step()
    first, file = new_node(it, Node("file", 0o666), ROOT)
    second, symlink = new_node(it, Node("symlink", 0o777), ROOT)
    assert {6, 7} == {first, second}
    assert (0o640, os.geteuid()) == (file.mode, file.uid)
    assert 0o777 == symlink.mode


def test_a_folder_below_a_group_folder_is_one_too():
    """The set-group-id bit goes on to folders."""
    it = step()
    it.world.attributes[3] = (0o2755, 0, 77)
    _, folder = new_node(it, Node("folder", 0o777), 3)
    assert (0o2750, 77) == (folder.mode, folder.gid)
