"""docs/reference/errors.md has every error of holdfast, with its parents and its exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from holdfast import errors
from holdfast.formats.codec import MissingExtra

PAGE = (Path(__file__).resolve().parents[2] / "docs/reference/errors.md").read_text("utf-8")
CLASSES = [*(getattr(errors, name) for name in errors.__all__), MissingExtra]
BUILT_IN = (TimeoutError, ImportError, ValueError, OSError)
"""The most special first: a TimeoutError is an OSError as well."""


def section(page: str, name: str) -> str:
    """What the page says under the heading `name`."""
    return page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def tree_line(page: str, name: str) -> str:
    """The line of the tree for `name`."""
    match = re.search(rf"^[ │├└─]*{name}\b.*$", page.partition("```text\n")[2], re.MULTILINE)
    return match[0] if match else ""


@pytest.mark.parametrize("error", CLASSES, ids=lambda c: c.__name__)
def test_error_has_a_section_with_its_exit_code(
    error: type[errors.HoldfastError],
) -> None:
    """Every error is explained, and its exit code is the one of the class."""
    found = re.findall(r"xit code\*{0,2} (\d+)", section(PAGE, error.__name__))

    assert [str(error.exit_code)] == found


@pytest.mark.parametrize("error", CLASSES[:], ids=lambda c: c.__name__)
def test_error_is_in_the_tree(error: type[errors.HoldfastError]) -> None:
    """The tree has the error, its exit code, and the built-in error that it is as well."""
    line = tree_line(PAGE, error.__name__)
    built_in = next((kind.__name__ for kind in BUILT_IN if issubclass(error, kind)), "")

    assert error.__name__ in line
    if error is not errors.HoldfastError:
        assert built_in == "".join(re.findall(r"also (\w+)", line))
        assert str(error.exit_code) == "".join(re.findall(r"exit (\d+)", line))


@pytest.mark.parametrize("error", CLASSES, ids=lambda c: c.__name__)
def test_attributes_are_named(error: type[errors.HoldfastError]) -> None:
    """The attributes that the docstring of an error names are named on the page."""
    _, _, promised = (error.__doc__ or "").partition("Attributes: ")
    text = section(PAGE, error.__name__)

    assert [] == [name for name in re.findall(r"`(\w+)`", promised) if f"`{name}`" not in text]


def test_nothing_else_is_explained() -> None:
    """A section whose name looks like an error is one."""
    headings = re.findall(r"^## ([A-Z]\w+)$", PAGE, re.MULTILINE)

    assert sorted(c.__name__ for c in CLASSES) == sorted(headings)


def test_missing_section_is_found() -> None:
    """A page without the error gives no section and no line."""
    assert "" == section("# Errors\n", "Conflict")
    assert "" == tree_line("# Errors\n```text\nHoldfastError\n```\n", "Conflict")
