"""Journals of patches as bytes: what is encoded is decoded, and nothing else is."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import BadFrame, ChecksumMismatch, UnknownFormat
from holdfast.formats.patch_format import (
    BLOCK_BYTES,
    EMPTY,
    ENTRY_BYTES,
    HEAD_BYTES,
    MAX_BLOCKS,
    MAX_SIZE_BYTES,
    Block,
    Head,
    decode_head,
    encode,
    entries_of,
    is_journal,
    likeness,
    whole_blocks,
)

OLD = bytes(range(250)) * 20
"""A file of 5,000 bytes: a whole block, and a last one of 904."""
HEAD = Head(0x1122334455667788, 1_700_000_000_000_000_000, 0, len(OLD), len(OLD), 2)
U64 = st.integers(0, (1 << 64) - 1)


def block(offset: int, *, new: bytes | None = None) -> Block:
    """The block that begins there, with some of its bytes changed."""
    old = OLD[offset : offset + BLOCK_BYTES]
    return Block(offset, b"new" + old[3:] if new is None else new, old)


BLOCKS = [block(0), block(BLOCK_BYTES)]
JOURNAL = encode(HEAD, BLOCKS)


def changed(data: bytes, at: int, value: bytes) -> bytes:
    """A head with other bytes at some place, and the right checksum."""
    data = data[:at] + value + data[at + len(value) : 508]
    return data + crc32(data).to_bytes(4, "little")


def blocks_of(head: Head, journal: bytes) -> list[Block]:
    """The whole blocks of a journal."""
    return whole_blocks(head, journal[HEAD_BYTES:], path="p")


@given(U64, U64, U64, st.integers(1, 3), st.integers(0, 5000))
def test_head_is_read_as_written(number, created_ns, boot, blocks, more) -> None:
    """Every possible one comes back."""
    size = blocks * BLOCK_BYTES
    head = Head(number, created_ns, boot, size, size + more, blocks)
    zeros = bytes(BLOCK_BYTES)
    some = [Block(at * BLOCK_BYTES, zeros, zeros) for at in range(blocks)]

    assert head == decode_head(encode(head, some)[:HEAD_BYTES], path="p")


def test_blocks_are_read_as_written() -> None:
    """All of them, the last one as long as the file goes; what follows has no meaning."""
    assert BLOCKS == blocks_of(HEAD, JOURNAL)
    assert BLOCKS == blocks_of(HEAD, JOURNAL + b"left of a longer one")
    assert [0, BLOCK_BYTES] == [*entries_of(JOURNAL[HEAD_BYTES:][: 2 * ENTRY_BYTES])]
    assert HEAD_BYTES + 2 * ENTRY_BYTES + 2 * len(OLD) == len(JOURNAL)


@pytest.mark.parametrize(
    "empty",
    [EMPTY, EMPTY[:8] + JOURNAL[8:512], EMPTY[:1] + JOURNAL[1:512], b"\x89" + EMPTY[1:]],
)
def test_head_that_came_half_is_no_patch(empty) -> None:
    """One without its first byte, or with nothing behind the magic."""
    assert decode_head(empty, path="p") is None


@pytest.mark.parametrize("at", range(HEAD_BYTES))
def test_every_bit_of_the_head_counts(at) -> None:
    """A changed bit is damage, wherever it is; in the magic, the file is none of ours."""
    head = JOURNAL[:HEAD_BYTES]
    for bit in range(8):
        bad = head[:at] + bytes([head[at] ^ 1 << bit]) + head[at + 1 :]
        if bad[0] == 0:
            continue
        with pytest.raises(BadFrame if at < 8 else ChecksumMismatch) as caught:
            decode_head(bad, path="disk.journal")
        assert ("disk.journal", 0) == (caught.value.path, caught.value.offset)


@pytest.mark.parametrize("at", range(HEAD_BYTES, len(JOURNAL), 7))
def test_every_byte_of_the_body_counts(at) -> None:
    """A block whose entry or image is another is not whole; the other one is."""
    bad = JOURNAL[:at] + bytes([JOURNAL[at] ^ 0x10]) + JOURNAL[at + 1 :]

    assert 1 == len(blocks_of(HEAD, bad))


@pytest.mark.parametrize("size", [0, 1, 15, 16, 32, 33, 32 + 8191, 32 + 8192, 32 + 9999])
def test_cut_body_is_torn(size) -> None:
    """As many blocks are whole as all their bytes are there."""
    assert (size >= 32 + 2 * BLOCK_BYTES) == len(blocks_of(HEAD, JOURNAL[: HEAD_BYTES + size]))


def test_blocks_of_another_patch_do_not_count() -> None:
    """What an earlier patch has left behind the head has the checksums of another id."""
    earlier = encode(HEAD._replace(id=HEAD.id + 1), BLOCKS)

    assert [] == blocks_of(HEAD, JOURNAL[:HEAD_BYTES] + earlier[HEAD_BYTES:])


@pytest.mark.parametrize("size", [0, 1, 7, 9, 100, 511])
def test_short_file_is_no_journal(size) -> None:
    """One that begins as a journal and ends before its head does."""
    with pytest.raises(BadFrame, match="and is none"):
        decode_head(JOURNAL[:size], path="p")


def test_foreign_file_is_no_journal() -> None:
    """Something else of that name is told apart, and recognised as none."""
    for other in (b"my diary".ljust(HEAD_BYTES), bytes(HEAD_BYTES)):
        with pytest.raises(BadFrame, match="Move it elsewhere"):
            decode_head(other, path="p")
        assert not is_journal(other)
    assert is_journal(JOURNAL)
    assert is_journal(EMPTY)


@pytest.mark.parametrize(
    ("at", "value"),
    [(8, b"\2"), (10, b"\2"), (12, b"\1"), (15, b"\x80"), (60, b"\1"), (64, b"\1"), (507, b"\1")],
)
def test_later_format_is_refused(at, value) -> None:
    """A version, checksum, flag or field that is not known is no damage: a newer program reads."""
    with pytest.raises(UnknownFormat, match="newer holdfast"):
        decode_head(changed(JOURNAL[:HEAD_BYTES], at, value), path="p")


def number(value: int, size: int = 8) -> bytes:
    """As it stands in a head."""
    return value.to_bytes(size, "little")


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (56, number(0, 4)),  # no blocks
        (56, number(MAX_BLOCKS + 1, 4)),
        (56, number(3, 4)),  # more than fit into the file
        (40, number(5001)),  # it shrinks
        (48, number(4999)),
        (48, number(MAX_SIZE_BYTES + 1)),
    ],
)
def test_impossible_head_is_a_bad_frame(at, value) -> None:
    """One with a right checksum that says what cannot be is refused."""
    with pytest.raises(BadFrame, match="cannot be"):
        decode_head(changed(JOURNAL[:HEAD_BYTES], at, value), path="p")


@pytest.mark.parametrize(
    "head",
    [
        HEAD._replace(blocks=1),
        HEAD._replace(blocks=3),
        HEAD._replace(old_size=5001),
        HEAD._replace(new_size=MAX_SIZE_BYTES + 1),
    ],
)
def test_journal_that_cannot_be_read_is_not_written(head) -> None:
    """What would not be valid is refused before there is a file."""
    with pytest.raises(ValueError, match="cannot say"):
        encode(head, BLOCKS)


@pytest.mark.parametrize("offsets", [(4096, 0), (4096, 4096), (0, 100)])
def test_blocks_out_of_order_are_a_bad_frame(offsets) -> None:
    """Their checksums fit, and they cannot be those of one patch."""
    head = HEAD._replace(old_size=8192, new_size=8192)
    blocks = [Block(at, bytes(BLOCK_BYTES), bytes(BLOCK_BYTES)) for at in offsets]
    with pytest.raises(BadFrame, match="cannot be"):
        blocks_of(head, encode(head, blocks))


def test_block_beyond_the_end_does_not_count() -> None:
    """An image of no bytes, or fewer, is none."""
    far = Block(2 * BLOCK_BYTES, b"", b"")

    assert [BLOCKS[0]] == blocks_of(HEAD, encode(HEAD, [BLOCKS[0], far]))


def grown(old_size: int, new_size: int, *offsets: int) -> list[Block]:
    """Read back a patch that grows a file by these blocks."""
    head = Head(1, 0, 0, old_size, new_size, len(offsets))
    blocks = [
        Block(at, bytes(min(4096, new_size - at)), bytes(min(4096, max(0, old_size - at))))
        for at in offsets
    ]
    return blocks_of(head, encode(head, blocks))


@pytest.mark.parametrize(
    ("old_size", "new_size", "offsets"),
    [(5000, 6000, [4096]), (8192, 8193, [8192]), (0, 5000, [0, 4096]), (9000, 9001, [0, 8192])],
)
def test_growth_has_all_blocks_from_the_old_end_on(old_size, new_size, offsets) -> None:
    """The block of the old end, and all behind it."""
    assert offsets == [found.offset for found in grown(old_size, new_size, *offsets)]


@pytest.mark.parametrize(
    ("old_size", "new_size", "offsets"),
    [(5000, 6000, [0]), (5000, 9000, [8192]), (5000, 9000, [4096]), (0, 9000, [0, 8192])],
)
def test_growth_with_a_gap_is_a_bad_frame(old_size, new_size, offsets) -> None:
    """A journal cannot make a file of any size out of a few blocks."""
    with pytest.raises(BadFrame, match="cannot be"):
        grown(old_size, new_size, *offsets)


def test_torn_growth_is_torn() -> None:
    """Where blocks are missing because the journal came half, nothing is said of the others."""
    head = Head(1, 0, 0, 5000, 9000, 2)
    blocks = [Block(4096, bytes(4096), bytes(904)), Block(8192, bytes(808), b"")]

    assert blocks[:1] == blocks_of(head, encode(head, blocks)[:-1])


# ---------------------------------------------------------------- old, new, or neither


def test_old_and_new_are_told_apart() -> None:
    """As it was, as it is to be, and any mixture of bytes; anything else is foreign."""
    this = block(0, new=b"n" * BLOCK_BYTES)

    assert (False, False) == likeness(this, this.old)
    assert (True, False) == likeness(this, this.new)
    assert (True, False) == likeness(this, this.old[:700] + this.new[700:])
    assert (False, True) == likeness(this, this.old[:-1] + b"?")
    assert (True, True) == likeness(this, b"n" * 9 + b"?" + this.old[10:])


def test_byte_that_stays_tells_nothing() -> None:
    """One that is the same before and after counts for neither; another there is foreign."""
    this = block(0, new=OLD[: BLOCK_BYTES - 1] + b"!")

    assert (False, False) == likeness(this, this.old)
    assert (True, False) == likeness(this, this.new)
    assert (True, True) == likeness(this, b"?" + this.new[1:])


@pytest.mark.parametrize("rest", [b"", bytes(96), b"?" * 3000])
def test_what_lies_behind_the_old_end_tells_nothing(rest) -> None:
    """A crash may leave anything there; before the end it counts."""
    old = OLD[BLOCK_BYTES:]
    this = Block(BLOCK_BYTES, b"n" * 2000, old)

    assert (False, False) == likeness(this, old + rest)
    assert (True, False) == likeness(this, b"n" * 904 + rest)
    assert likeness(this, old[:-1] + b"?" + rest).foreign


def test_file_that_was_cut_is_foreign() -> None:
    """Bytes that are missing are neither old nor new."""
    assert likeness(block(0), OLD[: BLOCK_BYTES - 1]).foreign
    assert likeness(block(0), b"").foreign


def test_new_block_tells_nothing() -> None:
    """A block that the file did not have compares with nothing."""
    assert (False, False) == likeness(Block(8192, b"n" * 9, b""), b"garbage")
