"""The public names: complete, lazy, and helpful when misspelt."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys

import pytest

import holdfast
from tests.tidy.source import SRC


@pytest.mark.parametrize("name", holdfast.__all__)
def test_public_name_resolves(name: str) -> None:
    """Every name in `__all__` is there, and the same object each time."""
    assert getattr(holdfast, name) is getattr(holdfast, name)


def test_names_for_type_checkers_are_the_names_that_resolve() -> None:
    """What editors see under TYPE_CHECKING is what the lazy table gives, from the same modules."""
    tree = ast.parse((SRC / "__init__.py").read_text("utf-8"))
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    homes = [(str(n.module), n.names) for n in imports if str(n.module).startswith("holdfast.")]
    seen = {alias.name: home for home, names in homes for alias in names}

    assert seen == holdfast._HOME_OF
    assert sorted(holdfast.__all__) == sorted([*seen, "__version__"])


def test_dir_lists_the_public_names() -> None:
    """Completion offers the public names, before any of them was loaded."""
    assert sorted(holdfast.__all__) == dir(holdfast)


def test_unknown_name_is_an_attribute_error() -> None:
    """A name that does not exist is refused as by any module."""
    with pytest.raises(AttributeError, match="module 'holdfast' has no attribute 'write_byte'"):
        _ = holdfast.write_byte  # pyright: ignore[reportAttributeAccessIssue]


def test_misspelt_name_gets_a_suggestion() -> None:
    """Python itself suggests the name that was meant."""
    command = [sys.executable, "-c", "import holdfast; holdfast.write_byte"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "Did you mean: 'write_bytes'" in done.stderr


def test_star_import_gives_the_public_names() -> None:
    """`from holdfast import *` gives `__all__` and nothing else."""
    names: dict[str, object] = {}
    exec("from holdfast import *", names)
    names.pop("__builtins__")

    assert sorted(holdfast.__all__) == sorted(names)


@pytest.mark.parametrize("name", [n for n in holdfast.__all__ if not n.startswith("__")])
def test_signature_shows_no_address(name: str) -> None:
    """Defaults such as the filesystem and the clock are shown by name in `help`."""
    public = getattr(holdfast, name)
    own = [getattr(public, n) for n in dir(public) if not n.startswith("_")]
    functions = [f for f in [public, *own] if inspect.isfunction(f)]
    ours = [f for f in functions if f.__module__.startswith("holdfast")]
    shown = [str(inspect.signature(f)) for f in ours]
    if isinstance(public, type) and not issubclass(public, BaseException):
        shown.append(str(inspect.signature(public)))

    assert [] == [text for text in shown if " at 0x" in text]
