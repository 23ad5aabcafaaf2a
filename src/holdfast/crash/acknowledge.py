"""How a program tells the recorder that it has told somebody something, such as "saved"."""

from __future__ import annotations

import os

__all__ = ["ack"]


def ack(text: object) -> None:
    """Acknowledge: from here on, `text` has been promised to somebody.

    What a checker may hold the program to after a crash. Outside of a recorder nothing happens. Any
    other language does the same by opening the path `/hf-mark:TEXT`, which fails with ENOENT.
    """
    try:
        descriptor = os.open(f"/hf-mark:{text}", os.O_RDONLY)
    except (OSError, ValueError):
        return
    os.close(descriptor)
