"""docs/internals/architecture.md lists every invariant of the source, with tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src/holdfast"
PAGE = (ROOT / "docs/internals/architecture.md").read_text("utf-8")


def invariants(module: Path) -> list[str]:
    """The numbers of the invariants at the head of a module."""
    head = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    return re.findall(r"^\s*(I\d+)\.?\s", head, re.MULTILINE)


def section(page: str, module: str) -> str:
    """What the page says of a module."""
    return page.partition(f"\n### {module}\n")[2].partition("\n#")[0]


def name_of(module: Path) -> str:
    """A module as the page calls it."""
    return ".".join(module.relative_to(SOURCE).with_suffix("").parts)


MODULES = [path for path in sorted(SOURCE.rglob("*.py")) if invariants(path)]
CITED = sorted(set(re.findall(r"`(test_\w+)`", PAGE)))
TESTS = "\n".join(path.read_text("utf-8") for path in sorted(ROOT.glob("tests/**/test_*.py")))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_every_invariant_is_listed_and_held(module: Path) -> None:
    """Each invariant of the module has a row, and the row cites a test."""
    rows = re.findall(
        r"^\| (I\d+) \|.*\| `test_.+` \|$", section(PAGE, name_of(module)), re.MULTILINE
    )

    assert invariants(module) == rows


def test_nothing_else_is_listed() -> None:
    """The page has no section for a module without invariants."""
    listed = re.findall(r"^### (\w+\.[\w.]+)$", PAGE, re.MULTILINE)

    assert sorted(map(name_of, MODULES)) == sorted(listed)


@pytest.mark.parametrize("test", CITED)
def test_cited_test_exists(test: str) -> None:
    """Every test that the page names is there."""
    found = re.findall(rf"^\s*(?:async )?def {test}\(", TESTS, re.MULTILINE)

    assert found, f"{test} is gone: correct docs/internals/architecture.md"


def test_invariants_are_found() -> None:
    """The heads of modules are read: there are some, numbered from 1."""
    assert ["I1", "I2", "I3", "I4", "I5", "I6"] == invariants(SOURCE / "primitives/replacement.py")
