"""Acknowledgements: what the program told somebody, in order with what it did to its files."""

from __future__ import annotations

import os
import select
from threading import Thread
from typing import TYPE_CHECKING, Final

from holdfast.crash.recorders.tree import identity
from holdfast.vfs.operations import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MARK_PATH", "StandardOutput", "mark_in"]

MARK_PATH: Final = b"/hf-mark:"
_CHUNK_BYTES: Final = 65536


def mark_in(path: bytes) -> Mark | None:
    """Return the acknowledgement that opening this path stands for."""
    return Mark(os.fsdecode(path[len(MARK_PATH) :])) if path.startswith(MARK_PATH) else None


class StandardOutput:
    """A pipe in place of the program's stdout; what goes through is passed on to ours."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe2(os.O_CLOEXEC)
        self._identity = identity(os.fstat(self.writing))
        self._line = b""
        self.seen_bytes = self._passed_bytes = 0
        self._pump = Thread(target=self._pass_on, name="holdfast-stdout", daemon=True)

    def start(self) -> None:
        """Begin to pass on; the program has its end by now."""
        os.close(self.writing)
        self.writing = -1
        self._pump.start()

    def is_behind(self, descriptor: int) -> bool:
        """Whether our descriptor is the program's stdout."""
        return identity(os.fstat(descriptor)) == self._identity

    def lines(self, data: bytes) -> Iterator[Mark]:
        """Yield what became a whole line by these bytes."""
        self.seen_bytes += len(data)
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            yield Mark(os.fsdecode(line.removesuffix(b"\r")))

    def _pass_on(self) -> None:
        wanted = True
        while data := os.read(self._reading, _CHUNK_BYTES):
            self._passed_bytes += len(data)
            while data and wanted:
                try:
                    data = data[os.write(1, data) :]
                except BlockingIOError:
                    select.select([], [1], [])
                except OSError:  # nobody reads us: the recording goes on
                    wanted = False

    def finish(self) -> bool:
        """Wait for the rest; False if something was written that `lines` has not seen."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1
        if self._pump.ident is not None:
            self._pump.join()
        os.close(self._reading)
        return self._passed_bytes == self.seen_bytes
