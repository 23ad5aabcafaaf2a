"""Trees as paths: order, links, and names that are refused."""

from __future__ import annotations

import pytest

from holdfast.crash.explorer.failures import TreeRefused
from holdfast.crash.explorer.trees import paths_of
from holdfast.vfs.operations import ROOT, Node


def folder(**entries: int) -> Node:
    return Node("folder", 0o755, entries=tuple(entries.items()))


def test_folders_come_before_what_is_in_them() -> None:
    """The top is the empty path; nodes have no entries of their own."""
    paths = paths_of({ROOT: folder(a=2), 2: folder(b=3), 3: Node("file", data=b"x")})

    assert ["", "a", "a/b"] == list(paths)
    assert () == paths["a"].node.entries
    assert b"x" == paths["a/b"].node.data


def test_two_names_of_one_inode_share_their_first_path() -> None:
    """Links are told from copies."""
    paths = paths_of({ROOT: folder(a=2, b=2, c=3), 2: Node("file"), 3: Node("file")})

    assert ["a", "a", "c"] == [paths[name].first for name in "abc"]


def test_inode_numbers_do_not_matter() -> None:
    """Two trees that look the same are equal."""
    one = paths_of({ROOT: folder(a=2), 2: Node("file")})

    assert one == paths_of({ROOT: folder(a=77), 77: Node("file")})


def test_folder_with_two_names_is_there_twice() -> None:
    """The halves of a rename across folders may both survive."""
    paths = paths_of({ROOT: folder(a=2, b=2), 2: folder(c=3), 3: Node("file")})

    assert {"", "a", "b", "a/c", "b/c"} == set(paths)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0b"])
def test_name_that_leads_elsewhere_is_refused(name) -> None:
    """A recording is data: no path is made of such a name."""
    with pytest.raises(TreeRefused, match="not a name that a folder can hold"):
        paths_of({ROOT: Node("folder", entries=((name, 2),)), 2: Node("file")})


def test_loop_of_folders_is_refused() -> None:
    """It ends, and says so."""
    with pytest.raises(TreeRefused, match="folders in a loop"):
        paths_of({ROOT: folder(a=2), 2: folder(b=2, c=2)})
