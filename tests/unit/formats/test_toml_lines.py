"""TOML of the plainest kind, read line by line."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.diff import diff
from holdfast.formats.plain import same
from holdfast.formats.toml_layout import rewrite
from holdfast.formats.toml_lines import decoded, replace_scalar
from tests.tidy.source import run_bare

NAMES = st.sampled_from(["a", "b", "a-b", "a_1", "2", "a.b", '"a"', "", "é"])
SPACES = st.sampled_from(["", " ", "\t", "  "])
WORDS = st.sampled_from(
    [
        "true", "false", "0", "-0", "7", "-12", "+1", "012", "1_000", "1.5", "-0.0", "1.", ".5",
        "01.5",
        "1e3", "0x1f", "inf", "nan", "1979-05-27", "07:32:00", "9" * 18, "9" * 19, "tru", "",
        '""', '"x"', '"# no"', '"a=b"', r'"\n"', '"""x"""', '"', '"é"', '"\u00a0"', "''", "'x'",
        r"'\'", "'''x'''", "'", "[]", "[1]", "[1, 2]", '["a", "b",]', "[1,,2]", "[,]", "[1 2]",
        "[[1]]", "[true, 1.5, 'x']", "[1", "{}", "{a = 1}", "1 2", "1]", "1,", "x\x00", "x\r",
    ]
)  # fmt: skip
COMMENTS = st.sampled_from(["", "#", "# note", "  # [x] = 1", "x", "# \x01", "#\t"])
KEYS = st.builds("{}{}{}={}{}{}{}".format, SPACES, NAMES, SPACES, SPACES, WORDS, SPACES, COMMENTS)
HEADERS = st.builds(
    "{}[{}{}{}]{}{}".format,
    SPACES,
    SPACES,
    st.sampled_from(["a", "b", "a.b", "a.b.c", "a . b", "b.a", "[a]", "", ".", "a.", '"a"', "a]"]),
    SPACES,
    SPACES,
    COMMENTS,
)
TEXTS = st.lists(KEYS | HEADERS | COMMENTS, max_size=5).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(
        lambda end: end.join(lines) + (end if lines else "")
    )
)


@given(TEXTS)
def test_what_it_reads_is_what_the_standard_library_reads(text):
    """And what that refuses is not read here."""
    found = decoded(text)

    assert found is None or same(tomllib.loads(text), found)


def test_plain_settings_are_read():
    """Comments, tables, every kind of scalar, lists on one line, both line ends."""
    text = "# x\nname = \"é\" # y\n\n[a.b]\n on=true\nn = -7\n[a]\r\nx = 1.5\nl = [1, 't',]\n"

    assert {
        "name": "é", "a": {"b": {"on": True, "n": -7}, "x": 1.5, "l": [1, "t"]},
    } == decoded(text)  # fmt: skip
    assert {} == decoded("")


@pytest.mark.parametrize("key", ["a", "b", "s", "n", "x", "deep"])
@pytest.mark.parametrize(
    "value", [1, -5, True, 1.5, -0.0, 1e300, "", "new", 'q"', "back\\", "é", "a#b"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_quick_way_writes_what_the_long_one_does(key, value, end):
    """A scalar that is all that changed: in place, comments and spaces stay."""
    text = 'a = 1 # one\n  b=false\ns = "old"   # "s"\n[t]\nn = 1.5\nx = \'lit\'\ndeep = [1]\n'
    text = text.replace("\n", end)
    old = tomllib.loads(text)
    table = old if key in old else old["t"]
    before, table[key] = table[key], value
    quick = replace_scalar(text, key, value)
    table[key] = before

    if quick is not None:
        new = tomllib.loads(quick)
        assert quick == rewrite(text, diff(old, new))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a = 1\n[t]\na = 2\n", "a"),
        ("a.b = 1\n", "b"),
        ("ab = 1\n", "a"),
        ("a = [1]\n", "a"),
        ("a = 0x1\n", "a"),
        ("a = 'x'\n", "a"),
        ("", "a"),
    ],
)
def test_anything_else_is_left_to_the_long_way(text, key):
    """Two keys of the name, none, or a value that is not of the plainest kind."""
    assert None is replace_scalar(text, key, 7)


def test_a_key_that_begins_another_is_found():
    """`retries` is not `retries_max`."""
    text = "retries_max = 9\nretries = 3\n"

    assert "retries_max = 9\nretries = 4\n" == replace_scalar(text, "retries", 4)


def test_plain_settings_are_read_without_the_parser():
    """The parser, dates and regular expressions take longer than the rest of a command."""
    code = (
        "from holdfast.formats.toml_text import TomlCodec; codec = TomlCodec()\n"
        "old = codec.decode(b'a = 1\\n')\n"
        "assert codec.encode_sole({'a': 2}, previous=b'a = 1\\n', old=old)[0] == b'a = 2\\n'"
    )

    assert set() == {"tomllib", "datetime", "re", "typing"} & set(run_bare(code))
