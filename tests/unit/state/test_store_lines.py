"""Lines of a store: what is exported is imported, and what is no line changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from holdfast.errors import DecodeError
from holdfast.formats.store_format import MAX_VALUE_BYTES
from holdfast.state.store import Store


@pytest.fixture
def store(tmp_path) -> Iterator[Store[Any]]:
    with Store(tmp_path / "a.jrn", sync="never") as made:
        yield made


def copied(source: Store[Any], target: Store[Any]) -> int:
    return target.import_lines(source.export_lines())


def test_lines_are_json_in_order(store) -> None:
    """One a key, as anybody reads them."""
    store.update({"b": {"x": [1, None]}, 'a"\n': "é", "c": 2**70})
    lines = list(store.export_lines())

    assert b'{"key":"b","value":{"x":[1,null]}}\n' == lines[1]
    assert [{"key": key, "value": store[key]} for key in sorted(store)] == [*map(json.loads, lines)]


class Pairs:
    """A codec of text to text that is no JSON."""

    name = "pairs"

    def encode(self, value: tuple[int, int]) -> bytes:
        return bytes(value)

    def decode(self, data: bytes) -> tuple[int, int]:
        first, second = data
        return first, second


@pytest.mark.parametrize(
    ("codec", "values"),
    [
        ("json", {"a": 1, "b": {"x": [0.5, "é"]}, "": None}),
        ("bytes", {"a": b"\xff\0", "b": b""}),
        ("text", {"a": 'é"', "b": ""}),
        (Pairs(), {"a": (1, 255)}),
    ],
)
def test_what_is_exported_is_imported(tmp_path, codec, values) -> None:
    """With any codec."""
    with (
        Store(tmp_path / "b.jrn", codec=codec, sync="never") as source,
        Store(tmp_path / "c.jrn", codec=codec, sync="never") as target,
    ):
        source.update(values)
        assert len(values) == copied(source, target)
        assert values == dict(target)


def test_many_lines_are_one_commit(store) -> None:
    """As many as are asked for; empty ones are passed over, and text is taken as well."""
    lines = [f'{{"key": "{n % 90}", "value": {n}}}' for n in range(100)]
    assert 100 == store.import_lines(["", *lines, " \n"], batch=30)
    assert 4 >= store.sequence >= 3
    assert {str(n % 90): n for n in range(100)} == dict(store)
    assert 0 == store.import_lines([])


def test_large_lines_make_smaller_commits(store) -> None:
    """However many are asked for."""
    lines = (b'{"key":"%d","value":"%s"}' % (n, b"x" * 1_500_000) for n in range(5))
    assert 5 == store.import_lines(lines)
    assert 3 == store.sequence


def test_long_keys_make_smaller_commits(store) -> None:
    """They count as values do: what was exported would be too large for one commit."""
    lines = (b'{"key":"%05d%s","value":1}' % (n, b"k" * 60_000) for n in range(200))
    assert 200 == store.import_lines(lines)
    assert 3 == store.sequence


def test_line_that_is_large_by_itself_is_one_commit(store) -> None:
    """What came before it does not make it too large."""
    small = b'{"key":"a","value":"%s"}' % (b"x" * 4_000_000)
    large = b'{"key":"b","value":"%s"}' % (b"y" * (MAX_VALUE_BYTES - 2))
    assert 2 == store.import_lines([small, large])
    assert (2, ["a", "b"]) == (store.sequence, list(store))
    too_large = large.replace(b'"b"', b'"d"').replace(b'"}', b'y"}')
    with pytest.raises(DecodeError, match=r"line 2: the value of 'd' has \d+ bytes, and at most"):
        store.import_lines([b'{"key":"c","value":1}', too_large])
    assert ["a", "b", "c"] == list(store)


@pytest.mark.parametrize(
    "bad",
    [
        b"[1",
        b"5",
        b'{"value":1}',
        b'{"key":1,"value":1}',
        b'{"key":"a"}',
        b'{"key":"a","value":NaN}',
        b'{"key":"a","base64":"?"}',
        b'{"key":"\\ud800","value":1}',
        b"\xff",
    ],
)
def test_line_that_is_none_is_told_by_its_number(store, bad) -> None:
    """Those before it are in the store, those after it are not."""
    lines = [b'{"key":"x","value":1}', b"", bad, b'{"key":"y","value":1}']
    with pytest.raises(DecodeError, match="line 3: ") as caught:
        store.import_lines(lines, replace=True)
    assert (3, store.path) == (caught.value.line, caught.value.path)
    assert {"x": 1} == dict(store)


@dataclass
class User:
    name: str


def test_typed_store_takes_what_fits_its_type(tmp_path) -> None:
    """Fields that the type does not know stay in the value."""
    with Store(tmp_path / "b.jrn", User, sync="never") as users:
        users.import_lines([b'{"key":"a","value":{"name":"x","age":5}}'])
        assert User("x") == users["a"]
        assert [b'{"key":"a","value":{"name":"x","age":5}}\n'] == list(users.export_lines())
        with pytest.raises(DecodeError, match="does not fit"):
            users.import_lines([b'{"key":"b","value":{}}'])
        assert {"a"} == users.keys()


def test_replacing_deletes_the_others_at_the_end(store) -> None:
    """In one commit more, if there are others."""
    store.update(a=1, b=2, c=3)
    lines = [b'{"key":"b","value":5}', b'{"key":"d","value":6}']
    store.import_lines(lines)
    assert {"a": 1, "b": 5, "c": 3, "d": 6} == dict(store)
    assert 2 == store.import_lines(lines, replace=True)
    assert {"b": 5, "d": 6} == dict(store)
    assert 4 == store.sequence
    store.import_lines(lines, replace=True)
    assert 5 == store.sequence


def test_batch_is_one_or_more(store) -> None:
    """Nothing is read otherwise."""
    with pytest.raises(ValueError, match="batch is 0"):
        store.import_lines(iter([b"x"]), batch=0)


@pytest.mark.parametrize("lines", [b'{"key":"a","value":1}', '{"key":"a","value":1}'])
def test_text_alone_is_no_lines(store, lines) -> None:
    """It would be taken letter by letter."""
    with pytest.raises(TypeError, match=r"as a list, or as a file\. Nothing was written\."):
        store.import_lines(lines)


@pytest.mark.parametrize("line", [{"key": "a", "value": 1}, ("a", 1)])
def test_line_is_bytes_or_text(store, line) -> None:
    """Not what it stands for; its number is told."""
    with pytest.raises(TypeError, match=f"line 2 is of the type {type(line).__name__}"):
        store.import_lines([b'{"key":"b","value":1}', line], batch=1)
    assert {"b": 1} == dict(store)


def test_line_that_is_no_json_is_called_so(store) -> None:
    """And a value of another codec what it is, without a word of the path twice."""
    with pytest.raises(DecodeError, match="line 1: not JSON: expecting value"):
        store.import_lines([b"x y"])
    with pytest.raises(DecodeError, match="'a' is not readable as json: byte 0xff") as caught:
        store.import_lines([b'{"key":"a","base64":"/w=="}'])
    assert 1 == str(caught.value).count(store.path)
