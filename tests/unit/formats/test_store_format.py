"""Entries of a store and bodies of checkpoints as bytes: what is encoded is decoded, no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import BadFrame
from holdfast.formats import store_format
from holdfast.formats.store_format import (
    MAX_KEY_BYTES,
    MAX_VALUE_BYTES,
    decode_blocks,
    decode_changes,
    encode_block,
    encode_changes,
    framed,
    key_bytes,
    split_changes,
)

KEYS = st.text(st.characters(codec="utf-8"), max_size=8)
CHANGES = st.dictionaries(KEYS, st.none() | st.binary(max_size=20), min_size=1, max_size=40)
ONE = encode_changes([("é", b"12")])
THREE = encode_changes([("a", b"1"), ("bé", None), ("c", b"")])


def decoded(data: bytes) -> list[tuple[str, bytes | None]]:
    return decode_changes(data, where="x.jrn")


@given(CHANGES)
def test_changes_are_read_as_written(changes) -> None:
    """Every set of changes comes back, in order, and as columns."""
    data = encode_changes(list(changes.items()))
    keys, values, deleted = split_changes(data, where="x")

    assert list(changes.items()) == decoded(data)
    assert {k: v for k, v in changes.items() if v is not None} == dict(
        zip(keys, values, strict=True)
    )
    assert [k for k, v in changes.items() if v is None] == deleted


def test_layout_is_that_of_the_page() -> None:
    """Head, table, keys, values."""
    head = b"\x01\0\0\0" + (3).to_bytes(4, "little")
    rows = [1, 1, 3, 0xFFFF_FFFF, 1, 0]
    table = b"".join(number.to_bytes(4, "little") for number in rows)

    assert head + table + "abéc".encode() + b"1" == THREE
    assert b"\x01\0\0\0\x01\0\0\0\x02\0\0\0\x02\0\0\0" + "é".encode() + b"12" == ONE


@pytest.mark.parametrize("entry", [ONE, THREE, encode_changes([("k", None)])])
def test_cut_or_longer_entry_is_a_bad_frame(entry) -> None:
    """Sizes that do not add up to the bytes that are there are refused."""
    for bad in [entry[:size] for size in range(len(entry))] + [entry + b"\0"]:
        with pytest.raises(BadFrame) as caught:
            decoded(bad)
        assert "x.jrn" == caught.value.path
        with pytest.raises(BadFrame):
            split_changes(bad, where="x")


@given(st.sampled_from([ONE, THREE]), st.integers(0, 4000), st.binary(min_size=1, max_size=4))
def test_changed_bytes_are_refused_or_other_changes(entry, at, data) -> None:
    """Whatever the bytes are, there is a result of the right size, or `BadFrame`."""
    at %= len(entry)
    bad = entry[:at] + data + entry[at + len(data) :]
    try:
        found = decoded(bad)
    except BadFrame:
        return
    assert sum(len(k.encode()) + len(v or b"") for k, v in found) < len(bad)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"\x02" + ONE[1:], "kind 2"),
        (b"\x01\0\0\x01" + ONE[4:], "kind 16777217"),
        (b"\x01\0\0\0\0\0\0\0", "table of 0 rows"),
        (b"\x01\0\0\0\xff\xff\xff\xff" + bytes(64), "rows"),
        (ONE.replace("é".encode(), b"\xff\xfe"), "no UTF-8"),
        (THREE.replace("é".encode(), b"\xff\xfe"), "no UTF-8"),
    ],
)
def test_what_no_store_writes_is_a_bad_frame(bad, reason) -> None:
    """Another kind, an impossible count, and keys that are no text; nothing large is made."""
    with pytest.raises(BadFrame, match=reason):
        decoded(bad)


def test_key_across_the_bounds_of_a_character_is_a_bad_frame() -> None:
    """The keys must be UTF-8 one by one, not only together."""
    with pytest.raises(BadFrame, match="no UTF-8"):
        decoded(encode_block([b"\xc3", b"\xa9"], [b"1", b"2"]))


def test_key_that_is_too_long_is_a_bad_frame() -> None:
    """One and several."""
    long = b"k" * (MAX_KEY_BYTES + 1)
    for names in ([long], [long, b"a"]):
        with pytest.raises(BadFrame):
            decoded(encode_block(names, [b"1"] * len(names)))


def test_put_and_deletion_of_one_key_are_a_bad_frame() -> None:
    """As columns it would have no order."""
    with pytest.raises(BadFrame, match="one key"):
        split_changes(encode_block([b"a", b"a"], [b"1", None]), where="x")


def test_keys_are_text_that_utf8_can_hold() -> None:
    """Up to 64 KiB; the empty text is a key."""
    assert b"" == key_bytes("")
    assert MAX_KEY_BYTES == len(key_bytes("é" * (MAX_KEY_BYTES // 2)))
    with pytest.raises(ValueError, match="65538"):
        key_bytes("é" * (MAX_KEY_BYTES // 2 + 1))
    with pytest.raises(ValueError, match="lone surrogate"):
        encode_changes([("\ud800", b"1")])
    with pytest.raises(TypeError, match="not int"):
        key_bytes(5)


def test_values_have_a_largest_size() -> None:
    """Alone or with others."""
    large = bytes(MAX_VALUE_BYTES + 1)
    for changes in ([("a", large)], [("a", large), ("b", b"")]):
        with pytest.raises(ValueError, match=r"'a' has \d+ bytes"):
            encode_changes(changes)
    with pytest.raises(ValueError, match="from 1 to"):
        encode_changes([])


@given(st.lists(CHANGES, max_size=5), st.integers(1, 70))
def test_blocks_are_found_however_the_pieces_are_cut(tables, size) -> None:
    """The body of a checkpoint is a row of blocks."""
    blocks = [encode_changes(list(table.items())) for table in tables]
    body = b"".join(map(framed, blocks))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]

    assert blocks == list(decode_blocks(pieces, where="x"))


def test_body_that_is_none_is_a_bad_frame() -> None:
    """One that ends within a block, and sizes that cannot be; nothing large is made."""
    body = framed(ONE)
    for end in range(1, len(body)):
        with pytest.raises(BadFrame, match="ends inside"):
            list(decode_blocks([body[:end]], where="x"))
    for size in (0, 8, (1 << 32) - 1):
        with pytest.raises(BadFrame, match="has a block of"):
            list(decode_blocks([size.to_bytes(4, "little")], where="x"))


def test_public_names_are_listed() -> None:
    """What is imported from here is offered."""
    assert {"decode_blocks", "encode_changes", "framed"} <= set(store_format.__all__)
