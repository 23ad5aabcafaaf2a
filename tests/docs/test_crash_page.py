"""docs/reference/crash.md names what there is: signatures, fields of the JSON, errors."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import holdfast
import holdfast.crash
from holdfast.crash import explore_memory
from holdfast.vfs.memory import MemoryVFS

PAGE = (Path(__file__).resolve().parents[2] / "docs/reference/crash.md").read_text("utf-8")
CODE = set(re.findall(r"`([^`\n]+)`", PAGE))
NAMED = {word for piece in CODE for word in re.findall(r"\w+", piece)}
FUNCTIONS = [n for n in holdfast.crash.__all__ if inspect.isfunction(getattr(holdfast.crash, n))]


def report() -> dict[str, Any]:
    """The JSON of a run with a finding."""
    disk = MemoryVFS()
    holdfast.write_text("state", "new", sync="never", vfs=disk)

    def check(vfs, acked) -> bool:
        try:
            return bool(vfs.stat("state").st_size)
        except FileNotFoundError:
            return True

    return explore_memory(disk, check).as_json()


def printed(name: str) -> str:
    """A signature as the page prints it."""
    parts: list[str] = []
    star = False
    for parameter in inspect.signature(getattr(holdfast.crash, name)).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        default = parameter.default
        shown = f'"{default}"' if isinstance(default, str) else repr(default)
        text = "**options" if parameter.kind is parameter.VAR_KEYWORD else parameter.name
        parts.append(text if default is parameter.empty else f"{text}={shown}")
    return f"{name}({', '.join(parts)})"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signature_is_on_the_page(name) -> None:
    """The page prints it exactly, and once."""
    assert 1 == PAGE.splitlines().count(printed(name)), printed(name)


@pytest.mark.parametrize("name", holdfast.crash.__all__)
def test_public_name_is_on_the_page(name) -> None:
    """Every public name stands on the page as code."""
    assert name in NAMED


def test_fields_of_the_json_are_on_the_page() -> None:
    """Every field of a report and of a finding is explained."""
    document = report()
    finding = document["findings"][0]
    parts = [document, finding, finding["calls"][0], finding["advice"][0]]

    assert [] == sorted({name for part in parts for name in part} - NAMED)


@pytest.mark.parametrize("name", ["Report", "Finding"])
def test_fields_of_the_classes_are_on_the_page(name) -> None:
    """What is on an object is named where it is not for the tester alone."""
    inner = {"case", "recording"}

    assert [] == sorted(set(getattr(holdfast.crash, name)._fields) - NAMED - inner)
