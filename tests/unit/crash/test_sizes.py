"""What a replay would have to hold, counted without making it."""

from __future__ import annotations

from holdfast.crash.recorders.tree import TREE_BYTES_MAX
from holdfast.crash.sizes import GROWN_PAGES_MAX, SIZE_MAX_BYTES, UNWRITTEN_MAX_BYTES, Sizes

PAGE = 4096


def test_what_a_recorder_takes_is_within_the_bounds() -> None:
    """One sparse file as large as a recorded folder may be, extended in one step."""
    sizes = Sizes([(2, 0)])

    assert sizes.truncate(2, TREE_BYTES_MAX) is None


def test_written_bytes_are_not_bounded_in_all() -> None:
    """A recording that holds them is as long itself: here 64 times 16 MiB."""
    sizes = Sizes([])
    for inode in range(64):
        sizes.make(inode, 0)
        assert sizes.write(inode, 0, 16 << 20) is None
    assert sizes.truncate(0, (16 << 20) + UNWRITTEN_MAX_BYTES) is None


def test_hole_before_written_bytes_counts() -> None:
    """One byte far out is as large as a file that is extended."""
    sizes = Sizes([(2, 10)])

    assert sizes.write(2, UNWRITTEN_MAX_BYTES, 1) is None
    assert "512 MiB at one time" in (sizes.write(2, UNWRITTEN_MAX_BYTES + 100, 1) or "")


def test_what_was_cut_away_is_free_again() -> None:
    """The bound is on what stands at one time."""
    sizes = Sizes([(2, 0), (3, 0)])

    assert sizes.truncate(2, UNWRITTEN_MAX_BYTES) is None
    assert sizes.truncate(2, 0) is None
    assert sizes.truncate(3, UNWRITTEN_MAX_BYTES) is None


def test_growing_again_and_again_is_bounded() -> None:
    """Each page is a micro-operation, also of a file that is cut right away."""
    sizes = Sizes([(2, 0)])
    for _ in range(GROWN_PAGES_MAX // 1000):
        assert sizes.truncate(2, 1000 * PAGE) is None
        assert sizes.truncate(2, 0) is None

    assert "524,288 pages" in (sizes.truncate(2, 1000 * PAGE) or "")


def test_file_has_a_bound_of_its_own() -> None:
    """Written or not; a negative size is none."""
    sizes = Sizes([(2, SIZE_MAX_BYTES)])

    assert sizes.write(2, SIZE_MAX_BYTES - 1, 1) is None
    assert "1024 MiB" in (sizes.write(2, SIZE_MAX_BYTES, 1) or "")
    assert sizes.truncate(2, SIZE_MAX_BYTES + 1)
    assert sizes.truncate(2, -1)
