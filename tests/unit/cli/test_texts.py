"""The kept texts are those that the parsers make."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.cli.texts import TEXTS

ROOT = Path(__file__).parents[3]
KEPT = {
    "reference": ROOT / "docs/reference/cli.md",
    **{
        shell: ROOT / f"src/holdfast/cli/completions/holdfast.{shell}"
        for shell in ("bash", "zsh", "fish")
    },
}


def test_every_text_is_kept() -> None:
    """Each text that can be made has a file."""
    assert set(TEXTS) == set(KEPT)


@pytest.mark.parametrize("name", KEPT)
def test_kept_text_is_up_to_date(name) -> None:
    """The file holds what the parsers say now; `python -m holdfast.cli.texts` makes it anew."""
    assert [*TEXTS[name](), ""] == KEPT[name].read_text("utf-8").split("\n")
