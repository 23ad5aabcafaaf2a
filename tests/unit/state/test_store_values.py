"""Values of one store: errors name the store and the key, changes in place are not lost."""

from __future__ import annotations

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
