"""Where statements and items stand, in time that grows with the text."""

from __future__ import annotations

import time

import pytest

from holdfast.errors import DecodeError
from holdfast.formats.toml_scan import has_comment, inside, key_is_too_long, statements
from holdfast.formats.toml_text import TomlCodec

CODEC = TomlCodec()
SIZE = 300_000
LIMIT_S = 10.0
"""Each of these needs less than a second; a quadratic pattern takes minutes."""
LONG = ".".join(["a"] * 300)

TEXT = '''# head
a = 1 # one
"q # k" . 'b' = "x # no" # yes
s = """ # no
[no]
"" # no \\""""

  [[ t . u ]] # t
n = [ # c
  "]", '}', [1, {d = "#"}] # d
]
when = 1979-05-27 07:32:00 # then
'''


def test_statements_are_whole_lines_with_their_key_and_value():
    """Whatever strings, comments and brackets look like."""
    found = statements(TEXT)
    keys = [("a",), ("q # k", "b"), ("s",), ("t", "u"), ("n",), ("when",)]
    assert keys == [statement.key for statement in found]
    assert ["", "", "", "[[", "", ""] == [statement.opening for statement in found]
    assert list(range(6)) == [statement.number for statement in found]
    values = [TEXT[s.value : s.value_end] for s in found if not s.opening]
    assert ["1", '"x # no"'] == values[:2]
    assert values[2].endswith('no \\""""')
    assert "1979-05-27 07:32:00" == values[4]
    lines = "".join(TEXT[s.start : s.end] for s in found)
    assert TEXT.replace("# head\n", "").replace('"\n\n', '"\n') == lines


def test_items_have_their_commas_and_keys():
    """In arrays over several lines and in inline tables."""
    text = '[1, # a\n "x", {b.c = 2, "d" = [3]} # e\n]'
    array = inside(text, 0)
    assert ["1", '"x"', '{b.c = 2, "d" = [3]}'] == [text[i.value : i.end] for i in array.items]
    assert [2, 12, -1] == [item.comma for item in array.items]
    assert len(text) - 1 == array.close
    table = inside(text, array.items[2].value)
    assert [("b", "c"), ("d",)] == [item.key for item in table.items]
    assert ["2", "[3]"] == [text[item.value : item.end] for item in table.items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a = 1 # c", True), ('a = "#"', False), ("a = '''\n# x\n'''", False), ("a = [ # c\n]", True)],
)
def test_a_mark_in_text_is_no_comment(text, expected):
    """Only one outside of strings is."""
    assert expected is has_comment(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG} = 1",
        f"[{LONG}]",
        LONG,
        " . ".join(['"a"'] * 300),
        f'x = ["""\nfoo""", {{{LONG} = 1}}]',
        f"x = ['''\n#''', {{{LONG} = 1}}]",
    ],
)
def test_a_key_of_many_parts_is_found_wherever_it_stands(text):
    """Also in a text that ends too early, and behind what looks like a comment."""
    assert key_is_too_long(text, 256)
    with pytest.raises(DecodeError, match="nested deeper"):
        CODEC.decode(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        f"# {LONG}\n",
        f"x = 1 # {LONG}\n",
        f'x = "{LONG}"\n',
        f'x = """\n{LONG}\n"""\n',
        "x = [" + "1.5, " * 400 + "]\n",
        "x = 1 # " + "." * 400,
    ],
)
def test_dots_elsewhere_are_no_key(text):
    """In comments, strings and numbers."""
    assert not key_is_too_long(text, 256)
    assert ["x"] >= list(CODEC.decode(text.encode()))


BIG = {
    "a long word": 'k = "' + "a" * SIZE + '"\n',
    "a long key": "a" * SIZE + " = 1\n",
    "many long words": "".join(f'k{i} = "{"a" * 32_000}"\n' for i in range(SIZE // 32_000)),
    "dots in text": 'k = "' + "a." * (SIZE // 2) + '"\n',
    "dots in a comment": "k = 1 # " + "a." * (SIZE // 2) + "\n",
    "brackets": "k = [" + "[]," * (SIZE // 3) + "]\n",
    "quotes": "k = [" + '"",' * (SIZE // 3) + "]\n",
    "escaped quotes": 'k = "' + '\\"' * (SIZE // 2) + '"\n',
    "quotes in text of lines": 'k = """' + '""a' * (SIZE // 3) + '"""\n',
    "keys in text of lines": 'k = """' + "\na = 1" * (SIZE // 6) + '"""\n',
    "blanks": "k = 1" + " " * SIZE + "\n",
    "blank lines": "k = 1\n" + " \n" * (SIZE // 2),
    "comments": "k = 1\n" + "#\n" * (SIZE // 2) + "[t]\n",
    "tables": "k = 1\n" + "".join(f"[t{i}]\na = {i}\n" for i in range(SIZE // 20)),
}


@pytest.mark.parametrize("name", BIG)
def test_a_large_text_is_read_and_changed_in_proportion_to_its_size(name):
    """A new value, and a new table; no pattern steps back."""
    previous = ("x = 1 # c\n" + BIG[name]).encode()
    start = time.monotonic()
    value = CODEC.decode(previous)
    value["x"] = 2
    assert previous.replace(b"x = 1 #", b"x = 2 #", 1) == CODEC.encode(value, previous=previous)
    value["new"] = {"y": 1}
    assert CODEC.encode(value, previous=previous).endswith(b"\n\n[new]\ny = 1\n")
    assert time.monotonic() - start < LIMIT_S


@pytest.mark.parametrize(
    "text",
    ["a." * SIZE, '"a".' * SIZE, '"\\"' * SIZE + "a." * 300, "'" * SIZE, '"' * SIZE,
     "a.b " * SIZE, " " * SIZE + "a." * 300, "a " * SIZE + "." * 300, "x = {" + "a." * SIZE,
     "x = ['''" + "'a.b" * SIZE, 'x = """' + '\\"' * SIZE + "." * 300],
)  # fmt: skip
def test_a_large_text_that_is_no_toml_is_refused_as_soon(text):
    """Long keys, strings without an end, and quotes without sense."""
    start = time.monotonic()
    with pytest.raises(DecodeError):
        CODEC.decode(text.encode())
    assert time.monotonic() - start < LIMIT_S
