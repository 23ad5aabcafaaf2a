"""Byte ranges on Windows, where they are taken and given back whole."""

from __future__ import annotations

import errno

import pytest

from holdfast.vfs.spans import Span
from holdfast.vfs.windows import WindowsVFS
from holdfast.vfs.windows_ranges import FIRST_BYTE, WindowsRanges
from tests.support.windows_kernel import PosixKernel


@pytest.fixture
def kernel():
    return PosixKernel()


@pytest.fixture
def files(kernel, tmp_path):
    folder = WindowsVFS(kernel).folder(str(tmp_path))
    opened = folder.open("a", "create"), folder.open("a", "write")
    yield opened
    for file in opened:
        file.close()
    folder.close()


def free(file, count):
    """The bytes below `count` that a file may have alone; it holds none afterwards."""
    found = [at for at in range(count) if file.lock_range(at, 1, block=False)]
    for at in found:
        file.unlock_range(at, 1)
    return found


def test_ranges_lie_beyond_all_contents(kernel, files) -> None:
    """The locks of Windows forbid reading and writing, so no byte of the file is in one."""
    one, two = files
    one.lock_range(3, 2)

    assert [("lock_range", (FIRST_BYTE + 3, 2), True)] == kernel.calls[-1:]
    assert [0, 1, 2, 5, 6] == free(two, 7)
    assert two.lock()


def test_part_of_a_shared_range_is_given_back(files) -> None:
    """What stays is shared all the time, and is given back by itself later."""
    one, two = files
    one.lock_range(0, 6, shared=True)
    one.unlock_range(2, 2)
    assert [2, 3] == free(two, 6)
    one.unlock_range(0, 6)

    assert [0, 1, 2, 3, 4, 5] == free(two, 6)


def test_part_of_an_exclusive_range_is_not_given_back(files) -> None:
    """There is no call for it: EINVAL, and the range is held as before."""
    one, two = files
    one.lock_range(0, 6)
    with pytest.raises(OSError, match="nvalid") as caught:
        one.unlock_range(2, 2)
    assert errno.EINVAL == caught.value.errno
    assert [] == free(two, 6)


def test_exclusive_range_becomes_shared(files) -> None:
    """It is shared before it is no longer exclusive."""
    one, two = files
    one.lock_range(0, 2)
    assert one.lock_range(0, 2, shared=True)
    assert two.lock_range(0, 2, shared=True, block=False)
    one.unlock_range(0, 2)
    two.unlock_range(0, 2)
    assert [0, 1] == free(one, 2)


def test_failed_upgrade_keeps_the_shared_range(files) -> None:
    """What had to be given back first is taken again."""
    one, two = files
    one.lock_range(0, 2, shared=True)
    two.lock_range(0, 2, shared=True)
    assert not one.lock_range(0, 2, block=False)
    two.unlock_range(0, 2)

    assert [] == free(two, 2)
    assert one.lock_range(0, 2, block=False)


def test_other_kind_of_a_part_is_refused(files) -> None:
    """A range that is held changes its kind as a whole."""
    one, _ = files
    one.lock_range(0, 4)
    with pytest.raises(OSError, match="nvalid") as caught:
        one.lock_range(1, 1, shared=True)
    assert errno.EINVAL == caught.value.errno


def test_overlapping_ranges_take_what_is_missing(kernel, files) -> None:
    """What the file has already is not asked for again, or it would wait for itself."""
    one, two = files
    one.lock_range(2, 2)
    assert one.lock_range(0, 6)
    two.lock_range(7, 1)

    assert not one.lock_range(4, 4, block=False)
    assert [6] == free(two, 7)


def test_waiting_is_asking_again_with_pauses() -> None:
    """No call waits, since that would hold up all other calls of the open file."""
    kernel, pauses = PosixKernel(lock_range=[33, 997, 33]), list[float]()
    ranges = WindowsRanges(kernel, sleep=pauses.append)

    assert ranges.take(0, Span(0, 1, shared=False), block=True)
    assert [0.0005, 0.001, 0.002] == pauses
    ranges.drop(0, Span(0, 1, shared=False))


def test_other_errors_are_raised() -> None:
    """An error that is not "busy" ends the waiting."""
    kernel = PosixKernel(lock_range=[5])
    with pytest.raises(OSError, match="winerror 5"):
        WindowsRanges(kernel).take(0, Span(0, 1, shared=False), block=True)
