"""Names beside a document, up to the longest that a folder takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from holdfast import Document
from holdfast.primitives.beside import beside


def test_name_that_fits_is_kept_as_it_is() -> None:
    """Up to 255 bytes the suffix is simply added; one byte more, and the name is cut."""
    assert "a" * 250 + ".lock" == beside("a" * 250, ".lock")
    assert "ä" * 125 + ".lock" == beside("ä" * 125, ".lock")

    cut = beside("a" * 251, ".lock")
    assert 255 == len(cut)
    assert cut.startswith("a" * 200)
    assert cut.endswith(".lock")


@pytest.mark.parametrize("letter", ["ä", "€", "🙂"])
@pytest.mark.parametrize("shift", range(4))
def test_no_character_is_cut_in_two(letter: str, shift: int) -> None:
    """A cut name of long characters is UTF-8 still, at most three bytes below the longest."""
    name = "x" * shift + letter * (252 // len(letter.encode()))
    cut = os.fsencode(beside(name, ".corrupt-1"))

    assert 252 <= len(cut) <= 255
    assert cut.decode("utf-8").startswith("x" * shift + letter)


@pytest.mark.parametrize("byte", [b"\x80", b"\xbf", b"\xff", b"\xe2\x82"])
def test_name_that_is_no_text_is_cut_anywhere(byte: bytes) -> None:
    """Names that are not UTF-8 are cut as well, and the bytes that stay are theirs."""
    raw = (byte * 255)[:255]
    cut = os.fsencode(beside(os.fsdecode(raw), ".lock"))

    assert 252 <= len(cut) <= 255
    assert raw[:200] == cut[:200]


def test_names_with_the_same_beginning_do_not_meet() -> None:
    """The digest of the whole name keeps apart what the cut would make the same."""
    names = {beside("a" * 254 + last, ".lock") for last in "abc"}

    assert 3 == len(names)


@pytest.mark.parametrize(
    "raw",
    ["ä".encode() * 125 + b".json", b"\x80" * 250 + b".json", "🙂".encode() * 62 + b"ab.json"],
    ids=["two bytes", "no text", "four bytes"],
)
def test_longest_names_are_locked_kept_and_set_aside(tmp_path: Path, raw: bytes) -> None:
    """A document with a name of 255 bytes has a lock, old versions and a place for damage."""
    path = tmp_path / os.fsdecode(raw)
    assert 255 == len(raw)
    with Document(path, default={}, keep=2) as document:
        for number in range(4):
            document.update(lambda state, number=number: state.update(n=number))

        assert [2, 3] == [version.number for version in document.versions()]
        assert 2 == document.restore(3)["n"]
        path.write_text("{")
        moved = document.quarantine()
        assert moved is not None
        assert "{" == moved.read_text()


def test_long_names_that_differ_have_a_lock_each(tmp_path: Path) -> None:
    """Names of 255 bytes that begin alike get a lock of their own."""
    names = ["ä" * 125 + ".json", "ä" * 124 + "bb.json"]
    for name in names:
        with Document(tmp_path / name, default={}) as document:
            document.update(lambda state: state.update(n=1))

    assert 4 == len(list(tmp_path.iterdir()))
    assert all('"n": 1' in (tmp_path / name).read_text() for name in names)
