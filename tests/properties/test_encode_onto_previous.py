"""Encoding onto the previous text, for any edit of any document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.formats.codec import codec_for
from holdfast.formats.plain import clone, same
from tests.support.documents import documents, edited, values

NAMES = ["json", "toml", "yaml"]
FEWER = settings(max_examples=max(10, settings().max_examples // 2))
FEWEST = settings(max_examples=max(10, settings().max_examples // 4))


@pytest.mark.parametrize("name", NAMES)
def test_a_new_file_is_read_back_as_it_was_written(name):
    """decode(encode(v)) is v."""
    codec = codec_for("", name)

    @FEWER
    @given(documents(name) if name == "toml" else values(name))
    def check(value):
        assert same(value if value != {} else {}, codec.decode(codec.encode(value)))

    check()


@pytest.mark.parametrize("name", NAMES)
def test_edits_of_a_document_are_read_back_as_they_were_made(name):
    """decode(encode(v, previous=p)) is v, for every edit of every document."""
    codec = codec_for("", name)

    @FEWER
    @given(edited(name))
    def check(pair):
        old, new = pair
        previous = codec.encode(old)
        assert same(new, codec.decode(codec.encode(new, previous=previous)))

    check()


@pytest.mark.parametrize("indent", [None, 0, 1, 4, "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_json_of_any_layout_takes_any_edit(indent, newline):
    """Inline, indented by spaces and tabs, with either line ending."""
    codec = codec_for("", "json")

    @FEWEST
    @given(edited("json"))
    def check(pair):
        old, new = pair
        previous = json.dumps(old, indent=indent).replace("\n", newline).encode()
        assert same(new, codec.decode(codec.encode(new, previous=previous)))

    check()


@pytest.mark.parametrize("name", NAMES)
def test_an_equal_value_gives_back_the_same_bytes(name):
    """Nothing is rewritten when nothing changed."""
    codec = codec_for("", name)

    @FEWEST
    @given(documents(name))
    def check(value):
        previous = codec.encode(value)
        assert previous is codec.encode(clone(value), previous=previous)

    check()


SETTINGS = {
    "json": """{
  "theme" : "dark",
  "n": [1, 2,
     3],
  "deep": {"x": {"y": 1.50}},
  "last": null
}""",
    "toml": """# head
theme = 'dark'   # colour
n = [1, 2, # two
     3]

[deep.x] # deep
y = 1.50 # a number

[last]
v = 0x10
""",
    "yaml": """# head
theme: 'dark'   # colour
n: [1, 2,
    3] # three
deep:
    # about x
    x:
        y: 1.50 # a number
list:
- a # first
- b
last: ~
""",
}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list):
        return [leaf for key, item in enumerate(value) for leaf in leaves(item, (*path, key))]
    return [path]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("name", NAMES)
def test_changing_one_field_changes_only_its_line(name, ending):
    """Every other line stays byte for byte, and so does the comment behind the value."""
    codec = codec_for("", name)
    previous = SETTINGS[name].replace("\n", ending).encode()
    for path in leaves(codec.decode(previous)):
        for new in (7, "plain", "needs: 'quotes' # here", -0.5, True):
            value = codec.decode(previous)
            place = value
            for part in path[:-1]:
                place = place[part]
            place[path[-1]] = new
            result = codec.encode(value, previous=previous)
            old_lines, new_lines = previous.split(b"\n"), result.split(b"\n")
            pairs = enumerate(zip(old_lines, new_lines, strict=True))
            changed = [number for number, (a, b) in pairs if a != b]
            assert 1 == len(changed), (path, new)
            if b"#" in old_lines[changed[0]]:
                comment = old_lines[changed[0]].rpartition(b"#")[2]
                assert new_lines[changed[0]].endswith(comment)


@FEWER
@given(st.sampled_from(NAMES), st.data())
def test_commented_files_take_any_edit_or_refuse_it(name, data):
    """An edit is written and read back, or refused with an error that names it; comments stay."""
    codec = codec_for("", name)
    previous = SETTINGS[name].encode()
    value = codec.decode(previous)
    key = data.draw(st.sampled_from(sorted(value)))
    if data.draw(st.booleans()):
        del value[key]
    else:
        value[key] = data.draw(values(name))
    result = codec.encode(value, previous=previous)
    assert same(value, codec.decode(result))
    if name != "json":
        assert result.startswith(b"# head")
