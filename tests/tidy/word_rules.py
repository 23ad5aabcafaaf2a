"""Names, words and calls that have no place in the source, each with what to write instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.tidy.source import Finding, Rule, Source, dotted, named

MODULE_NAMES = {
    "utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "lib", "tools",
}  # fmt: skip

WORDS = {
    r"\bTODO\b|\bFIXME\b|\bXXX\b|\bHACK\b": "do it, or write it in the tracker",
    r"\bfor now\b": "say what holds and under which condition",
    r"\bplace-?holder\b": "write the real thing",
    r"\bNotImplementedError\b": "leave the method out, or raise PromiseUnavailable",
    r"\bflush(ed|es)? to (the )?(disk|device)\b": "flush is to the system, sync to the device",
    r"\bcorrupted tail\b": "a tail is torn; what was acknowledged is corrupt",
}

IMPORTS = {
    "pickle": "a file is data, never a program: use a codec of holdfast.formats",
    "marshal": "its bytes change with every Python: use a codec of holdfast.formats",
    "shelve": "it loses updates: use Document",
    "dbm": "it loses updates: use Document",
    "unittest": "mocks belong to no production code",
}

# Two values of one process are compared by their bytes, and nothing is stored.
COMPARING = {("formats/json_text.py", "marshal")}

CALLS = {
    "eval": "parse it with a codec",
    "exec": "parse it with a codec",
    "os.system": "subprocess.run with a list, no shell",
    "os.popen": "subprocess.run with a list, no shell",
}

# Each costs milliseconds that every `import holdfast` or command would pay.
COSTLY = {
    "asyncio", "concurrent", "ctypes", "dataclasses", "email", "importlib.metadata", "inspect",
    "logging", "pathlib", "subprocess", "tempfile", "unittest", "urllib",
}  # fmt: skip
# A handler of `logging` is a class of it; only programs that name it load the module.
LOADED_LATE = {("primitives/durable_handler.py", "logging")}
CHEAP_FLOORS = {"__init__", "errors", "vfs", "formats", "primitives", "state"}


def module_names(source: Source) -> Iterator[Finding]:
    """A module is named after its subject."""
    for part in source.path.removesuffix(".py").split("/"):
        if part.strip("_") in MODULE_NAMES:
            yield source.at(1, f"{part} says nothing: name the module after its one subject")


def words(source: Source) -> Iterator[Finding]:
    """The source is finished, and uses each term of the field in its own meaning."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        for pattern, remedy in WORDS.items():
            if match := re.search(pattern, line, re.IGNORECASE if pattern.islower() else 0):
                yield source.at(number, f"{match[0]!r}: {remedy}")


def imports(source: Source) -> Iterator[Finding]:
    """Nothing that runs code found in a file is imported."""
    for node, name in named(ast.walk(source.tree)):
        if (remedy := IMPORTS.get(name)) and (source.path, name) not in COMPARING:
            yield source.at(node, f"import {name}: {remedy}")


def calls(source: Source) -> Iterator[Finding]:
    """Nothing runs text as a program, or through a shell."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if remedy := CALLS.get(name):
                yield source.at(node, f"{name}(): {remedy}")
            for keyword in node.keywords:
                if keyword.arg == "shell" and getattr(keyword.value, "value", True):
                    yield source.at(node, f"{name}(shell=True): give the command as a list")


def no_assert(source: Source) -> Iterator[Finding]:
    """`python -O` must not change what is checked."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assert):
            yield source.at(
                node,
                "assert: raise ValueError or TypeError for the caller's mistakes, Corruption or "
                "DecodeError for the disk's",
            )


def cheap_imports(source: Source) -> Iterator[Finding]:
    """What costs time at import is imported by the function that needs it."""
    if source.floor not in CHEAP_FLOORS:
        return
    loaded = [n for n in source.tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    for node, name in named(loaded):
        is_costly = name in COSTLY or name.split(".")[0] in COSTLY
        if is_costly and (source.path, name) not in LOADED_LATE:
            yield source.at(
                node, f"import {name} costs every program: import it inside the function"
            )


def private_names(source: Source) -> Iterator[Finding]:
    """No package reaches into the private names of another."""
    for node, name in named(ast.walk(source.tree)):
        first, *rest = name.split(".")
        is_neighbour = first == "holdfast" and rest and rest[0] != source.floor
        if is_neighbour and any(p.startswith("_") and not p.startswith("__") for p in rest):
            yield source.at(node, f"{name} is private to {rest[0]}: make it public there, or move")


RULES = (
    Rule("module-names", module_names, (("vfs/utils.py", ""), ("common/a.py", ""))),
    Rule(
        "words",
        words,
        (
            ("vfs/a.py", "# TODO\n"),
            ("vfs/a.py", "# XXX: later\n"),
            ("vfs/a.py", "# For now it is fixed\n"),
            ("vfs/a.py", "raise NotImplementedError\n"),
            ("vfs/a.py", "# flushed to disk\n"),
            ("vfs/a.py", "# a Placeholder\n"),
        ),
    ),
    Rule(
        "imports", imports, (("vfs/a.py", "import pickle\n"), ("a.py", "from marshal import loads"))
    ),
    Rule(
        "calls",
        calls,
        (
            ("vfs/a.py", "eval('1')\n"),
            ("cli/a.py", "import os\nos.system('ls')\n"),
            ("cli/a.py", "subprocess.run('ls', shell=True)\n"),
        ),
    ),
    Rule("no-assert", no_assert, (("vfs/a.py", "def f(a):\n    assert a\n"),)),
    Rule(
        "cheap-imports",
        cheap_imports,
        (("vfs/a.py", "import asyncio\n"), ("errors.py", "from pathlib import Path\n")),
    ),
    Rule(
        "private-names",
        private_names,
        (
            ("state/a.py", "from holdfast.vfs.posix import _loop\n"),
            ("state/a.py", "def f():\n    import holdfast.vfs._linux\n"),
        ),
    ),
)
