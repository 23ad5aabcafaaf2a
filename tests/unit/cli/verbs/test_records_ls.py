"""`holdfast records ls`."""

from __future__ import annotations

import json

import pytest

from holdfast.primitives.record_file import RecordFile


@pytest.fixture
def path(tmp_path):
    """A file of five records."""
    path = tmp_path / "a.rec"
    with RecordFile(path, {"id": "I", "raw": "2c"}, chunk_bytes=3072) as records:
        records.append_many({"id": number, "raw": b"\0\xff"} for number in range(5))
    return path


def numbers(result):
    """The numbers of the records that were printed."""
    assert (0, "") == (result.code, result.err)
    return [json.loads(line)["number"] for line in result.out.splitlines()]


def test_each_record_is_a_line(cli, path) -> None:
    """With its number first; with --json all are one list."""
    result = cli("records", "ls", path)
    assert [*range(5)] == numbers(result)
    assert '{"number": 0, "id": 0, "raw": "AP8="}' == result.out.splitlines()[0]
    assert {"number": 4, "id": 4, "raw": "AP8="} == json.loads(
        cli("records", "ls", "--json", path).out
    )[4]


def test_a_part_is_printed(cli, path) -> None:
    """Both ends belong to it; what is not there is left out."""
    assert [1, 2] == numbers(cli("records", "ls", "--from", "1", "--to", "2", path))
    assert [3, 4] == numbers(cli("records", "ls", "--from", "3", "--to", "9", path))
    assert [] == numbers(cli("records", "ls", "--from", "9", path))
    for text in ("-1", "x", "9" * 30):
        assert 2 == cli("records", "ls", f"--from={text}", path).code


def test_many_records_are_printed_in_pieces(cli, tmp_path) -> None:
    """More than one piece, and all of them."""
    with RecordFile(tmp_path / "many", {"id": "I"}) as records:
        records.append_many({"id": number} for number in range(2500))
    assert [*range(2500)] == numbers(cli("records", "ls", tmp_path / "many"))


def test_damaged_record_ends_it(cli, path) -> None:
    """65; those before it are printed."""
    data = bytearray(path.read_bytes())
    with RecordFile(path, read_only=True) as records:
        head = records._place.head
    for array in (0, 1):
        data[head.place(2, array)] ^= 1
    path.write_bytes(data)
    code, out, err = cli("records", "ls", path)

    assert (65, 2) == (code, len(out.splitlines()))
    assert f"{path}: both copies of record 2 are damaged" in err


def test_what_is_no_file_of_records_is_refused(cli, tmp_path, state) -> None:
    """66 where no file is, 65 where it is another."""
    assert 66 == cli("records", "ls", tmp_path / "none").code
    assert 66 == cli("records", "ls", tmp_path).code
    code, out, err = cli("records", "ls", state)
    assert (65, "") == (code, out)
    assert "does not begin as a file of records does. It is untouched." in err
    assert [state] == [*tmp_path.iterdir()]
