"""A log keeps out of folders with other things, and leaves that of a journal to the journal."""

from __future__ import annotations

import pytest

from holdfast.errors import UnknownFormat
from holdfast.formats.journal_format import IDENTITY, INCOMPLETE, SLOTS
from holdfast.primitives.log import Log
from holdfast.state.store import Store
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS


def with_store() -> MemoryVFS:
    """A disk with a store of three commits, not closed."""
    disk = MemoryVFS()
    with Store("/st", vfs=disk) as store:
        for number in range(3):
            store["n"] = number
    return disk


CHANGES = {
    "append": lambda log: log.append(b"a"),
    "append_many": lambda log: log.append_many([b"a"]),
    "drop_before": lambda log: log.drop_before(3),
    "apply_retention": lambda log: log.apply_retention(),
    "barrier": lambda log: log.barrier(),
}
READS = {
    "read": lambda log: list(log.read()),
    "follow": lambda log: list(log.follow(timeout_s=0)),
    "first": lambda log: log.first,
    "last": lambda log: log.last,
    "written": lambda log: log.written,
    "durable": lambda log: log.durable,
    "check": lambda log: log.check(),
    "repair": lambda log: log.repair(to="/new"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_log_of_a_store_is_changed_by_the_store_alone(change) -> None:
    """Any change by hand would cost its data."""
    disk = with_store()
    before = disk.tree()
    with (
        Log("/st/log", keep_s=0.001, vfs=disk) as log,
        pytest.raises(UnknownFormat, match=r"^/st/log: is the log of the journal or store /st"),
    ):
        change(log)
    assert before == disk.tree()


def test_log_of_a_store_can_be_read() -> None:
    """By who wants to see its commits."""
    log = Log("/st/log", vfs=with_store())
    assert ([1, 2, 3], 1, 3) == ([r.sequence for r in log.read()], log.first, log.last)
    assert log.check().ok


@pytest.mark.parametrize("path", ["/st/log/", "/elsewhere"])
def test_log_of_a_store_is_known_by_any_name(path) -> None:
    """By a symlink, or with a slash."""
    disk = with_store()
    disk.write_tree({"/elsewhere": "-> /st/log"})
    with pytest.raises(UnknownFormat, match="is the log of"):
        Log(path, vfs=disk).append(b"a")


@pytest.mark.parametrize(
    "beside",
    [
        {IDENTITY: b"\x89HFJRN\r\n and what is no identity"},
        {SLOTS[1]: b""},
        {IDENTITY: INCOMPLETE},
    ],
    ids=["damaged", "lost", "of a repair"],
)
def test_log_of_a_damaged_store_is_left_alone(beside) -> None:
    """It is to be repaired."""
    disk = MemoryVFS()
    disk.write_tree({f"/st/{name}": data for name, data in beside.items()})
    with pytest.raises(UnknownFormat, match="is the log of"):
        Log("/st/log", vfs=disk).append(b"a")
    assert "st/log" not in disk.tree()


@pytest.mark.parametrize("beside", ["journal", "journal/entry", "other"])
def test_folder_named_log_is_a_log_where_no_journal_is(beside) -> None:
    """Whatever is called a journal beside it."""
    disk = MemoryVFS()
    disk.write_tree({f"/app/{beside}": b"Dear diary"})
    assert 1 == Log("/app/log", vfs=disk).append(b"a")
    assert 1 == Log("/log", vfs=disk).append(b"a")


def test_identity_that_may_not_be_read_is_no_reason_to_refuse() -> None:
    """It may be anything."""
    disk = Faulty(with_store(), Fault("open", 1, effect="EACCES", on=f"*{IDENTITY}"))
    assert 4 == Log("/st/log", vfs=disk).append(b"a")


@pytest.mark.parametrize("act", [*READS.values(), *CHANGES.values()], ids=[*READS, *CHANGES])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/st", r"is no log, but a journal or store\. .* can be read: /st/log\."),
        ("/letters", r"is no log, and holds other things \('dear\.txt'\)"),
    ],
)
def test_folder_of_something_else_is_no_empty_log(act, path, words) -> None:
    """Who reads is told, as who appends; nothing is made."""
    disk = with_store()
    disk.write_tree({"/letters/dear.txt": b"you"})
    before = disk.tree()
    with Log(path, vfs=disk) as log, pytest.raises(UnknownFormat, match=words):
        act(log)
    assert before == disk.tree()


def test_empty_folder_is_an_empty_log() -> None:
    """As one that is missing; what a killed writer has left does not count."""
    disk = MemoryVFS()
    disk.write_tree({f"/log/.x.{'0' * 16}.holdfast-tmp": b""})
    log = Log("/log", vfs=disk)
    assert ([], 1, 0) == (list(log.read()), log.first, log.last)
