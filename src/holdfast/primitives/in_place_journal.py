"""The journal of patches beside a file: made once, written over by each patch, emptied after it.

Guarantee: when `write` returns, the patch is committed: whoever recovers finishes it. When `drop`
    returns, nobody will. Both are durable, if they were to be synced.
Not guaranteed: anything if the journal is removed or exchanged while a program uses the file.

I1  A journal has its name only when its first block is on the disk: so after a crash its head is an
    old one or a new one, and never what the disk had there before. It is written twice, the first
    time without its first byte, which says that there is a patch: so one that came half is none.
I2  The name of the journal is durable before a patch is committed in it.
I3  After a failed sync the journal is emptied and loses its name: a later sync would cover nothing
    of what that one has lost, so the next patch makes another file.
I4  Nothing is written to a file that is no journal, and no symlink is followed.

For who holds the lock of the file's patches; `concerns` needs none. The layout is on the page
docs/reference/patch-format.md.
"""

from __future__ import annotations

import errno
import os
from stat import S_IMODE

from holdfast.errors import BadFrame
from holdfast.formats.patch_format import (
    BLOCK_BYTES,
    EMPTY,
    ENTRY_BYTES,
    HEAD_BYTES,
    decode_head,
    entries_of,
)
from holdfast.primitives.beside import beside
from holdfast.primitives.folders import close_quietly, forget
from holdfast.primitives.regular_files import is_same, open_regular, read_block
from holdfast.primitives.target import look
from holdfast.primitives.temp import Made, create, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.formats.patch_format import Head
    from holdfast.vfs import VFS, File, Folder, OpenMode

__all__ = ["KEPT_BYTES", "STEP_BYTES", "SUFFIX", "PatchJournal", "Syncing", "write_at"]

SUFFIX = ".journal"
STEP_BYTES = 4096
"""A journal grows by multiples of this: writing over what is there needs no metadata synced."""
KEPT_BYTES = 1 << 20
"""A journal that a large patch made longer is cut back to this."""


def write_at(file: File, data: bytes, offset: int) -> None:
    """Write all of it there; the system may take it in pieces.

    Raises:
        OSError: a part may be written.
    """
    done = 0
    while done < len(data):
        count = file.write(memoryview(data)[done:] if done else data, offset=offset + done)
        if count <= 0:  # looping on it would never end
            raise OSError(errno.EIO, "a write wrote nothing")
        done += count


class Syncing:
    """The syncs of one handle, each in a `with` block: `failed` is the error of the first to fail.

    After that, how much is durable is not known, and the same must not be synced again.
    """

    __slots__ = ("failed",)

    def __init__(self) -> None:
        self.failed: OSError | None = None

    def __enter__(self) -> None:
        """Begin one."""

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError):
            self.failed = self.failed or error


class PatchJournal:
    """The journal of the file `target` in `folder`; nothing is opened or made before it is needed.

    Args:
        folder: where both are; not closed with this.
        target: the name of the file.
        syncing: of the handle that this is for.
        mode: `read`: to look at it alone.
        vfs: the filesystem.

    Attributes: `is_clean`: off if `head` saw the rest of a head that came half.
    """

    def __init__(
        self,
        folder: Folder,
        target: str,
        *,
        syncing: Syncing,
        mode: OpenMode = "write",
        vfs: VFS,
    ) -> None:
        self._folder = folder
        self._target = target
        self._syncing = syncing
        self._mode: OpenMode = mode
        self._vfs = vfs
        self._file: File | None = None
        self._is_named = False
        self.is_clean = True
        self.name = beside(target, SUFFIX)
        self.path = os.path.join(folder.path, self.name)

    # ------------------------------------------------------------ reading

    def _open(self) -> File | None:
        """The file that has the name now; None if there is none (I4)."""
        info = look(self._folder, self.name)
        if info is not None and self._file is not None and is_same(info, self._file.stat()):
            return self._file
        self.close()
        if info is None:
            return None
        file = self._file = open_regular(self._folder, self.name, mode=self._mode)
        if file is None:
            raise BadFrame(
                f"{self.path}: stands where the journal of a patch belongs, and is no regular "
                "file. It is untouched. Move it elsewhere, or rename the file beside it.",
                path=self.path,
            )
        return file

    def head(self) -> Head | None:
        """What the head says; None if no patch is in the journal, or there is none.

        Raises:
            Corruption: it is damaged, of a later format, or no journal; it is untouched.
            OSError: it cannot be read.
        """
        file = self._open()
        if file is None:
            return None
        block = read_block(file, HEAD_BYTES)
        self.is_clean = block == EMPTY
        return decode_head(block, path=self.path)

    def body(self, head: Head) -> bytes:
        """What follows the head; less at the end of the file."""
        file = self._open()
        return b"" if file is None else read_block(file, head.body_bytes, offset=HEAD_BYTES)

    def concerns(self, offset: int, size: int) -> bool:
        """Whether a patch is in the journal, as it seems, that changes a block of these bytes.

        It may be that of a writer who lives, or one that was never committed: only the lock tells.

        Raises:
            Corruption: as `head`; perhaps because the journal is being written.
            OSError: it cannot be read.
        """
        head = self.head()
        file = self._file
        if head is None or file is None:
            return False
        table = read_block(file, head.blocks * ENTRY_BYTES, offset=HEAD_BYTES)
        end = offset + size
        return any(at < end and offset < at + BLOCK_BYTES for at in entries_of(table))

    # ------------------------------------------------------------ writing

    def write(self, data: bytes, *, synced: bool) -> None:
        """Write the journal of a patch, which is committed with that (I1, I2).

        Raises:
            OSError: it is not known to be committed: `drop` it, or after a failed sync `discard`.
        """
        file = self._open() or self._make()
        if synced and not self._is_named:
            with self._syncing:
                self._folder.sync()
            self._is_named = True
        if len(data) > file.stat().st_size:
            data = data.ljust(-(-len(data) // STEP_BYTES) * STEP_BYTES, b"\0")
        write_at(file, data[1:], 1)
        write_at(file, data[:HEAD_BYTES], 0)
        if synced:
            with self._syncing:
                file.sync_data()

    def confirm(self, data: bytes) -> None:
        """Make durable what a dead writer has written, who may never have come to his sync.

        It is written once more, or after a sync of his that failed this one would cover nothing.

        Raises:
            OSError: it is as it was, as far as anybody can see.
        """
        self.write(data, synced=False)
        file = self._open()
        if file is not None:
            with self._syncing:
                self._folder.sync()
                file.sync_data()
            self._is_named = True

    def _make(self) -> File:
        """Make an empty one, for whoever may use the file itself (I1)."""
        made = Made()
        try:
            create(made, self._folder, self.name, permissions=0o600, vfs=self._vfs)
            info = self._folder.stat(self._target)
            made.file.set_attributes(
                mode=S_IMODE(info.st_mode) & 0o666,
                owner=(info.st_uid, info.st_gid),
                xattrs=self._folder.xattrs(self._target),
            )
            write_all(made.file, EMPTY.ljust(STEP_BYTES, b"\0"))
            made.file.sync()
            self._folder.rename(str(made.temp), self.name)
            made.file.unlock()
        except BaseException:
            made.end(self._folder)
            raise
        self._file = made.file
        return made.file

    def drop(self, *, synced: bool) -> None:
        """Empty the journal: nobody finishes the patch from now on. Cuts back a long one.

        Raises:
            OSError: it lost its name instead, as far as that went (I3).
        """
        file = self._open()
        if file is None:
            return
        try:
            write_at(file, EMPTY, 0)
            if synced:
                with self._syncing:
                    file.sync_data()
            if file.stat().st_size > KEPT_BYTES:
                file.truncate(KEPT_BYTES)
        except OSError:
            self.discard()
            raise

    def discard(self) -> None:
        """Let nobody take what a failed sync has left for a patch, as far as it goes (I3)."""
        try:
            file = self._open()
            if file is not None:
                write_at(file, EMPTY, 0)
        except OSError:
            pass  # the name goes all the same
        self.close()
        if forget(self._folder, self.name):
            try:
                self._folder.sync()
            except OSError:
                pass  # the error of the first sync is what is told

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        file, self._file = self._file, None
        self._is_named = False
        close_quietly(file)
