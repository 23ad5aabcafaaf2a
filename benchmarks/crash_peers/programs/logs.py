"""logging: one line for each state; what was logged first must not be lost by what comes later."""

from __future__ import annotations

import logging
import logging.handlers
import os
from typing import TYPE_CHECKING

from benchmarks.crash_peers.states import contents, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

VARIANTS = {
    "file": "`FileHandler(path)`",
    "rotating": "`RotatingFileHandler(path, maxBytes=..., backupCount=9)`",
}
_MAX_BYTES = 8000  # one line each


def saver(variant: str) -> Callable[[int], None]:
    handler = (
        logging.FileHandler("log")
        if variant == "file"
        else logging.handlers.RotatingFileHandler("log", maxBytes=_MAX_BYTES, backupCount=9)
    )
    log = logging.getLogger("peer")
    log.addHandler(handler)
    return lambda n: log.warning("%s", contents(n))


def load(_variant: str) -> int:
    names = sorted((name for name in os.listdir() if name.startswith("log")), reverse=True)
    lines: list[str] = []
    for name in names:
        with open(name, encoding="ascii") as file:
            lines += file.read().split("\n")[:-1]  # a reader expects a torn last line
    return numbers(lines)
