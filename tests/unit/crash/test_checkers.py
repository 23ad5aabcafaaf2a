"""Functions that are named on a command line."""

from __future__ import annotations

import sys

import pytest

from holdfast.crash.checkers import function_of
from holdfast.crash.refusals import WrongUse

PARAMETERS = ("dir", "acked")
MODULE = """
import sys
import crash_neighbour_of_file

def holds(folder, acked): return crash_neighbour_of_file.NAME
def one(folder): pass
async def later(folder, acked): pass
def lazy(folder, acked): yield
async def stream(folder, acked): yield
class Later:
    async def __call__(self, folder, acked): pass
object = Later()
class Group:
    @staticmethod
    def holds(folder, acked): return "inner"
number = 3
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A current folder with a module; what is imported is forgotten again."""
    (tmp_path / "crash_check_of_file.py").write_text(MODULE)
    (tmp_path / "crash_neighbour_of_file.py").write_text("NAME = 'neighbour'\n")
    (tmp_path / "crash_broken_module.py").write_text("1 / 0\n")
    (tmp_path / "crash_leaving_module.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.mark.parametrize(
    "name",
    ["crash_check_of_file:holds", "crash_check_of_file.py:holds", "./crash_check_of_file.py:holds"],
)
def test_function_is_found_by_module_and_by_file(name, here) -> None:
    """Both find it from the current folder, and its neighbours with it."""
    assert "neighbour" == function_of(name, parameters=PARAMETERS)("d", [])


def test_attribute_of_a_class_is_found(here) -> None:
    """A dotted name leads into the module."""
    name = "crash_check_of_file:Group.holds"

    assert "inner" == function_of(name, parameters=PARAMETERS)("d", [])


def test_file_is_imported_once(here) -> None:
    """Two functions of a file share its module."""
    first = function_of("crash_check_of_file.py:holds", parameters=PARAMETERS)
    second = function_of("crash_check_of_file.py:one", parameters=("dir",))

    assert sys.modules[first.__module__].one is second


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_colon", "name a function as"),
        ("crash_no_such_module:holds", "No module named 'crash_no_such_module'"),
        ("no_such_file.py:holds", "there is no such file"),
        ("crash_broken_module:holds", "ZeroDivisionError: division by zero .*py:1"),
        ("crash_leaving_module:holds", "SystemExit: 3"),
        ("crash_check_of_file:hold", "has no hold. It has holds"),
        ("crash_check_of_file:number", "is no function"),
        ("crash_check_of_file:later", "is a coroutine function, whose body a call does not run"),
        ("crash_check_of_file:lazy", "is a generator function"),
        ("crash_check_of_file:stream", "is a generator function"),
        ("crash_check_of_file:object", "is a coroutine function"),
        ("crash_check_of_file:one", r"cannot be called as one\(dir, acked\)"),
    ],
)
def test_what_cannot_be_had_is_told(name, words, here) -> None:
    """Each mistake has its own words, and the exit code of wrong usage."""
    with pytest.raises(WrongUse, match=words) as caught:
        function_of(name, parameters=PARAMETERS)

    assert 2 == caught.value.exit_code
