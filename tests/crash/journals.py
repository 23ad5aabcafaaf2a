"""The registry: journals. The state is the list of its entries, so that nothing can hide.

What holds of the entries is what holds of the records of a log (`logs.Records`): none is lost,
torn, doubled, or acknowledged and not durable. It is looked at by opening the journal in each way,
also to be read alone; and the check of the journal finds nothing damaged, since a crash is no
damage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import chain
from struct import Struct
from typing import Any
from zlib import crc32

from holdfast.errors import HandlePoisoned, HoldfastError
from holdfast.formats.journal_format import (
    SLOT_BYTES,
    CheckpointHead,
    Identity,
    checkpoint_name,
    encode_head,
    encode_identity,
)
from holdfast.state.journal import Journal
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.interpose import Interposed
from tests.crash.line_logs import Anything
from tests.crash.logs import EACH, MENDED, NEW, ONE, TWO, Filling, Records, a_log, said
from tests.crash.places import Place
from tests.crash.promises import FEW, RETURNED, Operation
from tests.crash.whole_files import in_a_loop
from tests.support.log_bytes import Segment, as_folder

JOURNAL = "state.jrn"
OTHER = {"other": b"of somebody else"}
OLD = (ONE, TWO)
THIRD = b"the third"
THREE = (ONE, TWO, THIRD)
IDENTITY = Identity(0x1D, "journal", "", 1)

_COUNT = Struct("<I")
_PADDING = 0
State = list[bytes]


def dump(state: State) -> Iterable[bytes]:
    """The state as pieces."""
    for entry in state:
        yield _COUNT.pack(len(entry)) + entry


def load(data: bytes) -> State:
    """The state from its bytes."""
    state, at = [], 0
    while at < len(data):
        (size,) = _COUNT.unpack_from(data, at)
        state.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return state


def large_dump(state: State) -> Iterable[bytes]:
    """The same, of more than a slot has room for."""
    return chain(dump(state), [_COUNT.pack(1 << 31)], [bytes(65536)] * 17)


def large_load(data: bytes) -> State:
    """Without what only made it large."""
    return load(data[: data.index(_COUNT.pack(1 << 31))]) if data else []


def opened(at: Place, *, is_large: bool = False, **options: Any) -> Journal[State]:
    """Open the journal; each time at the same time, so that the same is written each time."""

    def apply(state: State, entry: bytes) -> None:
        state.append(entry)

    return Journal(
        at.path(JOURNAL),
        initial=list,
        apply=apply,
        dump=large_dump if is_large else dump,
        load=large_load if is_large else load,
        **{"checkpoint_bytes": None, "vfs": at.vfs, "clock": ManualClock(), **options},
    )


class Entries(Records):
    """What holds of the entries of a journal, however it is opened."""

    def __init__(
        self, *new: Sequence[bytes], old: Sequence[bytes] = OLD, is_large: bool = False, **more: Any
    ) -> None:
        super().__init__(*new, old=old, **more)
        self.is_large = is_large

    def _look(self, at: Place, acked: Sequence[str], again: bool, sync: str) -> None:
        for read_only in (False, True) if sync == "always" else (False,):
            with opened(at, sync=sync, read_only=read_only, is_large=self.is_large) as journal:
                found = journal.read(list)
                assert [*self.old] == found[: len(self.old)], f"lost: there are {len(found)}"
                assert len(found) == journal.sequence, f"torn: {journal.sequence}: {len(found)}"
                if not read_only:  # what nobody knows to be durable is made so before it is shown
                    self._appended(found[len(self.old) :], acked, again)
                    self._appended(found[len(self.old) :], acked, again)
        if JOURNAL in at.tree():
            report = opened(at).check()
            assert report.ok, f"unreadable: {report}"


# What is done.


def commit(at: Place, first: int = 0, **options: Any) -> None:
    with opened(at, **options) as journal:
        for count, data in enumerate(NEW[first:], first + 1):
            journal.commit(lambda state, data=data: data)
            said(at, count)


def commit_nothing(at: Place) -> None:
    """What a killed writer has not synced, and this one decides upon, is durable then."""
    before = killed_commit(at)
    seen: list[int] = []
    with opened(at) as journal:
        journal.commit(lambda state: seen.append(len(state)))  # type: ignore[func-returns-value]
        if seen[0] > before:
            said(at, 1)


def killed_commit(at: Place) -> int:
    """Commit, and be killed before the sync; how many entries there were before."""
    with opened(at) as journal:
        before = len(journal.state)
    mortal = Faulty(at.vfs, Fault("sync_data", 1, effect="stop"))
    with suppress(Stopped), opened(at, vfs=mortal) as journal:
        journal.commit(lambda state: NEW[0])
    return before


def in_flight(at: Place) -> None:
    """Two journals: what the first has written is synced by the second."""
    with opened(at, sync="never") as first, opened(at) as second:
        first.commit(lambda state: NEW[0])
        second.commit(lambda state: NEW[1])
        said(at, 2)
        first.commit(lambda state: NEW[2])
        first.barrier()


def behind_a_barrier(at: Place) -> None:
    with opened(at, sync="never") as journal:
        for data in NEW:
            journal.commit(lambda state, data=data: data)
        journal.barrier()
        said(at, len(NEW))


def shown(at: Place) -> None:
    """A commit that its killed writer has not synced is synced before it is shown."""
    before = killed_commit(at)
    with opened(at) as journal:
        if len(journal.state) > before:
            said(at, 1)


def checkpoint(at: Place, times: int = 1, **options: Any) -> None:
    """A commit, a checkpoint, and so on, and a commit."""
    with opened(at, **options) as journal:
        for count, data in enumerate(NEW, 1):
            journal.commit(lambda state, data=data: data)
            said(at, count)
            if count <= times:
                journal.checkpoint()


def checkpoint_alone(at: Place, **options: Any) -> None:
    with opened(at, **options) as journal:
        journal.checkpoint()


def checkpoint_of_unsynced(at: Place) -> None:
    """What a checkpoint holds is durable, whatever its writers asked for."""
    with opened(at, sync="never") as journal:
        for data in NEW:
            journal.commit(lambda state, data=data: data)
        journal.checkpoint()
        said(at, len(NEW))


def after_a_killed_checkpoint(at: Place, data: bytes, first: str = "commit") -> None:
    """A writer was killed when a slot had (some of) its contents, and no sync; the next goes on."""
    with (
        closing(at.vfs.folder(at.path(JOURNAL))) as folder,
        closing(folder.open("checkpoint-a", "create")) as file,
    ):
        file.write(data)
    if first == "checkpoint":
        checkpoint_alone(at)
    checkpoint(at, times=first == "commit")


def after_an_unsynced_name(at: Place) -> None:
    """A writer was killed when a checkpoint had its name, and the folder was not synced."""
    mortal = Faulty(at.vfs, Fault("sync_folder", 1, effect="stop"))
    with suppress(Stopped), opened(at, vfs=mortal, keep=1) as journal:
        journal.checkpoint()
    checkpoint_alone(at)
    commit(at)


def after_a_failed_checkpoint(at: Place) -> None:
    """Its sync fails; the log goes on, and so does the next checkpoint."""
    fault = Fault("sync_data", 1, on="checkpoint*", effect="EIO")
    with opened(at, vfs=Faulty(at.vfs, fault)) as journal:
        try:
            journal.checkpoint()
        except OSError:
            if not fault.fired:
                raise
        journal.commit(lambda state: NEW[0])
        said(at, 1)
    with opened(at) as journal:
        journal.checkpoint()
        journal.commit(lambda state: NEW[1])
        said(at, 2)
        journal.commit(lambda state: NEW[2])


def after_a_killed_commit(at: Place) -> None:
    """A writer is killed between its write and its sync; a checkpoint holds what it wrote."""
    mortal = Faulty(at.vfs, Fault("sync_data", 1, effect="stop"))
    with suppress(Stopped), opened(at, vfs=mortal) as journal:
        journal.commit(lambda state: NEW[0])
    with opened(at) as journal:
        journal.checkpoint()
        for count, data in enumerate(NEW[1:], 2):
            journal.commit(lambda state, data=data: data)
            said(at, count)


def after_a_failed_sync(at: Place) -> None:
    """The sync of the first commit fails; the journal is opened anew, and keeps what there is."""
    fault = Fault("sync_data", 1, effect="EIO")
    try:
        with opened(at, vfs=Faulty(at.vfs, fault)) as journal:
            journal.commit(lambda state: NEW[0])
    except (OSError, HandlePoisoned):
        if not fault.fired:
            raise
    with opened(at) as journal:
        journal.commit(lambda state: NEW[2])
        said(at, 2)


def repair(at: Place) -> None:
    """Salvage into a new folder; after a crash, where that is incomplete, into another one."""
    with opened(at) as journal:
        for name in MENDED:
            with suppress(FileExistsError):
                if journal.repair(to=at.path(name)).lost:
                    raise OSError("what could not be read is told to be lost")
                break


class Salvaged(Entries):
    """The journal is as it was; what was salvaged is all of it, or is told to be incomplete."""

    def __call__(self, at: Place, acked: Sequence[str], again: bool) -> None:
        """Look at both."""
        super().__call__(at, acked, again)
        found = [self._found(at, name) for name in MENDED]
        done = (RETURNED in acked) or again
        assert found.count([*self.old]) >= done, f"not durable: {found}"
        wrong = [data for data in found if data and data != [*self.old]]
        assert [] == wrong, f"torn: {wrong}"

    def _found(self, at: Place, name: str) -> State | None:
        at_it = at._replace(vfs=Renamed(at.vfs, at.path(JOURNAL), at.path(name)))
        try:
            with opened(at_it) as journal:
                return journal.read(list)
        except HoldfastError:
            return None


async def by_tasks(at: Place) -> None:
    async with opened(at) as journal:
        await journal.acommit(lambda state: NEW[0])
        said(at, 1)
        await journal.acheckpoint()
        await journal.acommit(lambda state: NEW[1])
        await journal.acommit(lambda state: NEW[2])
        await journal.abarrier()


def used(at: Place) -> None:
    """The journal was written to on this boot, so nothing has to be looked for."""
    with opened(at) as journal:
        journal.barrier()


# What was there before.


def slot(sequence: int, *, generation: int, entries: Sequence[bytes] = THREE) -> bytes:
    """A whole checkpoint, with the zeros that make it a slot."""
    return whole(sequence, generation=generation, entries=entries).ljust(SLOT_BYTES, b"\0")


def whole(sequence: int, *, generation: int, entries: Sequence[bytes] = THREE) -> bytes:
    """A whole checkpoint of the first entries."""
    body = b"".join(dump([*entries[:sequence]]))
    head = CheckpointHead(
        IDENTITY.id, generation, sequence, sequence, len(body), crc32(body), 1
    )  # fmt: skip
    return encode_head(head) + body


def torn(data: bytes) -> bytes:
    """The same, as a crash in the middle of writing over an older one may leave it."""
    return data[:512] + bytes(512) + data[1024:]


def files(*segments: Segment, **checkpoints: bytes) -> dict[str, bytes]:
    log = {f"{JOURNAL}/{name}": data for name, data in as_folder(segments).items()}
    slots = {f"{JOURNAL}/{name.replace('_', '-')}": data for name, data in checkpoints.items()}
    return {f"{JOURNAL}/journal": encode_identity(IDENTITY), **log, **slots, **OTHER}


def three_segments() -> tuple[Segment, ...]:
    first = Segment().append(ONE)
    second = Segment(2, after=first).append(TWO)
    return first, second, Segment(3, after=second).append(THIRD)


def with_a_torn_tail() -> Segment:
    segment = a_log(*OLD)
    end = len(segment.data)
    segment.append(b"t" * 700, synced=end)
    del segment.data[end + 300 :]
    return segment.fill(400)


USUAL = files(a_log(*OLD))
WITH_A = files(a_log(*OLD), checkpoint_a=slot(1, generation=1))
WITH_BOTH = files(
    a_log(*OLD), checkpoint_a=slot(1, generation=1), checkpoint_b=slot(2, generation=2)
)
SHORT_LOG = files(*three_segments()[2:], checkpoint_a=slot(2, generation=1))
HALF = whole(3, generation=3)[:600]
SHORT_BOTH = files(
    *three_segments()[1:],
    checkpoint_a=slot(1, generation=1),
    checkpoint_b=slot(1, generation=2),
)
HALF_A_SLOT = files(
    *three_segments(),
    checkpoint_a=torn(slot(1, generation=3)),
    checkpoint_b=slot(2, generation=2),
)
ONE_KEPT = files(
    *three_segments(),
    **{f"{checkpoint_name(1)}": whole(1, generation=1)},
    **{f"{checkpoint_name(2)}": whole(2, generation=2)},
)
COLD: dict[str, Any] = {"prepare": None}
LARGE: dict[str, Any] = {"states": FEW}


def journaled(
    name: str, run: Callable[[Place], object], entries: Entries | None = None, **more: Any
) -> Iterator[Operation]:
    """An operation on a journal, with the usual one before it."""
    before = more.pop("before", USUAL)
    loosely = {name: Anything() for name in before if name != "other"}
    usual: dict[str, Any] = {
        "before": before,
        "loosely": loosely,
        "beside": (JOURNAL, f"{JOURNAL}/*"),
        "prepare": used,
    }
    yield Operation(
        name,
        partial(_appending, run=run),
        {},
        **{**usual, **more},
        holds=entries or Entries(*EACH),
        garbage=False,
    )


def _appending(at: Place, *, run: Callable[[Place], object]) -> None:
    """The ways in which a log writes are proven with the log; here it appends."""
    run(at._replace(vfs=Filling(at.vfs, zeros=False)))


class Renamed(Interposed):
    """A filesystem on which one folder is found under the name of another."""

    def __init__(self, inner: Any, name: str, other: str) -> None:
        super().__init__(inner)
        self._names = name, other

    def folder(self, path: str, *, readable: bool = False) -> Any:
        """Open a folder."""
        return super().folder(self._other(path), readable=readable)

    def stat(self, path: str) -> Any:
        """Describe what a path leads to."""
        return super().stat(self._other(path))

    def resolve(self, path: str) -> str:
        """Follow symlinks."""
        return super().resolve(self._other(path))

    def _other(self, path: str) -> str:
        name, other = self._names
        return other + path.removeprefix(name) if path.startswith(name) else path


OPERATIONS: tuple[Operation, ...] = (
    *journaled("Journal.commit, new journal", commit, Entries(*EACH, old=()), before=OTHER, **COLD),
    *journaled("Journal.commit", commit),
    *journaled("Journal.commit, two in flight", in_flight),
    *journaled("Journal.commit of nothing", commit_nothing, Entries(EACH[0], promised=0)),
    *journaled("Journal.barrier", behind_a_barrier),
    *journaled(
        'Journal.commit, sync="never"',
        partial(commit, sync="never"),
        Entries(*EACH, read=["never"]),
        model="prefix",
    ),
    *journaled(
        "Journal.commit, after a torn tail", commit, before=files(with_a_torn_tail()), **COLD
    ),
    *journaled(
        "Journal.commit, after a checkpoint",
        commit,
        Entries(*EACH, old=THREE),
        before=SHORT_LOG,
        **COLD,
    ),
    *journaled(
        "Journal.commit, after half a checkpoint",
        commit,
        Entries(*EACH, old=THREE),
        before=HALF_A_SLOT,
        **COLD,
    ),
    *journaled("Journal.state, of who was killed", shown, Entries(EACH[0], promised=0)),
    *journaled("Journal.checkpoint, the first", checkpoint, **LARGE),
    *journaled("Journal.checkpoint, the other slot", checkpoint, before=WITH_A, **LARGE),
    *journaled("Journal.checkpoint, over the older", checkpoint, before=WITH_BOTH),
    *journaled("Journal.checkpoint, in turn", partial(checkpoint, times=2), before=WITH_BOTH),
    *journaled("Journal.checkpoint, unsynced", checkpoint_of_unsynced, before=WITH_BOTH),
    *journaled(
        "Journal.checkpoint, dropping segments",
        checkpoint,
        Entries(*EACH, old=THREE),
        before=files(
            *three_segments(),
            checkpoint_a=slot(1, generation=1),
            checkpoint_b=slot(1, generation=2),
        ),
    ),
    *journaled(
        "Journal.checkpoint, keep=1",
        partial(checkpoint, times=2, keep=1),
        Entries(*EACH, old=THREE),
        before=ONE_KEPT,
    ),
    *journaled(
        "Journal.checkpoint, large",
        partial(checkpoint, is_large=True),
        Entries(*EACH, old=THREE, is_large=True),
        before=files(*three_segments()),
        **LARGE,
    ),
    *journaled(
        "Journal after half a slot",
        partial(after_a_killed_checkpoint, data=HALF),
        Entries(*EACH, old=THREE),
        before=SHORT_BOTH,
    ),
    *journaled(
        "Journal after an unsynced slot",
        partial(after_a_killed_checkpoint, data=whole(3, generation=3)),
        Entries(*EACH, old=THREE),
        before=SHORT_BOTH,
    ),
    *journaled(
        "Journal after an unsynced slot, nothing new",
        partial(after_a_killed_checkpoint, data=whole(3, generation=3), first="checkpoint"),
        Entries(*EACH, old=THREE),
        before=SHORT_BOTH,
    ),
    *journaled(
        "Journal after an unsynced name",
        after_an_unsynced_name,
        Entries(*EACH, old=THREE),
        before=files(*three_segments()),
    ),
    *journaled("Journal after a failed checkpoint", after_a_failed_checkpoint, before=WITH_BOTH),
    *journaled(
        "Journal after an unsynced commit",
        after_a_killed_commit,
        Entries(*EACH, unsure=0),
        before=WITH_BOTH,
    ),
    *journaled(
        "Journal after a failed sync", after_a_failed_sync, Entries(EACH[0], EACH[2], unsure=0)
    ),
    *journaled(
        "Journal.repair",
        repair,
        Salvaged(old=THREE),
        before=SHORT_LOG,
        beside=(JOURNAL, f"{JOURNAL}/*", "mended*"),
        **LARGE,
    ),
    *journaled("Journal.acommit", in_a_loop(by_tasks), before=WITH_BOTH),
)
