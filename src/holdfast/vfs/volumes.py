"""What a volume of Windows gives, by its kind.

Not run on Windows yet: written from the documentation of GetDriveTypeW and FlushFileBuffers.
"""

from __future__ import annotations

from holdfast.vfs.api import Promises

__all__ = ["promises_of"]

_DRIVE_REMOTE, _DRIVE_RAMDISK = 4, 6


def promises_of(filesystem: str, drive_type: int) -> Promises:
    """Say what a volume of this kind gives."""
    weak = [
        "folders cannot be synced: a new name may not survive a power cut",
        "change events are not used on this system",
    ]
    if in_memory := drive_type == _DRIVE_RAMDISK:
        weak.insert(0, "a RAM disk lives in memory: nothing survives a power cut")
    if drive_type == _DRIVE_REMOTE:
        weak.append("a network drive: a sync is as durable as its server makes it")
    zero_filling = drive_type not in {_DRIVE_REMOTE, _DRIVE_RAMDISK} and filesystem != "ReFS"
    return Promises(
        filesystem or "unknown", not in_memory, False, True, False, tuple(weak), zero_filling
    )
