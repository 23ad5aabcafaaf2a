"""`holdfast patch`."""

from __future__ import annotations

import json

import pytest

from holdfast.cli.exits import Failure
from holdfast.cli.verbs.patch import offset_of


@pytest.fixture
def image(tmp_path):
    """A file to patch."""
    path = tmp_path / "disk.img"
    path.write_bytes(b"o" * 5000)
    return path


def test_input_is_written_over_the_bytes(cli, image) -> None:
    """At a decimal or hexadecimal place; the file may grow."""
    assert (0, "", "") == cli("patch", image, "4094", stdin=b"abc")
    code, out, err = cli("patch", "-v", "--no-sync", image, "0x1388", stdin=b"\0\xff")

    assert (0, "") == (code, out)
    assert f"{image}: 2 bytes patched at 5000; it has 5002 bytes" in err
    assert b"o" * 4094 + b"abc" + b"o" * 903 + b"\0\xff" == image.read_bytes()


@pytest.mark.parametrize("offset", ["5001", "x", "0x", "1_000", "0xg", "-1", "9" * 30, "1e3", ""])
def test_place_that_cannot_be_is_wrong_usage(cli, image, offset) -> None:
    """Nothing is changed."""
    assert 2 == cli("patch", image, "--", offset, stdin=b"x").code
    assert b"o" * 5000 == image.read_bytes()


def test_missing_file_is_not_made(cli, tmp_path) -> None:
    """There is nothing to patch."""
    assert 66 == cli("patch", tmp_path / "no", "0", stdin=b"x").code
    assert [] == list(tmp_path.iterdir())


def test_input_that_is_too_large_is_refused(cli, image) -> None:
    """A patch has a bound."""
    code, _, err = cli("patch", image, "0", stdin=bytes((32 << 20) + 1))
    assert 2 == code
    assert "at most 8192 blocks" in err


def test_verify_inspect_and_repair_know_the_file(cli, image, tmp_path) -> None:
    """By the journal beside it; a damaged one is told by all three."""
    cli("patch", image, "0", stdin=b"x")
    assert 0 == cli("verify", "-q", image).code
    assert "patched file" in cli("verify", image).out
    assert {"waiting": None} == json.loads(cli("inspect", "--json", image).out)["patches"]
    assert 0 == cli("repair", image, "--to", tmp_path / "copy").code
    assert image.read_bytes() == (tmp_path / "copy").read_bytes()

    journal = tmp_path / "disk.img.journal"
    journal.write_bytes(b"\x89" + journal.read_bytes()[1:100] + b"?" + journal.read_bytes()[101:])
    assert 65 == cli("verify", "-q", image).code
    assert 65 == cli("patch", image, "0", stdin=b"y").code
    found = cli("inspect", "--json", image)
    assert 1 == found.code
    assert "head of this journal" in json.loads(found.out)["patches"]["error"]
    assert 1 == cli("repair", image, "--to", tmp_path / "other").code


def test_offset_is_a_number_of_bytes() -> None:
    """Decimal, or hexadecimal behind 0x."""
    assert [0, 4096, 4096, 31] == [offset_of(text) for text in ("0", "4096", "0x1000", "0X1f")]
    with pytest.raises(Failure, match="not a number of bytes"):
        offset_of("4k")
