"""`holdfast store get`."""

from __future__ import annotations

import json

import pytest

from holdfast.primitives.log import Log
from holdfast.state.store import Store
from tests.support.command_line import run_shell


@pytest.fixture
def store(tmp_path):
    """A store of some values."""
    with Store(tmp_path / "s") as made:
        made.update({"text": "a b", "number": 5, "deep": {"a": [1, None]}, "": "empty key"})
    return tmp_path / "s"


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (("text",), "a b\n"),
        (("number",), "5\n"),
        (("",), "empty key\n"),
        (("--raw", "text"), "a b"),
        (("--json", "text"), '"a b"\n'),
        (("--default", "7", "missing"), "7\n"),
    ],
)
def test_value_is_printed(cli, store, words, out) -> None:
    """Text as it is, everything else as JSON."""
    assert (0, out, "") == cli("store", "get", *words[:-1], store, words[-1])


def test_table_is_printed_as_json(cli, store) -> None:
    """As `get` prints it."""
    assert {"a": [1, None]} == json.loads(cli("store", "get", store, "deep").out)


def test_bytes_are_printed_as_they_are(cli, tmp_path) -> None:
    """In JSON they are in base 64."""
    with Store(tmp_path / "s", codec="bytes") as made:
        made["a"] = b"\xff\0"

    done = run_shell("holdfast store get --raw s a | od -An -tx1", cwd=tmp_path)
    assert (0, "ff 00") == (done.code, done.out.strip())
    assert '{"base64": "/wA="}\n' == cli("store", "get", "--json", tmp_path / "s", "a").out


def test_missing_key_is_no(cli, store) -> None:
    """Exit code 1; -q says nothing."""
    assert (1, "", f"holdfast store get: {store}: there is no 'no'\n") == cli(
        "store", "get", store, "no"
    )
    assert (1, "", "") == cli("store", "get", "-q", store, "no")
    assert 1 == json.loads(cli("store", "get", "--json", store, "no").out)["error"]["code"]


def test_missing_store_and_other_folders_are_told(cli, tmp_path) -> None:
    """66, and 65; an empty folder is an empty store. Nothing is made."""
    with Log(tmp_path / "log") as log:
        log.append(b"one")
    (tmp_path / "empty").mkdir()

    assert (66, "") == cli("store", "get", tmp_path / "no", "a")[:2]
    assert (65, "") == cli("store", "get", tmp_path / "log", "a")[:2]
    assert (1, "") == cli("store", "get", tmp_path / "empty", "a")[:2]
    assert [] == [*(tmp_path / "empty").iterdir()]
    assert not (tmp_path / "no").exists()


def test_damaged_store_is_65(cli, store) -> None:
    """With what to do."""
    (segment,) = (store / "log").glob("*.segment")
    segment.write_bytes(segment.read_bytes().replace(b"empty key", b"empty kEy"))
    code, out, err = cli("store", "get", store, "text")

    assert (65, "") == (code, out)
    assert "holdfast repair" in err
