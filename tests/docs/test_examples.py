"""Every `python` and `console` block of the pages runs, in order, in a folder of its own.

A console block is a list of `$ command` lines, each followed by what it prints (both streams);
`...` stands for anything. `[exit 65]` as the last line is the exit code, where it is not 0.
A block that must not run (an installation) is marked `sh`, output of a long run `text`.
A `python` or `sh` block that begins with the name of a file (`# check.py`) is written to that file.
A page of examples/ finds a copy of examples/ in its folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.example import SybilFailure
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "examples")
PAGES = sorted([ROOT / "README.md", *(p for f in FOLDERS for p in ROOT.glob(f"{f}/**/*.md"))])
LIMIT_S = 60
FILE = re.compile(r"# ([\w-]+\.(?:py|sh))\n")


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output that it should have."""
    for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = piece.rstrip().splitlines()
        last = next(i for i, line in enumerate(lines) if not line.endswith("\\"))
        yield "\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :])


def matches(expected: str, found: str) -> bool:
    """Whether the output is the expected one, `...` standing for anything."""
    pattern = ".*".join(map(re.escape, expected.split("...")))
    return re.fullmatch(pattern, found, re.DOTALL) is not None


def run(command: str) -> str:
    """What the command prints; its exit code too, unless that is 0."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "100"}
    done = subprocess.run(
        ["bash", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment,
        timeout=LIMIT_S,
        check=False,
    )
    status = f"[exit {done.returncode}]" if done.returncode else ""
    return "\n".join(filter(None, [done.stdout.rstrip(), status]))


def evaluate_console(example: Example) -> str | None:
    """Run a console block; say what was printed instead of the expected."""
    found_any = False
    for command, expected in commands(example.parsed):
        found_any = True
        found = run(command)
        if not matches(expected, found):
            return f"$ {command}\nexpected:\n{expected}\nfound:\n{found}"
    return None if found_any else "a console block needs a line that begins with `$ `"


def write_file(example: Example) -> None:
    """Write a block to the file that its first line names."""
    name = FILE.match(example.parsed)
    assert name
    Path(name[1]).write_text(str(example.parsed))


def with_files(document: Document) -> Iterator[Region]:
    """The blocks of Python and shell: files are written, other Python is run."""
    shell = CodeBlockParser("sh", write_file)(document)
    yield from (region for region in shell if FILE.match(region.parsed))
    for region in PythonCodeBlockParser()(document):
        if isinstance(region.parsed, str) and FILE.match(region.parsed):
            region.evaluator = write_file
        yield region


def parse(page: Path) -> Document:
    """The page with its examples."""
    parsers = [
        SkipParser(),
        with_files,
        CodeBlockParser("console", evaluate_console),
    ]
    return Sybil(parsers, path=str(page.parent)).parse(page)


def marks(page: Path) -> list[pytest.MarkDecorator]:
    """Pages of examples/ run services for some seconds."""
    return [pytest.mark.slow] if page.is_relative_to(ROOT / "examples") else []


@pytest.mark.parametrize(
    "page",
    [pytest.param(p, marks=marks(p), id=p.relative_to(ROOT).as_posix()) for p in PAGES],
)
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example of the page does what the page says."""
    monkeypatch.chdir(tmp_path)
    if page.is_relative_to(ROOT / "examples"):
        shutil.copytree(ROOT / "examples", "examples", ignore=shutil.ignore_patterns("__pycache__"))
    for example in parse(page).examples():
        example.evaluate()


@pytest.mark.parametrize(
    "block",
    [
        "```python\nassert 1 == 2\n```\n",
        "```python\n>>> 1 + 1\n3\n```\n",
        "```console\n$ echo a\nb\n```\n",
        "```console\n$ exit 3\n```\n",
        "```console\necho a\n```\n",
    ],
)
def test_wrong_example_is_found(block: str, tmp_path: Path) -> None:
    """An example that does not do what it says fails."""
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n{block}")
    examples = list(parse(page).examples())

    assert 1 == len(examples)
    with pytest.raises((AssertionError, SybilFailure)):
        examples[0].evaluate()


def test_named_block_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that begins with the name of a file is written, and not run."""
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "```python\n# fails.py\nraise SystemExit(3)\n```\n\n```sh\n# one.sh\necho one\n```\n\n"
        "```sh\nexit 4\n```\n\n```console\n$ sh one.sh; python fails.py\none\n[exit 3]\n```\n"
    )
    examples = list(parse(page).examples())

    assert 3 == len(examples)
    for example in examples:
        example.evaluate()


def test_right_examples_pass(tmp_path: Path) -> None:
    """Continued commands, ellipses, exit codes and names kept between blocks are understood."""
    page = tmp_path / "page.md"
    page.write_text(
        "```python\na = 1\n```\n\n```python\n>>> a\n1\n```\n\n```console\n$ echo one \\\n  two\n"
        "one two\n$ echo it took 12 ms; exit 3\nit took ... ms\n[exit 3]\n```\n"
    )
    examples = list(parse(page).examples())

    assert 3 == len(examples)
    for example in examples:
        example.evaluate()
