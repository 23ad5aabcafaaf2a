"""What the function of an `update` may return."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from holdfast import Document


@pytest.mark.parametrize(
    "slip",
    [
        lambda state: state.setdefault("server", {}),
        lambda state: state.setdefault("new", []),
        lambda state: state.pop("server"),
        lambda state: state["list"],
    ],
)
def test_part_of_the_value_is_refused(tmp_path: Path, slip: Any) -> None:
    """A part that is returned by mistake does not become the whole document."""
    path = tmp_path / "a.json"
    path.write_text('{"server": {"x": 1}, "list": [1], "n": 2}')

    with pytest.raises(TypeError, match="part of the value"):
        Document(path).update(slip)

    assert '{"server": {"x": 1}, "list": [1], "n": 2}' == path.read_text()


def test_copy_of_a_part_is_taken_at_its_word(tmp_path: Path) -> None:
    """A copy of a part is a new value, and so is the value itself."""
    path = tmp_path / "a.json"
    path.write_text('{"server": {"x": 1}}')

    assert {"server": {"x": 1}} == Document(path).update(lambda state: state)
    assert {"x": 1} == Document(path).update(lambda state: dict(state["server"]))
