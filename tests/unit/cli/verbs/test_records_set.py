"""`holdfast records set`."""

from __future__ import annotations

import signal

import pytest

from holdfast.primitives.record_file import RecordFile
from tests.support.command_line import LIMIT_S, start_program, wait_for_waiter


@pytest.fixture
def path(tmp_path):
    """A file of two records."""
    path = tmp_path / "a.rec"
    with RecordFile(path, {"id": "I", "name": "8s", "raw": "2c"}) as records:
        for number in (7, 8):
            records.append({"id": number, "name": "ada", "raw": b"ab"})
    return path


def values(path):
    """The records of a file."""
    with RecordFile(path, read_only=True) as records:
        return [tuple(record.values()) for record in records]


def test_fields_are_changed(cli, path) -> None:
    """Those that are named alone, of that record alone."""
    assert (0, "", "") == cli("records", "set", path, "0", "name=eve", "raw=AP8=")
    assert [(7, "eve", b"\0\xff"), (8, "ada", b"ab")] == values(path)
    assert (0, "", "") == cli("records", "set", path, "-1", "id=9")
    assert [(7, "eve", b"\0\xff"), (9, "ada", b"ab")] == values(path)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["2", "id=1"], 1, "there is no record 2: it has 2. It is untouched."),
        (["-3", "id=1"], 1, "there is no record -3: it has 2"),
        (["x", "id=1"], 2, "'x' is not the number of a record"),
        (["0"], 2, "NAME=VALUE"),
        (["0", "id"], 2, "'id' is no NAME=VALUE"),
        (["0", "id=-1"], 65, "'id' cannot be -1 in 'I'"),
        (["0", "id=x"], 65, "'id' is a whole number, not 'x'"),
        (["0", "no=1"], 65, "there is no field 'no'; there are 'id', 'name', 'raw'"),
        (["0", "name=123456789"], 65, "'name' has at most 8 bytes"),
        (["0", "name=\udcff"], 65, "'name' cannot be encoded"),
        (["0", "raw=AA=="], 65, "'raw' has exactly 2 bytes, not 1"),
    ],
)
def test_what_does_not_fit_changes_nothing(cli, path, words, code, said) -> None:
    """Nor does what is wrongly said; the field is named."""
    before = path.read_bytes()
    result = cli("records", "set", path, *words)
    assert (code, "") == (result.code, result.out)
    assert said in result.err
    assert ("Nothing was changed." in result.err) is (code == 65)
    assert before == path.read_bytes()


def test_missing_file_is_66(cli, tmp_path) -> None:
    """It is not made, nor is a sidecar."""
    assert 66 == cli("records", "set", tmp_path / "none", "0", "id=1").code
    assert [] == [*tmp_path.iterdir()]


def test_record_that_is_held_is_waited_for(cli, path) -> None:
    """As long as it is said; other records are free."""
    with RecordFile(path) as records, records.lock(0):
        code, out, err = cli("records", "set", "-w", "0", path, "0", "id=1")
        assert (75, "") == (code, out)
        assert "Nothing was changed." in err
        assert 9 == cli("records", "set", "-w", "0", "-E", "9", path, "-2", "id=1").code
        assert 0 == cli("records", "set", "-w", "0", path, "1", "id=1").code
    assert [7, 1] == [record[0] for record in values(path)]


def test_signal_ends_the_wait(path) -> None:
    """Then nothing is changed."""
    with RecordFile(path) as records, records.lock(0):
        program = start_program("records", "set", path, "0", "id=1")
        wait_for_waiter(f"{path}.lock")
        program.send_signal(signal.SIGTERM)
        out, err = program.communicate(timeout=LIMIT_S)
    assert (143, b"", b"") == (program.returncode, out, err)
    assert 7 == values(path)[0][0]
