"""`holdfast records get`."""

from __future__ import annotations

import json

import pytest

from holdfast.primitives.record_file import RecordFile


@pytest.fixture
def path(tmp_path):
    """A file of two records."""
    path = tmp_path / "a.rec"
    with RecordFile(path, {"id": "I", "name": "8s", "raw": "2c", "f": "d"}) as records:
        records.append({"id": 7, "name": "ada", "raw": b"\0\xff", "f": float("nan")})
        records.append({"id": 8, "name": "é", "raw": b"ab", "f": 0.5})
    return path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["1"], '{"id": 8, "name": "é", "raw": "YWI=", "f": 0.5}\n'),
        (["-1", "id"], "8\n"),
        (["0", "name"], "ada\n"),
        (["--raw", "1", "name"], "é"),
        (["--json", "1", "name"], '"é"\n'),
        (["1", "raw"], "ab\n"),
        (["--raw", "1", "raw"], "ab"),
        (["--json", "1", "raw"], '"YWI="\n'),
        (["0", "f"], "nan\n"),
        (["1", "f"], "0.5\n"),
    ],
)
def test_record_or_field_is_printed(cli, path, words, expected) -> None:
    """A record as JSON, text and bytes of a field as they are."""
    options = [word for word in words if word.startswith("--")]
    others = [word for word in words if not word.startswith("--")]
    assert (0, expected, "") == cli("records", "get", *options, path, *others)


def test_what_is_not_there_is_1(cli, path) -> None:
    """A record or a field; said, unless it is to be quiet."""
    for words, said in (
        (["2"], f"{path}: there is no record 2: it has 2. It is untouched."),
        (["-3"], "there is no record -3: it has 2"),
        (["0", "x"], f"{path}: there is no field 'x'; there are 'id', 'name', 'raw', 'f'"),
    ):
        code, out, err = cli("records", "get", path, *words)
        assert (1, "") == (code, out)
        assert said in err
    assert (1, "", "") == cli("records", "get", "-q", path, "2")
    error = json.loads(cli("records", "get", "--json", path, "2").out)["error"]
    assert (1, str(path)) == (error["code"], error["path"])


def test_wrong_words_are_2_and_a_missing_file_66(cli, path, tmp_path) -> None:
    """Nothing is made."""
    assert 2 == cli("records", "get", path).code
    assert 2 == cli("records", "get", path, "x").code
    assert 66 == cli("records", "get", tmp_path / "none", "0").code
    assert {"a.rec", "a.rec.lock"} == {found.name for found in tmp_path.iterdir()}
