"""`RecordLocks`: numbered records, each alone, among all threads and processes.

Record n stands on one of 1,024 bytes of the lock file, so the list that the kernel goes through
stays short, and neighbours merge in it. Records of one byte exclude each other between processes,
never within one. Several are taken in the order of byte and number, by everybody, so nobody waits
in a circle; see `range_locks` for what holds (I1 to I4).

Threads of a process get a record in the order of asking, and give it back to the kernel in between,
so that other processes have their turn. A byte stays with a process as long as any thread there has
a record of it.
"""

from __future__ import annotations

from holdfast.light_threading import TIMEOUT_MAX, Lock
from holdfast.primitives.lock_waiters import signal
from holdfast.primitives.range_locks import Hold, RangeLocks, Table, closed
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.primitives.range_locks import LockBytes, Owner
    from holdfast.vfs import VFS, Clock

__all__ = ["BYTES", "RecordLocks"]

BYTES = 1024

_TAKEN, _TO_ASK, _BUSY = "taken", "to ask", "busy"


class RecordLocks(RangeLocks):
    """Locks for numbered records.

    Args:
        path: The lock file; its folder must exist. It is made when it is first needed.
        first_byte: Where its bytes begin.
        byte_count: How many there are. One alone is a lock of everything: `hold(0)`.
        permissions: The mode of a file that is made, less the umask.
        vfs: The filesystem.
        clock: What `timeout_s` is measured with.
    """

    def __init__(
        self,
        path: str,
        *,
        first_byte: int = 1,
        byte_count: int = BYTES,
        permissions: int = 0o666,
        vfs: VFS = SYSTEM,
        clock: Clock = CLOCK,
    ) -> None:
        self._first_byte = first_byte
        self._byte_count = byte_count
        super().__init__(path, permissions=permissions, vfs=vfs, clock=clock)

    def _table_of(self, lock_bytes: LockBytes) -> Table:
        return _Records(lock_bytes, self._first_byte, self._byte_count)

    def hold(self, *numbers: int, timeout_s: float | None = None) -> Hold:
        """Return a block that has these records alone; nothing is asked for before it begins.

        What is needed together must be asked for together, in any order, even repeatedly. Inside
        the block the same thread may ask again for some of them, which are given back with the
        last block. Owners are threads: do not let other tasks run inside.

        Args:
            *numbers: The records, from 0.
            timeout_s: How long to wait for them all; 0 tries once, None waits for as long as it
                takes, in the kernel. A wait with a limit asks again, every 10 ms at the latest, and
                so can be overtaken by other processes.

        Raises:
            ValueError: A negative number, or no length of time.

        The block itself raises, with nothing held or changed:
            LockTimeout: Another had one of them all the time.
            RuntimeError: This thread has others, but not all of these: two that did so could wait
                for each other.
            Closed: After `close`.
            OSError: The lock file cannot be opened or locked.
        """
        if len(numbers) == 1 and numbers[0] >= 0 and timeout_s is None:
            return Hold(self._table, numbers, None)
        count = self._byte_count
        numbers = tuple(sorted(set(numbers), key=lambda number: (number % count, number)))
        if numbers and min(numbers) < 0:
            raise ValueError(f"{min(numbers)}: records are counted from 0")
        return self._hold(numbers, timeout_s)


class _Waiter:
    __slots__ = ("number", "owner", "signal")

    def __init__(self, owner: Owner, number: int) -> None:
        self.owner = owner
        self.number = number
        self.signal = Lock()
        self.signal.acquire()


class _Byte:
    """One byte of the lock file, and the records of this process that stand on it.

    `held`: the kernel has given it to this process. `asking`: who waits in the kernel for it.
    """

    __slots__ = ("asking", "at", "held", "queue", "records")

    def __init__(self, at: int) -> None:
        self.at = at
        self.records: dict[int, Owner] = {}
        self.held = False
        self.asking: Owner | None = None
        self.queue: list[_Waiter] = []

    def has_before(self, owner: Owner, number: int) -> bool:
        """Whether another thread asked for the record earlier."""
        for waiter in self.queue:
            if waiter.number == number:
                return waiter.owner is not owner
        return False

    def wake(self) -> None:
        """Wake the first for each record."""
        numbers: set[int] = set()
        for waiter in self.queue:
            if waiter.number not in numbers:
                numbers.add(waiter.number)
                signal(waiter.signal)


class _Records(Table):
    def __init__(self, lock_bytes: LockBytes, first_byte: int, byte_count: int) -> None:
        super().__init__(lock_bytes)
        self._first_byte = first_byte
        self._byte_count = byte_count
        self._known: dict[int, _Byte] = {}
        self._has_refused = False

    def is_idle(self) -> bool:
        return not any(byte.records for byte in self._known.values())

    def count_waiting(self) -> int:
        return sum(len(byte.queue) for byte in self._known.values())

    def wake(self) -> None:
        for byte in self._known.values():
            for waiter in byte.queue:
                signal(waiter.signal)

    def refuse_more(self, owner: Owner, wanted: tuple[int, ...]) -> None:
        if missing := set(wanted).difference(owner.held):
            raise RuntimeError(
                f"{self.bytes.path}: this thread holds {_listed(owner.held)} and asks for "
                f"{_listed(missing)} as well: two that did so could wait for each other. "
                "Nothing changed. Take all at once, in one hold."
            )

    def acquire(self, owner: Owner, wanted: tuple[int, ...], deadline_s: float | None) -> bool:
        owner.held = wanted
        for number in wanted:
            with self.mutex:
                byte = self._known.get(number % self._byte_count) or self._add(number)
                state = self._claim(byte, owner, number)
            if state is not _TAKEN and not self._wait(byte, owner, number, deadline_s=deadline_s):
                return False
        return True

    def _add(self, number: int) -> _Byte:
        index = number % self._byte_count
        byte = self._known[index] = _Byte(self._first_byte + index)
        return byte

    def _claim(self, byte: _Byte, owner: Owner, number: int) -> str:
        """Take a record if that can be had now; the mutex is held."""
        records = byte.records
        if number in records or byte.asking:
            return _BUSY
        if byte.queue and byte.has_before(owner, number):
            return _BUSY
        if byte.held:
            records[number] = owner
            return _TAKEN
        file = self.bytes.file
        if file is None or self.bytes.monotonic() > self.bytes.look_s:
            file = self.bytes.open(self.is_idle)
        records[number] = owner
        if file.lock_range(byte.at, 1, block=False):
            byte.held = True
            return _TAKEN
        byte.asking = owner
        return _TO_ASK

    def _wait(self, byte: _Byte, owner: Owner, number: int, *, deadline_s: float | None) -> bool:
        """Wait for a record, in the queue of its byte and then in the kernel."""
        waiter = _Waiter(owner, number)
        while True:
            with self.mutex:
                if self.closed:
                    raise closed(self.bytes.path)
                state = _TO_ASK if byte.asking is owner else self._claim(byte, owner, number)
                if state is _BUSY and waiter not in byte.queue:
                    byte.queue.append(waiter)
                if state is not _BUSY and waiter in byte.queue:
                    byte.queue.remove(waiter)
            if state is _TO_ASK:
                return self._ask(byte, deadline_s)
            if state is _TAKEN:
                return True
            if self.dropped:
                self.end_dropped()
            limit_s = -1.0
            if deadline_s is not None:
                limit_s = min(deadline_s - self.bytes.clock.monotonic(), TIMEOUT_MAX)
                if limit_s <= 0:
                    return False
            waiter.signal.acquire(timeout=limit_s)

    def _ask(self, byte: _Byte, deadline_s: float | None) -> bool:
        if not self.bytes.wait((byte.at, 1), deadline_s, shared=False):
            return False
        with self.mutex:
            byte.held = True
            byte.asking = None
            byte.wake()
            if self.closed:
                raise closed(self.bytes.path)
        return True

    def release(self, owner: Owner) -> None:
        refused: OSError | None = None
        known, count, file = self._known, self._byte_count, self.bytes.file
        for number in owner.held:
            byte = known.get(number % count)
            if byte is None:
                continue
            if byte.asking is owner:
                byte.asking = None
            records = byte.records
            if records.get(number) is owner:
                if len(records) == 1:
                    byte.held = False
                    try:
                        if file is not None:
                            file.unlock_range(byte.at, 1)
                    except OSError as error:
                        refused = error
                        byte.held = True  # so the next one here has it at once
                del records[number]
            if byte.queue:
                byte.queue = [waiter for waiter in byte.queue if waiter.owner is not owner]
                byte.wake()
        owner.held = ()
        if refused is not None or self._has_refused:
            self._give_back_later(refused)

    def _give_back_later(self, refused: OSError | None) -> None:
        self._has_refused = True
        if self.is_idle():
            self._close_anew()
        if refused is not None:
            raise refused

    def _close_anew(self) -> None:
        """Give back by closing what the kernel did not let go of; nobody has anything."""
        for byte in self._known.values():
            byte.held = False
        self.bytes.close()
        self._has_refused = False


def _listed(numbers: tuple[int, ...] | set[int]) -> str:
    shown = sorted(numbers)[:8]
    return ", ".join(map(str, shown)) + (" ..." if len(numbers) > len(shown) else "")
