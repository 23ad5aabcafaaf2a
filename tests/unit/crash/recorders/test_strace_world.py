"""Paths and descriptors of a log: symlinks, `..`, other folders, and files that lost their name."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.recorders.strace_world import Found, OpenFile, Place, Process, Surroundings
from holdfast.vfs.operations import ROOT
from tests.support.strace_logs import ONE, Replayed


@pytest.fixture
def world():
    """`a`, `d/b`, and the symlink `s` to `d`."""
    return Replayed("1 sync() = 0", ONE).world


@pytest.fixture
def process():
    """One that stands in the recorded folder and has `a` open as 7."""
    return Process(1, {7: OpenFile(2, frozenset({"O_RDWR"}))}, Surroundings(ROOT, 0o022))


@pytest.mark.parametrize(
    ("path", "follow", "found"),
    [
        (b"a", True, Found(Place(ROOT, "a"), 2)),
        (b"/r/a", True, Found(Place(ROOT, "a"), 2)),
        (b"new", True, Found(Place(ROOT, "new"), None)),
        (b"s", False, Found(Place(ROOT, "s"), 4)),
        (b"s", True, Found(Place(ROOT, "d"), 3)),
        (b"s/b", False, Found(Place(3, "b"), 5)),
        (b"d/../a", True, Found(Place(ROOT, "a"), 2)),
        (b"./d//b/", True, Found(Place(3, "b"), 5)),
        (b"../r/d/b", True, Found(Place(3, "b"), 5)),
        (b"..", True, Found(None, b"/")),
        (b"missing/b", True, Found(None, None)),
        (b"/rr/a", True, Found(None, b"/rr/a")),
        (b"/proc/self/fd/7", True, Found(None, 2)),
        (b"", True, Found(None, ROOT)),
    ],
)
def test_a_path_leads_where_the_kernel_would_go(world, process, path, follow, found):
    """Relative and absolute, through symlinks and out of the folder and in again."""
    assert found == world.find(process, path, None, follow=follow)


def test_i2_a_symlink_outside_leads_in(tmp_path, process):
    """Symlinks outside of the recorded folder are the system's to tell."""
    (tmp_path / "way").symlink_to("/r")
    world = Replayed("1 sync() = 0", ONE).world
    path = os.fsencode(tmp_path / "way" / "d" / "b")
    assert Found(Place(3, "b"), 5) == world.find(process, path, None, follow=True)


def test_links_that_lead_in_a_circle_end(world, process):
    """A symlink to itself is followed no further than the kernel would."""
    world.targets[4] = b"s"
    assert Found(None, None) == world.find(process, b"s/b", None, follow=True)


def test_i1_a_descriptor_is_what_was_opened():
    """Renamed, replaced and unlinked: the bytes go to the inode that was opened."""
    log = """
        1 openat(AT_FDCWD</r>, "a", O_RDWR) = 3</r/a>
        1 rename("a", "c") = 0
        1 write(3</r/c>, "x", 1) = 1
        1 rename("d/b", "c") = 0
        1 write(3</r/c>(deleted), "y", 1) = 1
    """
    assert [2, 2] == [o.inode for o in Replayed(log, ONE).operations if hasattr(o, "data")]


def test_threads_share_and_processes_inherit():
    """Files are shared by threads and copied by forks, positions are common to both."""
    process = Process(1, {3: OpenFile(2, frozenset())}, Surroundings(ROOT, 0o022))
    thread = process.child(2, frozenset({"CLONE_FILES", "CLONE_FS", "CLONE_THREAD"}))
    fork = process.child(4, frozenset())
    assert (1, 4) == (thread.leader, fork.leader)
    assert thread.files is process.files
    assert thread.around is process.around
    assert fork.files is not process.files
    assert fork.around is not process.around
    assert fork.files[3] is process.files[3]
