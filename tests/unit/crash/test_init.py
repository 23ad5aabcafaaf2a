"""The public names of the crash tester: complete, and lazy."""

from __future__ import annotations

import ast

import pytest

import holdfast.crash
from tests.tidy.source import SRC, run_bare


@pytest.mark.parametrize("name", holdfast.crash.__all__)
def test_public_name_resolves(name) -> None:
    """Every name in `__all__` is there, and the same object each time."""
    assert getattr(holdfast.crash, name) is getattr(holdfast.crash, name)


def test_names_for_type_checkers_are_the_names_that_resolve() -> None:
    """What editors see under TYPE_CHECKING is what the lazy table gives, from the same modules."""
    tree = ast.parse((SRC / "crash/__init__.py").read_text("utf-8"))
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    homes = [(str(n.module), n.names) for n in imports if str(n.module).startswith("holdfast.")]
    seen = {alias.name: home for home, names in homes for alias in names}

    assert seen == holdfast.crash._HOME_OF
    assert sorted(seen) == sorted(holdfast.crash.__all__) == dir(holdfast.crash)


def test_unknown_name_is_an_attribute_error() -> None:
    """A name that does not exist is refused as by any module."""
    with pytest.raises(AttributeError, match=r"module 'holdfast\.crash' has no attribute 'explor'"):
        _ = holdfast.crash.explor  # pyright: ignore[reportAttributeAccessIssue]


def test_a_watched_program_pays_for_nothing_but_ack() -> None:
    """Acknowledging loads no part of the tester, and nothing costly."""
    loaded = run_bare("from holdfast.crash import ack; ack('saved')")

    assert {"holdfast", "holdfast.crash", "holdfast.crash.acknowledge"} == {
        name for name in loaded if name.startswith("holdfast")
    }
    assert set() == set(loaded) & {"typing", "ctypes", "re", "subprocess"}
