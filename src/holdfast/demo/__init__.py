"""`holdfast demo`: the promises, tried on the user's own disk in half a minute.

Four parts, each of which counts what was tried and what was lost: edits of one commented file by
four processes (beside the recipe that most programs use), writers killed in the middle of their
work, a full disk, and a power cut at every point of one replacement. Exit code 0 only if holdfast
lost nothing.
"""

from __future__ import annotations

from holdfast.demo.show import main

__all__ = ["main"]
