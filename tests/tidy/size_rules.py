"""How large a thing may be: functions, modules, parameter lists."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.tidy.source import Finding, Function, Rule, Source

FUNCTION_LINES = 50
MODULE_LINES = 400
POSITIONAL = 3
POSITIONAL_WITH_DEFAULT = 2


def code_lines(source: Source, function: Function) -> int:
    """Lines of a function without its docstring, blank lines and comments."""
    docstring = range(0)
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        docstring = range(first.lineno, (first.end_lineno or first.lineno) + 1)
    lines = source.text.splitlines()
    return sum(
        bool(text := lines[number - 1].strip()) and not text.startswith("#")
        for number in range(function.lineno, (function.end_lineno or 0) + 1)
        if number not in docstring
    )


def function_length(source: Source) -> Iterator[Finding]:
    """No function is longer than a glance."""
    for function, _ in source.functions():
        size = code_lines(source, function)
        if size > FUNCTION_LINES:
            yield source.at(
                function,
                f"{function.name} has {size} code lines (at most {FUNCTION_LINES}): "
                "give its parts names of their own",
            )


def module_length(source: Source) -> Iterator[Finding]:
    """No module is longer than a sitting."""
    size = len(source.text.splitlines())
    if size > MODULE_LINES:
        yield source.at(
            1, f"{size} lines (at most {MODULE_LINES}): split it where the subject changes"
        )


def _positional(function: Function, *, is_method: bool) -> list[ast.arg]:
    parameters = [*function.args.posonlyargs, *function.args.args]
    static = any(getattr(d, "id", "") == "staticmethod" for d in function.decorator_list)
    return parameters[1:] if is_method and not static else parameters


def _counted(source: Source) -> Iterator[tuple[Function, list[ast.arg]]]:
    for function, owner in source.functions():
        is_dunder = function.name.startswith("__") and function.name != "__init__"
        if not is_dunder and source.floor != "compat":  # compat keeps the signatures of others
            yield function, _positional(function, is_method=owner is not None)


def positional_count(source: Source) -> Iterator[Finding]:
    """A call reads without counting commas."""
    for function, parameters in _counted(source):
        if len(parameters) > POSITIONAL:
            yield source.at(
                function,
                f"{function.name} takes {len(parameters)} positional parameters (at most "
                f"{POSITIONAL}): put `*` before {parameters[POSITIONAL].arg}",
            )


def keyword_defaults(source: Source) -> Iterator[Finding]:
    """What may be left out is named when it is given."""
    for function, parameters in _counted(source):
        with_default = parameters[len(parameters) - len(function.args.defaults) :]
        for parameter in with_default:
            if parameters.index(parameter) >= POSITIONAL_WITH_DEFAULT:
                yield source.at(
                    parameter,
                    f"{function.name}: {parameter.arg} has a default: put `*` before it",
                )


_LONG = "def f() -> None:\n" + "    pass\n" * 51
_FOUR = "def f(a: int, b: int, c: int, d: int) -> None: ...\n"

RULES = (
    Rule("function-length", function_length, (("vfs/a.py", _LONG),)),
    Rule("module-length", module_length, (("vfs/a.py", "a = 1\n" * 401),)),
    Rule(
        "positional-count",
        positional_count,
        (
            ("vfs/a.py", _FOUR),
            ("vfs/a.py", "class A:\n    def f(self, a, b, c, d): ...\n"),
            ("vfs/a.py", "class A:\n    @staticmethod\n    def f(a, b, c, d): ...\n"),
        ),
    ),
    Rule(
        "keyword-defaults",
        keyword_defaults,
        (
            ("vfs/a.py", "def f(a, b, c=1): ...\n"),
            ("vfs/a.py", "class A:\n    async def f(self, a, b=1, c=2): ...\n"),
        ),
    ),
)
