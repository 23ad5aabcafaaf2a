"""`holdfast records append`."""

from __future__ import annotations

import json
import signal

import pytest

from holdfast.primitives.record_file import RecordFile
from tests.support.command_line import LIMIT_S, start_program

CREATE = ("--create", "id=I,raw=4p")


def values(path):
    """The records of a file."""
    with RecordFile(path, read_only=True) as records:
        assert records.check().ok
        return [tuple(record.values()) for record in records]


def lines(*ids: int) -> bytes:
    """Records as lines of JSON."""
    return b"".join(b'{"id": %d, "raw": "/w=="}\n' % number for number in ids)


def test_words_are_a_record(cli, tmp_path) -> None:
    """Its number is printed; the file is made once."""
    path = tmp_path / "a.rec"
    assert (0, "0\n", "") == cli("records", "append", *CREATE, path, "id=7", "raw=/w==")
    assert (0, "1\n", "") == cli("records", "append", *CREATE, path, "id=8", "raw=")
    assert (0, "", "") == cli("records", "append", "-q", path, "raw=", "id=9")
    assert [(7, b"\xff"), (8, b""), (9, b"")] == values(path)


def test_lines_are_records(cli, tmp_path) -> None:
    """The last may have no end, empty ones are none; a number each."""
    path = tmp_path / "a.rec"
    found = cli("records", "append", *CREATE, path, stdin=lines(1, 2) + b"\n" + lines(3)[:-1])
    assert (0, "0\n1\n2\n", "") == found
    assert [1, 2, 3] == [record[0] for record in values(path)]
    result = cli("records", "append", "--json", path, stdin=lines(4))
    assert {"records": 1, "last": 3} == json.loads(result.out)
    result = cli("records", "append", "--json", path)
    assert {"records": 0, "last": None} == json.loads(result.out)


def test_what_ls_prints_can_be_appended(cli, tmp_path) -> None:
    """Also where a field is called as the number is."""
    words = ("--create", "number=d,text=9s")
    old, new = tmp_path / "old", tmp_path / "new"
    for number in ("inf", "1.5"):
        cli("records", "append", *words, old, f"number={number}", "text=é\n")
    printed = cli("records", "ls", old).out
    assert '{"_number": 1, "number": 1.5' in printed
    assert 0 == cli("records", "append", *words, new, stdin=printed.encode()).code
    assert [(float("inf"), "é\n"), (1.5, "é\n")] == values(old) == values(new)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["id"], 2, "'id' is no NAME=VALUE"),
        (["id=1"], 65, "the field 'raw' is missing. Nothing was appended."),
        (["id=1", "raw=", "x=1"], 65, "there is no field 'x'"),
        (["id=-1", "raw="], 65, "'id' cannot be -1 in 'I'"),
        (["id=x", "raw="], 65, "'id' is a whole number"),
    ],
)
def test_words_that_are_no_record_make_nothing(cli, tmp_path, words, code, said) -> None:
    """No file, and no record in one that is there."""
    path = tmp_path / "a.rec"
    for count in (0, 1):
        result = cli("records", "append", *CREATE, path, *words)
        assert (code, "") == (result.code, result.out)
        assert said in result.err
        assert bool(count) is path.exists()
        assert 0 == cli("records", "append", *CREATE, path, "id=1", "raw=").code
    assert 2 == len(values(path))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"x\n", "line 3 of the input: it is no JSON: "),
        (b'{"id": 1}\n', "line 3 of the input: the field 'raw' is missing."),
        (b'{"id": "1", "raw": ""}\n', "line 3 of the input: 'id' cannot be '1' in 'I'"),
        (b"[]\n", "line 3 of the input: it is no object of JSON."),
        (b"x" * ((1 << 24) + 1), "line 3 of the input: it has more than 16777216 bytes."),
    ],
)
def test_line_that_is_no_record_ends_it(cli, tmp_path, bad, said) -> None:
    """65; those before it are appended, those after it are not."""
    path = tmp_path / "a.rec"
    code, out, err = cli("records", "append", *CREATE, path, stdin=lines(1, 2) + bad + lines(4))
    assert (65, "0\n1\n") == (code, out)
    assert f"{path}: {said}" in err
    assert "Before that 2 records were appended, the last is 1." in err
    assert [1, 2] == [record[0] for record in values(path)]
    assert "Nothing was appended." in cli("records", "append", path, stdin=b"{\n").err


def test_missing_file_is_66_without_a_layout(cli, tmp_path) -> None:
    """And nothing is made; with a layout that is none it is wrong usage."""
    assert 66 == cli("records", "append", tmp_path / "none", "id=1").code
    assert 2 == cli("records", "append", "--create", "id=x", tmp_path / "none", "id=1").code
    assert 2 == cli("records", "append", "--create", "id=x", tmp_path / "none").code
    assert [] == [*tmp_path.iterdir()]


def test_file_of_another_layout_is_untouched(cli, tmp_path) -> None:
    """The difference is named."""
    path = tmp_path / "a.rec"
    cli("records", "append", *CREATE, path, "id=1", "raw=")
    before = path.read_bytes()
    code, out, err = cli("records", "append", "--create", "id=Q", path, "id=1")
    assert (65, "") == (code, out)
    assert "'id' is I in it and Q in yours. It is untouched. Leave out --create" in err
    assert before == path.read_bytes()


def test_signal_ends_it_between_two_syncs(tmp_path) -> None:
    """What was acknowledged is there, and it is said how much."""
    path = tmp_path / "a.rec"
    program = start_program("records", "append", *CREATE, path)
    assert program.stdin
    assert program.stdout
    program.stdin.write(lines(1, 2))
    program.stdin.flush()
    assert (b"0\n", b"1\n") == (program.stdout.readline(), program.stdout.readline())
    program.send_signal(signal.SIGTERM)
    _, err = program.communicate(timeout=LIMIT_S)
    assert 143 == program.returncode
    assert b"stopped. Before that 2 records were appended, the last is 1." in err
    assert [1, 2] == [record[0] for record in values(path)]
