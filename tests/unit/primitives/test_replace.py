"""Whole files from bytes and text."""

from __future__ import annotations

import asyncio
import os

import pytest

from holdfast.errors import PromiseUnavailable
from holdfast.primitives.replace import (
    awrite_bytes,
    awrite_text,
    replace_bytes,
    write_text,
)
from holdfast.vfs import SYSTEM
from tests.support.attributes import mode_of


class TestText:
    def test_text_is_encoded_as_utf_8(self, tmp_path) -> None:
        """By default, and with the system's line ends."""
        write_text(tmp_path / "a", "é\n")

        assert f"é{os.linesep}".encode() == (tmp_path / "a").read_bytes()

    @pytest.mark.parametrize(
        ("newline", "expected"),
        [("", b"a\nb"), ("\n", b"a\nb"), ("\r", b"a\rb"), ("\r\n", b"a\r\nb")],
    )
    def test_newline_is_that_of_open(self, tmp_path, newline, expected) -> None:
        """The bytes are those that the built-in `open` with this `newline` would write."""
        write_text(tmp_path / "a", "a\nb", newline=newline)
        with open(tmp_path / "b", "w", encoding="utf-8", newline=newline) as file:
            file.write("a\nb")

        assert expected == (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

    def test_text_that_cannot_be_encoded_changes_nothing(self, tmp_path) -> None:
        """It is encoded before anything is touched."""
        with pytest.raises(UnicodeEncodeError):
            write_text(tmp_path / "new" / "a", "é", encoding="ascii")
        with pytest.raises(ValueError, match="newline"):
            write_text(tmp_path / "new" / "a", "é", newline="x")

        assert [] == os.listdir(tmp_path)


class TestInAnOpenFolder:
    def test_signature_is_that_of_the_new_file(self, tmp_path) -> None:
        """What comes back is what a stat of the name says."""
        folder = SYSTEM.folder(str(tmp_path))
        try:
            new = replace_bytes(folder, "a", b"new", old=None)
            assert new is not None
            assert (os.stat(tmp_path / "a"), False) == new
            new = replace_bytes(folder, "a", b"new", old=os.stat(tmp_path / "a"))
            assert new is not None
            assert (os.stat(tmp_path / "a"), True) == new
            assert b"new" == (tmp_path / "a").read_bytes()
        finally:
            folder.close()

    def test_symlink_is_refused(self, tmp_path) -> None:
        """The caller has resolved the name; a symlink there now is somebody else's doing."""
        (tmp_path / "a").symlink_to("b")
        folder = SYSTEM.folder(str(tmp_path))
        try:
            with pytest.raises(PromiseUnavailable, match="symlink"):
                replace_bytes(folder, "a", b"new", old=folder.stat("a"))
        finally:
            folder.close()

        assert ["a"] == os.listdir(tmp_path)


class TestAsyncTwins:
    def test_twins_do_the_same(self, tmp_path) -> None:
        """`awrite_bytes` and `awrite_text` take the same and leave the same."""

        async def main() -> None:
            await awrite_bytes(tmp_path / "a", b"a", permissions=0o640)
            await awrite_text(tmp_path / "b", "b", encoding="utf-16-le")

        asyncio.run(main())

        assert (b"a", 0o640) == ((tmp_path / "a").read_bytes(), mode_of(tmp_path / "a"))
        assert b"b\0" == (tmp_path / "b").read_bytes()
