"""Edits of one commented file by holdfast, and by the usual recipe."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from holdfast.demo.edits import edit_with_holdfast, edit_with_the_usual_recipe, edits

TEXT = "# kept\n[tool.holdfast-demo]\nedits = {}  # how many\n"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file whose counter is 0."""
    path = tmp_path / "a.toml"
    path.write_text(TEXT.format(0))
    return path


def race(edit: Callable[[Path], None], target: Path) -> None:
    """Edit 25 times from each of four threads at once; what fails is lost."""
    together = threading.Barrier(4)

    def work() -> None:
        together.wait(20)
        for _ in range(25):
            with suppress(Exception):
                edit(target)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("edit", [edit_with_holdfast, edit_with_the_usual_recipe])
def test_one_after_the_other_both_ways_count(target: Path, edit: Callable[[Path], None]) -> None:
    """Alone, each way adds one and keeps the comments."""
    for _ in range(3):
        edit(target)

    assert TEXT.format(3) == target.read_text()


def test_holdfast_loses_nothing_in_a_race(target: Path) -> None:
    """Four threads at once: every edit is kept."""
    race(edit_with_holdfast, target)

    assert TEXT.format(100) == target.read_text()


def test_usual_recipe_loses_in_a_race(target: Path) -> None:
    """The recipe that is shown beside does lose edits, within fifty tries at the latest."""
    for _ in range(50):
        target.write_text(TEXT.format(0))
        race(edit_with_the_usual_recipe, target)
        if target.read_text() != TEXT.format(100):
            return

    pytest.fail("the recipe lost nothing, so the comparison shows nothing")


def test_rows_of_four_processes(tmp_path: Path) -> None:
    """Four processes edit a copy: ours loses no edit, no line and no comment of the sample."""
    sample = tmp_path / "sample.toml"
    sample.write_text("# a comment\na = 1  # one\n\n[b]\nc = [1,\n  2]  # two\n")
    usual, ours, lines = edits(tmp_path, sample, lambda _: None, each=5)

    assert (20, False) == (usual.tried, usual.ours)
    assert (20, 0, True) == (ours.tried, ours.lost, ours.ours)
    assert (6, 0, True) == (lines.tried, lines.lost, lines.ours)
    assert "edits = 20  # how many were kept" in (tmp_path / "holdfast.toml").read_text()
