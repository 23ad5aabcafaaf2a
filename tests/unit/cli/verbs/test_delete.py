"""`holdfast del`."""

from __future__ import annotations

import json

from tests.unit.cli.conftest import COMMENTED


def test_keys_are_deleted(cli, state) -> None:
    """Each key goes, items of lists too, and nothing is printed."""
    assert (0, "", "") == cli("del", state, "name", "/list/0", "deep.yes")
    assert {"n": 1, "list": [2], "deep": {}} == json.loads(state.read_text())


def test_comments_are_kept(cli, settings) -> None:
    """The line of the key goes, and nothing else."""
    cli("del", settings, "server.port")

    assert COMMENTED.replace("port = 8080\n", "") == settings.read_text()


def test_missing_key_is_no_and_changes_nothing(cli, state) -> None:
    """If one key is missing nothing is deleted, and the exit code is 1."""
    before = state.read_bytes()

    code, _, err = cli("del", state, "n", "no")

    assert (1, f"holdfast del: {state}: there is no no. It is unchanged.\n") == (
        code,
        err,
    )
    assert (1, "") == cli("del", "-q", state, "no")[::2]
    assert before == state.read_bytes()


def test_missing_key_can_be_passed_over(cli, state) -> None:
    """-f deletes what is there."""
    assert 0 == cli("del", "-f", state, "n", "no").code
    assert "n" not in json.loads(state.read_text())


def test_missing_file_is_66(cli, tmp_path) -> None:
    """A missing file is not made, and is exit code 66, also with -f."""
    assert [66, 66] == [cli("del", *o, tmp_path / "no.json", "a").code for o in ((), ("-f",))]
    assert [] == list(tmp_path.iterdir())


def test_whole_document_is_not_deleted(cli, state) -> None:
    """The whole document cannot be deleted."""
    before = state.read_bytes()

    assert [2, 2] == [cli("del", *f, state, ".").code for f in ((), ("-f",))]
    assert [2, 2] == [cli("del", *f, state, "n", "").code for f in ((), ("-f",))]
    assert before == state.read_bytes()
