"""The registry: stores. What holds of their contents, by what was acknowledged.

    unreadable    reading raises, or the check finds damage: nothing was damaged
    torn          the contents are what no run of the operation leaves, after no commit of it
    not durable   it was acknowledged, and the contents are those of a commit before

It is looked at by opening the store in each way, also to be read alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
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
from holdfast.formats.store_format import encode_changes, framed
from holdfast.state.store import Store
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.interpose import Call, Interposed
from tests.crash.journals import COLD, OTHER, Renamed
from tests.crash.line_logs import Anything
from tests.crash.logs import MENDED, Filling, said
from tests.crash.places import Place
from tests.crash.promises import FEW, RECOVERING, RETURNED, Operation
from tests.crash.whole_files import in_a_loop
from tests.support.log_bytes import Segment, as_folder

STORE = "state.store"
IDENTITY = Identity(0x1D, "store", "json", 1)
Contents = Mapping[str, Any]
Change = Callable[[dict[str, Any]], object]

OLD: Contents = {"a": 1, "b": {"name": "old"}, "user/1": "x" * 30}
LARGE = "l" * 700


class Kept:
    """What the contents of a store may be.

    Args:
        changes: what each commit of the operation does to a dict, in order.
        old: what it held before, durably.
        read: as which `sync=`.
        unsure: the change that its writer, who was killed or failed, perhaps has not made.
            Only its number promises it.
    """

    def __init__(
        self,
        *changes: Change,
        old: Contents = OLD,
        read: Sequence[str] = ("always", "never"),
        unsure: int | None = None,
    ) -> None:
        self.changes, self.old, self.read, self.unsure = changes, old, read, unsure

    def __call__(self, at: Place, acked: Sequence[str], again: bool) -> None:
        """Look at the contents of a state.

        Raises:
            AssertionError: something does not hold.
        """
        allowed = self.allowed(acked, again)
        weaker = self.allowed([RECOVERING] * (RECOVERING in acked), False)
        for sync in self.read:
            try:
                found = [*self._found(at, sync)]
            except HoldfastError as error:
                raise AssertionError(f"unreadable: {type(error).__name__}: {error}") from error
            for contents in found:
                if contents not in allowed:
                    assert contents in weaker, f"torn: {contents}"
                    raise AssertionError(f"not durable: {contents}")

    def _found(self, at: Place, sync: Any) -> Iterator[dict[str, Any]]:
        with opened(at, sync=sync) as store:
            yield dict(store.items())
            yield dict(store.snapshot())
        if sync == "always" and STORE in at.tree():
            with opened(at, read_only=True) as store:
                yield dict(store.items())
            report = opened(at).check()
            assert report.ok, f"unreadable: {report}"

    def allowed(self, acked: Sequence[str], again: bool) -> list[dict[str, Any]]:
        """All contents that the runs so far may have left."""
        at = acked.index(RECOVERING) if RECOVERING in acked else len(acked)
        states = self._run([dict(self.old)], acked[:at])
        if RECOVERING in acked:
            states = self._run(states, acked[at:])
        return self._run(states, [RETURNED]) if again else states

    def _run(self, states: list[dict[str, Any]], marks: Sequence[str]) -> list[dict[str, Any]]:
        """Carry out at least what was acknowledged, and perhaps more."""
        told = max((int(mark) for mark in marks if mark.isdigit()), default=0)
        done = len(self.changes) if RETURNED in marks else told
        found: list[dict[str, Any]] = []
        for number in range(len(self.changes) + 1):
            if number >= done:
                found += [state for state in states if state not in found]
            if number < len(self.changes):
                is_unsure = number == self.unsure and told <= number
                made = [self._made(number, state) for state in states]
                states = made + (states if is_unsure else [])
        return found

    def _made(self, number: int, state: dict[str, Any]) -> dict[str, Any]:
        changed = dict(state)
        self.changes[number](changed)
        return changed


def opened(at: Place, **options: Any) -> Store[Any]:
    """Open the store; each time at the same time, so that the same is written each time."""
    usual = {"checkpoint_bytes": None, "vfs": at.vfs, "clock": ManualClock()}
    return Store(at.path(STORE), **{**usual, **options})


def puts(**values: Any) -> Change:
    return lambda state: state.update(values)


def removes(key: str) -> Change:
    return lambda state: state.pop(key, None)


def counts_up(state: dict[str, Any]) -> None:
    state["n"] = state.get("n", 0) + 1


# What is done.


def put(at: Place, **options: Any) -> None:
    with opened(at, **options) as store:
        store["a"] = 2
        said(at, 1)
        store["c"] = LARGE
        said(at, 2)
        store["d"] = None


PUT = Kept(puts(a=2), puts(c=LARGE), puts(d=None))


def delete(at: Place) -> None:
    """Of the keys that are there: when it is done again, they may be gone."""
    with opened(at) as store:
        with suppress(KeyError):
            del store["a"]
        said(at, 1)
        store.pop("b", None)


def update(at: Place) -> None:
    with opened(at) as store:
        store.update("n", lambda old: old + 1, default=0)
        said(at, 1)
        store.update("n", lambda old: old + 1)


def set_default(at: Place) -> None:
    with opened(at) as store:
        store.setdefault("a", 9)
        store.setdefault("e", [1])


def put_many(at: Place) -> None:
    with opened(at) as store:
        store.update({"a": 2, "e": LARGE}, f=3)


def pop_first(at: Place) -> None:
    with opened(at) as store, suppress(KeyError):
        store.popitem()


def remove_first(state: dict[str, Any]) -> None:
    if state:
        del state[min(state)]


def clear(at: Place) -> None:
    with opened(at) as store:
        store.clear()


def transaction(at: Place) -> None:
    with opened(at) as store:
        with store.transaction() as tx:
            tx["n"] = tx.get("n", 0) + 1
            tx["e"] = LARGE
            tx.pop("b", None)
        said(at, 1)
        with suppress(ZeroDivisionError), store.transaction() as tx:
            tx["never"] = tx["n"]
            tx["never"] //= 0


def blind_transaction(at: Place) -> None:
    with opened(at) as store, store.transaction() as tx:
        tx["a"] = 2
        tx["e"] = LARGE
        tx["f"] = 3


def in_transaction(state: dict[str, Any]) -> None:
    counts_up(state)
    state["e"] = LARGE
    state.pop("b", None)


def read_alone(at: Place) -> None:
    """A transaction that only reads makes durable what it has seen, also when it raises."""
    mortal = Faulty(at.vfs, Fault("sync_data", 1, effect="stop"))
    with suppress(Stopped), opened(at, vfs=mortal) as store:
        store["a"] = 2
    seen = None
    with opened(at) as store:
        with suppress(ZeroDivisionError), store.transaction() as tx:
            seen = tx["a"]
            tx["a"] = 1 / 0
        if seen == 2:
            said(at, 1)


def in_flight(at: Place) -> None:
    """What another has put unsynced is synced with the next put."""
    with opened(at, sync="never") as first, opened(at) as second:
        first["a"] = 2
        second["c"] = LARGE
        said(at, 2)
        first["d"] = None
        first.barrier()


def behind_a_barrier(at: Place) -> None:
    with opened(at, sync="never") as store:
        store["a"] = 2
        store["c"] = LARGE
        store["d"] = None
        store.barrier()
        said(at, 3)


def checkpoint(at: Place, **options: Any) -> None:
    with opened(at, **options) as store:
        store["a"] = 2
        said(at, 1)
        store.checkpoint()
        store["c"] = LARGE
        said(at, 2)
        store["d"] = None


class Meanwhile(Interposed):
    """A filesystem on which somebody else does something before the first write to a checkpoint."""

    def __init__(self, inner: Any, act: Callable[[], object]) -> None:
        super().__init__(inner)
        self._act: Callable[[], object] | None = act

    def around(self, call: Call, do: Callable[[], Any]) -> Any:
        """Let it happen, once."""
        act = self._act
        if call.operation == "write" and "checkpoint" in call.name and act is not None:
            self._act = None
            act()
        return do()


def put_during_a_checkpoint(at: Place) -> None:
    with opened(at) as other:
        failed: list[OSError] = []

        def act() -> None:
            try:
                other["c"] = LARGE
            except OSError as error:  # not of the checkpoint
                failed.append(error)
            else:
                said(at, 2)

        with opened(at, vfs=Meanwhile(at.vfs, act)) as store:
            store["a"] = 2
            said(at, 1)
            store.checkpoint()
            if "c" not in store or failed:
                raise OSError("the other put failed")
            store["d"] = None


def after_a_killed_put(at: Place) -> None:
    """A writer is killed between its write and its sync; who reads the value has it durable."""
    mortal = Faulty(at.vfs, Fault("sync_data", 1, effect="stop"))
    with suppress(Stopped), opened(at, vfs=mortal) as store:
        store["a"] = 2
    with opened(at) as store:
        if store["a"] == 2:
            said(at, 1)
        store["c"] = LARGE


def after_a_failed_sync(at: Place) -> None:
    """The sync of the first put fails; the store is opened anew, and keeps what there is."""
    fault = Fault("sync_data", 1, effect="EIO")
    try:
        with opened(at, vfs=Faulty(at.vfs, fault)) as store:
            store["a"] = 2
    except (OSError, HandlePoisoned):
        if not fault.fired:
            raise
    with opened(at) as store:
        store["c"] = LARGE


def import_lines(at: Place) -> None:
    lines = [b'{"key": "a", "value": 2}', b'{"key": "c", "value": "%s"}' % LARGE.encode()]
    with opened(at) as store:
        store.import_lines(lines, batch=1)
        said(at, 2)
        store.import_lines([*store.export_lines()], replace=True)


def repair(at: Place) -> None:
    """Salvage into a new folder; after a crash, where that is incomplete, into another one."""
    with opened(at) as store:
        for name in MENDED:
            with suppress(FileExistsError):
                if store.repair(to=at.path(name)).lost:
                    raise OSError("what could not be read is told to be lost")
                break


class Salvaged(Kept):
    """The store is as it was; what was salvaged is all of it, or is told to be incomplete."""

    def __call__(self, at: Place, acked: Sequence[str], again: bool) -> None:
        """Look at both."""
        super().__call__(at, acked, again)
        found = [self._salvaged(at, name) for name in MENDED]
        done = (RETURNED in acked) or again
        assert found.count(dict(self.old)) >= done, f"not durable: {found}"
        wrong = [contents for contents in found if contents and contents != self.old]
        assert [] == wrong, f"torn: {wrong}"

    def _salvaged(self, at: Place, name: str) -> dict[str, Any] | None:
        at_it = at._replace(vfs=Renamed(at.vfs, at.path(STORE), at.path(name)))
        try:
            with opened(at_it) as store:
                return dict(store)
        except HoldfastError:
            return None


async def by_tasks(at: Place) -> None:
    async with opened(at) as store:
        await store.aput("a", 2)
        said(at, 1)
        await store.aupdate("n", lambda old: old + 1, default=0)
        said(at, 2)
        async with store.atransaction() as tx:
            tx["e"] = tx["n"]
            tx["f"] = LARGE
        said(at, 3)
        await store.acheckpoint()
        with suppress(KeyError):
            await store.adelete("b")


def e_from_n(state: dict[str, Any]) -> None:
    state |= {"e": state["n"], "f": LARGE}


def used(at: Place) -> None:
    """The store was written to on this boot, so nothing has to be looked for."""
    with opened(at) as store:
        store.barrier()


# What was there before.


def encoded(value: Any) -> bytes:
    import json

    return json.dumps(value, separators=(",", ":")).encode()


def entry(**values: Any) -> bytes:
    return encode_changes([(key, encoded(value)) for key, value in values.items()])


FIRST, SECOND = (
    entry(a=0, z=1),
    encode_changes([("a", b"1"), ("b", encoded(OLD["b"])), ("z", None)]),
)
THIRD = encode_changes([("user/1", encoded(OLD["user/1"]))])


def whole(sequence: int, *, generation: int, **values: Any) -> bytes:
    """A whole checkpoint of these contents."""
    body = framed(entry(**values))
    head = CheckpointHead(IDENTITY.id, generation, sequence, sequence, len(body), crc32(body), 1)
    return encode_head(head) + body


def files(*segments: Segment, **checkpoints: bytes) -> dict[str, bytes]:
    log = {f"{STORE}/{name}": data for name, data in as_folder(segments).items()}
    kept = {f"{STORE}/{name.replace('_', '-')}": data for name, data in checkpoints.items()}
    return {f"{STORE}/journal": encode_identity(IDENTITY), **log, **kept, **OTHER}


def segments() -> tuple[Segment, ...]:
    first = Segment().append(FIRST)
    second = Segment(2, after=first).append(SECOND)
    return first, second, Segment(3, after=second).append(THIRD)


def slot(data: bytes) -> bytes:
    return data.ljust(SLOT_BYTES, b"\0")


AFTER_TWO = {"a": 1, "b": OLD["b"]}
USUAL = files(Segment().append(FIRST).append(SECOND, THIRD))
WITH_BOTH = files(
    *segments(),
    checkpoint_a=slot(whole(1, generation=1, a=0, z=1)),
    checkpoint_b=slot(whole(2, generation=2, **AFTER_TWO)),
)
SHORT_LOG = files(*segments()[2:], checkpoint_a=slot(whole(2, generation=1, **AFTER_TWO)))
HALF_A_SLOT = files(
    *segments(),
    checkpoint_a=slot(whole(1, generation=3, a=0, z=1)[:-7]),
    checkpoint_b=slot(whole(2, generation=2, **AFTER_TWO)),
)
KEPT = files(*segments(), **{checkpoint_name(1): whole(1, generation=1, a=0, z=1)})


def stored(
    name: str, run: Callable[[Place], object], kept: Kept = PUT, **more: Any
) -> Iterator[Operation]:
    """An operation on a store, with the usual one before it."""
    before = more.pop("before", USUAL)
    usual: dict[str, Any] = {
        "before": before,
        "loosely": {name: Anything() for name in before if name != "other"},
        "beside": (STORE, f"{STORE}/*"),
        "prepare": used,
    }
    appending = partial(_appending, run=run)
    yield Operation(name, appending, {}, **{**usual, **more}, holds=kept, garbage=False)


def _appending(at: Place, *, run: Callable[[Place], object]) -> None:
    """The ways in which a log writes are proven with the log; here it appends."""
    run(at._replace(vfs=Filling(at.vfs, zeros=False)))


NEW_ONE = Kept(puts(a=2), puts(c=LARGE), puts(d=None), old={})
UNSURE = Kept(puts(a=2), puts(c=LARGE), unsure=0)

OPERATIONS: tuple[Operation, ...] = (
    *stored("Store put, new store", put, NEW_ONE, before=OTHER, **COLD),
    *stored("Store put", put),
    *stored("Store put, two in flight", in_flight),
    *stored('Store put, sync="never"', partial(put, sync="never"),
            Kept(*PUT.changes, read=["never"]), model="prefix"),
    *stored("Store put, after a checkpoint", put, before=SHORT_LOG, **COLD),
    *stored("Store put, after half a checkpoint", put, before=HALF_A_SLOT, **COLD),
    *stored("Store delete", delete, Kept(removes("a"), removes("b"))),
    *stored("Store.update", update, Kept(counts_up, counts_up)),
    *stored("Store.update of many", put_many, Kept(puts(a=2, e=LARGE, f=3))),
    *stored("Store.setdefault", set_default, Kept(puts(e=[1]))),
    *stored("Store.popitem", pop_first, Kept(remove_first)),
    *stored("Store.clear", clear, Kept(dict.clear)),
    *stored("Store.transaction", transaction, Kept(in_transaction)),
    *stored("Store.transaction, blind", blind_transaction, Kept(puts(a=2, e=LARGE, f=3))),
    *stored("Store.transaction, reading alone", read_alone, Kept(puts(a=2), unsure=0)),
    *stored("Store.barrier", behind_a_barrier),
    *stored("Store.checkpoint", checkpoint, before=WITH_BOTH),
    *stored("Store.checkpoint, the first of two slots", checkpoint, before=SHORT_LOG, states=FEW),
    *stored("Store.checkpoint, keep=1", partial(checkpoint, keep=1), before=KEPT),
    *stored("Store.checkpoint, with a put meanwhile", put_during_a_checkpoint, before=WITH_BOTH),
    *stored("Store after an unsynced put", after_a_killed_put, UNSURE),
    *stored("Store after a failed sync", after_a_failed_sync, UNSURE),
    *stored("Store.import_lines", import_lines, Kept(puts(a=2), puts(c=LARGE))),
    *stored("Store.repair", repair, Salvaged(), before=KEPT,
            beside=(STORE, f"{STORE}/*", "mended*"), states=FEW),
    *stored("Store.aput", in_a_loop(by_tasks),
            Kept(puts(a=2), counts_up, e_from_n, removes("b")), before=WITH_BOTH),
)  # fmt: skip
