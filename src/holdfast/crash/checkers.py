"""Finds the function that `pkg.mod:fn` or `path/file.py:fn` names, before any program is run."""

from __future__ import annotations

import inspect
import os
import sys
from importlib import import_module, util
from typing import TYPE_CHECKING, Any

from holdfast.crash.explorer.deferred import deferred_function
from holdfast.crash.refusals import WrongUse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

__all__ = ["function_of"]


def function_of(name: str, *, parameters: Sequence[str]) -> Callable[..., object]:
    """Import the function that `name` names.

    A module is looked for in the current folder first. A file is imported as itself, and its
    folder is where it finds its neighbours.

    Args:
        name: `pkg.mod:fn` or `path/file.py:fn`.
        parameters: what it will be called with.

    Raises:
        WrongUse: It cannot be imported, or cannot be called so; nothing was run but the module.
    """
    where, colon, attribute = name.rpartition(":")
    if not (colon and where and attribute):
        raise WrongUse(f"{name}: name a function as pkg.mod:fn or path/file.py:fn.")
    module = _module(where, name)
    function: Any = module
    for part in attribute.split("."):
        function = getattr(function, part, None)
    if function is None:
        raise WrongUse(f"{name}: {where} has no {attribute}. {_offered(module)}")
    _check_callable(function, name, parameters)
    found: Callable[..., object] = function
    return found


def _module(where: str, name: str) -> ModuleType:
    try:
        return _of_file(where) if where.endswith(".py") or os.sep in where else _of_name(where)
    except WrongUse:
        raise
    except KeyboardInterrupt:
        raise
    except (Exception, SystemExit) as error:
        raise WrongUse(
            f"{name}: cannot be imported: {type(error).__name__}: {error}{_place_of(error)}. "
            "No program was run."
        ) from error


def _of_name(where: str) -> ModuleType:
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    return import_module(where)


def _of_file(path: str) -> ModuleType:
    whole = os.path.abspath(path)
    if not os.path.isfile(whole):
        raise WrongUse(f"{path}: there is no such file. No program was run.")
    folder, file = os.path.split(whole)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = file.removesuffix(".py")
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == whole:
        return known
    spec = util.spec_from_file_location(name, whole)
    if spec is None or spec.loader is None:
        raise WrongUse(f"{path}: is no Python file. No program was run.")
    module = util.module_from_spec(spec)
    sys.modules.setdefault(name, module)
    spec.loader.exec_module(module)
    return module


def _place_of(error: BaseException) -> str:
    from traceback import extract_tb

    ours = ("<frozen", import_module.__code__.co_filename, __file__)
    frames = [f for f in extract_tb(error.__traceback__) if not f.filename.startswith(ours)]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""


def _offered(module: ModuleType) -> str:
    names = [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    ]
    return f"It has {', '.join(names[:8])}." if names else "It has no functions."


def _check_callable(function: Any, name: str, parameters: Sequence[str]) -> None:
    wanted = f"{name.rpartition(':')[2]}({', '.join(parameters)})"
    if not callable(function):
        raise WrongUse(f"{name}: is no function. Write one that is called as {wanted}.")
    if what := deferred_function(function):
        raise WrongUse(f"{name}: is {what}, whose body a call does not run. Write a plain one.")
    try:
        inspect.signature(function).bind(*parameters)
    except TypeError as error:
        raise WrongUse(f"{name}: cannot be called as {wanted}: {error}.") from None
    except ValueError:
        return  # of builtins, which do not tell
