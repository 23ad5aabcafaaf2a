"""`holdfast demo` as a whole, with small numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from holdfast.demo import main
from holdfast.demo.report import Row
from holdfast.demo.show import Counts, all_parts

SMALL = partial(all_parts, counts=Counts(edits_each=3, kills=1, full_disk=10))


def test_nothing_lost_is_exit_code_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole of it, in small: a table, the verdict, exit code 0, and an empty folder."""
    code = main([str(tmp_path)], parts=SMALL)
    output = capsys.readouterr()

    assert 0 == code, output.out
    assert "edits of one TOML file by 4 processes" in output.out
    assert "nothing was lost" in output.out
    assert "" == output.err
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("rows", "code", "verdict"),
    [
        ([Row("a", 10, 0), Row("b", 10, 9, "not ours", ours=False)], 0, "nothing was lost"),
        ([Row("a", 10, 1), Row("b", 10, 2)], 1, "LOST: 3"),
    ],
)
def test_exit_code_follows_what_was_lost(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    rows: list[Row],
    code: int,
    verdict: str,
) -> None:
    """Exit code 1 if holdfast lost anything; what the recipe lost does not count."""
    assert code == main([str(tmp_path)], parts=lambda *_: rows)
    assert verdict in capsys.readouterr().out


def test_failing_part_leaves_no_folder(tmp_path: Path) -> None:
    """A part that fails is not a result: the error passes, and the folder is removed."""

    def failing(folder: Path, *_: object) -> Iterator[Row]:
        (folder / "something").write_text("a")
        raise RuntimeError("the writer failed by itself")

    with pytest.raises(RuntimeError):
        main([str(tmp_path)], parts=failing)

    assert [] == list(tmp_path.iterdir())


def test_own_file_is_the_sample(tmp_path: Path) -> None:
    """`--sample` names the file of which a copy is edited; it stays as it is."""
    sample = tmp_path / "mine.toml"
    sample.write_text("a = 1\n")
    seen: list[Path] = []

    def parts(_folder: Path, chosen: Path, *_: object) -> list[Row]:
        seen.append(chosen)
        return [Row("a", 1, 0)]

    main([str(tmp_path), "--sample", str(sample)], parts=parts)
    main([str(tmp_path)], parts=parts)

    assert sample == seen[0]
    assert "[build-system]" in seen[1].read_text()
    assert "a = 1\n" == sample.read_text()


def test_missing_sample_is_an_error_before_anything(tmp_path: Path) -> None:
    """A sample that does not exist is named, and nothing is made."""
    with pytest.raises(FileNotFoundError, match="Nothing was tried"):
        main([str(tmp_path), "--sample", str(tmp_path / "no.toml")], parts=SMALL)

    assert [] == list(tmp_path.iterdir())
