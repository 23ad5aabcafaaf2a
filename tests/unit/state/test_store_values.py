"""Values of one store: errors name the store and the key, changes in place are not lost."""

from __future__ import annotations

import math
from typing import Any

import pytest

from holdfast.errors import DecodeError
from holdfast.formats.plain import MISSING
from holdfast.state.store_values import StoreValues

VALUES: StoreValues[Any] = StoreValues("x.jrn", "json", None)


def test_value_is_given_as_it_would_be_read() -> None:
    """From what is kept of it."""
    assert [1] == VALUES.give("k", VALUES.keep("k", (1,)))
    assert 5 == VALUES.keep("k", 5)
    assert b"[1]" == VALUES.encode("k", [1])


def test_error_names_store_and_key() -> None:
    """And says what to do."""
    with pytest.raises(DecodeError, match=r"x\.jrn: the value of 'k' is not readable as json") as e:
        VALUES.give("k", b"[1")
    assert ("x.jrn", ("k",), 1) == (e.value.path, e.value.key, e.value.line)
    typed: StoreValues[Any] = StoreValues("x.jrn", "json", dict[str, int])
    with pytest.raises(DecodeError, match="does not fit the type: a: expected int") as e:
        typed.give("k", b'{"a":"b"}')
    assert ("k", "a") == e.value.key


@pytest.mark.parametrize(
    ("kept", "default", "expected"), [(5, MISSING, 6), (MISSING, 1, 2), (5, 1, 6)]
)
def test_function_is_applied_to_the_value_or_the_default(kept, default, expected) -> None:
    """The default counts only where there is none."""
    assert expected == VALUES.applied("k", kept, fn=lambda n: n + 1, default=default)


def test_missing_key_without_default_is_a_key_error() -> None:
    """The function is not called."""
    with pytest.raises(KeyError, match="k"):
        VALUES.applied("k", MISSING, fn=lambda _: pytest.fail("was called"), default=MISSING)


def test_change_in_place_that_would_be_lost_is_refused() -> None:
    """None is a value; but not what a function that changed the old one means."""
    apply = VALUES.applied
    with pytest.raises(TypeError, match="Return the new value"):
        apply("k", b"[1]", fn=lambda old: old.append(2), default=MISSING)
    with pytest.raises(TypeError, match="Return the new value"):
        apply("k", b"[1]", fn=lambda old: old.append({2}), default=MISSING)
    assert apply("k", b"[1]", fn=lambda _: None, default=MISSING) is None
    assert apply("k", 5, fn=lambda _: None, default=MISSING) is None


class Picky:
    """A codec of the user's own."""

    name = "picky"

    def encode(self, value: int) -> bytes:
        if value < 0:
            raise ValueError("less than zero")
        return b"%d" % (1 // value)

    def decode(self, data: bytes) -> int:
        return int(data)


@pytest.mark.parametrize(
    ("codec", "value", "error", "reason"),
    [
        ("json", {"a": [math.nan]}, ValueError, "a.0: JSON has no nan"),
        ("json", math.inf, ValueError, "JSON has no inf"),
        ("json", {1: 2}, TypeError, "JSON keys are text, 1 is of type int"),
        ("text", 5, TypeError, "the values of this store are text, not int"),
        ("text", "\ud800", ValueError, "the text has a lone surrogate, which no UTF-8 can hold"),
        ("bytes", "a", TypeError, "the values of this store are bytes, not str"),
    ],
)
def test_value_that_cannot_be_stored_is_named(codec, value, error, reason) -> None:
    """With the store, the key and the place in it."""
    values: StoreValues[Any] = StoreValues("x.jrn", codec, None)
    for call in (
        lambda: values.encode("k", value),
        lambda: values.keep("k", value),
        lambda: values.applied("k", MISSING, fn=lambda _: value, default=values_default(codec)),
        lambda: values.applied("k", MISSING, fn=lambda old: old, default=value),
    ):
        with pytest.raises(error) as e:
            call()
        assert f"x.jrn: the value of 'k': {reason}. Nothing was written." == str(e.value)


def values_default(codec: str) -> Any:
    return {"json": 1, "text": "", "bytes": b""}[codec]


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [(-1, ValueError, "less than zero"), (0, ZeroDivisionError, "zero")],
)
def test_error_of_a_codec_of_ones_own_keeps_its_words(value, error, words) -> None:
    """And says where it was in a note."""
    values: StoreValues[Any] = StoreValues("x.jrn", Picky(), None)
    with pytest.raises(error, match=words) as e:
        values.encode("k", value)
    note = "x.jrn: the value of 'k' could not be encoded. Nothing was written."
    assert [note] == e.value.__notes__


def test_entry_that_cannot_be_says_what_is_wrong() -> None:
    """Keys, one value, and all of them together."""
    large = bytes(31 << 20)
    refused: list[tuple[Any, type[Exception], str]] = [
        ([(5, b"1")], TypeError, "text, not int"),
        ([("k" * 65_537, b"1")], ValueError, "at most 65536 bytes"),
        ([("k", bytes(60 << 20))], ValueError, "the value of 'k' has 62914560 bytes"),
        ([("k", large), ("l", large)], ValueError, "2 changes have .*import_lines"),
    ]
    for changes, error, words in refused:
        with pytest.raises(error, match=rf"^x\.jrn: .*{words}.*") as e:
            VALUES.entry(changes)
        assert "Nothing was written." in str(e.value)
    assert VALUES.entry([("k", None)])
