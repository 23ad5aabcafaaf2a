"""States on disk: replaced if they are ours, left alone if they are not."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.explorer.keep import keep_state, try_folder
from holdfast.crash.explorer.trees import paths_of
from tests.support import recordings

PATHS = paths_of(recordings.STATE)


@pytest.mark.parametrize("name", [".", "new", "new/below"])
def test_folder_that_can_keep_is_left_as_it_is(name, tmp_path) -> None:
    """It is tried, also above where it will be made, and nothing stays."""
    try_folder(str(tmp_path / name))

    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize("name", ["file", "file/below", "loop"])
def test_what_stands_in_the_way_of_keeping_is_told(name, tmp_path) -> None:
    """A file, or a link that leads nowhere."""
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FileExistsError, match="is no folder") as caught:
        try_folder(str(tmp_path / name))

    assert str(tmp_path / name.partition("/")[0]) == caught.value.filename


def test_folder_in_which_nothing_can_be_made_is_told() -> None:
    """Such as one of the kernel's."""
    with pytest.raises(OSError) as caught:
        try_folder("/proc/self/new")

    assert "/proc/self" == caught.value.filename


def test_state_and_text_are_kept(tmp_path) -> None:
    """In a folder that is made, with nothing else in it."""
    kept = keep_state(str(tmp_path / "new"), "abcd", PATHS, text="why")

    assert str(tmp_path / "new" / "abcd") == kept
    assert recordings.OLD == (tmp_path / "new" / "abcd" / "state").read_bytes()
    assert ["abcd", "abcd.txt"] == sorted(os.listdir(tmp_path / "new"))


def test_state_of_an_earlier_run_is_replaced(tmp_path) -> None:
    """Whatever was done to it since."""
    keep_state(str(tmp_path), "abcd", PATHS, text="why")
    (tmp_path / "abcd" / "more").write_bytes(b"x")
    keep_state(str(tmp_path), "abcd", PATHS, text="why not")

    assert ["state"] == os.listdir(tmp_path / "abcd")
    assert "why not" == (tmp_path / "abcd.txt").read_text()


def test_folder_of_somebody_else_is_left_alone(tmp_path) -> None:
    """A name that is taken, without a text of ours beside it."""
    (tmp_path / "abcd").mkdir()
    (tmp_path / "abcd" / "precious").write_bytes(b"x")

    with pytest.raises(FileExistsError, match="left alone"):
        keep_state(str(tmp_path), "abcd", PATHS, text="why")
    assert b"x" == (tmp_path / "abcd" / "precious").read_bytes()
