"""The command line as a function: `cli("get", path, "key")`."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Protocol

import pytest

from holdfast.cli import main
from tests.support.command_line import Result


class Cli(Protocol):
    """Runs one command in this process."""

    def __call__(self, *argv: str | Path, stdin: bytes = b"") -> Result: ...


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command in this process: its code, and what it and its children printed."""

    def run(*argv: str | Path, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main([str(word) for word in argv])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A small JSON document."""
    path = tmp_path / "state.json"
    path.write_text('{"n": 1, "name": "Ada", "list": [1, 2], "deep": {"yes": true}}\n')
    return path


COMMENTED = """\
# who listens
[server]
host = "localhost"  # never 0.0.0.0
port = 8080

[log]
level = "info"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A commented TOML document."""
    path = tmp_path / "settings.toml"
    path.write_text(COMMENTED)
    return path
