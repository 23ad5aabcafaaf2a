"""Sweep where something is made: it may need the room."""

from __future__ import annotations

from holdfast.primitives.temp import recognise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import VFS, Folder

__all__ = ["sweep_leftovers"]


def sweep_leftovers(folder: Folder, *, vfs: VFS) -> None:
    """Remove what killed writers have left in a folder; what cannot be removed stays."""
    try:
        if any(recognise(name) is not None for name in folder.names()):
            from holdfast.primitives.sweep import sweep

            sweep(folder.path, vfs=vfs)
    except OSError:
        pass  # it only takes room
