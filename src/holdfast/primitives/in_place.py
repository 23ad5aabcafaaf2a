"""`InPlaceFile`: a few bytes of a large file changed in place, all of them or none.

Guarantee: when `patch` returns, all of its changes are in the file, durably; when it raises, none
    is, but where the error says otherwise. After a crash at any point the file holds all of a patch
    or nothing of it as soon as anybody has opened it here, or goes on with it.
Not guaranteed: what other programs see, who read the file without this. They may see a patch in
    part: while it is written, and after a crash until the file is opened here. What they write
    into the blocks of a patch meanwhile may be lost.

I1  Nothing of a patch is written to the file before its journal is durable, and the journal is
    emptied only when the file is.
I2  Patches and recoveries exclude each other, threads and processes alike; so the journal that
    somebody finds under the lock is that of a dead writer.
I3  Whoever holds a range finds no patch there in part: a dead writer's is finished first.
I4  A patch that fails is taken back while its journal stands: a crash meanwhile finishes it.
I5  After a failed sync this handle writes no more. If the patch was committed by then, its journal
    stays, and who opens the file anew finishes it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from holdfast.errors import Closed, Corruption, HandlePoisoned
from holdfast.formats.patch_format import BLOCK_BYTES, Head, encode
from holdfast.primitives.beside import beside
from holdfast.primitives.block_locks import BlockLocks
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.in_place_check import PATCHES_BYTE, check_in_place, place_of
from holdfast.primitives.in_place_journal import PatchJournal, Syncing, write_at
from holdfast.primitives.in_place_plan import check_span, pieces_of, plan
from holdfast.primitives.in_place_recovery import boot_of, settle
from holdfast.primitives.record_locks import RecordLocks
from holdfast.primitives.regular_files import is_same, read_block
from holdfast.primitives.target import how, look
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Self

    from typing_extensions import Buffer

    from holdfast.primitives.check_report import CheckReport
    from holdfast.primitives.in_place_plan import Piece, Plan
    from holdfast.primitives.in_place_recovery import PatchRecovery
    from holdfast.vfs import VFS, Clock, Sync

__all__ = ["InPlaceFile"]


class InPlaceFile:
    """A large file of any format, of which a few bytes are changed: all or none, durably.

    Opening it finishes a patch that a crash has interrupted, or drops it if it was not committed;
    `recovered` says which. Beside the file (behind every symlink) lie `<name>.journal`, which holds
    the patch that is being made, and `<name>.lock`; neither is to be removed while a program uses
    the file. Any number of threads and processes may use one file.

    Args:
        path: The file, which must exist.
        sync: `"never"`: no patch waits for the disk. A kill of the program still leaves all or
            nothing, but a power cut may leave a patch in part.
        permissions: The mode of a lock file that is made, less the umask. The journal gets the mode
            and the owner of the file.
        vfs: The filesystem.
        clock: For the time that a journal states, and for timeouts.

    Raises:
        FileNotFoundError: There is no such file; nothing was made.
        PromiseUnavailable: It is no regular file; nothing was made.
        Conflict: An interrupted patch does not fit the file; nothing was changed.
        Corruption: The journal is damaged, of a later format, or no journal; nothing was changed.
        OSError: The file cannot be opened, or a patch not be finished, which then waits on.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sync: Sync = "always",
        permissions: int = 0o666,
        vfs: VFS = SYSTEM,
        clock: Clock = CLOCK,
    ) -> None:
        how(sync, permissions, None, vfs=vfs)
        self._synced = sync == "always"
        self._vfs = vfs
        self._clock = clock
        self._syncing = Syncing()
        self._is_closed = False
        self.path = os.fsdecode(path)
        self._folder, self._name, self._file = place_of(self.path, mode="write", vfs=vfs)
        try:
            self._journal = PatchJournal(self._folder, self._name, syncing=self._syncing, vfs=vfs)
            lock_path = os.path.join(self._folder.path, beside(self._name, ".lock"))
            self._locks = BlockLocks(lock_path, permissions=permissions, vfs=vfs, clock=clock)
            self._patches = RecordLocks(
                lock_path,
                first_byte=PATCHES_BYTE,
                byte_count=1,
                permissions=permissions,
                vfs=vfs,
                clock=clock,
            )
            self.recovered = self._recover()
        except BaseException:
            self.close()
            raise

    def _recover(self) -> PatchRecovery | None:
        """Settle what is in the journal, if anything is."""
        try:
            if self._journal.head() is None:
                return None
        except Corruption:
            pass  # or somebody is writing it just now: the lock tells
        with self._alone() as recovered:
            return recovered

    # ------------------------------------------------------------ changing

    def patch(self, changes: Iterable[tuple[int, Buffer]]) -> None:
        """Make changes: when this returns, all are in the file, and durable.

        A crash at any point leaves all or none, as soon as the file is opened here again. Three
        syncs. The file may grow at its end, without a gap.

        Args:
            changes: pairs of an offset and the bytes that go there; in any order, without overlap.

        Raises:
            ValueError: Changes overlap, leave a gap behind the end of the file, or touch more than
                8,192 blocks of 4,096 bytes. Nothing was changed.
            HandlePoisoned: An earlier sync of this handle failed. Nothing was changed.
            RuntimeError: This thread holds a lock on other bytes: take all at once.
            Conflict: A dead writer's patch does not fit the file. Nothing was changed.
            OSError: As the system says; nothing was changed, but where its note says otherwise.
            Closed: After `close`.
        """
        self._refuse()
        pieces = pieces_of(changes)
        if not pieces:
            return
        spans = [(piece.offset, len(piece.data)) for piece in pieces]
        is_done = False
        try:
            with self._locks.hold(spans), self._alone():
                self._commit(pieces, self._planned(pieces))
                is_done = True
        except OSError as error:
            if is_done:  # a lock could not be given back
                self._note(error, f"{self._done} Open the file anew")
            raise

    @property
    def _done(self) -> str:
        return f"The patch is in the file{', and durable' if self._synced else ''}."

    def _planned(self, pieces: list[Piece]) -> Plan:
        boot = 0 if self._synced else boot_of(self._vfs)
        head = Head(int(self._vfs.token(), 16), self._clock.now_ns(), boot, 0, 0, 0)
        return plan(pieces, size=self.size, read=self._block, head=head)

    def _block(self, start: int) -> bytes:
        return read_block(self._file, BLOCK_BYTES, offset=start)

    def _commit(self, pieces: list[Piece], planned: Plan) -> None:
        """Write the journal, then the file, then empty the journal (I1)."""
        is_begun = False
        try:
            self._journal.write(encode(planned.head, planned.blocks), synced=self._synced)
            is_begun = True
            for piece in pieces:
                write_at(self._file, piece.data, piece.offset)
            if self._synced:
                with self._syncing:
                    self._file.sync_data()
        except BaseException as error:
            self._take_back(planned, error, is_begun=is_begun)
            raise
        try:
            self._journal.drop(synced=self._synced)
        except OSError as error:
            self._note(error, f"{self._done} Open the file anew")
            raise

    def _take_back(self, planned: Plan, error: BaseException, *, is_begun: bool) -> None:
        """Make the file what it was, and empty the journal (I4, I5)."""
        nothing = "Nothing was changed. Mend the cause, and patch again"
        waiting = (
            "The patch waits in its journal, and the file may hold it in part. Mend the cause, and "
            "open the file anew, which finishes it"
        )
        if self._syncing.failed is not None:
            if not is_begun:
                self._journal.discard()
            self._note(error, waiting if is_begun else nothing)
            return
        try:
            if is_begun:
                self._restore(planned)
        except OSError:
            self._note(error, waiting)
            return
        try:
            self._journal.drop(synced=self._synced)
        except OSError:
            pass  # then it has lost its name
        self._note(error, nothing)

    def _restore(self, planned: Plan) -> None:
        for block in planned.blocks:
            write_at(self._file, block.old, block.offset)
        if planned.head.new_size > planned.head.old_size:
            self._file.truncate(planned.head.old_size)
        if self._synced:
            with self._syncing:
                self._file.sync_data()

    def _note(self, error: BaseException, state: str) -> None:
        """Say what is on disk now, and what to do."""
        if isinstance(error, OSError):
            if error.errno is not None and error.filename is None:
                error.filename = self.path
            error.add_note(f"{self.path}: the patch failed. {state}.")

    # ------------------------------------------------------------ reading

    @property
    def size(self) -> int:
        """The size of the file in bytes, as it is now.

        Raises:
            Closed: After `close`.
        """
        self._refuse(even_poisoned=True)
        return self._file.stat().st_size

    def read(self, offset: int, size: int, *, locked: bool = True) -> bytes:
        """Return `size` bytes at `offset`, fewer at the end of the file: no patch in part.

        Args:
            offset: Where they begin.
            size: How many.
            locked: Off: take no lock; a patch that is being made may be seen in part.

        Raises:
            ValueError: No file has these bytes.
            HandlePoisoned: The bytes are part of a patch that a failed sync of this handle has left
                unfinished.
            RuntimeError: This thread holds a lock on other bytes: take all at once.
            Conflict: A dead writer's patch does not fit the file. Nothing was changed.
            OSError: The file cannot be read, or a dead writer's patch not be finished.
            Closed: After `close`.
        """
        self._refuse(even_poisoned=True)
        check_span(offset, size)
        size = min(size, self.size - offset)
        if size <= 0:
            return b""
        if not locked:
            return read_block(self._file, size, offset=offset)
        with self.lock(offset, size, shared=True):
            return read_block(self._file, size, offset=offset)

    @contextmanager
    def lock(
        self, offset: int, size: int, *, shared: bool = False, timeout_s: float | None = None
    ) -> Generator[None]:
        """Hold a lock on some bytes for a `with` block: nobody patches them meanwhile.

        The lock is on whole blocks of 4,096 bytes, and on bytes beyond the end as well. It excludes
        who takes it, in other threads and processes, and who reads or patches here; no other
        program. In the block this thread may patch and read these bytes, and no others.

        Args:
            offset: Where they begin.
            size: How many.
            shared: Together with others who share; without, alone.
            timeout_s: How long to wait at most; None: as long as it takes.

        Raises:
            ValueError: No file has these bytes.
            LockTimeout: They were not free in time; nothing is held.
            RuntimeError: This thread holds a lock on other bytes: take all at once.
            Conflict: A dead writer's patch does not fit the file. Nothing was changed.
            OSError: The lock cannot be taken, or a dead writer's patch not be finished.
            Closed: After `close`.
        """
        self._refuse(even_poisoned=True)
        check_span(offset, size)
        spans = [(offset, size)] if size else []
        with self._locks.hold(spans, shared=shared, timeout_s=timeout_s):
            self._finish_others(offset, size)
            yield

    def _finish_others(self, offset: int, size: int) -> None:
        """Settle a dead writer's patch, if these bytes are a part of it (I3).

        Who lives holds the range of what he patches; so a patch of this range, which the caller
        holds, is that of a dead one.
        """
        try:
            concerned = self._journal.concerns(offset, size)
        except Corruption:
            concerned = True  # or it is being written just now: the lock tells
        if concerned:
            self._refuse()
            with self._alone():
                pass

    @contextmanager
    def _alone(self) -> Generator[PatchRecovery | None]:
        """Hold the lock of all patches of the file, with nothing in the journal (I2)."""
        with self._patches.hold(0):
            self._refuse_replaced()
            yield settle(
                self._journal, self._file, path=self.path, syncing=self._syncing, vfs=self._vfs
            )

    # ------------------------------------------------------------ refusing

    def _refuse(self, *, even_poisoned: bool = False) -> None:
        if self._is_closed:
            raise Closed(f"{self.path}: is closed. What was patched is on disk. Open it anew.")
        if self._syncing.failed is not None and not even_poisoned:
            raise HandlePoisoned(
                f"{self.path}: an earlier sync failed, so this handle writes no more. A patch that "
                "was committed then waits in its journal. See to the disk, then open the file "
                "anew, which finishes it.",
                path=self.path,
                first=self._syncing.failed,
            )

    def _refuse_replaced(self) -> None:
        """Raise if another file has the name by now.

        Raises:
            OSError: ESTALE.
        """
        if not is_same(look(self._folder, self._name), self._file.stat()):
            from errno import ESTALE

            error = OSError(ESTALE, os.strerror(ESTALE), self.path)
            error.add_note(
                f"{self.path}: another file took its place. Nothing was changed. Open it anew."
            )
            raise error

    # ------------------------------------------------------------ telling

    def check(self) -> CheckReport:
        """Return what is found of patches beside the file; reads the journal, changes nothing.

        Raises:
            OSError: The file or its journal cannot be read.
            Closed: After `close`.
        """
        self._refuse(even_poisoned=True)
        return check_in_place(self.path, vfs=self._vfs)

    def __repr__(self) -> str:
        return f"<InPlaceFile {self.path!r}{', closed' if self._is_closed else ''}>"

    def close(self) -> None:
        """Let go of the file; idempotent. What was patched is on disk."""
        self._is_closed = True
        for thing in ("_journal", "_locks", "_patches", "_file", "_folder"):
            close_quietly(getattr(self, thing, None))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()
