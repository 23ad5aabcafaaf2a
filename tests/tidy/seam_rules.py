"""The system is touched in `vfs` alone (the crash tester apart): this holds the calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch

from tests.tidy.source import Finding, Rule, Source, dotted

# Names of `os` that touch no file: types, constants, text, and the process itself (its current
# folder too: a path is made absolute once, before a `chdir` can redirect it).
PURE = re.compile(
    r"os\.(fspath|fsencode|fsdecode|PathLike|stat_result|strerror|getpid|cpu_count|sep|altsep|"
    r"extsep|pathsep|curdir|pardir|linesep|devnull|name|error|[A-Z_]+|"
    r"path(\.(join|abspath|basename|dirname|normpath|normcase|split|splitext|splitroot|splitdrive|isabs|"
    r"commonpath|commonprefix|sep))?)"
)

# (file, names, reason): what one module may use besides.
GRANTED = (
    ("primitives/lock*.py", r"os\.register_at_fork", "a child closes what it inherited"),
    ("primitives/stream*.py", r"os\.register_at_fork", "a child has neither threads nor buffer"),
    ("primitives/line_log*.py", r"os\.register_at_fork", "a child closes what it inherited"),
    ("primitives/forks.py", r"os\.register_at_fork", "a child closes what it inherited"),
    ("primitives/asyncio_bridge.py", r"os\.register_at_fork", "a child has none of the threads"),
    ("cli/*", r"os\.environb?(\.get)?", "NO_COLOR and the like are the user's wishes"),
    (
        "cli/*",
        r"os\.(exec\w+|set_inheritable|_exit|kill|killpg|waitstatus_to_exitcode|getppid|getpgrp|setpgid)",
        "a command line runs commands",
    ),
    (
        "cli/*",
        r"os\.(isatty|get_terminal_size|tcgetpgrp|tcsetpgrp)",
        "a command line looks at its terminal, which is no file of the user",
    ),
    (
        "cli/streams.py",
        r"os\.open|open",
        "/dev/null takes the place of a standard stream that is closed",
    ),
)

# `vfs` is the seam. `crash` watches other programs from outside, stops them inside their system
# calls and cuts the power of scratch devices: its subject is the system, and no seam could stand
# in for that.
TOUCHING = {"vfs", "crash"}

FORBIDDEN_MODULES = {"posix", "nt", "_winapi", "glob", "fileinput", "linecache"}


def _is_granted(source: Source, name: str) -> bool:
    return any(
        fnmatch(source.path, path) and re.fullmatch(names, name) for path, names, _ in GRANTED
    )


def _outermost(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Each `os.…` expression, whole: `os.path.join`, not also `os.path`."""
    inner = {n.value for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node not in inner:
            yield node, dotted(node)
        elif isinstance(node, ast.ImportFrom) and node.module in {"os", "os.path"}:
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def os_calls(source: Source) -> Iterator[Finding]:
    """Files are reached through the seam, so that a test can stand in for the system."""
    if source.floor in TOUCHING:
        return
    for node, name in _outermost(source.tree):
        if name.startswith("os.") and not PURE.fullmatch(name) and not _is_granted(source, name):
            yield source.at(node, f"{name}: go through the `vfs` that the caller passed")


def _own_names(tree: ast.Module) -> set[str]:
    names = {getattr(n, "name", "") for n in ast.walk(tree)}
    imported = (n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom))
    return names | {alias.asname or alias.name for n in imported for alias in n.names}


def builtin_open(source: Source) -> Iterator[Finding]:
    """The builtin `open` is a door to the system as well."""
    if source.floor in TOUCHING:
        return
    doors = {"io.open", "io.FileIO", "builtins.open", "codecs.open"}
    if "open" not in _own_names(source.tree):
        doors.add("open")
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Call)
            and dotted(node.func) in doors
            and not _is_granted(source, "open")
        ):
            yield source.at(node, "open(): go through the `vfs` that was passed")


def system_modules(source: Source) -> Iterator[Finding]:
    """Modules of the standard library that open files by themselves stay outside."""
    if source.floor in TOUCHING:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names += [getattr(node, "module", None) or ""]
            for name in FORBIDDEN_MODULES & set(names):
                yield source.at(node, f"import {name}: it opens files past the seam")


RULES = (
    Rule(
        "os-calls",
        os_calls,
        (
            ("state/a.py", "import os\nos.replace('a', 'b')\n"),
            ("primitives/a.py", "from os import fsync\n"),
            ("primitives/a.py", "import os\nf = os.path.exists\n"),
            ("state/a.py", "import os\nos.environ['A']\n"),
            ("cli/write.py", "import os\nos.unlink('a')\n"),
        ),
    ),
    Rule(
        "builtin-open",
        builtin_open,
        (("state/a.py", "open('a')\n"), ("cli/write.py", "import io\nio.open('a')\n")),
    ),
    Rule("system-modules", system_modules, (("state/a.py", "import posix\n"),)),
)
