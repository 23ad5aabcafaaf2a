"""The editor's copy; the whole of `edit -i` is tested with the verb."""

from __future__ import annotations

import io
import os
import stat
import sys

import pytest

from holdfast.cli.editor import Copy, wants_another_try


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder for temporary things."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_copy_is_private(place) -> None:
    """The copy has the file's name and contents, and nobody else may look into its folder."""
    with Copy("dir/state.json", b"old") as copy:
        (folder,) = place.iterdir()
        file = folder / "state.json"
        assert b"old" == file.read_bytes() == copy.read()
        assert (0o700, 0o600) == tuple(stat.S_IMODE(p.stat().st_mode) for p in (folder, file))


def test_copy_may_be_replaced(place) -> None:
    """An editor that renames a new file over the copy is understood."""
    with Copy("f", b"old") as copy:
        (folder,) = place.iterdir()
        (folder / "new").write_bytes(b"x" * 2_000_000)
        os.replace(folder / "new", folder / "f")

        assert b"x" * 2_000_000 == copy.read()


def test_nothing_is_left(place) -> None:
    """The copy and what is beside it go, also after an error; a removed copy is empty."""
    with pytest.raises(LookupError), Copy("f", b"old") as copy:
        (folder,) = place.iterdir()
        (folder / "f~").touch()
        (folder / "f").unlink()
        assert b"" == copy.read()
        raise LookupError

    assert [] == list(place.iterdir())


class Terminal(io.StringIO):
    """An input that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "again"),
    [
        (Terminal("\n"), True),
        (Terminal("y\n"), True),
        (Terminal("No\n"), False),
        (Terminal(""), False),
        (io.StringIO("y\n"), False),
        (None, False),
    ],
)
def test_only_a_person_is_asked(stream, again, monkeypatch) -> None:
    """Another try is asked for on a terminal alone; the end of input is a no."""
    monkeypatch.setattr(sys, "stdin", stream)

    assert again is wants_another_try()
