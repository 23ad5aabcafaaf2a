"""Scratch folders that go away, also those of explorers that were killed.

Each is private and holds a locked file as long as somebody works in it. A process that is killed
cannot remove its own; the next exploration removes what nobody holds any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile

from holdfast.crash.explorer.cases import SCRATCH

__all__ = ["Scratch", "remove_tree"]

_MEMORY = "/dev/shm"  # noqa: S108 - a folder of our own is made in it, mode 0700
_ROOM_BYTES = 64 << 20
_LOCK = "lock"
_SWEPT_MAX = 100


class Scratch:
    """A new folder: in memory if there is room for so many bytes, else with temporary files."""

    def __init__(self, room_bytes: int) -> None:
        above = _where(room_bytes)
        for name in [name for name in os.listdir(above) if name.startswith(SCRATCH)][:_SWEPT_MAX]:
            _remove_if_left(f"{above}/{name}")
        self.folder = tempfile.mkdtemp(prefix=SCRATCH, dir=above)
        self._lock = _locked(self.folder)

    def close(self) -> None:
        """Remove it with all that is in it."""
        try:
            remove_tree(self.folder)
        except OSError:
            pass  # a process that left its session still writes; the next exploration removes it
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _where(room_bytes: int) -> str:
    if os.path.isdir(_MEMORY) and os.access(_MEMORY, os.W_OK | os.X_OK):
        space = os.statvfs(_MEMORY)
        if space.f_bavail * space.f_frsize > _ROOM_BYTES + room_bytes:
            return _MEMORY
    return os.path.realpath(tempfile.gettempdir())


def _locked(folder: str) -> int:
    """Make the file of the lock, under its name only when it is locked."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    lock = os.open(f"{folder}/.{_LOCK}", flags, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.rename(f"{folder}/.{_LOCK}", f"{folder}/{_LOCK}")
    return lock


def _remove_if_left(folder: str) -> None:
    """Remove a scratch folder of this user whose lock is free; leave anything else alone."""
    try:
        lock = os.open(f"{folder}/{_LOCK}", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return  # another user's, being made, being removed, or none of ours
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.lstat(folder).st_uid == os.fstat(lock).st_uid == os.geteuid():
            remove_tree(folder)
    except OSError:
        pass  # somebody works in it, or has removed it
    finally:
        os.close(lock)


def remove_tree(folder: str) -> None:
    """Remove a folder, also if a check took the right to look into parts of it away.

    Raises:
        OSError: Something in it cannot be removed at all; the rest is gone.
    """
    try:
        shutil.rmtree(folder)
    except PermissionError:
        os.chmod(folder, 0o700)
        for above, names, _ in os.walk(folder):
            for name in names:
                if not os.path.islink(path := f"{above}/{name}"):
                    os.chmod(path, 0o700)
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
