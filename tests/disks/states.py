"""Stores and journals as workloads with promises for real disks."""

from __future__ import annotations

import os
from collections.abc import Sequence

from holdfast.crash.disks.controls import contents
from holdfast.state.journal import Journal
from holdfast.state.store import Store
from holdfast.vfs import SYSTEM, VFS
from tests.crash.places import Rebooted

ROUNDS = 3


def store_in(folder: str, *, keep: int = 0, vfs: VFS = SYSTEM) -> Store[object]:
    """Open the store."""
    return Store(os.path.join(folder, "state.store"), keep=keep, vfs=vfs)


def put_and_transact(folder: str, version: int) -> None:
    """Each time a handle of its own; a value of three blocks, and a transaction of two keys."""
    with store_in(folder) as store:
        store["state"] = contents(version).decode()
        with store.transaction() as tx:
            tx["a"] = tx["b"] = version
            tx[f"item/{version}"] = version


def with_checkpoints(folder: str, version: int, *, keep: int = 0) -> None:
    """The same, and a checkpoint: into a slot, or, where old ones are kept, into a file."""
    put_and_transact(folder, version)
    with store_in(folder, keep=keep) as store:
        store.checkpoint()


def large_checkpoints(folder: str, version: int) -> None:
    """The same, of more than a slot has room for."""
    with store_in(folder) as store:
        store["filler"] = "x" * (1_200_000 + version)
    with_checkpoints(folder, version)


def check_store(folder: str, acked: Sequence[str]) -> None:
    """What was acknowledged is there, a transaction is whole, and the store goes on."""
    with store_in(folder, vfs=Rebooted(SYSTEM)) as store:
        last = store.get("a", 0)
        if last != store.get("b", 0) or list(store.keys("item/")) != [
            f"item/{version}" for version in range(1, int(str(last)) + 1)
        ]:
            raise ValueError(f"torn: {last}, {store.get('b')}, {list(store.keys('item/'))}")
        if int(str(last)) < len(acked):
            raise ValueError(f"lost: version {last}, and {len(acked)} were acknowledged")
        known = [contents(version).decode() for version in range(1, ROUNDS + 1)]
        state = store.get("state")
        if state is not None and state not in known[max(int(str(last)) - 1, 0) :]:
            raise ValueError(f"lost or torn: the value is none of versions {last} and later")
        store["afterwards"] = True
        if not store.check().ok:
            raise ValueError(f"damaged: {store.check()}")
    with store_in(folder, vfs=Rebooted(SYSTEM)) as store:
        if store.get("a", 0) != last or store["afterwards"] is not True:
            raise ValueError("what was written after the crash is not there")


def journal_in(folder: str, *, vfs: VFS = SYSTEM) -> Journal[list[bytes]]:
    """Open the journal: a list of the entries."""
    return Journal(
        os.path.join(folder, "state.jrn"),
        initial=list,
        apply=list.append,
        dump=b"\n".join,
        load=lambda data: data.split(b"\n") if data else [],
        vfs=vfs,
    )


def commit_to_journal(folder: str, version: int) -> None:
    """Two commits, the first of which waits for no sync, and a checkpoint after the second."""
    with journal_in(folder) as journal:
        journal.commit(lambda state: b"relaxed %d" % len(state), sync=False)
        journal.commit(lambda state: b"strict %d" % len(state))
        if version == ROUNDS - 1:
            journal.checkpoint()


def check_journal(folder: str, acked: Sequence[str]) -> None:
    """The state is a beginning of what was committed, and holds what was acknowledged."""
    names = (b"relaxed %d", b"strict %d")
    known = [names[number % 2] % number for number in range(2 * ROUNDS)]
    with journal_in(folder, vfs=Rebooted(SYSTEM)) as journal:
        state = list(journal.state)
        if state != known[: len(state)] or len(state) < 2 * len(acked):
            raise ValueError(f"lost: {state}, and {len(acked)} rounds were acknowledged")
        if journal.commit(lambda _: b"afterwards") != len(state) + 1:
            raise ValueError("the commit after the crash has a wrong number")
        if journal.state != [*state, b"afterwards"] or not journal.check().ok:
            raise ValueError(f"damaged: {journal.state}, {journal.check()}")
