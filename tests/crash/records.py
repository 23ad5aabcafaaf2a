"""The registry: files of records. What holds of each record, by what was acknowledged.

    unreadable    reading raises: nothing was damaged, so that is a false alarm
    lost          a record is missing that was durable before
    torn          a record holds what was never written to it
    touched       a record was changed that the operation has nothing to do with
    not durable   a change or an append was acknowledged, and is not there

Every record knows its number, and each change makes its value larger by one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any

from holdfast.crash.acknowledge import ack
from holdfast.errors import HoldfastError
from holdfast.primitives.record_file import RecordFile
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.fault import Fault, Faulty, Stopped
from tests.crash.line_logs import Anything
from tests.crash.places import Place
from tests.crash.promises import FEW, RECOVERING, RETURNED, Operation
from tests.support.record_bytes import CLEAR, FIELDS, LOCK, LONG, NAME, RecordBytes, a_head, record

OTHER = b"of somebody else"
MENDED = ("mended", "mended again", "mended at last")
CHUNK_BYTES = 3072
"""Three records of a sector, with two copies each; the second chunk begins within a page."""


class Records:
    """What holds of the records.

    `old`: their values before. `changed`: those that the operation changes, by at most `steps` in
    one run. `appended`: how many it appends. `last`: what has been done once it has returned.
    """

    def __init__(
        self,
        *old: int,
        changed: Collection[int] = (),
        steps: int = 3,
        appended: int = 0,
        optional: int = 0,
        last: Sequence[str] = (),
    ) -> None:
        self.old, self.changed, self.steps, self.appended = old, changed, steps, appended
        self.optional, self.last = optional, last

    def __call__(self, at: Place, acked: Sequence[str], again: bool) -> None:
        """Look at all records of a state.

        Raises:
            AssertionError: something does not hold.
        """
        try:
            with RecordFile(at.path(NAME), vfs=at.vfs, read_only=True) as records:
                found = [*records]
                assert len(records) == len(found), f"lost: {len(found)} of {len(records)}"
        except FileNotFoundError:
            missing = bool(self.old or again or {*acked} - {RECOVERING})
            assert not missing, "lost: the file"
            return
        except HoldfastError as error:
            raise AssertionError(f"unreadable: {type(error).__name__}: {error}") from error
        self._look(found)
        told = [*acked, *(self.last if again or RETURNED in acked else ())]
        self._promised(found, told)

    def _look(self, found: list[dict[str, Any]]) -> None:
        assert len(found) >= len(self.old), f"lost: {len(found)} of {len(self.old)} are there"
        most = len(self.old) + 3 * (self.appended + self.optional)
        assert len(found) <= most, f"torn: {len(found)} records"
        for number, one in enumerate(found):
            whole = record(number, one["value"], long=len(one["name"]) > 24)
            assert whole == one, f"torn: record {number} is {one}"
            first = self.old[number] if number < len(self.old) else 0
            if number in self.changed or number >= len(self.old):
                right = first <= one["value"] <= first + 3 * self.steps
                assert right, f"torn: record {number} has {one['value']}"
            else:
                assert first == one["value"], f"touched: record {number} has {one['value']}"

    def _promised(self, found: list[dict[str, Any]], told: Sequence[str]) -> None:
        for words in (mark.split() for mark in told if mark[:1] in "lv" and " " in mark):
            if words[0] == "len":
                assert len(found) >= int(words[1]), f"not durable: {len(found)} of {words[1]}"
            elif words[0] == "value":
                value = found[int(words[1])]["value"]
                assert value >= int(words[2]), f"not durable: record {words[1]} has {value}"


def said(at: Place, text: str) -> None:
    """Tell what is durable now."""
    if at.memory is not None:
        at.memory.mark(text)
    else:
        ack(text)


def opened(at: Place, **options: Any) -> RecordFile:
    """Open the file; each time at the same time, so that the same is written each time."""
    usual: dict[str, Any] = {"vfs": at.vfs, "clock": ManualClock(), "chunk_bytes": CHUNK_BYTES}
    try:
        return RecordFile(at.path(NAME), **{**usual, **options})
    except FileNotFoundError:
        return RecordFile(at.path(NAME), FIELDS, **{**usual, **options})


def add_one(one: dict[str, Any]) -> None:
    """Make its value larger."""
    one.update(record(one["id"], one["value"] + 1, long=len(one["name"]) > 24))


def change(at: Place, records: RecordFile, number: int) -> None:
    """Change a record, and tell its value."""
    said(at, f"value {number} {records.update(number, add_one)['value']}")


def add(at: Place, records: RecordFile) -> None:
    """Append a record, and tell how many there are."""
    said(at, f"len {records.append(record(len(records))) + 1}")


def append(at: Place, count: int = 3) -> None:
    with opened(at) as records:
        for _ in range(count):
            add(at, records)


def append_many(at: Place) -> None:
    with opened(at) as records:
        first = len(records)
        records.append_many([record(first + at) for at in range(3)])
        said(at, f"len {first + 3}")


def update(at: Place, *numbers: int) -> None:
    with opened(at) as records:
        for number in numbers or (1, 1, 1):
            change(at, records, number)


def append_and_update(at: Place) -> None:
    with opened(at) as records:
        add(at, records)
        change(at, records, 0)
        change(at, records, len(records) - 1)


def relaxed(at: Place) -> None:
    """Without syncs, the copy that was durable stays; with the barrier the last change is."""
    with opened(at, sync="never") as records:
        value = [records.update(1, add_one)["value"] for _ in range(3)][-1]
        records.append(record(len(records), long=True))
        records.barrier()
        said(at, f"value 1 {value}")
        said(at, f"len {len(records)}")


def relaxed_and_handed_on(at: Place) -> None:
    """One writes without syncing, another one after that with it, and the first one again."""
    with opened(at, sync="never") as loose, opened(at) as strict:
        loose.update(1, add_one)
        change(at, strict, 1)
        value = loose.update(1, add_one)["value"]
        loose.barrier()
        said(at, f"value 1 {value}")


def after_a_killed_update(at: Place) -> None:
    """A writer is killed between its write and its sync; the next one goes on."""
    with suppress(Stopped):
        mortal = Faulty(at.vfs, Fault("sync", 1, effect="stop"))
        with opened(at, vfs=mortal) as records:
            records.update(1, add_one)
    update(at, 1)


def after_half_a_slot(at: Place) -> None:
    """A writer is killed in the middle of a slot."""
    half = (Fault("write", 2, on=NAME, effect="short 300"), Fault("write", 3, effect="stop"))
    with suppress(Stopped), opened(at, vfs=Faulty(at.vfs, *half)) as records:
        records.update(1, add_one)
    update(at, 1)


def after_a_killed_append(at: Place) -> None:
    """A writer is killed before the sync of what he appended; another one changes a record."""
    with suppress(Stopped):
        mortal = Faulty(at.vfs, Fault("sync", 1, effect="stop"))
        with opened(at, vfs=mortal) as records:
            records.append(record(len(records)))
    with opened(at) as records:
        change(at, records, 0)
        add(at, records)
        change(at, records, 0)


def made_by_a_killed_one(at: Place) -> None:
    """Whoever made the file was killed before the sync of its name."""
    with suppress(Stopped, FileExistsError):
        opened(at, vfs=Faulty(at.vfs, Fault("sync_folder", 1, effect="stop")))
    append(at, 1)


def after_a_killed_growth(at: Place) -> None:
    """A writer is killed before the sync of a new chunk; the next one appends to it."""
    with suppress(Stopped):
        mortal = Faulty(at.vfs, Fault("sync", 1, effect="stop"))
        with opened(at, vfs=mortal) as records:
            records.append(record(len(records)))
    append(at, 1)


def after_a_failed_sync(at: Place) -> None:
    """The sync of an update fails; the file is opened anew, and goes on."""
    fault = Fault("sync", 1, effect="EIO")
    try:
        with opened(at, vfs=Faulty(at.vfs, fault)) as records:
            records.update(1, add_one)
    except OSError:
        if not fault.fired:
            raise
    update(at, 1)


def killed(at: Place, operation: str, nth: int, run: Callable[[RecordFile], object]) -> None:
    """Open the file, do it, and be killed at a sync of that."""
    mortal = Faulty(at.vfs, Fault(operation, nth, effect="stop"))
    with suppress(Stopped), opened(at, vfs=mortal) as records:
        run(records)


def killed_over_an_unsynced_one(at: Place) -> None:
    """One is killed before the sync of what he wrote, and another one over it, before his."""
    killed(at, "sync", 1, lambda records: records.update(1, add_one))
    killed(at, "sync_data", 1, lambda records: records.update(1, add_one))


def killed_over_a_healed_one(at: Place) -> None:
    """The copy that was mended is durable before the other one is written over."""

    def run(records: RecordFile) -> None:
        records.heal()
        records.update(1, add_one)

    killed(at, "sync_data", 1, run)


def killed_while_it_grows(at: Place) -> None:
    """One is killed before the sync of what filled a chunk, another one while he makes the next."""
    killed(at, "sync", 1, lambda records: records.append(record(len(records))))
    killed(at, "sync_data", 1, lambda records: records.append(record(len(records))))


def killed_in_a_new_chunk(at: Place) -> None:
    """The chunk is durable before the first record is written there."""
    killed(at, "sync_data", 2, lambda records: records.append(record(len(records))))


def heal(at: Place) -> None:
    with opened(at) as records:
        records.heal()
        change(at, records, 1)


def repair(at: Place) -> None:
    """Salvage into a new file; after a crash, where that is there already, into another one."""
    with opened(at) as records:
        for name in MENDED:
            with suppress(FileExistsError):
                records.repair(at.path(name))
                break


class Salvaged(Records):
    """The file is as it was; and what was salvaged is all of it, or is not there."""

    def __call__(self, at: Place, acked: Sequence[str], again: bool) -> None:
        """Look at both."""
        super().__call__(at, acked, again)
        found = []
        for name in MENDED:
            with (
                suppress(FileNotFoundError),
                RecordFile(at.path(name), vfs=at.vfs, read_only=True) as records,
            ):
                found.append([one["value"] for one in records])
        assert len(found) >= (RETURNED in acked) + again, f"not durable: {found}"
        wrong = [one for one in found if one != [*self.old]]
        assert [] == wrong, f"torn: {wrong}"


# What was there before.


def files(made: RecordBytes, lock: bytes = CLEAR) -> dict[str, bytes]:
    return {NAME: made.whole, LOCK: lock, "other": OTHER}


OLD = (5, 6)
USUAL = files(RecordBytes(*OLD))
FULL_CHUNK = (5, 6, 7)
FULL = files(RecordBytes(*FULL_CHUNK))
LARGE = files(RecordBytes(*OLD, head=a_head(layout=LONG)))
NOTHING = {"other": OTHER}
UNSURE = {**LARGE, LOCK: b""}


def with_a_torn_copy() -> RecordBytes:
    made = RecordBytes(*OLD, head=a_head(layout=LONG)).put(1, 3, 6)
    return made.over(1, 1, b"torn")


def with_a_hole() -> RecordBytes:
    """Records 1 and 2 were appended together; the crash has kept one copy of the second one."""
    made = RecordBytes(5, 0, 99)
    return made.over(1, 0, bytes(512)).over(1, 1, bytes(512)).over(2, 0, bytes(512))


def with_a_half_chunk() -> RecordBytes:
    made = RecordBytes(*FULL_CHUNK)
    made.data += b"garbage" * 100
    return made


def kept(
    name: str, run: Callable[[Place], object], holds: Records, **more: Any
) -> Iterator[Operation]:
    """An operation on a file of records, with the usual one before it."""
    usual: dict[str, Any] = {
        "before": USUAL,
        "loosely": {NAME: Anything(), LOCK: Anything()},
        "beside": (NAME, LOCK),
    }
    yield Operation(name, run, {}, **{**usual, **more}, holds=holds)


def changing(number: int, *, old: Sequence[int] = OLD, least: int = 1, **more: Any) -> Records:
    """What holds where one record is changed so many times at least."""
    last = (f"value {number} {old[number] + least}",)
    return Records(*old, changed=[number], last=last, **more)


LOOSE = Records(*OLD, changed=[1])
"""Nothing new is promised: what was durable stays so."""

OPERATIONS: tuple[Operation, ...] = (
    *kept("RecordFile.append, new file", append, Records(appended=3), before=NOTHING),
    *kept("RecordFile.append", append, Records(*OLD, appended=3)),
    *kept("RecordFile.append, new chunk", append, Records(*FULL_CHUNK, appended=3), before=FULL),
    *kept(
        "RecordFile, made by a killed one",
        made_by_a_killed_one,
        Records(appended=1),
        before=NOTHING,
    ),
    *kept("RecordFile.append_many", append_many, Records(*OLD, appended=3)),
    *kept("RecordFile.update", update, changing(1, least=3), before=LARGE),
    *kept("RecordFile.update, unsure", update, changing(1, least=3), before=UNSURE),
    *kept(
        "RecordFile.append and update",
        append_and_update,
        changing(0, appended=1),
    ),
    *kept("RecordFile.barrier", relaxed, changing(1, least=3, appended=1), before=LARGE),
    *kept("RecordFile, handed on unsynced", relaxed_and_handed_on, changing(1), before=LARGE),
    *kept("RecordFile after a killed update", after_a_killed_update, changing(1), before=LARGE),
    *kept("RecordFile after half a slot", after_half_a_slot, changing(1), before=LARGE),
    *kept(
        "RecordFile after a killed append",
        after_a_killed_append,
        changing(0, old=(5,), appended=1, optional=1),
        before=files(RecordBytes(5)),
    ),
    *kept(
        "RecordFile after a killed growth",
        after_a_killed_growth,
        Records(*FULL_CHUNK, appended=1, optional=1),
        before=FULL,
    ),
    *kept("RecordFile after a failed sync", after_a_failed_sync, changing(1), before=LARGE),
    *kept("RecordFile, killed twice", killed_over_an_unsynced_one, LOOSE, before=LARGE),
    *kept(
        "RecordFile, killed after healing",
        killed_over_a_healed_one,
        LOOSE,
        before=files(with_a_torn_copy()),
    ),
    *kept(
        "RecordFile, killed while it grows",
        killed_while_it_grows,
        Records(*OLD, optional=2),
    ),
    *kept(
        "RecordFile, killed in a new chunk",
        killed_in_a_new_chunk,
        Records(*FULL_CHUNK, optional=1),
        before=FULL,
    ),
    *kept("RecordFile.heal", heal, changing(1), before=files(with_a_torn_copy())),
    *kept(
        "RecordFile.append, after a hole",
        append,
        Records(5, appended=3, optional=1),
        before=files(with_a_hole()),
    ),
    *kept(
        "RecordFile.append, after half a chunk",
        append,
        Records(*FULL_CHUNK, appended=3),
        before=files(with_a_half_chunk()),
    ),
    *kept(
        "RecordFile.repair",
        repair,
        Salvaged(5),
        before=files(RecordBytes(5, head=a_head(1))),
        beside=(NAME, LOCK, "mended*"),
        states=FEW,
    ),
)
