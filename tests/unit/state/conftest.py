"""The state files that these tests change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.state_files import TOML


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    """A commented TOML file."""
    path = tmp_path / "settings.toml"
    path.write_text(TOML)
    return path


@pytest.fixture
def json(tmp_path: Path) -> Path:
    """A small JSON file."""
    path = tmp_path / "state.json"
    path.write_text('{"n": 1, "big": 123456789012345678901234567890}\n')
    return path
