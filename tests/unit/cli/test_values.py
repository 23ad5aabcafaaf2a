"""Words to values, values to text, and their places in a document."""

from __future__ import annotations

from datetime import date, time

import pytest

from holdfast.cli.exits import Failure
from holdfast.cli.values import (
    MISSING,
    alike,
    assign,
    find,
    like,
    read_key,
    read_path,
    read_value,
    remove,
    split_pair,
    text_of,
)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1", 1),
        ("-1.5", -1.5),
        ("true", True),
        ("null", None),
        ('"1"', "1"),
        ("[1, 2]", [1, 2]),
        ('{"a": 1}', {"a": 1}),
        ("idle", "idle"),
        ("", ""),
        ("0042", "0042"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("{broken", "{broken"),
        ("1" * 50, int("1" * 50)),
        ("9" * 5000, "9" * 5000),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_word_is_json_if_it_parses_else_text(word, value) -> None:
    """A word is the JSON value that it spells, and text if it spells none."""
    assert (type(value), value) == (type(read_value(word)), read_value(word))


def test_kind_is_forced() -> None:
    """A forced kind decides instead of the spelling."""
    assert "42" == read_value("42", "str")
    assert 42 == read_value("042", "int")
    assert [1] == read_value("[1]", "json")


@pytest.mark.parametrize(
    ("word", "kind"), [("x", "int"), ("1.5", "int"), ("x", "json"), ("NaN", "json")]
)
def test_word_of_another_kind_is_wrong_usage(word, kind) -> None:
    """A word that is not of the forced kind is a mistake of usage."""
    with pytest.raises(Failure) as caught:
        read_value(word, kind)

    assert 2 == caught.value.exit_code


@pytest.mark.parametrize(
    ("word", "sides"),
    [
        ("a=1", ("a", "1")),
        ("a.b=x=y", ("a.b", "x=y")),
        ("a=", ("a", "")),
        ('a."b=c"=1', ('a."b=c"', "1")),
        ("a=line\nbreak", ("a", "line\nbreak")),
        ("=1", None),
        ("a", None),
        ('"a=b"', None),
    ],
)
def test_pair_is_split_at_the_first_sign_outside_quotes(word, sides) -> None:
    """KEY=VALUE is split at the first `=` that is not in quotes."""
    assert sides == split_pair(word)


def test_wrong_path_is_wrong_usage() -> None:
    """A key path that cannot be read is a mistake of usage."""
    with pytest.raises(Failure) as caught:
        read_path("a..b")

    assert 2 == caught.value.exit_code


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain\ntext", "plain\ntext"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "null"),
        (date(2026, 11, 23), "2026-11-23"),
        ([], "[]"),
        ({"a": [1]}, '{\n  "a": [\n    1\n  ]\n}'),
        (2**100, str(2**100)),
    ],
)
def test_value_is_printed_plainly(value, text) -> None:
    """Text is printed as it is, dates as ISO 8601, everything else as JSON."""
    assert text == text_of(value)


def test_date_stays_a_date() -> None:
    """What spells a date or time becomes one where there was one, and nowhere else."""
    old = date(2026, 1, 1)

    assert date(2026, 11, 23) == like(old, "2026-11-23")
    assert time(12, 30) == like(time(1), "12:30:00")
    assert ("soon", 7) == (like(old, "soon"), like(old, 7))
    assert "2026-11-23" == like("text", "2026-11-23") == like(MISSING, "2026-11-23")


def test_number_is_an_index_or_a_key() -> None:
    """A number is the item of a list, the key of a table, or the number that YAML has as key."""
    root = {"list": ["a"], "0": "text", "years": {2026: "now"}}

    assert "a" == find(root, ("list", 0))
    assert "text" == find(root, (0,))
    assert "now" == find(root, ("years", 2026))
    assert MISSING is find(root, ("list", 1))
    assert MISSING is find(root, ("list", "a"))
    assert MISSING is find(root, ("list", 0, "a"))


def test_tables_on_the_way_are_made() -> None:
    """Assigning below what is missing makes the tables on the way."""
    assert {"a": {"b": {"0": 1}}} == assign({}, ("a", "b", 0), 1)


def test_list_is_changed_and_extended() -> None:
    """An item of a list is replaced; its end, by number or `-`, is appended to."""
    root = {"l": [1]}

    for part, value in ((0, "a"), (1, "b"), ("-", "c")):
        assign(root, ("l", part), value)

    assert {"l": ["a", "b", "c"]} == root


def test_number_key_of_yaml_is_kept() -> None:
    """A number that is a key already stays a number."""
    assert {2026: 2} == assign({2026: 1}, (2026,), 2)


@pytest.mark.parametrize(
    ("root", "path", "message"),
    [
        ({"a": 1}, ("a", "b"), "a is a number, so there can be no b in it"),
        ({"a": None}, ("a", "b"), "a is null, so there can be no b in it"),
        ({"a": "t"}, ("a", "b", "c"), "a is text, so there can be no b in it"),
        ({"a": [1]}, ("a", 5), "a is a list of 1; 5 is no place in it"),
        ({"a": [1]}, ("a", "x"), "a is a list of 1; x is no place in it"),
    ],
)
def test_what_is_in_the_way_is_named(root, path, message) -> None:
    """A value that cannot hold the rest of the path is refused, and named."""
    with pytest.raises(Failure) as caught:
        assign(root, path, 1)

    assert (65, message) == (caught.value.exit_code, str(caught.value))


def test_appending_to_nothing_makes_a_list() -> None:
    """`-` makes a list where nothing is, and stays a key of a table that is there."""
    assert {"l": [1]} == assign({}, ("l", "-"), 1)
    assert {"a": {"l": [{"b": 1}]}} == assign({}, ("a", "l", "-", "b"), 1)
    assert {"a": {"-": 1}} == assign({"a": {}}, ("a", "-"), 1)


def test_empty_path_is_the_whole() -> None:
    """Assigning to the empty path replaces the document."""
    assert [1] == assign({}, (), [1])


def test_value_is_removed_from_tables_and_lists() -> None:
    """Removing takes a key of a table or an item of a list; nothing where there is none."""
    root = {"a": {"b": 1, "c": 2}, "l": [1, 2, 3]}

    assert remove(root, ("a", "b"))
    assert remove(root, ("l", 1))
    assert not remove(root, ("a", "b"))
    assert not remove(root, ("l", 7))
    assert not remove(root, ("no", "way"))
    assert {"a": {"c": 2}, "l": [1, 3]} == root


def test_whole_document_cannot_be_removed() -> None:
    """Deleting the whole document is a mistake of usage."""
    with pytest.raises(Failure) as caught:
        remove({}, ())

    assert 2 == caught.value.exit_code


def test_empty_key_is_wrong_usage() -> None:
    """The empty word is no key, though an empty key and the whole document can be written."""
    with pytest.raises(Failure) as caught:
        read_key("")

    assert 2 == caught.value.exit_code
    assert [(), ("",)] == [read_key("."), read_key('""')]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1, 1.0, True),
        ({"a": [1, {"b": 2.0}]}, {"a": [1.0, {"b": 2}]}, True),
        (1, True, False),
        (0.0, False, False),
        (1, "1", False),
        ([1], [1, 2], False),
        ({"a": 1}, {"b": 1}, False),
        (1, MISSING, False),
        (None, None, True),
    ],
)
def test_numbers_are_alike_by_their_value(a, b, expected) -> None:
    """1 and 1.0 are alike wherever they stand; true, text and what is missing are no numbers."""
    assert expected is alike(a, b)
