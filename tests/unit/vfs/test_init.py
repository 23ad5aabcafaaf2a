"""The door of the ground floor: protocols and records are loaded when they are asked for."""

from __future__ import annotations

import pytest

from holdfast import vfs
from holdfast.vfs import api
from tests.tidy.source import run_bare


@pytest.mark.parametrize("name", vfs.__all__)
def test_every_name_is_there(name) -> None:
    """All that `__all__` lists resolves; what `api` has is the same object."""
    found = getattr(vfs, name)

    assert found is getattr(api, name, found)


def test_unknown_name_is_an_attribute_error() -> None:
    """A name that does not exist is refused as by any module."""
    with pytest.raises(AttributeError, match="has no attribute 'Flie'"):
        _ = vfs.Flie


def test_protocols_are_loaded_when_they_are_asked_for() -> None:
    """Who only names them in annotations does not load them."""
    assert "holdfast.vfs.api" not in run_bare("from holdfast.vfs import SYSTEM")
    assert "holdfast.vfs.api" in run_bare("from holdfast.vfs import SYSTEM, VFS")
