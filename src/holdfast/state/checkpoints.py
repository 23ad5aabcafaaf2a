"""The checkpoints of a journal: the newest whole one is read, the older slot is written over.

Guarantee: once `write` has returned, `load` gives that checkpoint or a newer one, after any crash.
    While `write` is under way, and after it failed or was interrupted, the one before it stands.
Not guaranteed: that a checkpoint is there at all; the log is whole without one.

I1  The newest whole checkpoint is never written into, nor removed; its name may go, as a whole, to
    a newer one of the same commits.
I2  It is durable before anything that stood for it goes: the older slot, a file, or (by what
    `prune` returns) a part of the log. Who wrote it may have been killed before its sync.
I3  `load` takes no lock. What changes under it is read again.
"""

from __future__ import annotations

import errno
from zlib import crc32

from holdfast.formats.journal_format import SLOTS, CheckpointHead, checkpoint_name
from holdfast.primitives.folders import close_quietly, forget
from holdfast.primitives.regular_files import open_regular
from holdfast.primitives.sweeping import sweep_leftovers
from holdfast.state.checkpoint_reading import Damaged, Found, is_whole, read_found, scan
from holdfast.state.checkpoint_writing import gather, make_file, overwrite_slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Generic, NamedTuple, TypeVar

    from holdfast.errors import Corruption
    from holdfast.formats.journal_format import Identity
    from holdfast.state.checkpoint_reading import Scan
    from holdfast.state.checkpoint_writing import Body
    from holdfast.vfs import VFS, Clock, Folder

    T = TypeVar("T")
else:
    from holdfast.light_typing import Generic, NamedTuple, TypeVar

    T = TypeVar("T")

__all__ = ["Checkpoints", "Loaded"]

_ATTEMPTS = 100
# A folder that has the name of a slot, and a disk that has no room for a slot of zeros, may still
# have room for the checkpoint itself.
_NO_SLOT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST})


class Loaded(NamedTuple, Generic[T]):
    """What `load` found: `head` and `value` are None if there is no checkpoint.

    `skipped` says what is wrong with those that were passed over: newer ones, and others of which
    not even the head is whole.
    """

    head: CheckpointHead | None
    value: T | None
    skipped: tuple[Corruption, ...]


class Checkpoints:
    """The checkpoints in an open folder; closed by whoever opened it.

    `load` and `kept` are for anybody. `write` and `prune` are for one thread, in the process that
    holds the checkpoint lock of the place.

    Args:
        folder: The journal.
        identity: Its identity.
        keep: How many checkpoints are kept besides the newest one.
        permissions: The mode of files that are made, less the umask.
        vfs: The filesystem.
        clock: For the time that a head states.
    """

    def __init__(
        self,
        folder: Folder,
        identity: Identity,
        *,
        keep: int,
        permissions: int,
        vfs: VFS,
        clock: Clock,
    ) -> None:
        self._folder = folder
        self._identity = identity
        self._keep = keep
        self._permissions = permissions
        self._vfs = vfs
        self._clock = clock
        self._durable: Found | None = None  # known to be, as it was written or settled here

    # ------------------------------------------------------------ reading

    def load(
        self, read: Callable[[Iterator[bytes]], T], *, through: int | None = None
    ) -> Loaded[T]:
        """Return what `read` makes of the newest whole checkpoint; nothing is changed (I3).

        Args:
            read: Gets the body in pieces of at most 256 KiB. If those of a large one turn out to be
                damaged, what it returned or raised is thrown away, and it is called for the next.
            through: Only checkpoints that show no commit after this one.

        Raises:
            UnknownFormat: A checkpoint is of a later format.
            OSError: A checkpoint cannot be read.
            Exception: Whatever `read` raises for a body that is whole.
        """
        before = scan(self._folder, self._identity)
        for _ in range(_ATTEMPTS):
            loaded = self._load(before, read, through)
            if loaded.head is not None and not loaded.skipped:
                return loaded
            after = scan(self._folder, self._identity)
            if after.found == before.found:
                return loaded
            before = after
        raise OSError(
            errno.EAGAIN, f"{_ATTEMPTS} checkpoints changed while they were read", self._folder.path
        )

    def _load(
        self, there: Scan, read: Callable[[Iterator[bytes]], T], through: int | None
    ) -> Loaded[T]:
        skipped = [*there.damaged]
        for found in there.found:
            if through is None or found.head.through <= through:
                try:
                    value = read_found(self._folder, found, read)
                except Damaged as damaged:
                    skipped.append(damaged.why)
                else:
                    return Loaded(found.head, value, tuple(skipped))
        return Loaded(None, None, tuple(skipped))

    def kept(self) -> list[CheckpointHead]:
        """Return the heads of all checkpoints, the newest first; a slot only if its body is whole.

        Raises:
            UnknownFormat: A checkpoint is of a later format.
            OSError: A checkpoint cannot be read.
        """
        there = scan(self._folder, self._identity)
        return [found.head for found in there.found if self._counts(found)]

    def _counts(self, found: Found) -> bool:
        """Whether it can be trusted: a file had its name only when it was whole."""
        return not found.is_slot or found == self._durable or is_whole(self._folder, found)

    # ------------------------------------------------------------ writing

    def write(
        self, pieces: Iterable[bytes], *, sequence: int, finish: Callable[[], int]
    ) -> CheckpointHead:
        """Write a checkpoint; on return it is the newest, and durable.

        After an exception, or a crash, it is whole and durable or not there; the one before it
        stands, and no temporary file of it is left by an exception.

        Args:
            pieces: The body, in pieces of any size; taken one by one.
            sequence: All commits up to this one are in it.
            finish: Called when the last piece was taken, before anybody can see the checkpoint.
                Returns the last sequence that has left a trace in it; the log is durable up to
                there by then.

        Raises:
            UnknownFormat: A checkpoint is of a later format; nothing was changed.
            ValueError: `finish` returned less than `sequence`; nothing was changed.
            OSError: As the system says.
            Exception: Whatever `pieces` and `finish` raise; nothing was changed.
        """
        try:
            sweep_leftovers(self._folder, vfs=self._vfs)
            there = scan(self._folder, self._identity)
            newest = self._settle(there)
            found = self._write(gather(pieces), sequence, finish, there=there, newest=newest)
        except OSError as error:
            error.add_note(
                f"{self._folder.path}: no checkpoint was written. The one before it stands, and "
                "nothing of the log was dropped. Mend the cause; the next checkpoint tries again."
            )
            raise
        self._durable = found
        return found.head

    def _write(
        self,
        body: Body,
        sequence: int,
        finish: Callable[[], int],
        *,
        there: Scan,
        newest: Found | None,
    ) -> Found:
        generation = 1 + max((found.head.generation for found in there.found), default=0)

        def complete(size: int, crc: int) -> CheckpointHead:
            numbers = (self._identity.id, generation, sequence, finish(), size, crc)
            return CheckpointHead(*numbers, self._clock.now_ns())

        if body.is_small and not self._keep:
            blocks = [*body.blocks]
            head = complete(sum(map(len, blocks)), crc32(b"".join(blocks)))
            slot = self._write_slot(self._older_slot(there, newest), blocks, head)
            return slot or self._make(checkpoint_name(sequence), blocks, _given(head))
        return self._make(checkpoint_name(sequence), body.blocks, complete)

    def _make(
        self, name: str, blocks: Iterable[bytes], complete: Callable[[int, int], CheckpointHead]
    ) -> Found:
        permissions, vfs = self._permissions, self._vfs
        head = make_file(
            self._folder, name, blocks=blocks, complete=complete, permissions=permissions, vfs=vfs
        )
        return Found(name, head)

    def _write_slot(self, name: str, blocks: list[bytes], head: CheckpointHead) -> Found | None:
        """Write over a slot, or make it; None if there can be no slot, though perhaps a file."""
        try:
            if overwrite_slot(self._folder, name, blocks=blocks, head=head):
                return Found(name, head)
            return self._make(name, blocks, _given(head))
        except OSError as error:
            if error.errno not in _NO_SLOT:
                raise
        return None

    def _older_slot(self, there: Scan, newest: Found | None) -> str:
        """Choose the slot to write: never the newest checkpoint, else what is worth less."""
        if newest is not None and newest.is_slot:
            return SLOTS[newest.name == SLOTS[0]]
        whole = {found.name: found.age for found in there.found if self._counts(found)}
        return min(SLOTS, key=lambda name: whole.get(name, (0, 0, 0)))

    def _settle(self, there: Scan) -> Found | None:
        """Return the newest whole checkpoint, which is durable then (I2)."""
        for found in there.found:
            if found == self._durable:
                return found
            if not self._counts(found):
                continue
            if found.is_slot:
                self._sync_slot(found.name)
            self._folder.sync()
            if self._counts(found):  # what a failed sync left in memory alone is gone by now
                self._durable = found
                return found
        return None

    def _sync_slot(self, name: str) -> None:
        file = open_regular(self._folder, name, mode="write")
        try:
            if file is not None:
                file.drop_cache()
                file.sync_data()
        finally:
            close_quietly(file)

    # ------------------------------------------------------------ keeping

    def prune(self) -> int:
        """Remove the files beyond those that are kept; say how far the log may be dropped.

        What cannot be removed stays, and is tried again the next time. What is damaged stays.

        Returns:
            The sequence of the oldest checkpoint that is kept, all of which are durable; 0 if there
            is none, and nothing of the log may be dropped.

        Raises:
            UnknownFormat: A checkpoint is of a later format; nothing was removed.
            OSError: A checkpoint cannot be read or synced; nothing was removed.
        """
        there = scan(self._folder, self._identity)
        newest = self._settle(there)
        if newest is None:
            return 0
        older = [found for found in there.found if found.age < newest.age and self._counts(found)]
        for found in older[self._keep :]:
            if not found.is_slot:
                forget(self._folder, found.name)
        return [newest, *older][: self._keep + 1][-1].head.sequence


def _given(head: CheckpointHead) -> Callable[[int, int], CheckpointHead]:
    def complete(_size: int, _crc: int) -> CheckpointHead:
        return head

    return complete
