"""docs/reference/api.md prints the true signature of everything public, and of nothing else."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import holdfast
from holdfast.formats.plain import MISSING
from holdfast.vfs import CLOCK, SYSTEM

PAGE = (Path(__file__).resolve().parents[2] / "docs/reference/api.md").read_text("utf-8")
CONSTANTS = ((SYSTEM, "SYSTEM"), (CLOCK, "CLOCK"), (MISSING, "MISSING"))
NO_CONSTRUCTOR = {"Draft", "StoreSnapshot", "Transaction"}
"""Made by other methods alone."""
INTERNAL = {
    "StoreSnapshot.kept",
    "StoreSnapshot.pairs",
    "StoreSnapshot.range",
    "Transaction.abandon",
    "Transaction.begin",
    "Transaction.finish",
}
"""Called by the store that has made them alone."""


def default_of(parameter: inspect.Parameter) -> str:
    """A default as the page prints it."""
    value = parameter.default
    for constant, name in CONSTANTS:
        if value is constant:
            return name
    if parameter.name == "permissions" and isinstance(value, int):
        return oct(value)
    return f'"{value}"' if isinstance(value, str) else repr(value)


def printed(name: str, function: Any) -> str:
    """The signature as the page prints it: without `self` and without types."""
    parts: list[str] = []
    star = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        has_default = parameter.default is not parameter.empty
        stars = {parameter.VAR_KEYWORD: "**", parameter.VAR_POSITIONAL: "*"}.get(parameter.kind, "")
        star |= stars == "*"
        default = f"={default_of(parameter)}" if has_default else ""
        parts.append(stars + parameter.name + default)
    return f"{name}({', '.join(parts)})"


def untwinned(name: str) -> Any:
    """The function itself, or for a twin that takes whatever its original takes, the original."""
    function = getattr(holdfast, name)
    kinds = [p.kind for p in inspect.signature(function).parameters.values()]
    passes_on = [
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.VAR_KEYWORD,
    ] == kinds
    return getattr(holdfast, name.removeprefix("a")) if passes_on else function


def members(public: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class, those of holdfast's own base classes too."""
    found: dict[str, Any] = {}
    for base in reversed(public.__mro__):
        if base.__module__.startswith("holdfast"):
            found.update(vars(base))
    return ((name, value) for name, value in found.items() if name[0] != "_")


def signatures() -> Iterator[str]:
    """The signature of every public function, class and method."""
    for name in holdfast.__all__:
        public = getattr(holdfast, name)
        if name.startswith("__") or (
            isinstance(public, type) and issubclass(public, BaseException)
        ):
            continue
        if name not in NO_CONSTRUCTOR:
            yield printed(name, untwinned(name))
        if isinstance(public, type) and name[0].isupper():
            for method, value in members(public):
                if inspect.isfunction(value) and f"{name}.{method}" not in INTERNAL:
                    yield printed(f"{name}.{method}", value)


SIGNATURES = list(signatures())


def lines(page: str) -> list[str]:
    """The signatures that a page prints."""
    blocks = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda s: s.partition("(")[0])
def test_signature_is_on_the_page(signature: str) -> None:
    """The page prints it exactly, and once."""
    assert 1 == lines(PAGE).count(signature), signature


def test_page_prints_nothing_else() -> None:
    """Every signature on the page belongs to something that exists."""
    assert [] == [line for line in lines(PAGE) if line not in SIGNATURES]


@pytest.mark.parametrize("name", [n for n in holdfast.__all__ if not n.startswith("__")])
def test_public_name_is_on_the_page(name: str) -> None:
    """Every public name stands on this page as code."""
    code = " ".join(re.findall(r"`([^`\n]+)`", PAGE)) + " ".join(lines(PAGE))

    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", code)


@pytest.mark.parametrize("name", ["Document", "FileLock", "Log", "Journal", "Store"])
def test_properties_are_named(name: str) -> None:
    """The properties of a class are named in its section."""
    section = PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    properties = [n for n, v in members(getattr(holdfast, name)) if isinstance(v, property)]

    assert properties
    assert [] == [n for n in properties if f"`{n}`" not in section]


def test_signatures_are_printed_with_their_defaults() -> None:
    """What is compared has names, defaults and the star of keyword-only parameters."""

    def example(a: int, *, vfs: object = SYSTEM, permissions: int = 0o666, text: str = "x") -> None:
        """Nothing."""

    def pairs(a: int = 1, /, **more: int) -> None:
        """Nothing."""

    assert 'f(a, *, vfs=SYSTEM, permissions=0o666, text="x")' == printed("f", example)
    assert "f(a=1, **more)" == printed("f", pairs)
