"""Rules about the set of modules: floors, import cost, and that each has its tests."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import PurePosixPath

import pytest

import holdfast
from tests.tidy.source import ROOT, SRC, Function, Source, read_all, run_bare

UNIT = ROOT / "tests" / "unit"

# Modules without a test module of their own, each with the place where it is tested.
TESTED_ELSEWHERE: dict[str, str] = {}

COSTLY_ALWAYS = {
    "argparse", "asyncio", "concurrent", "ctypes", "dataclasses", "datetime", "email", "enum",
    "inspect", "json", "logging", "msgspec", "pathlib", "pydantic", "random", "re", "rich",
    "ruamel", "socket", "subprocess", "tempfile", "threading", "tomlkit", "tomllib", "typing",
    "unittest", "urllib",
}  # fmt: skip
COSTLY_WHEN_USED = COSTLY_ALWAYS - {"threading"}
# Reason: `json` cannot be imported without the others.
COSTLY_WITH_JSON = COSTLY_WHEN_USED - {"enum", "json", "re"}
# Reason: a handler of `logging` is a class of it, and who asks for one has `logging` anyway.
MADE_FOR = {"DurableHandler": "logging"}


def _test_modules_of(path: str) -> list[str]:
    """`vfs/memory.py` is tested by `vfs/test_memory.py` or `vfs/test_memory_*.py`."""
    place = PurePosixPath(path)
    stem = "init" if place.stem == "__init__" else place.stem.strip("_")
    return [(place.parent / f"test_{stem}{rest}.py").as_posix() for rest in ("", "_*")]


def _has_code(source: Source) -> bool:
    """Whether the module has a function, a method or a branch: something to test."""
    body = ast.walk(source.tree)
    return any(isinstance(n, Function | ast.Lambda) and n.body for n in body)


def _is_only_declarations(source: Source) -> bool:
    """Protocols and records: every function body is a docstring or `...`."""
    functions = [function for function, _ in source.functions()]
    return all(
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        for function in functions
        for statement in function.body
    )


NEEDING_TESTS = [s.path for s in read_all(SRC) if _has_code(s) and not _is_only_declarations(s)]


@pytest.mark.parametrize("path", NEEDING_TESTS)
def test_module_has_its_test_module(path: str) -> None:
    """Every module with code has a test module at the mirrored place, or a reason."""
    patterns = _test_modules_of(path)
    found = [match for pattern in patterns for match in UNIT.glob(pattern)]
    listed = TESTED_ELSEWHERE.get(path)

    assert found or listed, f"write tests/unit/{patterns[0]}, or list it in TESTED_ELSEWHERE"
    assert not (found and listed), f"{path} has tests now: take it out of TESTED_ELSEWHERE"


def test_list_of_modules_tested_elsewhere_is_true() -> None:
    """Every listed module exists, and so does the file that tests it."""
    assert [] == [p for p in TESTED_ELSEWHERE if p not in NEEDING_TESTS]
    assert [] == [t for t in TESTED_ELSEWHERE.values() if not (ROOT / t.split()[0]).exists()]


def test_unit_tests_mirror_the_source() -> None:
    """Every folder of unit tests is a folder of the package."""
    folders = [p for p in UNIT.rglob("*") if p.is_dir() and p.name != "__pycache__"]

    assert [] == [str(p) for p in folders if not (SRC / p.relative_to(UNIT)).is_dir()]


def test_floors_hold() -> None:
    """The import contracts of pyproject.toml are kept."""
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_floors_catch_a_climbing_import(tmp_path) -> None:
    """A ground module that imports a composition breaks the contract `floors`."""
    package = tmp_path / "src" / "holdfast"
    for name in ("errors", "vfs", "formats", "primitives", "state", "cli", "compat", "diagnosis"):
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text("")
    for name in ("posix", "linux", "darwin", "windows"):
        (package / "vfs" / f"{name}.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "vfs" / "__init__.py").write_text("import holdfast.state\n")
    (package / "formats" / "__init__.py").write_text("import os\n")
    (package / "state" / "__init__.py").write_text("import fcntl\nimport holdfast.vfs.posix\n")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"))

    program = (
        f"import sys; sys.path.insert(0, {str(package.parent)!r})\n"
        "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    )
    command = [sys.executable, "-I", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "5 broken" in done.stdout


def test_import_of_holdfast_loads_nothing_costly() -> None:
    """`import holdfast` costs what one small module costs."""
    loaded = {name.split(".")[0] for name in run_bare("import holdfast")}

    assert set() == loaded & COSTLY_ALWAYS


@pytest.mark.parametrize("name", sorted({*holdfast.__all__} - {"doctor"}))
def test_use_of_a_name_loads_nothing_costly(name: str) -> None:
    """Who asks for one function does not pay for asyncio, typing, dataclasses or the codecs."""
    granted = run_bare(f"import {MADE_FOR[name]}") if name in MADE_FOR else []
    loaded = {*run_bare(f"import holdfast; holdfast.{name}")} - {*granted}

    assert set() == {name.split(".")[0] for name in loaded} & COSTLY_WHEN_USED


def test_use_of_a_json_document_loads_nothing_costly(tmp_path) -> None:
    """A document that is made, changed and read needs `json` and what that imports."""
    path = str(tmp_path / "state.json")
    code = (
        f"import holdfast; document = holdfast.Document({path!r}, default={{}})\n"
        "document.update(lambda state: state.update(runs=1)); assert document.read() == {'runs': 1}"
    )
    loaded = {name.split(".")[0] for name in run_bare(code)}

    assert set() == loaded & COSTLY_WITH_JSON


def test_costly_import_would_be_seen() -> None:
    """The measurement itself works: an import in the child is reported."""
    assert "json" in run_bare("import json")


def test_no_public_name_is_hidden_by_a_module() -> None:
    """`holdfast.doctor` stays the function: no top module has the name of a public one."""
    tops = {p.stem for p in SRC.iterdir() if p.is_dir() or p.suffix == ".py"}

    assert set() == tops & set(holdfast.__all__), "give the module the name of its subject"
