"""Elements of a stored recording: exactly their type, or refused."""

from __future__ import annotations

from typing import get_args

import pytest

from holdfast.crash.stored_values import (
    NUMBER_MAX,
    json_of,
    number_of,
    read_inode,
    read_operation,
    text_of,
    texts_of,
)
from holdfast.vfs import operations as ops
from holdfast.vfs.operations import Node


def test_every_operation_can_be_read() -> None:
    """One that is added later must have readers for its fields."""
    samples = {
        "inode": 2, "folder": 1, "to_folder": 1, "offset": 0, "size": 0, "name": "a",
        "to_name": "b", "text": "t", "data": b"d", "data_only": True, "node": Node("file"),
        "mode": 0o600, "owner": (1, 2), "xattrs": (("user.x", None),),
    }  # fmt: skip
    for kind in get_args(ops.Operation):
        made = kind(*(samples[name] for name in kind._fields))
        assert made == read_operation(kind.__name__, [json_of(value) for value in made])


@pytest.mark.parametrize("value", [True, 1.0, "1", None, -1, NUMBER_MAX, [1]])
def test_number_is_exact(value) -> None:
    """No truth value, fraction or text is taken for one."""
    with pytest.raises(ValueError, match="no number"):
        number_of(value)


@pytest.mark.parametrize("value", [1, None, ["a"], {"b": ""}])
def test_text_is_exact(value) -> None:
    """Nor is anything else taken for text."""
    with pytest.raises(ValueError, match="no text"):
        text_of(value)
    with pytest.raises(ValueError, match=r"no text|no list"):
        texts_of(value if value != ["a"] else [1])


@pytest.mark.parametrize(
    "data", ["aGk=", {"b": "%%"}, {"b": "aGk=", "c": 1}, {"c": "aGk="}, {"b": 1}, None]
)
def test_bytes_are_an_object_with_base64(data) -> None:
    """And with nothing else."""
    with pytest.raises(ValueError, match=r"form that belongs|no text|base64|padding"):
        read_inode(["file", 0, 0, 0, data, [], []])


def test_huge_values_make_short_errors() -> None:
    """A message does not repeat a megabyte."""
    with pytest.raises(ValueError, match="no number") as it:
        number_of("x" * 1_000_000)
    assert 100 > len(str(it.value))
