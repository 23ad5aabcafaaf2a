"""Keeps a state as a folder, with a text beside it that says what it is.

`DIR/ID` is the folder and `DIR/ID.txt` the text. Both are replaced if they are there; the folder
only if the text is there too, so that nothing else is ever removed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

from holdfast.crash.explorer.place import Place
from holdfast.primitives.replace import write_bytes

if TYPE_CHECKING:
    from holdfast.crash.explorer.trees import Paths

__all__ = ["keep_state", "try_folder"]


def try_folder(folder: str) -> None:
    """See that states can be kept in this folder, which may be missing; nothing is left there.

    Raises:
        FileExistsError: A file stands in the way; it is named by `filename`, and untouched.
        OSError: Nothing can be made where it would be.
    """
    there = os.path.abspath(folder)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        raise FileExistsError(17, "is no folder", there)
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".keep-", dir=there))
    except OSError as error:
        error.filename = there
        raise


def keep_state(folder: str, name: str, paths: Paths, *, text: str) -> str:
    """Write a state as `folder/name`, and the text beside it; return the path of the state.

    Raises:
        FileExistsError: A folder of that name is there and was not made here; it is untouched.
    """
    target = os.path.join(os.path.abspath(folder), name)
    os.makedirs(folder, exist_ok=True)
    beside = f"{target}.txt"
    if os.path.lexists(target):
        if not os.path.isfile(beside):
            raise FileExistsError(17, "not a state that was kept here; it is left alone", target)
        shutil.rmtree(target)
    above = tempfile.mkdtemp(prefix=".keep-", dir=folder)
    try:
        place = Place(f"{above}/state")
        place.put(paths)
        write_bytes(beside, text.encode("utf-8", "surrogateescape"), sync="never")
        os.rename(place.folder, target)
    finally:
        shutil.rmtree(above, ignore_errors=True)
    return target
