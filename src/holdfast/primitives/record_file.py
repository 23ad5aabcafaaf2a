"""`RecordFile`: records of a fixed size in one large file, changed in place, one sync each.

Guarantee: with `sync="always"`, what `append`, `write` and `update` return for survives a power
    cut; a crash at any moment leaves each record as it was or as it was to be, and no other record
    touched. Any number of threads and processes read and write; no acknowledged change is lost.
Not guaranteed: that several records change together, also not under `lock`; that an append of many
    is whole after a crash, or in one row with those of others that failed; that a reader sees only
    what is durable already (he sees a change from the moment when it is written).

I1  A record has two copies, in two places of the file; the older one alone is ever overwritten, and
    only when the newer one is durable.
I2  Damage to one copy leaves the other; damage to both raises `Corruption`. Which of the two it was
    is said where something proves it; see "What cannot be decided" on the page of the format.
I3  Reading changes nothing, and takes the lock of a record only where a copy is not valid.

The format is on the page docs/reference/record-format.md.
"""

from __future__ import annotations

import os
from errno import EROFS
from math import inf

from holdfast.errors import Closed
from holdfast.formats.record_format import CHUNK_BYTES
from holdfast.formats.record_layout import RecordLayout
from holdfast.primitives.forks import call_in_child
from holdfast.primitives.record_handle import RecordHandle
from holdfast.primitives.record_locks import RecordLocks
from holdfast.primitives.record_marks import Marks
from holdfast.primitives.record_place import NewFile, RecordPlace
from holdfast.primitives.record_view import RecordView
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Literal, NamedTuple, Self, TypeAlias

    from holdfast.formats.record_layout import Record
    from holdfast.primitives.range_locks import Hold
    from holdfast.vfs import VFS, Clock

    RecordSync: TypeAlias = Literal["always", "never"] | float
    Change: TypeAlias = Callable[[Record], Mapping[str, object] | None] | Mapping[str, object]
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["RecordFile", "RecordRecovery"]


class RecordRecovery(NamedTuple):
    """What opening had to do: `zeroed_bytes` of appends that a crash cut off were removed.

    None of them was acknowledged: an acknowledged record is never behind the end.
    """

    zeroed_bytes: int


class RecordFile(RecordView):
    """A list of records that stay where they are; each is a mapping of its fields.

    The file is made, durably, with its head alone, when it is missing and a layout is given. The
    sidecar `NAME.lock` beside it carries the locks; do not remove it while anybody has the file
    open. Opening for writing removes what a crash has left of unacknowledged appends, see
    `recovered`. One object serves any number of threads; after a fork the child may go on using it.

    Args:
        path: The file; symlinks are followed. Folders on the way are made.
        layout: The struct code of each field by its name: `b B h H i I q Q` integers, `f d` floats,
            `?` True or False, `"32s"` text of at most 32 bytes, `"32c"` exactly 32 bytes, `"32p"`
            at most 31 bytes. None: that of the file, which must be there.
        sync: `"always"`: a change is durable when its call returns. `"never"`: it is seen by all,
            and durable with the next `barrier`; what was durable stays so, as it was then. A
            number of seconds: the same, with a sync at most so long after the first change.
        read_only: Change nothing, make nothing.
        sector_bytes: Of a new file: 512 or 4096, what the disk writes as a whole; no two records
            share one.
        chunk_bytes: Of a new file: in what steps it grows.
        permissions: The mode of files that are made, less the umask.
        vfs: The filesystem.
        clock: The time.

    Raises:
        FileNotFoundError: It is missing, and is not to be made or has no layout.
        UnknownFormat: It has another layout, is of a later format or no file of records; untouched.
        Corruption: It is damaged; it is untouched.
        ValueError: The layout, or another argument, is none; nothing was done.
        OSError: It cannot be opened, made or locked; no record was changed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        layout: Mapping[str, str] | None = None,
        *,
        sync: RecordSync = "always",
        read_only: bool = False,
        sector_bytes: int = 512,
        chunk_bytes: int = CHUNK_BYTES,
        permissions: int = 0o666,
        vfs: VFS = SYSTEM,
        clock: Clock = CLOCK,
    ) -> None:
        period_s = _checked_sync(sync)
        self._permissions = permissions
        self._writing: RecordHandle | None = None
        self._is_closed = False
        self._recovered: RecordRecovery | None = None
        wanted = None if layout is None else RecordLayout(layout)
        new = NewFile(
            permissions=permissions,
            sector_bytes=sector_bytes,
            chunk_bytes=chunk_bytes,
            clock=clock,
        )
        absolute = os.path.abspath(os.fsdecode(path))
        place = RecordPlace(absolute, wanted, new=None if read_only else new, vfs=vfs)
        super().__init__(place, vfs=vfs, clock=clock)
        try:
            if read_only:
                self._tally.survey()
            else:
                self._begin(period_s)
        except BaseException:
            self._close_parts()
            raise

    def _begin(self, period_s: float | None) -> None:
        """Make what writes, and remove what a crash has left."""
        lock_path = self._place.lock_path
        self._locks = self._new_locks()
        self._writing = writer = RecordHandle(
            self._place,
            self._tally,
            self._reading,
            locks=self._locks,
            marks=Marks(
                lock_path, self._place.head.id, permissions=self._permissions, vfs=self._vfs
            ),
            appending=self._new_locks(first_byte=0, byte_count=1),
            period_s=period_s,
        )
        if zeroed := writer.tidy():
            self._recovered = RecordRecovery(zeroed)
        call_in_child(self._forget_parent)

    def _new_locks(self, *, first_byte: int = 1, byte_count: int = 1024) -> RecordLocks:
        return RecordLocks(
            self._place.lock_path,
            first_byte=first_byte,
            byte_count=byte_count,
            permissions=self._permissions,
            vfs=self._vfs,
            clock=self._clock,
        )

    def _writer(self) -> RecordHandle:
        if self._is_closed:
            raise Closed(
                f"{self._path}: is closed. What was acknowledged is on disk. Open it anew."
            )
        if self._writing is None:
            raise PermissionError(EROFS, "was opened to be read (read_only=True)", self._path)
        self._writing.refresh()
        return self._writing

    # ------------------------------------------------------------ what it is

    @property
    def recovered(self) -> RecordRecovery | None:
        """What opening had to remove; None: nothing."""
        return self._recovered

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._is_closed

    # ------------------------------------------------------------ writing

    def append(self, record: Mapping[str, object]) -> int:
        """Append a record; return its number. With `sync="always"` it is durable then.

        Raises:
            ValueError: A field is missing, unknown or out of range; it is named, nothing is done.
            TypeError: A value is of another type; the same.
            HandlePoisoned: A sync of this handle has failed before; nothing was appended.
            OSError: Nothing was appended, unless a note says otherwise.
            Closed: After `close`.
        """
        return self.append_many((record,))[0]

    def append_many(self, records: Iterable[Mapping[str, object]]) -> range:
        """Append records with one sync for each chunk; return their numbers, in a row.

        Readers and crashes may see some of them, the first ones, before it returns.

        Raises:
            ValueError: A field is missing, unknown or out of range; it is named, nothing is done.
            TypeError: A value is of another type; the same.
            HandlePoisoned: A sync of this handle has failed before; nothing was appended.
            OSError: A note says how many records the file has.
            Closed: After `close`.
        """
        writer = self._writer()
        payloads = [self._place.layout.pack(record) for record in records]
        return writer.writing.append(payloads)

    def write(self, number: int, record: Mapping[str, object]) -> None:
        """Replace a record; with `sync="always"` that is durable on return.

        Raises:
            IndexError: There is no such record.
            ValueError: A field is missing, unknown or out of range; it is named, nothing is done.
            TypeError: A value is of another type; the same.
            Corruption: Both of its copies are damaged; they are untouched.
            HandlePoisoned: A sync of this handle has failed before; the record is as it was.
            RuntimeError: This thread holds other records, and not this one.
            OSError: The record is as it was, unless a note says otherwise.
            Closed: After `close`.
        """
        payload = self._place.layout.pack(record)
        self._writer().writing.update(self._index(number), lambda _: payload)

    def update(self, number: int, change: Change) -> Record:
        """Read a record, change it and write it, while nobody else does; return the new one.

        Args:
            number: Which one; negative from the end.
            change: New values of some fields; or a function of the record that changes it and
                returns None, or returns a new one. An exception in it writes nothing.

        Raises:
            IndexError: There is no such record.
            ValueError: A field is missing, unknown or out of range; it is named, nothing is done.
            TypeError: A value is of another type; the same.
            Corruption: Both of its copies are damaged; they are untouched.
            HandlePoisoned: A sync of this handle has failed before; the record is as it was.
            RuntimeError: This thread holds other records, and not this one.
            OSError: The record is as it was, unless a note says otherwise.
            Closed: After `close`.
        """
        writer, layout = self._writer(), self._place.layout
        found = self._index(number)

        def changed(payload: bytes) -> bytes:
            record = self._unpack(found, payload)
            if callable(change):
                new = change(record)
                return layout.pack(record if new is None else new)
            return layout.pack({**record, **change})

        return layout.unpack(writer.writing.update(found, changed))

    def lock(self, *numbers: int, timeout_s: float | None = None) -> Hold:
        """Return a block that keeps others, threads and processes, from changing these records.

        `with records.lock(3, 7):` Inside, `update` and `write` of these records work. Readers are
        not kept out. It is no transaction: a crash between two updates keeps the first. Ask for all
        that are needed at once; then nobody waits in a circle.

        Args:
            *numbers: The records, which must be there; negative from the end.
            timeout_s: How long to wait for them all; 0 tries once, None as long as it takes.

        Raises:
            IndexError: There is no such record.
            ValueError: `timeout_s` is no length of time.
            Closed: After `close`.

        The block itself raises `LockTimeout`, `OSError`, and `RuntimeError` if this thread holds
        other records already; then nothing is held.
        """
        self._writer()
        locks = self._locks
        if locks is None:
            raise Closed(f"{self._path}: has no locks. Nothing is held. Open it anew.")
        return locks.hold(*map(self._index, numbers), timeout_s=timeout_s)

    def barrier(self) -> None:
        """Return when all that was written through this object is durable.

        Raises:
            HandlePoisoned: A sync has failed before; what was not durable may be or not.
            OSError: This one has; what waited for it is taken back where nobody has built on it.
            Closed: After `close`.
        """
        self._writer().barrier()

    sync = barrier

    # ------------------------------------------------------------ checking

    def heal(self) -> int:
        """Write each record of which a copy is not valid once more; return how many there were.

        Each has its value afterwards, and two whole copies; durable with `sync="always"`.

        Raises:
            HandlePoisoned: A sync of this handle has failed before.
            OSError: It is not done for all; no value has changed.
            Closed: After `close`.
        """
        from holdfast.primitives.record_check import half_damaged

        writer, done = self._writer(), 0
        for number in half_damaged(self._place, self._tally.advance()):
            writer.writing.update(number, lambda payload: payload)
            done += 1
        return done

    # ------------------------------------------------------------ the end

    def close(self) -> None:
        """Sync what awaits it, and close; idempotent.

        Raises:
            OSError: The sync failed; it is closed, and what was not durable may be lost.
            HandlePoisoned: A periodic sync has failed before; the same.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._writing is not None:
                self._writing.finish()
        finally:
            self._close_parts()

    def _close_parts(self) -> None:
        if self._writing is not None:
            self._writing.close()
        if self._locks is not None:
            self._locks.close()
        self._place.close()

    def _forget_parent(self) -> None:
        if self._writing is not None:
            self._writing.renew()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else f"{self._tally.count} records"
        return f"<holdfast.RecordFile {self._path!r}, {state}>"


def _checked_sync(sync: object) -> float | None:
    """None for always, infinity for never, else the seconds.

    Raises:
        ValueError: it is none of them.
    """
    if sync == "always":
        return None
    if sync == "never":
        return inf
    if isinstance(sync, bool) or not isinstance(sync, (int, float)) or not 0 < sync < inf:
        raise ValueError(f'sync={sync!r}: it must be "always", "never" or a number of seconds')
    return float(sync)
