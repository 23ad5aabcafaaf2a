"""The journal that a repair makes; crashes and failures are tested with `repair_journal`."""

from __future__ import annotations

import pytest

from holdfast.errors import BadFrame, CommittedNotDurable
from holdfast.formats.journal_format import INCOMPLETE, Identity, decode_identity
from holdfast.state.journal_copying import NewJournal
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.journal_files import opened, read_all

IDENTITY = Identity(7, "journal", "", 5)


def begun(vfs: MemoryVFS) -> NewJournal:
    """One that holds a checkpoint and an empty log."""
    new = NewJournal("/new", IDENTITY, vfs=vfs)
    fill(new)
    return new


def fill(new: NewJournal) -> None:
    """Put a checkpoint and an empty log into it."""
    new.open(0o755, 0o644)
    new.checkpoint(iter([b"a\n", b"b"]), sequence=2, through=2)
    new.log().begin_at(3, permissions=0o600)


def test_it_is_refused_until_it_is_done() -> None:
    """What has the name of the identity says what it is; then it is one."""
    vfs = MemoryVFS()
    new = begun(vfs)
    assert INCOMPLETE == read_all(vfs, "/new")["new/journal"]
    with pytest.raises(BadFrame), opened(vfs, "/new") as journal:
        _ = journal.state
    new.finish()
    new.end()

    assert IDENTITY == decode_identity(read_all(vfs, "/new")["new/journal"], path="")
    with opened(vfs.crash(), "/new") as journal:
        assert ([b"a", b"b"], 2) == (journal.state, journal.sequence)


def test_end_removes_what_is_not_done() -> None:
    """All of it, and the folder if it was made here."""
    vfs = MemoryVFS()
    begun(vfs).end()
    assert {} == vfs.tree()
    vfs.folder("/").mkdir("new")
    begun(vfs).end()

    assert ["new"] == [*vfs.tree()]


def test_folder_before_open_is_closed() -> None:
    """There is nothing to work in."""
    with pytest.raises(OSError, match="Bad file"):
        _ = NewJournal("/new", IDENTITY, vfs=MemoryVFS()).folder


def test_last_sync_that_fails_is_told() -> None:
    """All is there; a power cut may bring back what says that it is not complete."""
    outcomes, last = [], {}
    for number in range(1, 40):
        vfs = MemoryVFS()
        fault = Fault("sync_folder", number, effect="EIO", on="/new")
        new = NewJournal("/new", IDENTITY, vfs=Faulty(vfs, fault))
        try:
            fill(new)
            new.finish()
            outcomes.append("done")
        except CommittedNotDurable:
            outcomes.append("not durable")
            last = read_all(vfs, "/new")
        except OSError:
            outcomes.append("failed")
        finally:
            new.end()
        if not fault.fired:
            break

    assert ["not durable", "done"] == outcomes[-2:]
    assert {"failed"} == set(outcomes[:-2])
    assert IDENTITY == decode_identity(last["new/journal"], path="")
