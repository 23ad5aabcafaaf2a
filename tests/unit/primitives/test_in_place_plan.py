"""What a patch changes: the blocks as they are and become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.patch_format import BLOCK_BYTES, Head
from holdfast.primitives.in_place_plan import Piece, check_span, pieces_of, plan

HEAD = Head(1, 2, 3, 0, 0, 0)
OLD = bytes(range(250)) * 40


def planned(*changes: tuple[int, bytes], old: bytes = OLD):
    """The plan of these changes."""

    def read(start: int) -> bytes:
        return old[start : start + BLOCK_BYTES]

    return plan(pieces_of(changes), size=len(old), read=read, head=HEAD)


def test_pieces_are_in_the_order_of_the_file() -> None:
    """Without empty ones; they may touch."""
    assert [Piece(0, b"a"), Piece(1, b"bc"), Piece(9, b"d")] == pieces_of(
        [(9, b"d"), (0, b"a"), (4, b""), (1, b"bc")]
    )


def test_head_says_what_the_patch_does() -> None:
    """Id, time and boot are kept; sizes and the number of blocks are filled in."""
    assert HEAD._replace(old_size=10_000, new_size=10_001, blocks=2) == (
        planned((10_000, b"x"), (0, b"y")).head
    )


def test_block_holds_what_it_was_and_what_it_becomes() -> None:
    """Of each block that is touched, and of no other."""
    found = planned((8190, b"abcd")).blocks

    assert [4096, 8192] == [block.offset for block in found]
    assert OLD[4096:8190] + b"ab" == found[0].new
    assert b"cd" + OLD[8194:] == found[1].new
    assert [OLD[4096:8192], OLD[8192:]] == [block.old for block in found]


def test_growth_fills_the_blocks_between() -> None:
    """From the old end on, no byte is left out."""
    found = planned((9_990, b"x" * 10_000)).blocks

    assert [8192, 12_288, 16_384] == [block.offset for block in found]
    assert [1808, 0, 0] == [len(block.old) for block in found]
    assert [4096, 4096, 19_990 - 16_384] == [len(block.new) for block in found]


CHANGES = st.lists(
    st.tuples(st.integers(0, 9_999), st.binary(min_size=1, max_size=5000)), max_size=5
)


@given(CHANGES)
def test_blocks_are_what_the_changes_make(changes) -> None:
    """The same as changing all bytes one after another, wherever they lie."""
    try:
        pieces_of(changes)
    except ValueError:
        return
    made = bytearray(OLD)
    for offset, data in sorted(changes):
        made[offset : offset + len(data)] = data
    if not changes:
        return
    found = bytearray(OLD)
    for block in planned(*changes).blocks:
        assert OLD[block.offset : block.offset + BLOCK_BYTES] == block.old
        found[block.offset : block.offset + BLOCK_BYTES] = block.new
    assert made == found


@pytest.mark.parametrize(("offset", "size"), [(-1, 0), (0, -1), (1 << 63, 0), (1, (1 << 63) - 1)])
def test_span_that_no_file_has_is_refused(offset, size) -> None:
    """Negative, or beyond what a file can have."""
    with pytest.raises(ValueError, match="no file has these"):
        check_span(offset, size)


def test_last_byte_of_the_largest_file_is_a_span() -> None:
    """The bound itself is no mistake."""
    check_span((1 << 63) - 2, 1)
