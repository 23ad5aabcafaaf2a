"""On a terminal, what takes longer than half a second says so, once."""

from __future__ import annotations

import sys

from holdfast.cli.exits import note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Timer
    from typing import Final

__all__ = ["Telling"]

_SOON_S: Final = 0.5


class Telling:
    """`with Telling(verb, message):` prints the message on standard error if the body lasts."""

    def __init__(self, verb: str, message: str, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._verb = verb
        self._message = message
        self._timer: Timer | None = None

    def __enter__(self) -> None:
        if not self._quiet and sys.stderr.isatty():
            from threading import Timer

            self._timer = Timer(_SOON_S, note, (self._verb, self._message))
            self._timer.daemon = True
            self._timer.start()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
