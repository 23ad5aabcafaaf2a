"""How much a long test may do: little by default, more for `make soak`."""

from __future__ import annotations

import os


def scaled(count: int) -> int:
    """The count, times HOLDFAST_SCALE (1 unless set; `make soak` sets 20)."""
    return max(1, int(count * float(os.environ.get("HOLDFAST_SCALE", "1"))))


def soak_s(default_s: float) -> float:
    """How long a soak test may run: HOLDFAST_SOAK_S where it is set (`make soak` sets 600)."""
    return float(os.environ.get("HOLDFAST_SOAK_S", default_s))
