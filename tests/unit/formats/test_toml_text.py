"""TOML, changed key by key."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from holdfast.errors import DecodeError
from holdfast.formats.toml_text import TomlCodec

CODEC = TomlCodec()
TEXT = """# the head
title = "x"  # the title
path = 'C:\\dir' # literal
nums = [
    1, # one
    2,
]
when = 2026-01-01T10:00:00Z
a.b.c = 1 # dotted

[tool] # a table
inline = {a = 1, b = "c"} # inline
[tool.sub]
y = 0xFF # hex

[[prod]]
name = "p1" # first
[[prod]]
name = "p2"

[other]
k = 1
[tool.late] # out of order
z = 1_000
"""


def changed(change, text: str = TEXT) -> list[str]:
    """The lines that are gone and those that are new, marked by - and +."""
    value = CODEC.decode(text.encode())
    change(value)
    result = CODEC.encode(value, previous=text.encode()).decode()
    old, new = text.splitlines(), result.splitlines()
    gone = [f"-{line}" for line in old if line not in new]
    return gone + [f"+{line}" for line in new if line not in old and line]


def put(*path, value):
    def change(document):
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("title",), "new", 'title = "new"  # the title'),
        (("title",), 5, "title = 5  # the title"),
        (("title",), [1, "a"], 'title = [1, "a"]  # the title'),
        (("path",), "D:\\x", "path = 'D:\\x' # literal"),
        (("path",), "it's", 'path = "it\'s" # literal'),
        (("nums", 0), 7, "    7, # one"),
        (("when",), date(2026, 2, 3), "when = 2026-02-03"),
        (("when",), datetime(2026, 1, 2, tzinfo=UTC), "when = 2026-01-02T00:00:00Z"),
        (("when",), time(1, 2, 3), "when = 01:02:03"),
        (("a", "b", "c"), 2, "a.b.c = 2 # dotted"),
        (("tool", "inline", "b"), "d", 'inline = {a = 1, b = "d"} # inline'),
        (("tool", "sub", "y"), float("inf"), "y = inf # hex"),
        (("prod", 0, "name"), "q", 'name = "q" # first'),
        (("tool", "late", "z"), 2, "z = 2"),
        (("other", "k"), False, "k = false"),
    ],
)
def test_one_field_changes_one_line_and_keeps_its_comment(path, value, expected):
    """In tables, inline tables, arrays of tables, dotted keys, and tables out of order."""
    lines = changed(put(*path, value=value))
    assert 2 == len(lines)
    assert "+" + expected == lines[1]


def test_a_new_key_stands_in_its_table():
    """And a new table behind it."""
    assert ["+new = 1"] == changed(put("other", "new", value=1))
    assert ["+[other.new]", "+q = 1"] == changed(put("other", "new", value={"q": 1}))
    assert ["+fresh = true"] == changed(put("fresh", value=True))


def test_deleting_takes_the_line_alone():
    """Everything else stays."""
    assert ['-title = "x"  # the title'] == changed(lambda d: d.pop("title"))
    assert ["-[[prod]]", '-name = "p1" # first'][1:] == changed(lambda d: d["prod"].pop(0))
    assert ["-    1, # one"] == changed(lambda d: d["nums"].pop(0))


def test_arrays_of_tables_grow():
    """Each new item gets its header."""
    assert ['+name = "p3"'] == changed(lambda d: d["prod"].append({"name": "p3"}))


@pytest.mark.parametrize("text", [TEXT.replace("\n", "\r\n"), "\ufeff" + TEXT, TEXT.rstrip("\n")])
def test_line_ends_mark_and_missing_final_newline_stay(text):
    """What is added has them too."""
    value = CODEC.decode(text.encode())
    value["title"] = "new"
    value["tool"]["late"]["more"] = [1, {"x": "y"}]
    result = CODEC.encode(value, previous=text.encode()).decode()
    assert result.startswith("\ufeff") == text.startswith("\ufeff")
    assert ("\r\n" in text) == ("\r\n" in result)
    assert result.count("\r") in (0, result.count("\n"))
    assert text.endswith("\n") == result.endswith("\n")
    assert value == CODEC.decode(result.encode())


def test_multiline_text_stays_multiline():
    """With its first line break after the quotes."""
    result = CODEC.encode({"a": "x\ny\n"}, previous=b'a = """\nold\n""" # why\n')
    assert b'a = """\nx\ny\n""" # why\n' == result


def test_a_new_file_is_written_whole():
    """Plain keys first, then tables."""
    value = {"t": {"x": 1}, "a": 1, "l": [{"b": 2}], "e": [], "d": {}}
    result = CODEC.encode(value)
    assert value == CODEC.decode(result)
    assert result.startswith(b"a = 1\n")


def test_what_would_lose_comments_everywhere_is_refused():
    """A document is not rewritten as a whole while it has comments."""
    with pytest.raises(TypeError, match="a table, not a list"):
        CODEC.encode([1], previous=b"# c\na = 1")
    with pytest.raises(TypeError, match=r"^a: TOML cannot hold None"):
        CODEC.encode({"a": None}, previous=b"# c\na = 1")


@pytest.mark.parametrize(
    ("data", "reason", "place"),
    [
        (b"a = 1\nb = = 2", "invalid value", (2, 5)),
        (b"a = 1\na = 2", "cannot overwrite a value", (2, 6)),
        (b"a = [1,", "invalid value", (1, 8)),
        (b"a = \x00", "invalid value", (1, 5)),
        (b"a = '\xff'", "byte 0xff is not UTF-8", (1, 6)),
        (b"a = " + b"[" * 100000, "nested deeper", (None, None)),
        (b"a." * 100000 + b"a = 1", "nested deeper", (None, None)),
        (b"a." * 150 + b"a = 1", "nested deeper", (None, None)),
        (b"a = " + b"9" * 5000, "exceeds the limit", (None, None)),
    ],
)
def test_what_is_no_toml_is_refused_with_its_place(data, reason, place):
    """A DecodeError with line and column, where there are any."""
    with pytest.raises(DecodeError, match=reason) as caught:
        CODEC.decode(data)
    assert place == (caught.value.line, caught.value.column)


def test_an_empty_file_is_an_empty_table():
    """And so is one of comments, which stay when a key is added."""
    assert {} == CODEC.decode(b"")
    assert b"# c\na = 1\n" == CODEC.encode({"a": 1}, previous=b"# c\n")
