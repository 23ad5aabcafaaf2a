"""JSON, encoded onto what was there."""

from __future__ import annotations

import sys

import pytest

from holdfast.errors import DecodeError
from holdfast.formats.json_text import JsonCodec
from holdfast.formats.plain import same

CODEC = JsonCodec()
NAN = float("nan")


def onto(previous: str, value: object) -> str:
    return CODEC.encode(value, previous=previous.encode()).decode()


def test_a_new_file_is_indented_by_two_and_ends_its_line():
    """Text is written as it is, not escaped."""
    assert (
        '{\n  "a": [\n    1,\n    "é"\n  ],\n  "b": {}\n}\n'
        == CODEC.encode({"a": [1, "é"], "b": {}}).decode()
    )
    assert b'"x"\n' == CODEC.encode("x")


@pytest.mark.parametrize("value", ["\ud800", ["\udfff\ud800"], {"\ud83d": "é"}])
def test_lone_surrogates_are_escaped(value):
    """They are no UTF-8, but JSON has a way to write them."""
    assert same(value, CODEC.decode(CODEC.encode(value)))
    assert same(value, CODEC.decode(CODEC.encode(value, previous=b'{"a": 1}')))


def test_two_surrogates_that_would_join_are_refused():
    """They would be read back as one character."""
    with pytest.raises(ValueError, match="read back as another"):
        CODEC.encode(["\ud83d\ude00"])


@pytest.mark.parametrize(
    ("previous", "value", "expected"),
    [
        ('{"a": 1.50, "b": 1e3}', {"a": 1.5, "b": 2}, '{"a": 1.50, "b": 2}'),
        ('{"a":1}', {"a": 1, "b": [1, {"c": 2}]}, '{"a":1,"b":[1,{"c":2}]}'),
        ('{ "a": 1 , "b": 2 }', {"b": 2}, '{ "b": 2 }'),
        ('{"a": 1, "b": 2, "c": 3}', {"a": 1}, '{"a": 1}'),
        ('{"a": 1, "b": 2}', {}, "{}"),
        ('{"a": 1, "b": 2}', {"c": 3}, '{"c": 3}'),
        ("[1, 2, 3]", [1, 2, 3, 4], "[1, 2, 3, 4]"),
        ("[1, 2, 3]", [2, 3], "[2, 3]"),
        ("[ ]", [1, 2], "[1, 2]"),
        ('{"a": 1, "a": 2}', {"a": 3}, '{"a": 1, "a": 3}'),
        ('{"a": 1, "b": 0, "a": 2}', {"b": 0}, '{"b": 0}'),
        ('{"\\u0061": 1, "b": 2}', {"a": 5, "b": 2}, '{"\\u0061": 5, "b": 2}'),
        ('{"x \\"a": 1, "a": 2}', {'x "a': 1, "a": 5}, '{"x \\"a": 1, "a": 5}'),
        ('{"b": "\\"a\\": 1", "a": 2}', {"b": '"a": 1', "a": 5}, '{"b": "\\"a\\": 1", "a": 5}'),
        ('["\\u00e9"]', ["é", "ü"], '["\\u00e9", "\\u00fc"]'),
        ("  5 \n", "x", '  "x" \n'),
        ('{"a": {"b": 1}, "c": {"b": 2}}', {"a": {"b": 1}, "c": {"b": 3}}, '{"a": {"b": 1}, "c": {"b": 3}}'),  # noqa: E501
        ("[NaN, 1]", [NAN, 2], "[NaN, 2]"),
        ('{"n": 123456789012345678901, "a": 1}', {"n": 123456789012345678901, "a": 2},
         '{"n": 123456789012345678901, "a": 2}'),
    ],
)  # fmt: skip
def test_only_what_changed_is_rewritten(previous, value, expected):
    """Spelling of numbers, escapes, spaces and duplicate keys stay."""
    assert expected == onto(previous, value)


@pytest.mark.parametrize(
    ("previous", "value", "expected"),
    [
        ('{\n\t"a": 1\n}', {"a": 1, "b": {"c": [1]}}, '{\n\t"a": 1,\n\t"b": {\n\t\t"c": [\n\t\t\t1\n\t\t]\n\t}\n}'),  # noqa: E501
        ('{\r\n  "a": 1\r\n}\r\n', {"a": 1, "b": [2]}, '{\r\n  "a": 1,\r\n  "b": [\r\n    2\r\n  ]\r\n}\r\n'),  # noqa: E501
        ('{\n  "a": {},\n  "b": []\n}', {"a": {"x": 1}, "b": []}, '{\n  "a": {\n    "x": 1\n  },\n  "b": []\n}'),  # noqa: E501
        ('{\n  "m": [\n    [1, 2],\n    [3, 4]\n  ]\n}', {"m": [[1, 2], [3, 4, 5]]},
         '{\n  "m": [\n    [1, 2],\n    [3, 4, 5]\n  ]\n}'),
        ('{\n  "a": {"x": 1},\n  "b": 2\n}', {"a": {"y": 2, "z": 3}, "b": 2},
         '{\n  "a": {"y": 2, "z": 3},\n  "b": 2\n}'),
        ("{}\n", {"a": 1}, '{\n  "a": 1\n}\n'),
        ('{\n    "a": 1\n}', {"a": {"b": 1}}, '{\n    "a": {\n        "b": 1\n    }\n}'),
    ],
)  # fmt: skip
def test_what_is_added_follows_the_layout_around_it(previous, value, expected):
    """Indent, separators and line ends are those of the neighbours."""
    assert expected == onto(previous, value)


def test_mark_and_missing_final_newline_stay():
    """The first and the last byte of a file are its own."""
    assert b'\xef\xbb\xbf{"a": 2}' == CODEC.encode({"a": 2}, previous=b'\xef\xbb\xbf{"a": 1}')


def test_an_equal_value_gives_the_very_bytes():
    """Also with the keys in another order."""
    previous = b'{"a" :1,"b":2 }'
    assert CODEC.encode({"b": 2, "a": 1}, previous=previous) is previous


@pytest.mark.parametrize(
    ("previous", "value"), [(b'{"a": 1}', {"a": NAN}), (b"[1]", [1, float("inf")]), (None, [NAN])]
)
def test_a_new_nan_is_refused_with_its_key(previous, value):
    """Only a file that has one already keeps it."""
    with pytest.raises(ValueError, match=r"^(a|0|1): JSON has no (nan|inf)$"):
        CODEC.encode(value, previous=previous)


@pytest.mark.parametrize(
    ("data", "reason", "place"),
    [
        (b"", "the file is empty", (1, 1)),
        (b" \n", "the file is empty", (2, 1)),
        (b'{"a": 1,\n "b" 2}', "expecting ':' delimiter", (2, 6)),
        (b"[1] 2", "extra data", (1, 5)),
        (b'"\x00"', "invalid control character at", (1, 2)),
        (b"[" * 100000, "nested deeper", (None, None)),
        (b"[" * 200 + b"]" * 200, "nested deeper", (None, None)),
        (b"9" * 5000, "exceeds the limit|Exceeds the limit", (None, None)),
        (b'"\xff"', "byte 0xff is not UTF-8", (1, 2)),
        ("é".encode("utf-16"), "byte 0xff is not UTF-8", (1, 1)),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(data, reason, place):
    """A DecodeError with line and column, where there are any."""
    with pytest.raises(DecodeError, match=reason) as caught:
        CODEC.decode(data)
    assert place == (caught.value.line, caught.value.column)


def test_a_previous_text_that_does_not_parse_is_not_written_over():
    """The error is that of decoding."""
    with pytest.raises(DecodeError):
        CODEC.encode({}, previous=b"{")


def test_huge_numbers_are_values():
    """Infinity for 1e999, and every digit of a big integer."""
    assert [float("inf")] == CODEC.decode(b"[1e999]")
    assert 10**4000 == CODEC.decode(b"1" + b"0" * 4000)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 2_000_000,
        b'{"a":' * 500_000,
        b'["' + b"\\\\" * 200 + b'",' + b"[" * 2_000_000,
        b"[" * 900 + b"]" * 900,
        b'["[]]", ' + b"[" * 128 + b"]" * 128 + b"]",
    ],
)
def test_depth_is_refused_before_the_stack_is_used(data):
    """Also where the program allows a recursion that the stack has no room for."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        with pytest.raises(DecodeError, match="nested deeper than 128 levels"):
            CODEC.decode(data)
    finally:
        sys.setrecursionlimit(limit)


def test_brackets_in_text_have_no_depth():
    """Nor have those that stand side by side, nor those behind escaped quotes."""
    value = ["[" * 500, '"' * 3 + "{[" * 500 + "\\", {"[" * 500: [[]] * 300}]
    assert value == CODEC.decode(CODEC.encode(value))


class Unwilling:
    """A value that can be compared with nothing."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise ValueError("not with this")


@pytest.mark.parametrize(
    "value",
    [
        {"a": Unwilling(), "b": 2},
        {"a": (1,), "b": 3},
        {"a": [1], "b": 3, "c": 1},
        {"a": [1], "b": None},
        {"a": [1], "b": float("nan")},
        {"a": [True], "b": 3},
        [1],
    ],
)
def test_sole_change_is_one_simple_scalar_and_nothing_else(value: object) -> None:
    """Anything else, plain or not, is left to the general way; equal is not the same."""
    codec = JsonCodec()
    previous = b'{"a": [1], "b": 2}'

    assert None is codec.encode_sole(value, previous=previous, old=codec.decode(previous))


def test_sole_change_gives_what_the_text_decodes_to() -> None:
    """The new text, and a value that shares nothing with the one that was given."""
    codec = JsonCodec()
    value = {"b": 3, "a": [1]}
    previous = b'{"a": [1], "b": 2}'
    sole = codec.encode_sole(value, previous=previous, old=codec.decode(previous))
    assert sole is not None

    assert (b'{"a": [1], "b": 3}', {"a": [1], "b": 3}) == sole
    assert value["a"] is not sole[1]["a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{\n  // no\n  "a": 1}', "JSON has no comments"),
        (b'{"a": 1 /* no */}', "JSON has no comments"),
        (b"# no\n{}", "JSON has no comments"),
        (b'{"a": 1,}', "JSON has no comma before a closing bracket"),
    ],
)
def test_what_json_has_not_is_named(text: bytes, said: str) -> None:
    """Comments and last commas, which other tools take, are called by their names."""
    with pytest.raises(DecodeError, match=said):
        JsonCodec().decode(text)
