"""The ground floor: the one door to the operating system, and the clock.

`SYSTEM` is the filesystem of this machine. The memory filesystem, the tracer and the fault injector
live in their own modules and are imported by those who test: `holdfast.vfs.memory`, `.trace`,
`.fault`.
"""

from __future__ import annotations

import sys

from holdfast.vfs.clock import CLOCK, Clock, ManualClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs.api import VFS, File, Folder, Holder, OpenMode, Promises, Stat, Sync, Words

if TYPE_CHECKING or sys.platform == "linux":
    from holdfast.vfs.linux import LinuxVFS as _System
elif sys.platform == "win32":
    from holdfast.vfs.windows import WindowsVFS as _System
elif sys.platform == "darwin":
    from holdfast.vfs.darwin import DarwinVFS as _System
else:
    from holdfast.vfs.posix import PosixVFS as _System

__all__ = [
    "CLOCK",
    "SYSTEM",
    "VFS",
    "Clock",
    "File",
    "Folder",
    "Holder",
    "ManualClock",
    "OpenMode",
    "Promises",
    "Stat",
    "Sync",
    "Words",
]

SYSTEM: VFS = _System()


def __getattr__(name: str) -> object:
    """Load the protocols and records when one is asked for; most programs only name them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    from holdfast.vfs import api

    return getattr(api, name)
