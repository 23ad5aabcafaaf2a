"""Recoveries that raise, and what is told of them."""

from __future__ import annotations

import pytest

from holdfast.crash.explorer.recovering import Raised, recover_in_child


def broken(folder) -> None:
    raise LookupError(f"no way back in {folder}/log")


async def later(folder) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("recover", "words"),
    [(broken, "LookupError: no way back in log"), (later, "TypeError: the function returned a co")],
)
def test_exception_is_named_and_its_traceback_shown_once(recover, words, tmp_path, capsys) -> None:
    """The folder is another one each time, so its name is left out."""
    told, raised = str(tmp_path / "raised"), Raised()
    for _ in range(2):
        with pytest.raises(SystemExit):
            recover_in_child(recover, str(tmp_path), told=told)
        assert raised.words(told, 1).startswith(f"the recovery raised {words}")

    assert 1 == capsys.readouterr().err.count("Traceback")


def test_recovery_that_was_killed_is_told_by_its_end(tmp_path) -> None:
    """It left no words."""
    assert "the recovery was killed by SIGKILL" == Raised().words(str(tmp_path / "raised"), -9)


def test_recovery_that_comes_to_its_end_says_nothing(tmp_path) -> None:
    """No file is left."""
    recover_in_child(lambda folder: None, str(tmp_path), told=str(tmp_path / "raised"))

    assert [] == list(tmp_path.iterdir())
