"""YAML, encoded onto what was there."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from holdfast.errors import DecodeError
from holdfast.formats.yaml_text import YamlCodec

CODEC = YamlCodec()


def onto(previous: str, value: object) -> str:
    return CODEC.encode(value, previous=previous.encode()).decode()


def test_a_new_file_is_in_block_style():
    """Two columns a level, text quoted only where it must be."""
    value = {"a": {"b": [1, {"c": "no", "d": []}]}, "t": "l1\nl2\n", "x y": None}
    expected = 'a:\n  b:\n    - 1\n    - c: "no"\n      d: []\nt: |\n  l1\n  l2\nx y: null\n'
    assert expected == CODEC.encode(value).decode()
    assert b"[]\n" == CODEC.encode([])
    assert b"5\n" == CODEC.encode(5)


@pytest.mark.parametrize(
    ("previous", "value", "expected"),
    [
        ("a: 1 # one\nb: 2\n", {"a": 5, "b": 2}, "a: 5 # one\nb: 2\n"),
        ("a: 'x' # q\n", {"a": "it's"}, "a: 'it''s' # q\n"),
        ('a: "x"\n', {"a": "y"}, 'a: "y"\n'),
        ("a: x\n", {"a": "yes"}, 'a: "yes"\n'),
        ("a:\nb: 1\n", {"a": 5, "b": 1}, "a: 5\nb: 1\n"),
        ("a: # note\nb: 1\n", {"a": 5, "b": 1}, "a: 5 # note\nb: 1\n"),
        ("a: long\n  text # c\n", {"a": 1}, "a: 1 # c\n"),
        ("- a\n-\n- c\n", ["a", 1, "c"], "- a\n- 1\n- c\n"),
        ("a: {b: 1, c: [1, 2]} # f\n", {"a": {"b": 1, "c": [1, 2, 3], "d": 4}}, "a: {b: 1, c: [1, 2, 3], d: 4} # f\n"),  # noqa: E501
        ("{a, b: }\n", {"a": 1, "b": 2}, "{a: 1, b: 2 }\n"),
        ('{"a":1}', {"a": 2}, '{"a":2}'),
        ("a: |\n    x\n    y\n\nb: 1\n", {"a": "z\nw\n", "b": 1}, "a: |\n    z\n    w\n\nb: 1\n"),
        ("a: >-\n  x\n  y\nb: 1\n", {"a": "z", "b": 1}, "a: z\nb: 1\n"),
        ("a: ~ # c", {"a": {"b": 1}}, "a: # c\n  b: 1"),
        ("? a\n: b\n", {"a": "c"}, "? a\n: c\n"),
        ("? a # c\n# d\n: b # e\nz: 1 # f\n", {"a": "c", "z": 1}, "? a # c\n# d\n: c # e\nz: 1 # f\n"),  # noqa: E501
        ("a:\t1\t# c\nb: 2\n", {"a": 5, "b": 2}, "a:\t5\t# c\nb: 2\n"),
        ("-\t1\n- 'x'\t\t# c\n", [1, "y"], "-\t1\n- 'y'\t\t# c\n"),
        ("b: \n", {"b": "x\ny\n"}, "b: | \n  x\n  y\n"),
        ("b: 1 # c\nc: 2\n", {"b": "x\ny\n", "c": 2}, "b: | # c\n  x\n  y\nc: 2\n"),
        ("b: # c\n", {"b": "x\ny\n"}, "b: | # c\n  x\n  y\n"),
        ("b: # c\n  1\n", {"b": "x\ny\n"}, "b: | # c\n  x\n  y\n"),
        ("b: # c1\n  # c2\n  1 # c3\n", {"b": 2}, "b: # c1\n  # c2\n  2 # c3\n"),
        ("b: # c1\n  # c2\n  1\n", {"b": {"x": 1}}, "b: # c1\n  # c2\n  x: 1\n"),
        ("b: # c1\n  x: 1\n  y: 2 # c2\n", {"b": 3}, "b: 3 # c1 # c2\n"),
        ("b:\n  x: 1 # c\n", {"b": "x\ny\n"}, "b: | # c\n  x\n  y\n"),
        ("---\n...\n", {"a": 1}, "---\na: 1\n...\n"),
        ("---\n# c\n...\n# d\n", {"a": [1]}, "---\n# c\na:\n  - 1\n...\n# d\n"),
    ],
)  # fmt: skip
def test_a_value_gives_way_on_its_own_span(previous, value, expected):
    """Comments, quotes and brackets stay."""
    assert expected == onto(previous, value)


@pytest.mark.parametrize(
    ("previous", "value", "expected"),
    [
        ("a:\n    b: 1\nc: 2\n", {"a": {"b": 1, "d": {"e": 1}}, "c": 2}, "a:\n    b: 1\n    d:\n        e: 1\nc: 2\n"),  # noqa: E501
        ("a:\n- 1\n- 2\nz: 1\n", {"a": [1, 2, 3], "z": 1, "w": [4]}, "a:\n- 1\n- 2\n- 3\nz: 1\nw:\n- 4\n"),  # noqa: E501
        ("a: 1", {"a": 1, "b": 2}, "a: 1\nb: 2"),
        ("a: 1\r\n", {"a": 1, "b": [2]}, "a: 1\r\nb:\r\n  - 2\r\n"),
        ("# only\n", {"a": 1}, "# only\na: 1\n"),
        ("", {"a": 1}, "a: 1\n"),
        ("---\n", {"a": 1}, "---\na: 1\n"),
        ("- x # c\n- y\n", ["w", "x", "y"], "- w\n- x # c\n- y\n"),
        ("- x # c\n- y\n", ["x", "w", "y"], "- x # c\n- w\n- y\n"),
        ("- - a\n  - b\n", [["a", "b", "c"]], "- - a\n  - b\n  - c\n"),
        ("a: 1 # c\n\n# tail\n", {"a": 1, "b": 2}, "a: 1 # c\nb: 2\n\n# tail\n"),
    ],
)  # fmt: skip
def test_what_is_added_follows_the_layout_around_it(previous, value, expected):
    """Indents of keys and dashes, line ends, and a missing final newline."""
    assert expected == onto(previous, value)


@pytest.mark.parametrize(
    ("previous", "value", "expected"),
    [
        ("a: 1\n# about b\nb: 2 # two\nc: 3\n", {"a": 1, "c": 3}, "a: 1\n# about b\nc: 3\n"),
        ("a: 1\nb: 2", {"a": 1}, "a: 1"),
        ("- a: 1\n  b: 2\n", [{"b": 2}], "- b: 2\n"),
        ("a:\n  b: 1\nc: 2\n", {"a": {}, "c": 2}, "a: {}\nc: 2\n"),
        ("# c\na: 1\n", {}, "# c\n"),
        ("a: [1, 2, 3]\n", {"a": [1, 3]}, "a: [1, 3]\n"),
        ("- 1\n- 2 # two\n- 3\n", [1, 3], "- 1\n- 3\n"),
        ("- - a\n  - b\n", [["b"]], "- - b\n"),
        ("a:\n  - 1\n  - 2\n", {"a": []}, "a: []\n"),
        ("a: |\n  x\n  y\nb: 1\n", {"b": 1}, "b: 1\n"),
    ],
)
def test_what_is_deleted_takes_its_lines_alone(previous, value, expected):
    """Comments on lines of their own stay."""
    assert expected == onto(previous, value)


def test_an_alias_may_be_replaced_and_an_inherited_key_overridden():
    """Neither reaches the anchor."""
    assert "x: &a {k: 1}\ny: 5\n" == onto("x: &a {k: 1}\ny: *a\n", {"x": {"k": 1}, "y": 5})
    text = "x: &a {k: 1}\ny: {<<: *a, z: 1}\n"
    assert {"x": {"k": 1}, "y": {"k": 1, "z": 1}} == CODEC.decode(text.encode())
    expected = "x: &a {k: 1}\ny: {<<: *a, z: 1, k: 3}\n"
    assert expected == onto(text, {"x": {"k": 1}, "y": {"k": 3, "z": 1}})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x: &a {k: 1}\ny: *a\n", {"x": {"k": 2}, "y": {"k": 1}}),
        ("x: &a {k: 1}\ny: *a\n", {"x": {"k": 1}, "y": {"k": 2}}),
        ("x: &a {k: 1}\ny: *a\n", {"x": {"k": 2}, "y": {"k": 2}}),
        ("x: &a {k: 1}\ny: *a\n", {"y": {"k": 1}}),
        ("x: &a {k: 1}\ny: *a\n", {"x": 1, "y": {"k": 1}}),
        ("x: &a 1\ny: *a\n", {"x": 2, "y": 1}),
        ("x: &a {k: 1}\ny: {<<: *a, z: 1}\n", {"x": {"k": 1}, "y": {"z": 1}}),
        ("x: &a {k: {j: 1}}\ny: {<<: *a}\n", {"x": {"k": {"j": 1}}, "y": {"k": {"j": 2}}}),
    ],
)
def test_a_change_that_would_reach_two_places_is_refused(text, value):
    """The message names the place, and what is shared."""
    with pytest.raises(ValueError, match=r"shared by|merge key"):
        onto(text, value)


def test_copies_of_an_alias_share_nothing():
    """A change of one in memory is no change of the other."""
    value = CODEC.decode(b"x: &a [1]\ny: *a\nz: {<<: {q: &b [2]}, w: *b}\n")
    value["x"].append(2)
    value["z"]["q"].append(3)
    assert {"x": [1, 2], "y": [1], "z": {"q": [2, 3], "w": [2]}} == value


def test_comments_elsewhere_are_never_lost_by_a_fall_back():
    """A document is not rewritten as a whole while it has comments."""
    with pytest.raises(ValueError, match=r"without losing comments|read back as another"):
        onto("# c\n--- # d\n? a\n? b\n", {"a": 2, "b": 3})


@pytest.mark.parametrize(
    ("previous", "value", "expected"),
    [
        ("- a: 1 # c1\n  # c2\n  b: 2\n", [{"b": 2}], "-\n  # c2\n  b: 2\n"),
        ("- a: 1\n  # c2\n  b: 2\n  # c3\n  c: 3\n", [{"c": 3}], "-\n  # c2\n  # c3\n  c: 3\n"),
        ("- - 1 # c1\n  # c2\n  - 2\n", [[2]], "-\n  # c2\n  - 2\n"),
        ("a:\n  # c1\n  - 1\n", {"a": []}, "a:\n  # c1\n  []\n"),
        ("a:\n# c1\n- 1\n# c2\n- 2 # c3\n# c4\n", {"a": []}, "a:\n# c1\n []\n# c2\n# c4\n"),
        ("a:\n  # c1\n  - 1\n  # c2\n  - 2\n", {"a": [3, 4, 5]}, "a:\n  # c1\n  - 3\n  - 4\n  - 5\n  # c2\n"),  # noqa: E501
        ("# c1\na: 1\n# c2\nb: 2\n# c3\n", {}, "# c1\n# c2\n# c3\n"),
        ("x:\n  # c1\n  a: 1\n  # c2\n  b: 2\n", {"x": {}}, "x:\n  # c1\n  {}\n  # c2\n"),
        ("x:\n  # c1\n  a: 1\n  # c2\n  b: 2\n", {"x": {"c": 3}}, "x:\n  # c1\n  c: 3\n  # c2\n"),
        ("- 1 # c1\n# c2\n- 2\n- 3\n", [9, 8, 2, 3], "- 9\n- 8\n# c2\n- 2\n- 3\n"),
        ("- 1 # c1\n# c2\n- 2\n- 3\n", [2, 3], "# c2\n- 2\n- 3\n"),
        ("a: |  # c1\n  # text\n  x\n# c2\nb: 1\n", {"b": 1}, "# c2\nb: 1\n"),
        ("l: [1, # c1\n  2, # c2\n  3] # c3\n", {"l": [1, 3]}, "l: [1, # c1\n  3] # c3\n"),
    ],
)  # fmt: skip
def test_comments_between_what_goes_stay(previous, value, expected):
    """Only the lines of what is deleted, or the inside of what is replaced, go with it."""
    assert expected == onto(previous, value)


@pytest.mark.parametrize(
    ("previous", "value"),
    [
        ("l: [1, # c1\n  2]\n", {"l": [1]}),
        ("# c1\na: &x\n  # c2\n  b: [1,\n  # c3\n  2]\n", {"a": {"b": [1]}}),
    ],
)
def test_a_change_that_would_lose_a_comment_is_refused(previous, value):
    """The last step compares the comments of both texts, whatever the change was."""
    with pytest.raises(ValueError, match="without losing comments of the file: #"):
        onto(previous, value)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"", {}),
        (b"# c\n", {}),
        (b"---\n", {}),
        (b"~", None),
        (b"a: no", {"a": "no"}),
        (b"a: 0o17\nb: 0x1F\nc: 017\nd: 1_0", {"a": 15, "b": 31, "c": 17, "d": "1_0"}),
        (b"2026-01-02", date(2026, 1, 2)),
        (b"2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (b"{1: a, ~: b, 0.5: c, false: d}", {1: "a", None: "b", 0.5: "c", False: "d"}),
        (b"<<: [{a: 1}, {a: 2, b: 3}]\nb: 4", {"a": 1, "b": 4}),
        (b"!!str 5", "5"),
        (b"!!float 5", 5.0),
    ],
)
def test_values_are_those_of_yaml_1_2(data, value):
    """With dates, merge keys, and the tags of the core schema."""
    assert value == CODEC.decode(data)


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in b"bcdefgh"
)


@pytest.mark.parametrize(
    ("data", "reason", "place"),
    [
        (b"a: 1\na: 2", "the key 'a' is there twice", (2, 1)),
        (b"1: a\ntrue: b", "the key True is there twice", (2, 1)),
        (b"a: 1\n--- \nb: 2", "more than one document", (2, 1)),
        (b"a: &x [*x]", "inside its own anchor", (1, 8)),
        (b"a: *x", "no anchor x before", (1, 4)),
        (b"a: !!python/object:os.x {}", "the tag !!python/object:os.x is not supported", (1, 4)),
        (b"a: !secret x", "the tag !secret is not supported", (1, 4)),
        (b"a: !!int x", "not what its tag", (1, 4)),
        (b"? [1]\n: 2", "as a key is not supported", (1, 3)),
        (b"a: b: c", "mapping values are not allowed", (1, 5)),
        (b"a: \x00", "special characters are not allowed", (1, 4)),
        (b"\xff", "byte 0xff is not UTF-8", (1, 1)),
        (b"[" * 100000, "nested deeper", (1, 129)),
        (b"- " * 100000, "nested deeper", (1, 257)),
        (b"a: " + b"9" * 5000, "Exceeds the limit", (1, 4)),
        (b'"\\UFFFFFFFF"', "too large", (None, None)),
        (BOMB, "aliases stand for more than", (6, 8)),
        (b"<<: 5", "takes a mapping", (1, 5)),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_place(data, reason, place):
    """A DecodeError with line and column, where there are any."""
    with pytest.raises(DecodeError, match=reason) as caught:
        CODEC.decode(data)
    assert place == (caught.value.line, caught.value.column)
