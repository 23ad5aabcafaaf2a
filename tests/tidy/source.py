"""What a tidy rule takes and gives: a parsed source file in, findings with their remedy out."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "holdfast"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


@dataclass(frozen=True)
class Finding:
    """One breach of a rule, printed as `path:line: what; remedy`."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Source:
    """One file: `path` is relative to the package (or, for tests, to the tests folder)."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed text."""
        return ast.parse(self.text, self.path)

    @property
    def floor(self) -> str:
        """The package or top module that the file belongs to: `vfs`, `state`, `errors`."""
        return self.path.split("/")[0].removesuffix(".py")

    def at(self, node: ast.AST | int, what: str) -> Finding:
        """A finding at the node's line (or at the line that is given)."""
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        return Finding(self.path, line, what)

    def functions(self) -> Iterator[tuple[Function, ast.ClassDef | None]]:
        """Each function with the class that it is a method of."""
        owner = {
            child: node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ClassDef)
            for child in node.body
        }
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node, owner.get(node)


Check = Callable[[Source], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """A check, and small sources that it must flag: `{path: text}`."""

    name: str
    check: Check
    canaries: tuple[tuple[str, str], ...]


def read_all(folder: Path) -> list[Source]:
    """Every Python file below the folder."""
    paths = sorted(p for p in folder.rglob("*.py") if "__pycache__" not in p.parts)
    return [Source(p.relative_to(folder).as_posix(), p.read_text("utf-8")) for p in paths]


def named(nodes: Iterable[ast.AST]) -> Iterator[tuple[ast.AST, str]]:
    """Each module or name that import statements among the nodes name, dotted."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node, node.module
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def dotted(node: ast.AST) -> str:
    """`os.path.join` for the expression of that name, empty for any other expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return owner and f"{owner}.{node.attr}"
    return ""


def run_bare(code: str) -> list[str]:
    """The modules that the code loads in an interpreter without site-packages."""
    import subprocess

    program = (
        f"import sys; sys.path.insert(0, {str(SRC.parent)!r}); before = set(sys.modules)\n"
        f"{code}\nprint(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
