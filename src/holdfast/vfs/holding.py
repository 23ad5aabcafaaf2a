"""The line in a lock file that says who holds it, for systems that do not tell; never a proof.

`pid host program`, ended by a newline, at most 256 bytes, UTF-8. What follows the newline is what a
longer line left, and means nothing. Pure text; the platform modules read and write it.
"""

from __future__ import annotations

from holdfast.vfs.api import Holder

__all__ = ["SIZE_BYTES", "decode", "encode", "own"]

SIZE_BYTES = 256
_HOST_CHARS = 64
_PROGRAM_CHARS = 80


def own() -> Holder:
    """Name this process."""
    import os
    import platform
    import sys

    words = sys.orig_argv or [sys.executable or "python"]
    return Holder(os.getpid(), platform.node() or "localhost", " ".join(words))


def encode(holder: Holder) -> bytes:
    """Return the line; what does not fit is cut off."""
    host = "-".join(_plain(holder.host).split()) or "localhost"
    line = f"{holder.pid} {host[:_HOST_CHARS]} {_clipped(_plain(holder.program))}"
    whole = line.encode("utf-8", "replace")[: SIZE_BYTES - 1]
    return whole.decode("utf-8", "ignore").encode("utf-8") + b"\n"


def decode(data: bytes) -> Holder | None:
    """Read the line; None for anything else, whatever the bytes are."""
    line, newline, _ = data[:SIZE_BYTES].partition(b"\n")
    pid, _, rest = line.decode("utf-8", "replace").partition(" ")
    host, _, program = rest.partition(" ")
    if not newline or not host or not program or not (pid.isascii() and pid.isdigit()):
        return None
    return Holder(int(pid), _plain(host), _clipped(_plain(program)))


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _clipped(text: str) -> str:
    return text if len(text) <= _PROGRAM_CHARS else text[: _PROGRAM_CHARS - 3] + "..."
