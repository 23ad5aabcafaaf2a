"""How a process ended, in words."""

from __future__ import annotations

import signal

__all__ = ["ending", "signal_name"]


def ending(status: int) -> str:
    """Say it; `status` is an exit code, or minus a signal."""
    return f"exited with {status}" if status >= 0 else f"was killed by {signal_name(-status)}"


def signal_name(number: int) -> str:
    """Name a signal, also one that has no name here."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
