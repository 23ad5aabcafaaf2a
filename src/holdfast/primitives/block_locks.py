"""`BlockLocks`: ranges of a file's bytes, alone or shared, among all threads and processes.

A range is rounded out to blocks of 4,096 bytes, and block n stands on byte 1,025 + n of the lock
file, so these locks and those of `record_locks` leave each other alone. Whoever asks for several
ranges gets all of them at once among the threads of the process, and from the kernel in ascending
order, so nobody waits in a circle; see `range_locks` for what holds (I1 to I4), where "alone" is
meant for what is not shared.

In a process nobody overtakes who waits for the same block, so readers do not starve a writer.
Between processes the kernel decides, and readers that keep coming can.
"""

from __future__ import annotations

from holdfast.light_threading import TIMEOUT_MAX, Lock
from holdfast.primitives.lock_waiters import signal
from holdfast.primitives.range_locks import RangeLocks, Table, closed
from holdfast.vfs.spans import Span, left_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.primitives.range_locks import Hold, LockBytes, Owner

__all__ = ["BLOCK_BYTES", "FIRST_BYTE", "BlockLocks"]

BLOCK_BYTES = 4096
FIRST_BYTE = 1025


class BlockLocks(RangeLocks):
    """Locks for ranges of bytes; see `RangeLocks` for the arguments."""

    def _table_of(self, lock_bytes: LockBytes) -> Table:
        return _Blocks(lock_bytes)

    def hold(
        self,
        ranges: Iterable[tuple[int, int]],
        *,
        shared: bool = False,
        timeout_s: float | None = None,
    ) -> Hold:
        """Return a block that has these ranges; nothing is asked for before it begins.

        What is needed together must be asked for together, in any order; ranges may overlap. Inside
        the block the same thread may ask again for some of it, but for nothing alone that it
        shares. Owners are threads: do not let other tasks run inside.

        Args:
            ranges: Offset and size of each; one without bytes asks for nothing.
            shared: Together with others who share.
            timeout_s: How long to wait for them all; 0 tries once, None waits for as long as it
                takes, in the kernel. A wait with a limit asks again, every 10 ms at the latest, and
                so can be overtaken by other processes.

        Raises:
            ValueError: A range before the start or beyond what a file can have, or no length of
                time.

        The block itself raises, with nothing held or changed:
            LockTimeout: Another had some of it all the time.
            RuntimeError: This thread has other ranges, but not all of this: two that did so could
                wait for each other.
            Closed: After `close`.
            OSError: The lock file cannot be opened or locked.
        """
        return self._hold(_blocks_of(ranges, shared=shared), timeout_s)


def _blocks_of(ranges: Iterable[tuple[int, int]], *, shared: bool) -> tuple[Span, ...]:
    """Return the bytes of the lock file for ranges: ascending, apart from each other."""
    found: list[Span] = []
    for offset, size in sorted(ranges):
        if offset < 0 or size < 0 or offset + size > 2**63:
            raise ValueError(f"({offset}, {size}): no offset and size of a file")
        if not size:
            continue
        start = FIRST_BYTE + offset // BLOCK_BYTES
        stop = FIRST_BYTE + (offset + size - 1) // BLOCK_BYTES + 1
        if found and start <= found[-1].stop:
            last = found.pop()
            start, stop = last.start, max(last.stop, stop)
        found.append(Span(start, stop, shared))
    return tuple(found)


class _Request:
    """What a thread asks for: all of it or nothing among the threads here.

    `is_settled`: the kernel has given all of it to this process, and keeps it until that changes.
    """

    __slots__ = ("is_settled", "owner", "signal", "spans")

    def __init__(self, owner: Owner, spans: tuple[Span, ...]) -> None:
        self.owner = owner
        self.spans = spans
        self.is_settled = False
        self.signal = Lock()
        self.signal.acquire()

    def excludes(self, other: _Request) -> bool:
        """Whether the two cannot be had together."""
        return any(
            mine.meets(theirs) and not (mine.shared and theirs.shared)
            for mine in self.spans
            for theirs in other.spans
        )

    def meets(self, other: _Request) -> bool:
        """Whether they have a block in common."""
        return any(mine.meets(theirs) for mine in self.spans for theirs in other.spans)


class _Blocks(Table):
    def __init__(self, lock_bytes: LockBytes) -> None:
        super().__init__(lock_bytes)
        self._granted: list[_Request] = []
        self._queue: list[_Request] = []
        self._refused: list[Span] = []  # what the kernel would not take back

    def is_idle(self) -> bool:
        return not self._granted

    def count_waiting(self) -> int:
        return len(self._queue)

    def wake(self) -> None:
        for request in self._queue:
            signal(request.signal)

    def refuse_more(self, owner: Owner, wanted: tuple[Span, ...]) -> None:
        missing = list(wanted)
        for span in owner.held:
            missing = [
                part
                for one in missing
                for part in (left_of([one], span) if one.shared or not span.shared else [one])
            ]
        if missing:
            raise RuntimeError(
                f"{self.bytes.path}: this thread holds ranges and asks for others as well, or for "
                "one alone that it shares: two that did so could wait for each other. "
                "Nothing changed. Take all at once, in one hold."
            )

    def acquire(self, owner: Owner, wanted: tuple[Span, ...], deadline_s: float | None) -> bool:
        owner.held = wanted
        request = _Request(owner, wanted)
        missing = self._grant_in_turn(request, deadline_s)
        if missing is None:
            return False
        for span in missing:
            place = span.start, span.stop - span.start
            if not self.bytes.wait(place, deadline_s, shared=span.shared):
                return False
        if missing:
            with self.mutex:
                request.is_settled = True
                self.wake()
                if self.closed:
                    raise closed(self.bytes.path)
        return True

    def _grant_in_turn(self, request: _Request, deadline_s: float | None) -> list[Span] | None:
        """Wait until no thread here is in the way; return what the kernel is still to give."""
        while True:
            with self.mutex:
                if self.closed:
                    raise closed(self.bytes.path)
                if not self._must_wait(request):
                    self._granted.append(request)
                    if request in self._queue:
                        self._queue.remove(request)
                        self.wake()
                    return self._take_now(request)
                if request not in self._queue:
                    self._queue.append(request)
            if self.dropped:
                self.end_dropped()
            limit_s = -1.0
            if deadline_s is not None:
                limit_s = min(deadline_s - self.bytes.clock.monotonic(), TIMEOUT_MAX)
                if limit_s <= 0:
                    return None
            request.signal.acquire(timeout=limit_s)

    def _must_wait(self, request: _Request) -> bool:
        for other in self._granted:
            if request.excludes(other) or (not other.is_settled and request.meets(other)):
                return True
        for other in self._queue:
            if other is request:
                return False
            if request.excludes(other):
                return True
        return False

    def _take_now(self, request: _Request) -> list[Span]:
        """Ask the kernel for what no thread here has; return what it does not give at once."""
        missing = list(request.spans)
        for other in self._granted:
            if other is not request:
                for span in other.spans:
                    missing = left_of(missing, span)
        if missing:
            file = self.bytes.file
            if file is None or self.bytes.monotonic() > self.bytes.look_s:
                file = self.bytes.open(lambda: self._granted == [request])
            while missing:
                start, stop, shared = missing[0]
                if not file.lock_range(start, stop - start, shared=shared, block=False):
                    return missing
                del missing[0]
        request.is_settled = True
        return missing

    def release(self, owner: Owner) -> None:
        refused: OSError | None = None
        for request in [request for request in self._granted if request.owner is owner]:
            request.is_settled = False  # nobody may rely on it while it goes
            refused = self._let_go(request) or refused
            self._granted.remove(request)
        self._queue = [request for request in self._queue if request.owner is not owner]
        owner.held = ()
        if self._queue:
            self.wake()
        if self._refused and not self._granted:
            self.bytes.close()
            self._refused.clear()
        if refused is not None:
            raise refused

    def _let_go(self, request: _Request) -> OSError | None:
        refused: OSError | None = None
        gone = [*request.spans, *self._refused]
        for other in self._granted:
            if other is not request:
                for span in other.spans:
                    gone = left_of(gone, span)
        self._refused.clear()
        for span in gone:
            try:
                self.bytes.drop(span.start, span.stop - span.start)
            except OSError as error:
                self._refused.append(span)
                refused = error
        return refused
