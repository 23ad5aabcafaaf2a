"""What is wrong with the files of a log is told with its place, and what to do."""

from __future__ import annotations

import errno

import pytest

from holdfast.errors import Corruption
from holdfast.primitives.log_errors import (
    closed,
    cut_short,
    damaged,
    exhausted,
    gone,
    poisoned,
    refuse_stranger,
)
from holdfast.primitives.log_hint import Tail
from holdfast.primitives.log_segment import open_segment
from holdfast.vfs.memory import MemoryVFS
from tests.support.log_bytes import Segment, as_folder


@pytest.fixture
def disk() -> MemoryVFS:
    """Two segments that fit."""
    first = Segment().append(b"a", b"b")
    disk = MemoryVFS()
    disk.write_tree(as_folder([first, Segment(3, after=first).append(b"c")]))
    return disk


def test_damage_is_told_with_path_offset_and_proof() -> None:
    """Path first, what is on disk now, what to do."""
    error = damaged("/l/s", 560, "a bit changed")
    assert str(error).startswith("/l/s: damaged at offset 560: a bit changed. Nothing was changed")
    assert "holdfast repair" in str(error)
    assert ("/l/s", 560) == (error.path, error.offset)


def test_lost_segment_is_told_by_its_name(disk) -> None:
    """And what to do if it was a backup that was put back."""
    error = gone(disk.folder("/log"), 9)
    assert "/log/00000000000000000009.segment" == error.path
    assert str(error).startswith(f"{error.path}: ")
    assert "remove the file `lock`" in str(error)


def test_cut_segment_is_told_with_what_was_durable(disk) -> None:
    """What was expected and what is there."""
    segment = open_segment(disk.folder("/log"), 3, "read")
    error = cut_short(segment, Tail(512, 2, 512, 0), 3)
    assert (segment.path, 512, 3, 2) == (error.path, error.offset, error.expected, error.found)
    assert "records up to 3 were durable, and it ends after 2" in str(error)


def test_segment_that_follows_is_let_pass(disk) -> None:
    """Its header names the one before, by sequence and salt."""
    folder = disk.folder("/log")
    refuse_stranger(open_segment(folder, 3, "read"), open_segment(folder, 1, "read"))


@pytest.mark.parametrize("other", [Segment(2).append(b"b"), Segment(salt=1).append(b"a", b"b")])
def test_segment_that_follows_another_one_is_refused(disk, other) -> None:
    """One between them is missing, or its place was taken."""
    disk.write_tree({f"other/{other.name}": bytes(other.data)})
    segment = open_segment(disk.folder("/log"), 3, "read")
    with pytest.raises(Corruption, match="missing or replaced") as caught:
        refuse_stranger(segment, open_segment(disk.folder("/other"), other.first, "read"))
    assert (segment.path, 1) == (caught.value.path, caught.value.expected)


def test_handle_from_before_a_failed_sync_is_told_the_first_error() -> None:
    """And how far the log was durable."""
    first = OSError(5, "bad")
    error = poisoned("/l", first, 7)
    assert ("/l", first, 7) == (error.path, error.first, error.durable)
    assert "Records up to 7 were durable" in str(error)
    assert "open it anew" in str(error)


def test_closed_handle_is_told_what_to_do() -> None:
    """Path first."""
    assert "/l: is closed. What it acknowledged is on disk. Open it anew." == str(closed("/l"))


def test_end_of_all_sequences_is_an_error_of_the_system() -> None:
    """With a note; no other number would do."""
    error = exhausted("/l", 2**64 - 2)
    assert (errno.EOVERFLOW, "/l") == (error.errno, error.filename)
    assert "Nothing was appended" in error.__notes__[0]
