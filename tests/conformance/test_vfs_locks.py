"""The whole-file lock, on every implementation."""

from __future__ import annotations

import threading

from holdfast.vfs import File
from tests.conformance.conftest import Place

PATIENCE_S = 20.0


def both(place: Place) -> tuple[File, File]:
    """Two open file descriptions of one file."""
    return place.folder.open("lock", "create"), place.folder.open("lock", "create")


def test_exclusive_excludes_all(place: Place) -> None:
    """While one description has it, another gets neither kind."""
    one, two = both(place)
    assert one.lock()
    assert not two.lock(block=False)
    assert not two.lock(shared=True, block=False)
    one.unlock()
    assert two.lock(block=False)
    one.close()
    two.close()


def test_shared_excludes_exclusive_alone(place: Place) -> None:
    """Any number may share it; nobody then has it alone."""
    one, two = both(place)
    assert one.lock(shared=True)
    assert two.lock(shared=True, block=False)
    two.unlock()
    assert not two.lock(block=False)
    one.close()
    assert two.lock(block=False)
    two.close()


def test_lock_is_taken_twice_by_one_description(place: Place) -> None:
    """Taking what one has is well, and one unlock gives it back."""
    one, two = both(place)
    assert one.lock()
    assert one.lock()
    one.unlock()
    assert two.lock(block=False)
    one.close()
    two.close()


def test_unlock_of_nothing_is_well(place: Place) -> None:
    """Giving back what one has not does nothing, above all not to others."""
    one, two = both(place)
    one.lock()
    two.unlock()
    assert not two.lock(block=False)
    one.close()
    two.close()


def test_read_only_file_can_be_locked(place: Place) -> None:
    """A lock asks for no write access."""
    place.write("lock", b"")
    one, two = place.folder.open("lock", "read"), place.folder.open("lock", "write")
    assert one.lock()
    assert not two.lock(block=False)
    one.close()
    two.close()


def test_exclusive_becomes_shared(place: Place) -> None:
    """A holder may step down, and others may share at once."""
    one, two = both(place)
    assert one.lock()
    assert one.lock(shared=True)
    assert two.lock(shared=True, block=False)
    one.close()
    two.close()


def test_failed_upgrade_loses_the_shared_lock(place: Place) -> None:
    """An upgrade that cannot be had at once has given the shared lock back (flock(2))."""
    one, two = both(place)
    assert one.lock(shared=True)
    assert two.lock(shared=True)
    assert not one.lock(block=False)
    assert two.lock(block=False)
    one.close()
    two.close()


def test_duplicate_shares_the_lock(place: Place) -> None:
    """A duplicate holds the same lock, and either may give it back."""
    one, two = both(place)
    copy = one.duplicate()
    assert one.lock()
    assert copy.lock(block=False)
    assert not two.lock(block=False)
    copy.unlock()
    assert two.lock(block=False)
    for file in (one, two, copy):
        file.close()


def test_close_of_the_last_descriptor_drops_the_lock(place: Place) -> None:
    """The lock lives as long as a descriptor of its description."""
    one, two = both(place)
    copy = one.duplicate()
    one.lock()
    one.close()
    assert not two.lock(block=False)
    copy.close()
    assert two.lock(block=False)
    two.close()


def test_lock_belongs_to_the_file_not_the_name(place: Place) -> None:
    """After a rename the lock is on the new name; a new file under the old one is free."""
    one = place.folder.open("lock", "create")
    one.lock()
    place.folder.rename("lock", "moved")
    moved, new = place.folder.open("moved", "write"), place.folder.open("lock", "create")
    assert not moved.lock(block=False)
    assert new.lock(block=False)
    for file in (one, moved, new):
        file.close()


def test_waiter_gets_the_lock_when_it_is_free(place: Place) -> None:
    """A blocking lock returns after the holder has unlocked, and not before."""
    one, two = both(place)
    one.lock()
    taken = threading.Event()

    def wait() -> None:
        two.lock()
        taken.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    assert not taken.wait(0.05)
    one.unlock()
    assert taken.wait(PATIENCE_S)
    thread.join(PATIENCE_S)
    one.close()
    two.close()


def test_holder_is_named_while_locked(place: Place) -> None:
    """Nobody holds a free lock; somebody holds a taken one, wherever the system tells."""
    one, two = both(place)
    assert place.vfs.holder(two) is None
    one.lock()
    place.vfs.announce(one)
    holder = place.vfs.holder(two)
    assert holder is not None
    assert holder.pid > 0
    assert f"pid {holder.pid} ({holder.program}) on {holder.host}" == str(holder)
    one.close()
    two.close()
