"""The scanner of JSON without the rest of `json`."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.json_scan import decoded, quoted, replace_scalar, scan
from tests.tidy.source import run_bare

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, st.sampled_from(["", " ", "\n", "\t\r\n "]), st.sampled_from(["", "\n", " \n"]))
def test_it_decodes_as_json_does(value, before, after):
    """With and without spaces around."""
    text = before + json.dumps(value) + after

    assert json.dumps(json.loads(text)) == json.dumps(decoded(text))


@pytest.mark.parametrize(
    "text", ["", " ", "{", "[1,]", "nul", "1 2", "{} x", '"a', "[1] ,", "\ufeff1"]
)
def test_it_refuses_what_json_refuses(text):
    """With the same place and reason."""
    with pytest.raises(json.JSONDecodeError) as expected:
        json.JSONDecoder().decode(text)

    with pytest.raises(json.JSONDecodeError) as found:
        decoded(text)

    assert str(expected.value) == str(found.value)


def test_constants_that_are_no_json_are_read():
    """A file may have them."""
    assert math.isnan(decoded("NaN"))
    assert [math.inf, -math.inf] == decoded("[Infinity, -Infinity]")


@given(st.text())
def test_text_is_quoted_as_json_does(text):
    """Escaped no more than it must be."""
    assert json.dumps(text, ensure_ascii=False) == quoted(text)


def test_scan_ends_behind_the_value():
    """What follows is for the caller."""
    assert ([1], 3) == scan("[1] x", 0)


def test_the_quick_way_is_for_a_key_that_is_there_once():
    """Anything else is left to the walk."""
    assert '{"a": 2}' == replace_scalar('{"a": 1}', "a", 2)
    assert None is replace_scalar('{"a": "a"}', "a", 2)
    assert None is replace_scalar('{"b": 1}', "a", 2)
    assert None is replace_scalar('["a"]', "a", 2)


@pytest.mark.parametrize("value", [True, False, 0, -7, 10**30, 1.5, -0.0, 1e300, "", 'a"b', "\\n"])
def test_a_scalar_is_written_as_json_does(value):
    """Text, numbers and booleans."""
    assert f'{{"a" : {json.dumps(value)}}}' == replace_scalar('{"a" : null}', "a", value)


@pytest.mark.parametrize("text", ['{"a"', '{"a" ', '{"a":', '{"a": ', '{"a": x}', '{"a": [1}'])
def test_the_quick_way_ends_where_the_text_does(text):
    """No text makes it run on or raise."""
    assert None is replace_scalar(text, "a", 2)


def test_a_get_loads_neither_json_nor_regular_expressions():
    """They take longer than the rest of a command."""
    loaded = run_bare("from holdfast.formats.json_text import JsonCodec; JsonCodec().decode(b'{}')")

    assert set() == {"json", "re", "enum"} & set(loaded)


def test_an_interpreter_without_the_scanner_in_c_takes_that_of_json():
    """The answers are the same."""
    code = (
        "import sys; sys.modules['_json'] = None\n"
        "from holdfast.formats.json_scan import decoded, quoted, replace_scalar\n"
        "assert decoded(' [1, {\"a\": null}]') == [1, {'a': None}]\n"
        "assert quoted('é\"') == '\"é\\\\\"\"'\n"
        "assert replace_scalar('{\"a\": 1}', 'a', True) == '{\"a\": true}'"
    )

    assert "json" in run_bare(code)


@pytest.mark.parametrize("text", ["", "{", "[1,]", '{"a" 1}', '"\\x"', "[nul]", '"a\nb"'])
def test_a_mistake_is_the_same_whatever_was_loaded_before(text):
    """The scanner itself finds the class of its errors only if `json` is loaded."""
    code = (
        "from holdfast.formats.json_scan import decoded, replace_scalar\n"
        f"assert replace_scalar('{{\"a\": ' + {text!r}, 'a', 1) is None or {text!r} == ''\n"
        "try:\n"
        f"    decoded({text!r})\n"
        "except ValueError as error:\n"
        "    assert type(error).__name__ == 'JSONDecodeError'\n"
        "else:\n"
        "    raise AssertionError('read')"
    )

    assert "json" in run_bare(code)
