"""Draws random sequences of file operations; bytes differ from write to write.

What was written last is often written again, or begun to be written back, with no sync between.
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

from holdfast.crash.disks.steps import Names
from holdfast.vfs.micro import PAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.crash.disks.steps import Arguments, Step

__all__ = ["random_steps"]

_NAMES = ("a", "b", "c", "f", "x", "y")
_SIZES = (1, 100, 4095, 4096, 4097, 5000, 9010, 13000)
_PLACES_IN_PAGE = (0, 1, 100, 2000, 4000)
_SIZES_IN_PAGE = (1, 12, 100, 2000, 4096)
_MODES = (0o600, 0o640, 0o666)
_ATTEMPTS_PER_STEP = 1000


def random_steps(seed: int, *, length: int = 12) -> tuple[Step, ...]:
    """Return a sequence; the same seed gives the same one."""
    drawing = _Drawing(seed)
    steps: list[Step] = []
    for _ in range(length * _ATTEMPTS_PER_STEP):
        if len(steps) == length:
            break
        call, arguments = drawing.call()
        try:
            steps.append(drawing.names.step(call, *arguments))
        except KeyError:  # drawn without looking; the next one may be possible
            continue
    return tuple(steps)


class _Drawing:
    """What is drawn from, given the names that there are."""

    def __init__(self, seed: int) -> None:
        self.names = Names()
        self._random = Random(seed)
        self._letter = 0
        self._latest = ""
        self._kinds = [kind for kind, weight in _WEIGHTS for _ in range(weight)]

    def call(self) -> tuple[str, Arguments]:
        """A call with arguments, perhaps not a possible one."""
        kind = self._random.choice(self._kinds)
        return kind.partition("-")[0], _ARGUMENTS[kind](self)

    def file(self) -> str:
        return self._random.choice(sorted(self.names.files) or ["none"])

    def folder(self) -> str:
        return self._random.choice(sorted(self.names.folders))

    def path(self) -> str:
        return os.path.join(self.folder(), self._random.choice(_NAMES))

    def data(self, sizes: tuple[int, ...] = _SIZES) -> bytes:
        self._letter += 1
        return bytes([ord("a") + self._letter % 26]) * self._random.choice(sizes)

    def append(self) -> Arguments:
        path = self._latest = self.file()
        return path, self._size(path), self.data()

    def overwrite(self) -> Arguments:
        path = self._latest = self.file()
        offset = self._random.choice((0, 0, 1, 4000, 4096, self._size(path) // 2))
        return path, offset, self.data()

    def overwrite_again(self) -> Arguments:
        path = self.latest()
        page = self._random.choice((0, self._size(path) // PAGE_BYTES))
        offset = page * PAGE_BYTES + self._random.choice(_PLACES_IN_PAGE)
        return path, offset, self.data(_SIZES_IN_PAGE)

    def latest(self) -> str:
        """The file that was written last, if it still has that name."""
        if self._latest not in self.names.files:
            self._latest = self.file()
        return self._latest

    def truncate(self) -> Arguments:
        path = self.file()
        return path, self._random.choice((0, 0, self._size(path) // 2, 4096, 6000))

    def mode(self) -> int:
        return self._random.choice(_MODES)

    def _size(self, path: str) -> int:
        return self.names.sizes.get(self.names.files.get(path, 0), 0)

    def write(self) -> Arguments:
        return self.append() if self._random.random() < 0.6 else self.overwrite()


_WEIGHTS = (
    ("create", 3),
    ("write", 7),
    ("write-again", 14),
    ("truncate", 3),
    ("chmod", 1),
    ("rename", 5),
    ("exchange", 1),
    ("setxattr", 1),
    ("link", 2),
    ("unlink", 3),
    ("mkdir", 2),
    ("rmdir", 1),
    ("fsync", 5),
    ("fdatasync", 2),
    ("fsync-folder", 4),
    ("writeback", 3),
    ("writeback-again", 4),
    ("syncfs", 1),
)
_ARGUMENTS: dict[str, Callable[[_Drawing], Arguments]] = {
    "create": lambda drawing: (drawing.path(),),
    "write": _Drawing.write,
    "write-again": _Drawing.overwrite_again,
    "truncate": _Drawing.truncate,
    "chmod": lambda drawing: (drawing.file(), drawing.mode()),
    "rename": lambda drawing: (drawing.file(), drawing.path()),
    "exchange": lambda drawing: (drawing.file(), drawing.file()),
    "setxattr": lambda drawing: (drawing.file(), "user.x", drawing.data()[:100]),
    "link": lambda drawing: (drawing.file(), drawing.path()),
    "unlink": lambda drawing: (drawing.file(),),
    "mkdir": lambda drawing: (drawing.path(),),
    "rmdir": lambda drawing: (drawing.folder(),),
    "fsync": lambda drawing: (drawing.file(),),
    "fdatasync": lambda drawing: (drawing.file(),),
    "fsync-folder": lambda drawing: (drawing.folder(),),
    "writeback": lambda drawing: (drawing.file(),),
    "writeback-again": lambda drawing: (drawing.latest(),),
    "syncfs": lambda _: ("",),
}
