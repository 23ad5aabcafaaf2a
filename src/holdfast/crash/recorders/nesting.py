"""Tells a recorder that it runs inside another one: two cannot watch the same program.

Who is recorded by seccomp notification gets another error for one path than everybody else.
"""

from __future__ import annotations

import errno
import os
from typing import Final

from holdfast.crash.recorders.errors import RecorderUnavailable

__all__ = ["ASKED", "ASKED_PATH", "refuse_nesting", "traced_by"]

ASKED_PATH: Final = b"/hf-recorder"
ASKED: Final = errno.ELOOP
"""What opening that path fails with under a recorder; elsewhere it is not there."""


def refuse_nesting() -> None:
    """Refuse to record from within a recorded program.

    Raises:
        RecorderUnavailable: this is one; nothing was run.
    """
    try:
        os.close(os.open(ASKED_PATH, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == ASKED:
            raise RecorderUnavailable(
                "recorder: this program is itself under another recorder; there can be one. "
                "Nothing was run. Record the inner program alone, or the outer one without it."
            ) from None


def traced_by() -> int:
    """The process that traces this one, such as a debugger or strace; 0 if none does."""
    try:
        with open("/proc/self/status", encoding="utf-8", errors="replace") as status:
            return next((int(line.split()[1]) for line in status if line[:10] == "TracerPid:"), 0)
    except (OSError, ValueError, IndexError):
        return 0
