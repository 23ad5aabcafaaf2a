"""Rules about the pages: links resolve, every public name is explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import holdfast
from tests.tidy.source import ROOT

PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/**/*.md"),
        *ROOT.glob("tests/**/README.md"),
        *ROOT.glob("benchmarks/**/*.md"),
    ]
)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*$", re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def slug(heading: str) -> str:
    """The anchor that a heading gets on the usual hosts."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda m: m[1] or "", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def broken_links(page: Path) -> list[str]:
    """The relative links of the page that lead nowhere."""
    text = FENCE.sub("", page.read_text("utf-8"))
    broken = []
    for match in LINK.finditer(text):
        target = match[1] or match[2]
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        if not there.exists():
            broken.append(f"{page.name}: {target}: no such file; correct the path")
        elif anchor and there.suffix == ".md":
            headings = HEADING.findall(FENCE.sub("", there.read_text("utf-8")))
            if anchor not in map(slug, headings):
                broken.append(f"{page.name}: {target}: no such heading in {there.name}")
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_relative_links_resolve(page: Path) -> None:
    """Every relative link of the page leads to a file, and its anchor to a heading."""
    assert [] == broken_links(page)


def test_broken_links_are_found(tmp_path: Path) -> None:
    """A missing file, a missing heading and nothing else are reported."""
    page = tmp_path / "page.md"
    page.write_text(
        "# One `two`\n[a](gone.md) [b](#one-two) [c](#three) [d](https://x.test/)\n"
        "```\n[e](in-code.md)\n```\n"
    )

    assert 2 == len(broken_links(page))


@pytest.fixture(scope="module")
def all_pages() -> str:
    """The text of README.md and of every page under docs/."""
    pages = [p for p in PAGES if p.name == "README.md" or "docs" in p.parts]
    return "\n".join(p.read_text("utf-8") for p in pages)


@pytest.mark.parametrize("name", [n for n in holdfast.__all__ if not n.startswith("__")])
def test_public_name_is_documented(name: str, all_pages: str) -> None:
    """Every public name stands on a page, as code."""
    as_code = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    code = re.findall(r"`[^`\n]+`|^```.*?^```", all_pages, re.MULTILINE | re.DOTALL)

    assert any(as_code.search(piece) for piece in code), f"explain {name} in docs/reference/api.md"
