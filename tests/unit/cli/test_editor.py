"""The editor's copy; the whole of `edit -i` is tested with the verb."""

from __future__ import annotations

import io
import os
import stat
import sys

import pytest

from holdfast.cli.editor import Copy, is_attended, wants_another_try


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
    """A copy that was not changed goes, with what is beside it; a removed one is empty."""
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
    ],
)
def test_answer_decides(stream, again, monkeypatch) -> None:
    """Another try is a yes or nothing; the end of input is a no."""
    monkeypatch.setattr(sys, "stdin", stream)

    assert again is wants_another_try()


@pytest.mark.parametrize(
    ("stream", "attended"), [(Terminal(), True), (io.StringIO("y\n"), False), (None, False)]
)
def test_only_a_person_is_asked(stream, attended, monkeypatch) -> None:
    """Somebody can be asked on a terminal alone."""
    monkeypatch.setattr(sys, "stdin", stream)

    assert attended is is_attended()


def test_changed_copy_outlives_an_error(place) -> None:
    """After an error what was written stays, and the error says where."""
    with pytest.raises(LookupError) as caught, Copy("f", b"old"):
        (folder,) = place.iterdir()
        (folder / "f").write_bytes(b"new")
        raise LookupError

    (kept,) = place.glob("*/f")
    assert [f"What you wrote is in {kept}."] == caught.value.__notes__
    assert b"new" == kept.read_bytes()


def test_interrupt_tells_where_the_copy_is(place, capsys) -> None:
    """A signal is reported by nobody else."""
    with pytest.raises(KeyboardInterrupt), Copy("f", b"old") as copy:
        (folder,) = place.iterdir()
        (folder / "f").write_bytes(b"new")
        raise KeyboardInterrupt

    line = f"holdfast edit: interrupted. What you wrote is in {copy.path}.\n"
    assert line == capsys.readouterr().err


def test_copy_that_cannot_be_removed_is_told(place, capsys) -> None:
    """What goes wrong with the clean-up is said, and is no error."""
    with Copy("f", b"old"):
        (folder,) = place.iterdir()
        folder.rename(place / "moved")

    assert f"holdfast edit: {folder}: could not be removed: No such file" in capsys.readouterr().err
