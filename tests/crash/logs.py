"""The registry: logs. What holds of their records, by what was acknowledged.

    unreadable    reading raises: nothing was damaged, so that is a false alarm
    lost          a record is missing that was durable before, or sequences have a gap
    torn          a record never was appended, stands out of order, or is part of a batch
    doubled       records stand there more often than they were appended
    not durable   it was acknowledged, and is not there

All is done twice: where writing into zeroed blocks gains something, and where it does not. What a
file was extended by and not written reads as zeros: that is assumed of the filesystem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from holdfast.crash.acknowledge import ack
from holdfast.errors import HoldfastError
from holdfast.primitives.log import Log
from holdfast.vfs import VFS
from holdfast.vfs.api import Promises
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.interpose import Interposed
from tests.crash.line_logs import Anything
from tests.crash.places import Place, Rebooted
from tests.crash.promises import RECOVERING, RETURNED, Operation
from tests.crash.whole_files import in_a_loop
from tests.support.log_bytes import Segment, as_folder

LOG = "events.log"
ONE, TWO = b"the first", b"the second " * 20
NEW = (b"a" * 30, b"b" * 600, b"c" * 9)
MENDED = ("mended", "mended again", "mended at last")
SMALL = 1024
"""The size of segments: two records of 300 bytes do not fit."""


class Filling(Interposed):
    """A filesystem that says whether filling with zeros gains something."""

    def __init__(self, inner: VFS, *, zeros: bool) -> None:
        super().__init__(inner)
        self._zeros = zeros

    def promises(self, path: str) -> Promises:
        """Say this, and nothing else that a log asks for."""
        return Promises("tests", True, True, True, False, (), self._zeros)


class Records:
    """What holds of the records of a log.

    `old` were durable before. `new` are batches, appended in this order. `firsts`: the sequences at
    which the log may begin, with the last of which it does once the operation has returned.
    `promised`: how many of the batches are durable then; None: all. `read`: as which `sync=`.
    `unsure`: the batch that its writer, who was killed or failed, perhaps has not written.
    """

    def __init__(
        self,
        *new: Sequence[bytes],
        old: Sequence[bytes] = (ONE, TWO),
        firsts: Sequence[int] = (1,),
        promised: int | None = None,
        read: Sequence[str] = ("always", "never"),
        unsure: int | None = None,
    ) -> None:
        self.new, self.old, self.firsts, self.read = new, old, firsts, read
        self.unsure = unsure
        self.promised = len(new) if promised is None else promised

    def __call__(self, at: Place, acked: Sequence[str], again: bool) -> None:
        """Look at the records of a state.

        Raises:
            AssertionError: something does not hold.
        """
        for sync in self.read:
            try:
                self._look(at, acked, again, sync)
            except HoldfastError as error:
                raise AssertionError(f"unreadable: {type(error).__name__}: {error}") from error

    def _look(self, at: Place, acked: Sequence[str], again: bool, sync: str) -> None:
        with Log(at.path(LOG), sync=sync, vfs=at.vfs) as log:  # type: ignore[arg-type]
            found, first, written = [*log.read()], log.first, log.written
        numbers, old = [record.sequence for record in found], len(self.old)
        assert [*range(first, first + len(found))] == numbers, f"lost: {numbers} from {first}"
        assert first in self.firsts, f"lost: it begins with {first}"
        gone = first == self.firsts[-1] or not (again or RETURNED in acked)
        assert gone, f"not durable: it begins with {first}"
        assert written >= max(old, first - 1), f"lost: {written} of {old} are there"
        known = {number: data for number, data in enumerate(self.old, 1) if number >= first}
        kept = {record.sequence: record.data for record in found if record.sequence <= old}
        assert known == kept, f"lost: of {[*known]} there are {[*kept]}"
        self._appended([record.data for record in found if record.sequence > old], acked, again)

    def _appended(self, data: list[bytes], acked: Sequence[str], again: bool) -> None:
        """What was appended is there as far as each run of the operation came."""
        runs = [*self._runs(data)]
        assert len(runs) <= 1 + (RECOVERING in acked) + again, f"doubled: {runs}"
        needed = [*self._acknowledged(acked), self.promised if again else 0]
        found = iter(runs)
        for count in filter(None, needed):
            assert any(run >= count for run in found), f"not durable: {runs} for {needed}"

    def _runs(self, data: list[bytes]) -> Iterator[int]:
        """How many batches of each run are there."""
        done = 0
        while data:
            if self._begins(data, done):
                data = data[len(self.new[done]) :]
                done += 1
            elif done == self.unsure and self._begins(data, done + 1):
                done += 1
            else:
                assert done, f"torn: {len(data)} records, from {data[0][:9]!r} on"
                yield done
                done = 0
        if done:
            yield done

    def _begins(self, data: list[bytes], number: int) -> bool:
        batch = [*self.new[number]] if number < len(self.new) else []
        return bool(batch) and data[: len(batch)] == batch

    def _acknowledged(self, acked: Sequence[str]) -> Iterator[int]:
        """How many batches were, in the first run and in the recovery."""
        at = acked.index(RECOVERING) if RECOVERING in acked else len(acked)
        for marks in (acked[:at], acked[at:]):
            counts = [int(mark) for mark in marks if mark.isdigit()]
            yield max(*counts, self.promised if RETURNED in marks else 0, 0)


def said(at: Place, count: int) -> None:
    """Tell that so many batches of this run are durable."""
    disk = at.memory
    if disk is None:
        ack(count)
    else:
        disk.mark(str(count))


def opened(at: Place, **options: Any) -> Log:
    """Open the log; each time at the same time, so that the same is written each time."""
    return Log(
        at.path(LOG),
        **{"segment_bytes": 3 * SMALL, "vfs": at.vfs, "clock": ManualClock(), **options},
    )


def append(at: Place, first: int = 0, **options: Any) -> None:
    with opened(at, **options) as log:
        for count, data in enumerate(NEW[first:], 1):
            log.append(data)
            said(at, count)


def append_many(at: Place) -> None:
    with opened(at) as log:
        log.append_many(NEW)
        said(at, 1)
        log.append_many(NEW[1:])


def in_flight(at: Place) -> None:
    """Two writers: what the first has written is synced by the second."""
    with opened(at, sync="never") as first, opened(at) as second:
        first.append(NEW[0])
        second.append(NEW[1])
        said(at, 2)
        first.append(NEW[2])
        first.barrier()


def submit(at: Place) -> None:
    with opened(at) as log:
        for count, data in enumerate(NEW, 1):
            log.submit(data).result()
            said(at, count)


def behind_a_barrier(at: Place) -> None:
    with opened(at, sync="never") as log:
        for data in NEW:
            log.append(data)
        log.barrier()
        said(at, len(NEW))


def after_half_a_frame(at: Place) -> None:
    """A writer is killed in the middle of a frame, behind one that it never synced."""
    mortal = Faulty(at.vfs)
    with suppress(Stopped), opened(at, vfs=mortal, sync="never") as log:
        log.append(NEW[0])
        half = Fault("write", 1, on="*segment*", effect="short 44")
        mortal.faults = half, Fault("write", 2, effect="stop")
        log.append(b"never whole")
    append_rest(at, 1)


def after_an_unsynced_frame(at: Place) -> None:
    """A writer is killed between its write and its sync; the next one syncs for both."""
    mortal = Faulty(at.vfs, Fault("sync_data", 1, effect="stop"))
    with suppress(Stopped), opened(at, vfs=mortal) as log:
        log.append(NEW[0])
    append_rest(at, 1)


def after_an_unsynced_name(at: Place) -> None:
    """A writer is killed when a new segment has its name, and the folder is not synced."""
    mortal = Faulty(at.vfs, Fault("sync_folder", 1, effect="stop"))
    with suppress(Stopped), opened(at, vfs=mortal, segment_bytes=SMALL) as log:
        log.append(NEW[1])
    with opened(at) as log:
        for count, data in enumerate(NEW, 2):
            log.append(data)
            said(at, count)


def append_rest(at: Place, done: int, **options: Any) -> None:
    with opened(at, **options) as log:
        for count, data in enumerate(NEW[done:], done + 1):
            log.append(data)
            said(at, count)


def read_on_another_boot(at: Place) -> None:
    """What is shown, although nobody knows whether it ever was synced, stays."""
    with opened(at, sync="never") as log:
        last = log.append(NEW[0])
    with opened(at, vfs=Rebooted(at.vfs)) as log:
        for record in log.read():
            if record.sequence == last:
                said(at, 1)
                break


def drop(at: Place, sequence: int) -> None:
    with opened(at) as log:
        log.drop_before(sequence)


def drop_one_after_another(at: Place) -> None:
    with opened(at) as log:
        log.drop_before(2)
        log.drop_before(3)


def drop_all(at: Place) -> None:
    with opened(at) as log:
        log.drop_before(log.written + 1)


def keep_little(at: Place) -> None:
    with opened(at, keep_bytes=SMALL) as log:
        log.apply_retention()


def after_a_failed_sync(at: Place) -> None:
    """The sync of the first record fails; the log is opened anew, and keeps what there is."""
    fault = Fault("sync_data", 1, effect="EIO")
    try:
        with opened(at, vfs=Faulty(at.vfs, fault)) as log:
            log.append(NEW[0])
    except OSError:
        if not fault.fired:
            raise
    with opened(at) as log:
        log.append(NEW[2])
        said(at, 2)


def repair(at: Place) -> None:
    """Salvage into a new folder; after a crash, where that is incomplete, into another one."""
    with opened(at) as log:
        for name in MENDED:
            with suppress(FileExistsError):
                log.repair(to=at.path(name))
                break


class Salvaged(Records):
    """The log is as it was; and what was salvaged is all of it, or is told to be incomplete."""

    def __call__(self, at: Place, acked: Sequence[str], again: bool) -> None:
        """Look at both."""
        super().__call__(at, acked, again)
        found = [self._found(at, name) for name in MENDED]
        done = (RETURNED in acked) or again
        assert found.count([*self.old]) >= done, f"not durable: {found}"
        wrong = [data for data in found if data and data != [*self.old]]
        assert [] == wrong, f"torn: {wrong}"

    def _found(self, at: Place, name: str) -> list[bytes] | None:
        try:
            with Log(at.path(name), vfs=at.vfs) as log:
                return [record.data for record in log.read()]
        except HoldfastError:
            return None


async def by_tasks(at: Place) -> None:
    async with opened(at) as log:
        await log.aappend(NEW[0])
        said(at, 1)
        await log.aappend_many(NEW[1:])
        await log.abarrier()


async def adrop(at: Place) -> None:
    async with opened(at) as log:
        await log.adrop_before(3)


# What was there before.


def a_log(*data: bytes, fill: int = 0) -> Segment:
    segment = Segment()
    for record in data:
        segment.append(record)
    return segment.fill(fill)


def files(*segments: Segment) -> dict[str, bytes]:
    return {**as_folder(segments, LOG), "other": b"of somebody else"}


def with_a_torn_tail() -> Segment:
    segment = a_log(ONE, TWO)
    end = len(segment.data)
    segment.append(b"t" * 700, synced=end)
    del segment.data[end + 300 :]
    return segment.fill(400)


def with_a_torn_first_frame() -> Segment:
    segment = Segment().append(b"t" * 90)
    del segment.data[-60:]
    return segment


def with_a_hole() -> Segment:
    segment = a_log(ONE, TWO)
    end = len(segment.data)
    segment.append(b"h" * 300, synced=end).append(b"behind the hole", synced=end)
    segment.data[end : end + 340] = bytes(340)
    return segment


def in_three_segments() -> tuple[Segment, ...]:
    first = Segment().append(ONE)
    second = Segment(2, after=first).append(TWO)
    return first, second, Segment(3, after=second).append(b"the third")


THREE = (ONE, TWO, b"the third")
EACH = tuple((data,) for data in NEW)
NOTHING = {"other": b"of somebody else"}
USUAL = files(a_log(ONE, TWO))
THREE_SEGMENTS = files(*in_three_segments())


def used(at: Place) -> None:
    """The log was written to on this boot, so nothing has to be looked for."""
    with opened(at) as log:
        log.barrier()


COLD: dict[str, Any] = {"prepare": None}


def logged(
    name: str, run: Callable[[Place], object], records: Records | None = None, **more: Any
) -> Iterator[Operation]:
    """An operation on a log, with the usual one before it; `zeros`: in which ways of writing."""
    before, ways = more.pop("before", USUAL), more.pop("zeros", (False, True))
    loosely = {name: Anything() for name in before if name != "other"}
    usual: dict[str, Any] = {
        "before": before,
        "loosely": loosely,
        "beside": (LOG, f"{LOG}/*"),
        "prepare": used,
    }
    for zeros in ways:
        yield Operation(
            f"{name}, zero-filling" if zeros else name,
            partial(_filling, run=run, zeros=zeros),
            {},
            **{**usual, **more},
            holds=records or Records(*EACH),
            garbage=False,
        )


def _filling(at: Place, *, run: Callable[[Place], object], zeros: bool) -> None:
    run(at._replace(vfs=Filling(at.vfs, zeros=zeros)))


BOTH_BATCHES = Records(NEW, NEW[1:])
ONCE: dict[str, Any] = {"zeros": [False]}
DROPPED = {"before": THREE_SEGMENTS, **ONCE}

OPERATIONS: tuple[Operation, ...] = (
    *logged("Log.append, new log", append, Records(*EACH, old=()), before=NOTHING, **COLD),
    *logged("Log.append", append),
    *logged(
        "Log.append, over the edge of a block",
        partial(append, segment_bytes=6 * SMALL),
        Records(*EACH, old=(b"o" * 3300,)),
        before=files(a_log(b"o" * 3300)),
    ),
    *logged(
        "Log.append, at the start of a block",
        partial(append, first=1, segment_bytes=6 * SMALL),
        Records(*EACH[1:], old=(b"o" * 3544,)),
        before=files(a_log(b"o" * 3544)),
    ),
    *logged("Log.append_many", append_many, BOTH_BATCHES),
    *logged("Log.append, two in flight", in_flight),
    *logged("Log.submit", submit, **ONCE),
    *logged("Log.append, into the next segment", partial(append, segment_bytes=SMALL)),
    *logged("Log.barrier", behind_a_barrier, **ONCE),
    *logged(
        'Log.append, sync="never"',
        partial(append, sync="never"),
        Records(*EACH, read=["never"]),
        model="prefix",
    ),
    *logged("Log.append, after a torn tail", append, before=files(with_a_torn_tail()), **COLD),
    *logged("Log.append, after a hole", append, before=files(with_a_hole()), **COLD),
    *logged(
        "Log.append, after a torn first frame",
        append,
        Records(*EACH, old=()),
        before=files(with_a_torn_first_frame()),
        **COLD,
    ),
    *logged("Log after half a frame", after_half_a_frame, Records(*EACH, unsure=0)),
    *logged("Log after an unsynced frame", after_an_unsynced_frame, Records(*EACH, unsure=0)),
    *logged(
        "Log after an unsynced name",
        after_an_unsynced_name,
        Records((NEW[1],), *EACH, unsure=0),
    ),
    *logged(
        "Log.read, on another boot", read_on_another_boot, Records(EACH[0], read=["never"]), **ONCE
    ),
    *logged(
        "Log.drop_before, some",
        partial(drop, sequence=2),
        Records(old=THREE, firsts=(1, 2)),
        **DROPPED,
    ),
    *logged(
        "Log.drop_before, one after another",
        drop_one_after_another,
        Records(old=THREE, firsts=(1, 2, 3)),
        **DROPPED,
    ),
    *logged(
        "Log.repair",
        repair,
        Salvaged(old=THREE),
        beside=(LOG, f"{LOG}/*", "mended*"),
        **DROPPED,
    ),
    *logged("Log.drop_before, all", drop_all, Records(firsts=(1, 3)), **ONCE),
    *logged("Log.apply_retention", keep_little, Records(old=THREE, firsts=(1, 2, 3)), **DROPPED),
    *logged("Log after a failed sync", after_a_failed_sync, Records(EACH[0], EACH[2], unsure=0)),
    *logged("Log.aappend", in_a_loop(by_tasks), Records(NEW[:1], NEW[1:]), **ONCE),
    *logged("Log.adrop_before", in_a_loop(adrop), Records(old=THREE, firsts=(1, 2, 3)), **DROPPED),
)
