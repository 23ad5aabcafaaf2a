"""The folder of a journal: made once, by one, whole and durable; whatever else is there stays."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from holdfast.errors import BadFrame, Closed, Corruption, UnknownFormat
from holdfast.formats.journal_format import (
    IDENTITY,
    SLOTS,
    Identity,
    checkpoint_name,
    decode_identity,
    encode_identity,
)
from holdfast.state.journal_place import NEW_IDENTITY, JournalPlace
from holdfast.vfs import SYSTEM, ManualClock
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.checkpoints import place_of

IDENTITY_BYTES = encode_identity(Identity(7, "store", "json", 5))


def test_nothing_is_made_without_being_asked_for() -> None:
    """A place that is not there is none."""
    disk = MemoryVFS()
    place = place_of(disk)
    assert not place.open(create=False)
    assert not place.is_open
    assert {} == disk.tree()
    assert [] == disk.leftovers()


def test_made_place_is_there_for_all() -> None:
    """The identity says whose it is, and everybody reads the same."""
    disk = MemoryVFS()
    place, other = place_of(disk, "/a/b/state.jrn"), place_of(disk, "/a/b/state.jrn")
    assert place.open(create=True)
    assert other.open(create=False)
    assert ("store", "json", ManualClock().now_ns()) == place.identity[1:]
    assert place.identity == other.identity
    assert 0 < place.identity.id
    assert [IDENTITY] == place.folder.names()
    assert "/a/b/state.jrn/log" == place.log_path
    assert place.is_current()
    for one in (place, other):
        one.close()
    assert [] == disk.leftovers()


def test_made_place_is_durable() -> None:
    """A power cut after the return takes nothing."""
    disk = MemoryVFS()
    place = place_of(disk)
    place.open(create=True)
    after = place_of(disk.crash())
    assert after.open(create=False)
    assert place.identity == after.identity


def test_place_opened_by_another_is_made_durable_too() -> None:
    """Who gave the name may have been killed before the sync."""
    disk = MemoryVFS()
    disk.write_tree({"state.jrn": None})
    folder = disk.folder("/state.jrn")
    file = folder.open(IDENTITY, "new")
    file.write(IDENTITY_BYTES)
    file.sync()
    place = place_of(disk)
    assert place.open(create=True)
    assert place_of(disk.crash()).open(create=False)


def test_contents_are_durable_before_the_name() -> None:
    """Write, sync, rename, sync of the folder."""
    disk = MemoryVFS()
    disk.write_tree({"state.jrn": None})
    traced = Trace(disk)
    place_of(traced).open(create=True)
    steps = [s for s in traced.operations if s in {"write", "sync", "rename", "sync_folder"}]
    assert ["write", "sync", "rename", "sync_folder"] == steps[:4]


def test_every_crash_leaves_nothing_or_a_whole_place() -> None:
    """And the next creation gets over what is left."""
    disk = MemoryVFS()
    place_of(disk, "/a/state.jrn").open(create=True)
    outcomes = set()
    for crashed in disk.crash_states():
        outcomes.add(place_of(crashed, "/a/state.jrn").open(create=False))
        again = place_of(crashed, "/a/state.jrn")
        assert again.open(create=True)
        assert "store" == again.identity.kind
        assert [IDENTITY] == again.folder.names()
    assert {True, False} == outcomes


@pytest.mark.parametrize(
    ("kind", "codec", "words"), [("journal", "json", "is a store"), ("store", "text", "'json'")]
)
def test_place_of_another_kind_is_refused(kind, codec, words) -> None:
    """The error names both, and the files are as they were."""
    disk = MemoryVFS()
    place_of(disk).open(create=True)
    before = disk.tree()
    other = place_of(disk, kind=kind, codec=codec)
    with pytest.raises(UnknownFormat, match=words) as caught:
        other.open(create=True)
    assert {kind, codec} & {caught.value.expected}
    assert before == disk.tree()
    assert not other.is_open


def test_place_of_any_kind_can_be_looked_at() -> None:
    """Who only looks need not know what it is; to make one, it must be said."""
    disk = MemoryVFS()
    place_of(disk).open(create=True)
    place = place_of(disk, kind=None, codec=None)
    assert place.open(create=False)
    assert "store" == place.identity.kind
    with pytest.raises(ValueError, match="kind and its codec"):
        place_of(disk, "/other", kind=None, codec=None).open(create=True)


@pytest.mark.parametrize("name", ["photo.jpg", "lock", "00000000000000000001.segment", ".hidden"])
@pytest.mark.parametrize("create", [True, False])
def test_folder_with_other_things_is_refused(name, create) -> None:
    """It is not turned into a journal."""
    disk = MemoryVFS()
    disk.write_tree({f"state.jrn/{name}": b"of somebody"})
    before = disk.tree()
    with pytest.raises(UnknownFormat, match="holds other things"):
        place_of(disk).open(create=create)
    assert before == disk.tree()
    assert [] == disk.leftovers()


@pytest.mark.parametrize("name", ["log/lock", *SLOTS, checkpoint_name(4)])
@pytest.mark.parametrize("create", [True, False])
def test_missing_identity_is_corruption(name, create) -> None:
    """Beside a log or a checkpoint it is not made anew."""
    disk = MemoryVFS()
    disk.write_tree({f"state.jrn/{name}": b"x"})
    before = disk.tree()
    with pytest.raises(Corruption, match="is missing beside") as caught:
        place_of(disk).open(create=create)
    assert "/state.jrn/journal" == caught.value.path
    assert before == disk.tree()


def test_leftovers_of_a_creation_are_got_over() -> None:
    """A half written identity, and a temporary file of anybody."""
    disk = MemoryVFS()
    disk.write_tree(
        {
            f"state.jrn/{NEW_IDENTITY}": IDENTITY_BYTES[:100] + bytes(900),
            "state.jrn/.x.0123456789abcdef.holdfast-tmp": b"",
        }
    )
    assert not place_of(disk).open(create=False)
    place = place_of(disk)
    assert place.open(create=True)
    written = disk.tree()[f"state.jrn/{IDENTITY}"]
    assert isinstance(written, bytes)
    assert (512, place.identity) == (len(written), decode_identity(written, path="x"))


@pytest.mark.parametrize("data", [b"", IDENTITY_BYTES[:511], b"a diary" * 100])
def test_identity_that_is_none_is_refused(data) -> None:
    """A file of that name is not touched."""
    disk = MemoryVFS()
    disk.write_tree({f"state.jrn/{IDENTITY}": data})
    with pytest.raises(BadFrame):
        place_of(disk).open(create=True)
    assert data == disk.tree()[f"state.jrn/{IDENTITY}"]
    assert [] == disk.leftovers()


@pytest.mark.parametrize("kind", ["fifo", "symlink", "folder"])
def test_something_else_of_that_name_is_refused(kind, tmp_path: Path) -> None:
    """At once; what a symlink points to is not looked at."""
    (tmp_path / "real").write_bytes(IDENTITY_BYTES)
    path = tmp_path / "state.jrn" / IDENTITY
    path.parent.mkdir()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "symlink":
        path.symlink_to(tmp_path / "real")
    else:
        path.mkdir()
    with pytest.raises(UnknownFormat, match="no regular file"):
        place_of(SYSTEM, str(path.parent)).open(create=True)


def test_new_identity_is_never_written_through_a_link(tmp_path: Path) -> None:
    """Neither through a symlink nor into a file that has another name."""
    for number, link in enumerate((os.symlink, os.link)):
        precious = tmp_path / f"precious{number}"
        precious.write_bytes(b"precious")
        folder = tmp_path / f"{number}.jrn"
        folder.mkdir()
        link(precious, folder / NEW_IDENTITY)
        with pytest.raises(OSError, match="identity"):
            place_of(SYSTEM, str(folder)).open(create=True)
        assert b"precious" == precious.read_bytes()


def test_of_many_that_make_it_one_wins(tmp_path: Path) -> None:
    """All have the same identity."""
    for number in range(20):
        path = str(tmp_path / f"{number}.jrn")
        places = [place_of(SYSTEM, path) for _ in range(4)]
        barrier = threading.Barrier(len(places))

        def act(place: JournalPlace, barrier: threading.Barrier = barrier) -> None:
            barrier.wait(10)
            place.open(create=True)

        threads = [threading.Thread(target=act, args=[place]) for place in places]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert 1 == len({place.identity.id for place in places})
        assert [IDENTITY] == os.listdir(path)
        for place in places:
            place.close()


def test_one_at_a_time_checkpoints() -> None:
    """The lock is that of the identity file, and goes with closing."""
    disk = MemoryVFS()
    one, other = place_of(disk), place_of(disk)
    for place in (one, other):
        place.open(create=True)
    assert one.lock_checkpoints(block=False)
    assert not other.lock_checkpoints(block=False)
    one.unlock_checkpoints()
    assert other.lock_checkpoints(block=True)
    other.close()
    assert one.lock_checkpoints(block=False)
    one.close()
    one.unlock_checkpoints()
    assert [] == disk.leftovers()


def test_place_knows_whether_it_is_still_the_one() -> None:
    """A folder that was moved away, or put back from a backup, is another."""
    disk = MemoryVFS()
    place = place_of(disk)
    place.open(create=True)
    top = disk.folder("/")
    top.rename("state.jrn", "moved.jrn")
    assert not place.is_current()
    place_of(disk).open(create=True)
    assert not place.is_current()


def test_closed_place_says_so_and_can_be_opened_again() -> None:
    """It has no folder, no identity and no lock."""
    disk = MemoryVFS()
    place = place_of(disk)
    place.open(create=True)
    number = place.identity.id
    for _ in range(2):
        place.close()
    for use in (
        lambda: place.folder,
        lambda: place.identity,
        place.is_current,
        lambda: place.lock_checkpoints(block=False),
    ):
        with pytest.raises(Closed, match="not open"):
            use()
    assert place.open(create=False)
    assert number == place.identity.id


def test_place_that_may_only_be_read_is_opened_for_reading() -> None:
    """Who may not write can look, and nothing is made."""
    disk = MemoryVFS()
    place_of(disk).open(create=True)
    place = place_of(Faulty(disk, Fault("open", 1, effect="EROFS")))
    assert place.open(create=False)
    assert "json" == place.identity.codec


def test_failed_creation_says_what_is_there() -> None:
    """A full disk leaves an empty folder at most, and a note."""
    disk = MemoryVFS()
    place = place_of(Faulty(disk, Fault("write", 1, effect="ENOSPC")))
    with pytest.raises(OSError, match="No space") as caught:
        place.open(create=True)
    assert "At most an empty folder" in caught.value.__notes__[0]
    assert {"state.jrn": None} == disk.tree()
    assert [] == disk.leftovers()


def test_folder_above_that_may_not_be_read_is_no_hindrance() -> None:
    """It cannot be synced; the name in it was there before."""
    disk = MemoryVFS()
    disk.write_tree({"top/state.jrn": None})
    fault = Fault("sync_folder", 1, on="/top", effect="EACCES")
    assert place_of(Faulty(disk, fault), "/top/state.jrn").open(create=True)
    assert fault.fired
    assert place_of(disk.crash(), "/top/state.jrn").open(create=False)


def test_names_above_a_young_log_are_made_durable() -> None:
    """Whoever made them may have been killed before the sync; with a segment that is past."""
    disk = MemoryVFS()
    disk.folder("/").mkdir("state.jrn")
    traced = Trace(disk)
    assert place_of(traced).open(create=True)
    assert place_of(disk.crash()).open(create=False)
    disk.write_tree({"state.jrn/log/00000000000000000001.segment": b""})
    traced.clear()
    assert place_of(traced).open(create=True)
    assert "sync_folder" not in traced.operations
