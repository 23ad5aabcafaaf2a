"""The check of a patched file, and a copy of it with the patch that waits: nothing is changed.

Guarantee: what `check_in_place` finds is what the next opening will do. What `repair_in_place`
    writes is whole and durable when it returns, and the file and its journal are as they were.
"""

from __future__ import annotations

import errno
import os
from stat import S_IMODE

from holdfast.errors import Corruption, UnknownFormat
from holdfast.formats.patch_format import BLOCK_BYTES, EMPTY, is_journal
from holdfast.primitives.beside import beside
from holdfast.primitives.check_report import CheckReport, Finding, Lost, RepairReport
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.in_place_journal import SUFFIX, PatchJournal, Syncing
from holdfast.primitives.in_place_recovery import examine
from holdfast.primitives.regular_files import open_regular, read_block
from holdfast.primitives.target import check as refuse_irregular
from holdfast.primitives.target import look, refuse_temporary
from holdfast.primitives.writer import open as open_whole
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from holdfast.primitives.in_place_recovery import Found
    from holdfast.vfs import VFS, File, Folder, OpenMode

__all__ = ["KIND", "PATCHES_BYTE", "check_in_place", "has_patches", "place_of", "repair_in_place"]

KIND = "patched file"
PATCHES_BYTE = 0
"""The byte of the lock file that who patches or recovers holds alone."""


def place_of(path: str, *, mode: OpenMode, vfs: VFS) -> tuple[Folder, str, File]:
    """Open a file behind every symlink: its folder, its name there, and itself.

    Raises:
        PromiseUnavailable: it is no regular file; nothing was made.
        ValueError: it has the name of a temporary file, which a sweeper removes.
        OSError: it cannot be opened; nothing was made.
    """
    above, name = os.path.split(vfs.resolve(path))
    refuse_temporary(path, name)
    folder = vfs.folder(above)
    try:
        file = open_regular(folder, name or os.curdir, mode=mode)
        if file is None:
            refuse_irregular(path, folder.stat(name or os.curdir), new=False)
            raise OSError(errno.EAGAIN, "was replaced while it was being opened", path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename == name:
            error.filename = path
        close_quietly(folder)
        raise
    return folder, name, file


def has_patches(path: str, *, vfs: VFS = SYSTEM) -> bool:
    """Whether a journal of patches lies beside a regular file, as far as can be seen."""
    above, name = os.path.split(vfs.resolve(path))
    folder = vfs.folder(above)
    try:
        file = open_regular(folder, beside(name, SUFFIX))
    except (FileNotFoundError, PermissionError):
        return False
    finally:
        close_quietly(folder)
    if file is None:
        return False
    try:
        head = read_block(file, len(EMPTY))
    finally:
        close_quietly(file)
    return is_journal(head)


def check_in_place(path: str, *, vfs: VFS = SYSTEM) -> CheckReport:
    """Return what is found of patches of a file: whether one was interrupted, and what of it.

    Raises:
        UnknownFormat: the journal is of a later format; nothing was changed.
        PromiseUnavailable: it is no regular file.
        OSError: the file or its journal cannot be read.
    """
    with _Standing(path, vfs) as standing:
        findings: tuple[Finding, ...] = ()
        try:
            found = standing.found()
        except UnknownFormat:
            raise
        except Corruption as error:
            found = None
            findings = (Finding("damage", standing.journal.path, error.offset, str(error)),)
        if found is not None:
            findings = (_finding(found, path, standing.journal.path),)
        waiting = int(found is not None and found.is_committed)
        return CheckReport(path, KIND, waiting, standing.size_bytes(), findings)


def _finding(found: Found, path: str, journal: str) -> Finding:
    if found.problem is not None:
        return Finding("damage", journal, 0, str(found.problem))
    blocks = f"{found.head.blocks} block{'s' if found.head.blocks > 1 else ''}"
    message = (
        f"{path}: a patch of {blocks} was interrupted before it was committed. The file is as it "
        "was. The next opening drops what is left in the journal."
    )
    if found.is_committed:
        message = (
            f"{path}: a patch of {blocks} was committed and then interrupted. It waits in "
            f"{journal}, and the file may hold it in part. The next opening finishes it."
        )
    return Finding("torn", journal, 0, message)


class _Standing:
    """A file and its journal, open to be read."""

    def __init__(self, path: str, vfs: VFS) -> None:
        self._path, self._vfs = path, vfs
        self._folder, self.name, self.file = place_of(path, mode="read", vfs=vfs)
        self.journal = PatchJournal(
            self._folder, self.name, syncing=Syncing(), mode="read", vfs=vfs
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.journal.close()
        close_quietly(self.file)
        close_quietly(self._folder)

    def found(self) -> Found | None:
        """What a dead writer has left; None also while one lives, whose journal is his own."""
        if self._is_being_patched():
            return None
        return examine(self.journal, self.file, path=self._path, vfs=self._vfs)

    def _is_being_patched(self) -> bool:
        name = beside(self.name, ".lock")
        try:
            file = open_regular(self._folder, name)
        except (FileNotFoundError, PermissionError):
            return False
        if file is None:
            return False
        try:
            return not file.lock_range(PATCHES_BYTE, 1, shared=True, block=False)
        finally:
            close_quietly(file)

    def size_bytes(self) -> int:
        """The size of the file and of its journal."""
        info = look(self._folder, self.journal.name)
        return self.file.stat().st_size + (info.st_size if info is not None else 0)


# ------------------------------------------------------------ a copy


def repair_in_place(path: str, to: str, *, vfs: VFS = SYSTEM) -> RepairReport:
    """Copy a file to `to` with the patch that waits in its journal; both are only read.

    A committed patch is in the copy also where the file no longer fits it. Of a damaged one the
    blocks are that are whole. Nobody should patch the file meanwhile.

    Args:
        path: the file.
        to: the copy, which must not exist.
        vfs: the filesystem.

    Raises:
        FileExistsError: there is something at `to`; nothing was done.
        UnknownFormat: the journal is of a later format; nothing was done.
        CommittedNotDurable: the copy is there, but a power cut may undo it.
        OSError: it cannot be read or written; nothing is left at `to`.
    """
    lost: tuple[Lost, ...] = ()
    with _Standing(path, vfs) as standing:
        try:
            found = examine(standing.journal, standing.file, path=path, vfs=vfs)
        except UnknownFormat:
            raise
        except Corruption as error:
            found, lost = None, (Lost(0, str(error)),)
        images = {}
        notes = ["a record is a block of 4,096 bytes"]
        if found is not None and (found.is_committed or found.problem is not None):
            images = {block.offset: block.new for block in found.blocks}
            notes.append(f"{len(images)} of {found.head.blocks} blocks are those of the patch")
        if found is not None and found.problem is not None:
            lost = (Lost(0, str(found.problem)),)
        with open_whole(
            to, "xb", permissions=S_IMODE(standing.file.stat().st_mode), vfs=vfs
        ) as out:
            blocks = 0
            for block in _patched(standing.file, images):
                out.write(block)
                blocks += 1
    return RepairReport(path, to, blocks, lost, tuple(notes))


def _patched(file: File, images: dict[int, bytes]) -> Iterator[bytes]:
    """The blocks of the file, those of the patch in their places, and those that it adds."""
    start = 0
    last = max(images, default=-1)
    while True:
        block = images.get(start) or read_block(file, BLOCK_BYTES, offset=start)
        if not block and start > last:
            return
        yield block
        start += BLOCK_BYTES
