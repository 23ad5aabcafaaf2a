"""Every public thing says what it guarantees, and what it raises."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from tests.tidy.source import SRC, Documented, Finding, Function, Rule, Source, read_all

UNDOCUMENTED_DECORATORS = {"overload", "setter", "deleter", "override"}


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _decorators(function: Function) -> set[str]:
    return {
        getattr(d, "attr", getattr(d, "id", ""))
        for d in (getattr(x, "func", x) for x in function.decorator_list)
    }


def public_things(source: Source) -> Iterator[tuple[Documented, str, ast.ClassDef | None]]:
    """The module, its public classes and functions, and their public methods."""
    yield source.tree, "module", None
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef | Function) and _is_public(node.name):
            yield node, node.name, None
        if isinstance(node, ast.ClassDef) and _is_public(node.name):
            for child in node.body:
                if isinstance(child, Function) and _is_public(child.name):
                    yield child, f"{node.name}.{child.name}", node


def documented_methods(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(class, method) of each method with a docstring; those of a protocol as "Protocol" too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            names = {node.name} | ({"Protocol"} & {getattr(b, "id", "") for b in node.bases})
            for child in node.body:
                if isinstance(child, Function) and ast.get_docstring(child):
                    yield from ((name, child.name) for name in names)


@cache
def _all_documented(floor: str) -> frozenset[tuple[str, str]]:
    sources = [s for s in read_all(SRC) if s.floor == floor]
    return frozenset(pair for s in sources for pair in documented_methods(s.tree))


def _is_documented_above(source: Source, function: Function, owner: ast.ClassDef) -> bool:
    """Whether a base class, or a protocol of the same floor, says it for this method."""
    known = _all_documented(source.floor) | frozenset(documented_methods(source.tree))
    bases = {getattr(b, "attr", getattr(b, "id", "")) for b in owner.bases} | {"Protocol"}
    return any((base, function.name) in known for base in bases)


def _is_field(function: Function, owner: ast.ClassDef | None) -> bool:
    """Whether this is how a protocol declares a read-only attribute: a property of `...`."""
    bases = {getattr(b, "id", "") for b in owner.bases} if owner else set()
    return "Protocol" in bases and "property" in _decorators(function)


def docstrings(source: Source) -> Iterator[Finding]:
    """Every public thing has a docstring, its own or that of the method it implements."""
    for node, name, owner in public_things(source):
        if ast.get_docstring(node) or (isinstance(node, ast.Module) and not node.body):
            continue
        if isinstance(node, Function):
            inherits = owner is not None and _is_documented_above(source, node, owner)
            if inherits or _decorators(node) & UNDOCUMENTED_DECORATORS or _is_field(node, owner):
                continue
        yield source.at(
            node, f"{name} has no docstring: say what it guarantees, then what is on disk"
        )


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions and classes inside it."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            yield node
            pending.extend(ast.iter_child_nodes(node))


def raised(function: Function) -> set[str]:
    """The exception classes that the body itself raises, by name."""
    names = set()
    for node in _own_nodes(function):
        if isinstance(node, ast.Raise) and node.exc is not None:
            made = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            name = getattr(made, "attr", getattr(made, "id", ""))
            if name[:1].isupper() and name not in {"SystemExit", "StopIteration"}:
                names.add(name)
    return names


def raises_section(source: Source) -> Iterator[Finding]:
    """A public function that raises has a `Raises:` section that names each exception."""
    for node, name, owner in public_things(source):
        if not isinstance(node, Function):
            continue
        text = ast.get_docstring(node) or ""
        if not text and owner is not None and _is_documented_above(source, node, owner):
            continue
        _, _, section = text.partition("Raises:")
        missing = sorted(n for n in raised(node) if n not in section)
        if missing:
            yield source.at(
                node,
                f"{name} raises {', '.join(missing)}: name it under `Raises:`, with what is "
                "on disk then",
            )


_WRONG_SECTION = '''
class A:
    """A."""

    def f(self):
        """F.

        Raises:
            KeyError: Another one.
        """
        if self:
            raise ValueError
'''

RULES = (
    Rule(
        "docstrings",
        docstrings,
        (
            ("vfs/a.py", "a = 1\n"),
            ("vfs/a.py", '"""A."""\ndef f(): ...\n'),
            ("vfs/a.py", '"""A."""\nclass A:\n    """A."""\n    def f(self): ...\n'),
        ),
    ),
    Rule(
        "raises-section",
        raises_section,
        (
            ("vfs/a.py", '"""A."""\ndef f():\n    """F."""\n    raise ValueError("a")\n'),
            ("vfs/a.py", _WRONG_SECTION),
        ),
    ),
)
