"""`holdfast sweep`."""

from __future__ import annotations

import json
import signal

import pytest

from tests.support.command_line import start_program


@pytest.fixture
def left(tmp_path):
    """What a writer that is dead left behind."""
    path = tmp_path / f".state.json.{'0' * 16}.holdfast-tmp"
    path.touch()
    return path


def test_leftovers_are_removed_and_named(cli, left) -> None:
    """Each leftover goes and is printed; other files stay."""
    other = left.with_name(".other.tmp")
    other.touch()

    assert (0, f"{left}\n", "") == cli("sweep", left.parent)
    assert [other] == list(left.parent.iterdir())
    assert (0, "", "") == cli("sweep", left.parent)


def test_json_lists_what_was_removed(cli, left) -> None:
    """--json prints one document, --jsonl one a leftover."""
    assert {"removed": [str(left)]} == json.loads(cli("sweep", "--json", left.parent).out)
    left.touch()
    assert {"removed": str(left)} == json.loads(cli("sweep", "--jsonl", left.parent).out)
    assert "" == cli("sweep", "--jsonl", left.parent).out


def test_killed_writer_is_swept_and_a_living_one_is_not(cli, tmp_path) -> None:
    """The temp of a writer at work stays; once it is killed, it is swept."""
    program = start_program("write", tmp_path / "f")
    assert program.stdin is not None
    program.stdin.write(b"x" * 3_000_000)
    program.stdin.flush()
    (temp,) = tmp_path.iterdir()

    assert "" == cli("sweep", tmp_path).out
    program.send_signal(signal.SIGKILL)
    program.communicate(timeout=30)

    assert f"{temp}\n" == cli("sweep", tmp_path).out


def test_missing_folder_is_told(cli, tmp_path) -> None:
    """A folder that is not there is exit code 66."""
    assert 66 == cli("sweep", tmp_path / "no").code
