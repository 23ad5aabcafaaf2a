"""Locks of byte ranges, on every implementation."""

from __future__ import annotations

import errno
import threading

import pytest

from holdfast.vfs import File
from tests.conformance.conftest import Place

PATIENCE_S = 20.0


def both(place: Place) -> tuple[File, File]:
    """Two open file descriptions of one file."""
    return place.folder.open("lock", "create"), place.folder.open("lock", "create")


def close(*files: File) -> None:
    for file in files:
        file.close()


def free(file: File, count: int) -> list[int]:
    """The bytes below `count` that a description may have alone; it holds none afterwards."""
    found = [at for at in range(count) if file.lock_range(at, 1, block=False)]
    for at in found:
        file.unlock_range(at, 1)
    return found


def test_range_excludes_what_it_meets_alone(place: Place) -> None:
    """Others get the bytes before and after a range, and none of its own, shared or not."""
    one, two = both(place)
    assert one.lock_range(2, 3)

    assert [0, 1, 5, 6] == free(two, 7)
    assert not two.lock_range(4, 10, shared=True, block=False)
    close(one, two)


def test_shared_ranges_overlap(place: Place) -> None:
    """Any number may share bytes; nobody then has them alone."""
    one, two = both(place)
    third = place.folder.open("lock", "create")
    assert one.lock_range(0, 4, shared=True)
    assert two.lock_range(2, 4, shared=True, block=False)

    assert [6, 7] == free(third, 8)
    close(one, two, third)


def test_range_is_independent_of_the_whole_file_lock(place: Place) -> None:
    """Who holds the whole-file lock keeps nobody from a range, and the other way round."""
    one, two = both(place)
    assert one.lock()
    assert two.lock_range(0, 1, block=False)
    one.unlock()

    assert one.lock(block=False)
    close(one, two)


def test_range_lies_beyond_the_end(place: Place) -> None:
    """The bytes need not be there, up to the last that a file can have."""
    one, two = both(place)
    assert one.lock_range(2**63 - 2, 1)
    assert not two.lock_range(2**62, 2**62 - 1, block=False)
    assert two.lock_range(0, 2**63 - 2, block=False)
    close(one, two)


@pytest.mark.parametrize("range_", [(-1, 1), (0, 0), (5, -2), (2**63 - 1, 2)], ids=str)
def test_no_range_of_a_file(place: Place, range_: tuple[int, int]) -> None:
    """A range without a byte, or with one that no file has, is EINVAL, for taking and giving."""
    file = place.folder.open("lock", "create")
    for call in (file.lock_range, file.unlock_range):
        with pytest.raises(OSError, match="nvalid") as caught:
            call(*range_)
        assert errno.EINVAL == caught.value.errno
    close(file)


def test_exclusive_range_needs_a_file_opened_to_be_written(place: Place) -> None:
    """Who may only read may share, and is told EBADF when it asks for more."""
    place.write("lock", b"")
    file = place.folder.open("lock", "read")
    with pytest.raises(OSError) as caught:
        file.lock_range(0, 1)
    assert errno.EBADF == caught.value.errno
    assert file.lock_range(0, 1, shared=True)
    close(file)


def test_part_is_given_back(place: Place) -> None:
    """Giving back the middle keeps both ends, and merged ranges are given back by one call."""
    one, two = both(place)
    one.lock_range(0, 3)
    one.lock_range(3, 3)
    one.unlock_range(2, 2)
    assert [2, 3] == free(two, 6)
    one.unlock_range(0, 100)

    assert [0, 1, 2, 3, 4, 5] == free(two, 6)
    close(one, two)


def test_range_given_back_that_is_not_held(place: Place) -> None:
    """Giving back what one has not does nothing, above all not to others."""
    one, two = both(place)
    one.lock_range(0, 1)
    two.unlock_range(0, 1)
    assert not two.lock_range(0, 1, block=False)
    close(one, two)


def test_range_is_taken_twice_by_one_description(place: Place) -> None:
    """Taking what one has is well, and one call gives it back."""
    one, two = both(place)
    assert one.lock_range(0, 2)
    assert one.lock_range(0, 2)
    one.unlock_range(0, 2)
    assert two.lock_range(0, 2, block=False)
    close(one, two)


def test_part_of_a_range_becomes_shared(place: Place) -> None:
    """A holder may step down on some bytes, which others then share at once."""
    one, two = both(place)
    one.lock_range(0, 3)
    assert one.lock_range(1, 1, shared=True)

    assert two.lock_range(1, 1, shared=True, block=False)
    assert not two.lock_range(0, 1, shared=True, block=False)
    assert not two.lock_range(2, 1, shared=True, block=False)
    close(one, two)


def test_failed_upgrade_keeps_the_shared_range(place: Place) -> None:
    """An upgrade that cannot be had at once leaves what there was."""
    one, two = both(place)
    third = place.folder.open("lock", "create")
    one.lock_range(0, 1, shared=True)
    two.lock_range(0, 1, shared=True)
    assert not one.lock_range(0, 1, block=False)
    two.unlock_range(0, 1)

    assert not third.lock_range(0, 1, block=False)
    assert one.lock_range(0, 1, block=False)
    close(one, two, third)


def test_duplicate_shares_the_range(place: Place) -> None:
    """A duplicate holds the same bytes, either may give them back, the last close does."""
    one, two = both(place)
    copy = one.duplicate()
    one.lock_range(0, 2)
    assert copy.lock_range(0, 2, block=False)
    copy.unlock_range(0, 1)
    assert [0] == free(two, 2)
    one.close()
    assert [0] == free(two, 2)
    copy.close()

    assert [0, 1] == free(two, 2)
    close(two)


def test_opening_and_closing_the_file_drops_nothing(place: Place) -> None:
    """Another descriptor of the process that comes and goes leaves the range held."""
    one, two = both(place)
    one.lock_range(0, 1)
    place.read("lock")
    assert not two.lock_range(0, 1, block=False)
    close(one, two)


def test_waiter_gets_the_range_when_it_is_free(place: Place) -> None:
    """A blocking call returns when nobody is in its way any more, and not before."""
    one, two = both(place)
    third = place.folder.open("lock", "create")
    one.lock_range(0, 1)
    third.lock_range(3, 1)
    taken = threading.Event()

    def wait() -> None:
        two.lock_range(0, 4)
        taken.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    assert not taken.wait(0.05)
    one.unlock_range(0, 1)
    assert not taken.wait(0.05)
    third.unlock_range(3, 1)
    assert taken.wait(PATIENCE_S)
    thread.join(PATIENCE_S)

    assert [] == free(one, 4)
    close(one, two, third)


def test_closed_file_has_no_ranges(place: Place) -> None:
    """After the close, both calls are EBADF."""
    file = place.folder.open("lock", "create")
    file.close()
    for call in (file.lock_range, file.unlock_range):
        with pytest.raises(OSError) as caught:
            call(0, 1)
        assert errno.EBADF == caught.value.errno
