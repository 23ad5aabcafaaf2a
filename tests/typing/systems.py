"""Checked by mypy and pyright, never run: each system keeps the protocols of the seam.

Run with `--platform darwin` and `--platform win32` as well, it holds for what those systems see.
"""

from __future__ import annotations

from holdfast.vfs import VFS, File, Folder
from holdfast.vfs.darwin import DarwinFile, DarwinFolder, DarwinVFS
from holdfast.vfs.kernel32 import Kernel
from holdfast.vfs.probe import Facts, probe
from holdfast.vfs.windows import WindowsFile, WindowsFolder, WindowsVFS


def darwin(file: DarwinFile, folder: DarwinFolder) -> tuple[VFS, Folder, File]:
    """MacOS keeps all three."""
    return DarwinVFS(), folder, file


def windows(kernel: Kernel, file: WindowsFile, folder: WindowsFolder) -> tuple[VFS, Folder, File]:
    """Windows keeps all three."""
    return WindowsVFS(kernel), folder, file


def probing(vfs: VFS) -> Facts:
    """Any filesystem can be probed."""
    return probe("a", vfs=vfs, seconds=0.1)
