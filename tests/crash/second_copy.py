"""A second copy of the library whose system is a filesystem in memory.

The command line and the drop-in for `atomicwrites` work on the system alone and take no `vfs=`.
Here their modules are loaded once more, with another `SYSTEM` behind the seam; nothing of the
operating system is patched, and the first copy goes on as it was.
"""

from __future__ import annotations

import importlib
import io
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from types import ModuleType
from typing import Any

import holdfast
from holdfast.vfs import VFS
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import MemoryVFS

# The floors below the seam's users; whoever imports one of them first, they are the same for both.
_SHARED = (
    *("holdfast.errors", "holdfast.vfs", "holdfast.formats", "holdfast.light_typing"),
    "holdfast.crash",
)
_LOADED = ("compat", "cli", "state", "primitives")


class _Door(Interposed):
    """The `SYSTEM` of the second copy: `inner` is set for each use."""


_door = _Door(MemoryVFS())
_copy: dict[str, ModuleType] = {}


def _is_copied(name: str) -> bool:
    return name.partition(".")[0] == "holdfast" and not name.startswith(_SHARED)


@contextmanager
def _swapped() -> Iterator[None]:
    """The second copy takes the place of the first."""
    vfs: Any = sys.modules["holdfast.vfs"]
    first = {name: module for name, module in sys.modules.items() if _is_copied(name)}
    system = vfs.SYSTEM
    for name in first:
        del sys.modules[name]
    sys.modules.update(_copy)
    vfs.SYSTEM = _door
    try:
        if not _copy:
            _load()
        yield
    finally:
        vfs.SYSTEM = system
        _copy.update({name: m for name, m in sys.modules.items() if _is_copied(name)})
        for name in _copy:
            sys.modules.pop(name, None)
        sys.modules.update(first)


def _load() -> None:
    """Load every module that takes `SYSTEM` when it is loaded."""
    top = importlib.import_module("holdfast")
    for shared in _SHARED:
        if shared in sys.modules:
            setattr(top, shared.rpartition(".")[2], sys.modules[shared])
    for part in _LOADED:
        package = importlib.import_module(f"holdfast.{part}")
        for found in pkgutil.walk_packages(package.__path__, f"holdfast.{part}."):
            importlib.import_module(found.name)


@contextmanager
def on(vfs: VFS, module: str) -> Iterator[Any]:
    """Give a module of the second copy, which works on `vfs` meanwhile."""
    assert "holdfast" == holdfast.__name__
    with _swapped():
        _door.inner = vfs
        yield importlib.import_module(module)


def command_line(vfs: VFS, *argv: str, stdin: bytes = b"") -> None:
    """Run `holdfast argv` on a filesystem, in this process.

    Raises:
        RuntimeError: its exit code is not 0.
    """
    said = io.TextIOWrapper(io.BytesIO(), write_through=True)
    given, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin))
    try:
        with on(vfs, "holdfast.cli") as cli, redirect_stdout(said), redirect_stderr(said):
            code = cli.main(list(argv))
    finally:
        sys.stdin = given
    if code:
        raise RuntimeError(f"holdfast {' '.join(argv)}: exit code {code}: {text_of(said)}")


def text_of(stream: io.TextIOWrapper) -> str:
    """What was printed."""
    stream.seek(0)
    return stream.read()
