"""Temporary files that killed writers have left, for checks, which change nothing.

I1  What a living writer has is no leftover: only a file that nobody holds at two looks is told.
"""

from __future__ import annotations

import os

from holdfast.primitives.check_report import Finding
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.temp import recognise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.vfs import VFS, Folder

__all__ = ["leftovers", "unheld"]


def unheld(folder: Folder, *, vfs: VFS) -> dict[str, int]:
    """Return the temporary files that nobody holds, as far as the system tells, with their inodes.

    Raises:
        OSError: the folder cannot be read.
    """
    found: dict[str, int] = {}
    for name in folder.names():
        if recognise(name) is not None:
            try:
                if not _is_held(folder, name, vfs):
                    found[name] = folder.stat(name).st_ino
            except (FileNotFoundError, PermissionError):
                continue  # it has got its own name meanwhile, or is not ours to judge
    return found


def _is_held(folder: Folder, name: str, vfs: VFS) -> bool:
    file = folder.open(name, "read")
    try:
        return vfs.holder(file) is not None
    finally:
        close_quietly(file)


def leftovers(
    folder: Folder, at_first: dict[str, int], *, what: str, vfs: VFS
) -> Iterator[Finding]:
    """Yield a finding for each of the files that `unheld` found at first, and finds again (I1).

    Args:
        folder: where they are.
        at_first: what it found.
        what: they are no part of.
        vfs: the filesystem.

    Raises:
        OSError: the folder cannot be read.
    """
    now = unheld(folder, vfs=vfs) if at_first else {}
    for name in sorted(name for name, inode in at_first.items() if now.get(name) == inode):
        path = os.path.join(folder.path, name)
        message = (
            f"{path}: a killed writer has left it. It is no part of the {what}. "
            "`holdfast sweep` removes it."
        )
        yield Finding("leftover", path, None, message)
