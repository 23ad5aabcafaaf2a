"""What one process of the demonstration does."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.demo.workers import work

TEXT = "# kept\n[tool.holdfast-demo]\nedits = {}\n"


@pytest.mark.parametrize("recipe", ["holdfast", "usual"])
def test_edits_are_made_as_often_as_asked(tmp_path: Path, recipe: str) -> None:
    """By either recipe the counter goes up by so many."""
    target = tmp_path / "a.toml"
    target.write_text(TEXT.format(0))

    assert 0 == work(["edits", str(target), recipe, "3"])
    assert TEXT.format(3) == target.read_text()


def test_failure_of_holdfast_is_not_hidden(tmp_path: Path) -> None:
    """An edit that fails is an error by holdfast, and is passed over by the recipe."""
    missing = str(tmp_path / "no.toml")

    assert 0 == work(["edits", missing, "usual", "2"])
    with pytest.raises(FileNotFoundError):
        work(["edits", missing, "holdfast", "2"])


def test_full_disk_says_what_it_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tried, refused and lost are printed for the parent."""
    assert 0 == work(["disk", str(tmp_path), "3"])
    assert "3 0 0\n" == capsys.readouterr().out
