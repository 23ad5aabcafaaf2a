"""Records as words and as JSON, and what the verbs of a file of records share."""

from __future__ import annotations

import math

import pytest

from holdfast.cli.exits import Failure
from holdfast.cli.records import (
    facts,
    facts_of_file,
    field_facts,
    fields_in,
    layout_in,
    no_record,
    number_in,
    number_key,
    open_records,
    record_in,
)
from holdfast.errors import Corruption, UnknownFormat
from holdfast.primitives.record_file import RecordFile

LAYOUT = {"id": "i", "f": "d", "ok": "?", "name": "8s", "raw": "3c", "some": "4p"}
WORDS = ["id=-7", "f=1e3", "ok=true", "name=a=b", "raw=AAEC", "some=/w=="]
RECORD = {"id": -7, "f": 1000.0, "ok": True, "name": "a=b", "raw": b"\0\1\2", "some": b"\xff"}
LINE = b'{"id": -7, "f": 1000.0, "ok": true, "name": "a=b", "raw": "AAEC", "some": "/w=="}'


def test_words_are_typed_by_the_layout() -> None:
    """What stands behind the first equals sign is the value."""
    assert RECORD == fields_in("f", LAYOUT, WORDS)
    assert {"name": ""} == fields_in("f", LAYOUT, ["name="])
    assert math.isnan(fields_in("f", LAYOUT, ["f=nan"])["f"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["id"], 2, "'id' is no NAME=VALUE"),
        (["id=1", "id=2"], 2, "'id' is given twice"),
        (["id=x"], 65, "f: 'id' is a whole number, not 'x'. Nothing was changed."),
        (["id=" + "9" * 5000], 65, "'id' is a whole number"),
        (["f=x"], 65, "'f' is a number, not 'x'"),
        (["ok=1"], 65, "'ok' is true or false, not '1'"),
        (["raw=AAE"], 65, "'raw' is bytes in base 64, not 'AAE'"),
        (["some=\xff"], 65, "'some' is bytes in base 64"),
    ],
)
def test_word_that_is_no_field_is_refused(words, code, said) -> None:
    """A mistake of usage, or of the data."""
    with pytest.raises(Failure) as caught:
        fields_in("f", LAYOUT, words)
    assert code == caught.value.exit_code
    assert said in str(caught.value)


def test_line_of_json_is_a_record() -> None:
    """As it is printed: the number is passed over, and what is no JSON is text."""
    assert RECORD == record_in(LAYOUT, LINE)
    assert {"id": 1} == record_in(LAYOUT, b' {"number": 9, "id": 1}\r')
    assert {"number": 9} == record_in({"number": "I"}, b'{"number": 9, "_number": 0}')
    floats = [record_in(LAYOUT, b'{"f": "%s"}' % text)["f"] for text in (b"inf", b"-inf", b"x")]
    assert [math.inf, -math.inf, "x"] == floats


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"x", "it is no JSON: "),
        (b"\xff", "it is no JSON: "),
        (b"[1]", "it is no object of JSON"),
        (b"[" * 100_000, "it is n"),
        (b'{"raw": "?"}', "'raw' is bytes in base 64, not '?'"),
    ],
)
def test_line_that_is_no_record_is_refused(line, said) -> None:
    """And it is said why."""
    with pytest.raises(ValueError, match=r"^(it is n|'raw')") as caught:
        record_in(LAYOUT, line)
    assert str(caught.value).startswith(said)


def test_what_is_printed_can_be_read_back() -> None:
    """Bytes and floats of every kind."""
    for number in (0.5, math.inf, -math.inf):
        record = {**RECORD, "f": number}
        shown = facts(LAYOUT, 3, record)
        assert ("number", 3) == next(iter(shown.items()))
        assert {"inf", "-inf", 0.5} >= {shown["f"]}
    assert "nan" == field_facts({"f": math.nan})["f"]
    assert {"raw": "AAEC"} == field_facts({"raw": b"\0\1\2"})


def test_key_of_the_number_is_no_field() -> None:
    """A field may be called so."""
    assert "number" == number_key({"id": "I"})
    assert "__number" == number_key({"number": "I", "_number": "I"})


def test_layout_is_read_from_a_word() -> None:
    """In the order of the fields; what is none is a mistake of usage."""
    assert [("id", "Q"), ("owner", "32s")] == [*layout_in("id=Q,owner=32s").items()]
    for text in ("", "id", "id=Q,", "id=Q,id=I", "id=x", "=Q", "id=0s"):
        with pytest.raises(Failure, match="--create") as caught:
            layout_in(text)
        assert 2 == caught.value.exit_code


def test_number_of_a_record_may_be_negative() -> None:
    """Anything else is a mistake of usage."""
    assert [0, 12, -1] == [number_in(text) for text in ("0", "12", "-1")]
    for text in ("", "-", "x", "1.0", "--1", "1_0", "9" * 21):
        with pytest.raises(Failure, match="not the number of a record"):
            number_in(text)


def test_file_is_opened_or_made(tmp_path, monkeypatch) -> None:
    """Made where a layout is given alone; another layout is refused."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_records("a.rec", read_only=False)
    assert [] == [*tmp_path.iterdir()]
    open_records("a.rec", create="id=Q", read_only=False).close()
    with open_records("a.rec") as records:
        assert {"id": "Q"} == records.layout
        with pytest.raises(IndexError) as caught:
            records[3]
    told = str(no_record("a.rec", caught.value))
    assert "a.rec: there is no record 3: it has 0. It is untouched." == told
    with pytest.raises(UnknownFormat, match="Leave out --create, or copy"):
        open_records("a.rec", create="id=I", read_only=False)


def test_file_says_what_it_is(tmp_path) -> None:
    """What the head says, the count, the highest generation, and where the sidecar is."""
    path = tmp_path / "a.rec"
    with RecordFile(path, {"id": "Q"}, chunk_bytes=2048) as records:
        assert (0, None) == tuple(
            facts_of_file(str(path))[name] for name in ("chunks", "newest_generation")
        )
        for number in range(3):
            records.append({"id": number})
        records.update(2, {"id": 5})
    seen = facts_of_file(str(path))

    assert {"id": "Q"} == seen["layout"]
    assert (3, 8, 512, 2, 2, 3) == tuple(
        seen[name]
        for name in (
            "records", "record_bytes", "slot_bytes", "chunk_records", "chunks", "newest_generation"
        )
    )  # fmt: skip
    assert f"{path}.lock" == seen["sidecar"]
    (tmp_path / "a.rec.lock").unlink()
    assert None is facts_of_file(str(path))["sidecar"]
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(Corruption):
        facts_of_file(str(path))
