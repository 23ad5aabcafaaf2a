"""Identities and heads as bytes: what is encoded is decoded, and nothing else is."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import BadFrame, ChecksumMismatch, UnknownFormat
from holdfast.formats import journal_format
from holdfast.formats.journal_format import (
    MAX_NUMBER,
    CheckpointHead,
    Identity,
    checkpoint_name,
    decode_head,
    decode_identity,
    encode_head,
    encode_identity,
    sequence_of,
)

IDENTITY = Identity(0x1122334455667788, "store", "json", 1_700_000_000_000_000_000)
HEAD = CheckpointHead(IDENTITY.id, 9, 4712, 4800, 99_000, 0xDEADBEEF, 1_700_000_000_000_000_000)
U64 = st.integers(0, MAX_NUMBER)
FROM_1 = st.integers(1, MAX_NUMBER)

BLOCKS = {
    "identity": (encode_identity(IDENTITY), decode_identity),
    "head": (encode_head(HEAD), decode_head),
}


@pytest.fixture(params=BLOCKS)
def kind(request):
    """A block of each kind, and what decodes it."""
    return BLOCKS[request.param]


def changed(block: bytes, at: int, value: bytes) -> bytes:
    """A block with other bytes at some place, and the right checksum."""
    block = block[:at] + value + block[at + len(value) : 508]
    return block + crc32(block).to_bytes(4, "little")


@given(
    FROM_1,
    st.text(st.characters(min_codepoint=1, max_codepoint=127), min_size=1, max_size=31),
    st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=15),
    U64,
)
def test_identity_is_read_as_written(number, whose, codec, created_ns) -> None:
    """Every possible one comes back."""
    identity = Identity(number, whose, codec, created_ns)
    block = encode_identity(identity)
    assert identity == decode_identity(block, path="x")
    assert 512 == len(block)


@given(FROM_1, FROM_1, st.tuples(U64, U64), U64, st.integers(0, 2**32 - 1), U64)
def test_head_is_read_as_written(number, generation, span, size, crc, created_ns) -> None:
    """Every possible one comes back."""
    head = CheckpointHead(number, generation, min(span), max(span), size, crc, created_ns)
    block = encode_head(head)
    assert head == decode_head(block, path="x")
    assert 512 == len(block)


@pytest.mark.parametrize("at", range(512))
def test_every_bit_counts(kind, at) -> None:
    """A changed bit is damage, wherever it is; in the magic, the file is none of ours."""
    block, decode = kind
    for bit in range(8):
        bad = block[:at] + bytes([block[at] ^ 1 << bit]) + block[at + 1 :]
        with pytest.raises(BadFrame if at < 8 else ChecksumMismatch) as caught:
            decode(bad, path="a.jrn/x")
        assert ("a.jrn/x", 0) == (caught.value.path, caught.value.offset)


@pytest.mark.parametrize("size", [0, 1, 511])
def test_short_block_is_a_bad_frame(kind, size) -> None:
    """A file shorter than that is told with its size."""
    block, decode = kind
    with pytest.raises(BadFrame, match=f"only {size} of the 512 bytes") as caught:
        decode(block[:size], path="s")
    assert size == caught.value.found


def test_one_is_not_taken_for_the_other() -> None:
    """An identity is no checkpoint, nor the other way round."""
    with pytest.raises(BadFrame, match="does not begin"):
        decode_head(BLOCKS["identity"][0], path="s")
    with pytest.raises(BadFrame, match="does not begin"):
        decode_identity(BLOCKS["head"][0], path="s")


@pytest.mark.parametrize(
    ("at", "value"),
    [(8, b"\2"), (10, b"\2"), (12, b"\1"), (15, b"\x80"), (128, b"\1"), (507, b"\1")],
)
def test_later_format_is_refused(kind, at, value) -> None:
    """A version, checksum, flag or field that is not known is no damage: a newer program reads."""
    block, decode = kind
    with pytest.raises(UnknownFormat, match="newer holdfast"):
        decode(changed(block, at, value), path="s")


@pytest.mark.parametrize("at", [60, 63, 72])
def test_reserved_fields_of_a_head_are_of_a_later_format(at) -> None:
    """Between the fields, and right behind them."""
    with pytest.raises(UnknownFormat):
        decode_head(changed(BLOCKS["head"][0], at, b"\1"), path="s")


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (16, bytes(8)),  # id 0
        (32, b"\0"),  # no kind
        (32, b"\x20"),  # a kind that is longer than its field
        (32, b"\4"),  # a kind that ends before its bytes do
        (32, b"\6"),  # or after
        (33, b"\xc3"),  # not ASCII
        (64, b"\x40"),
        (64, b"\3"),
        (64, b"\5"),
        (65, b"\xff"),  # not UTF-8
    ],
)
def test_impossible_identity_is_a_bad_frame(at, value) -> None:
    """One with a right checksum that says what cannot be is refused."""
    with pytest.raises(BadFrame, match="cannot be"):
        decode_identity(changed(BLOCKS["identity"][0], at, value), path="s")


@pytest.mark.parametrize(
    ("at", "value"),
    [(16, bytes(8)), (24, bytes(8)), (40, (4711).to_bytes(8, "little"))],
)
def test_impossible_head_is_a_bad_frame(at, value) -> None:
    """No journal, no generation, or a state that has no trace of its own commits."""
    with pytest.raises(BadFrame, match="cannot be"):
        decode_head(changed(BLOCKS["head"][0], at, value), path="s")


@pytest.mark.parametrize(
    "fields",
    [
        dict(id=0),
        dict(id=MAX_NUMBER + 1),
        dict(kind=""),
        dict(kind="k" * 32),
        dict(kind="größe"),
        dict(kind="a\0b"),
        dict(codec="c" * 64),
        dict(codec="é" * 32),
        dict(codec="a\0"),
        dict(codec="\ud800"),
    ],
)
def test_identity_that_cannot_be_read_is_not_written(fields) -> None:
    """What would not be valid is refused before there is a file."""
    with pytest.raises(ValueError, match=r"kind|identity|codec"):
        encode_identity(IDENTITY._replace(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        dict(journal=0),
        dict(generation=0),
        dict(generation=MAX_NUMBER + 1),
        dict(through=4711),
        dict(sequence=MAX_NUMBER + 1, through=MAX_NUMBER + 1),
    ],
)
def test_head_that_cannot_be_read_is_not_written(fields) -> None:
    """The same for heads."""
    with pytest.raises(ValueError, match="cannot say"):
        encode_head(HEAD._replace(**fields))


@pytest.mark.parametrize("sequence", [0, 1, 4712, MAX_NUMBER])
def test_name_states_the_sequence(sequence) -> None:
    """It has 20 digits, so that names sort as sequences do."""
    name = checkpoint_name(sequence)
    assert 31 == len(name)
    assert sequence == sequence_of(name)


@pytest.mark.parametrize(
    "name",
    [
        *("journal", "log", *journal_format.SLOTS, "", ".checkpoint", "1.checkpoint"),
        "99999999999999999999.checkpoint",
        "00000000000000000001",
        "00000000000000000001.segment",
        "00000000000000000001.checkpoint.checkpoint",
        "+0000000000000000001.checkpoint",
        "0000000000000000000\u0661.checkpoint",
        ".00000000000000000001.checkpoint.8c1f0a92d4b7e653.holdfast-tmp",
    ],
)
def test_other_names_are_no_checkpoints(name) -> None:
    """Only what `checkpoint_name` makes is taken for one."""
    assert sequence_of(name) is None
