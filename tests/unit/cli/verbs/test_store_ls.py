"""`holdfast store ls`."""

from __future__ import annotations

import json

import pytest

from holdfast.state.store import Store


@pytest.fixture
def store(tmp_path):
    """A store whose keys have prefixes, and a newline."""
    with Store(tmp_path / "s") as made:
        made.update({"user/b": {"n": 2}, "user/a": "x", "z": None, "a\nb": 1})
    return tmp_path / "s"


@pytest.mark.parametrize(
    ("words", "out"),
    [
        ((), "a\\nb\nuser/a\nuser/b\nz\n"),
        (("user/",), "user/a\nuser/b\n"),
        (("--null",), "a\nb\0user/a\0user/b\0z\0"),
        (("--values", "user/"), 'user/a\t"x"\nuser/b\t{"n": 2}\n'),
        (("none",), ""),
        (
            ("--jsonl", "user/"),
            '{"key": "user/a", "value": "x"}\n{"key": "user/b", "value": {"n": 2}}\n',
        ),
    ],
)
def test_keys_are_printed_in_order(cli, store, words, out) -> None:
    """With a prefix, values, NUL bytes or as JSON lines; what breaks a line is an escape."""
    options = [word for word in words if word.startswith("--")]
    prefix = [word for word in words if not word.startswith("--")]

    assert (0, out, "") == cli("store", "ls", *options, store, *prefix)


def test_one_document_is_printed(cli, store) -> None:
    """A list of keys, or an object."""
    assert ["user/a", "user/b"] == json.loads(cli("store", "ls", "--json", store, "user/").out)
    assert {"user/a": "x", "user/b": {"n": 2}} == json.loads(
        cli("store", "ls", "--json", "--values", store, "user/").out
    )
    assert 2 == cli("store", "ls", "--json", "--null", store).code


def test_bytes_are_in_base_64(cli, tmp_path) -> None:
    """Called so where there is a name."""
    with Store(tmp_path / "s", codec="bytes") as made:
        made["a"] = b"\xff"

    assert {"key": "a", "base64": "/w=="} == json.loads(
        cli("store", "ls", "--jsonl", tmp_path / "s").out
    )
    assert 'a\t"/w=="\n' == cli("store", "ls", "--values", tmp_path / "s").out


def test_many_keys_are_printed(cli, tmp_path) -> None:
    """In pieces."""
    with Store(tmp_path / "s", sync="never") as made:
        made.update({f"{number:05}": number for number in range(3001)})
    lines = cli("store", "ls", tmp_path / "s").out.splitlines()

    assert [f"{number:05}" for number in range(3001)] == lines
