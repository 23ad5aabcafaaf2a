"""Linux with some methods of its files and folders exchanged: what a strange filesystem does."""

from __future__ import annotations

import os

from holdfast.vfs import Promises
from holdfast.vfs.linux import LinuxFile, LinuxFolder, LinuxVFS


def standing_in(file_methods=None, folder_methods=None, **promises):
    """A filesystem of Linux in which these methods do something else, and these promises hold."""
    file_type = type("File", (LinuxFile,), {"__slots__": (), **(file_methods or {})})
    body = {"__slots__": (), "file_type": file_type, **(folder_methods or {})}
    folder = type("Folder", (LinuxFolder,), body)

    class StandIn(LinuxVFS):
        folder_type = folder

        def promises(self, path: str) -> Promises:
            return super().promises(path)._replace(**promises)

    return StandIn()


def refusing(code):
    """A method that raises this errno."""

    def method(self, *args, **options):
        raise OSError(code, os.strerror(code))

    return method
