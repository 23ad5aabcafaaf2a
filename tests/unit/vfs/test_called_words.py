"""Words that are read and written by calls: the same promises, and errors instead of signals."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.vfs.called_words import CalledWords, called_words
from tests.support.mounts import mounted

pytestmark = pytest.mark.skipif(not hasattr(os, "pread"), reason="this system has no pread")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A file of two words."""
    place = tmp_path / "a"
    place.write_bytes(bytes(16))
    return place


@pytest.fixture
def words(place: Path) -> Iterator[CalledWords]:
    descriptor = os.open(place, os.O_RDWR)
    made = called_words(descriptor, 2)
    os.close(descriptor)
    yield made
    made.release()


def test_words_are_read_and_stored(words: CalledWords, place: Path) -> None:
    """Each is eight bytes of the file, and another user sees them."""
    words[0], words[1] = 2**64 - 1, 1
    descriptor = os.open(place, os.O_RDONLY)
    others = called_words(descriptor, 2)
    os.close(descriptor)

    assert [2**64 - 1, 1] == [others[0], others[1]]

    others.release()


def test_words_of_a_file_that_shrank_are_zero(words: CalledWords, place: Path) -> None:
    """Somebody who cuts the file does no worse than forget the words."""
    words[1] = 5
    os.truncate(place, 8)

    assert (0, 0) == (words[0], words[1])


def test_words_of_a_descriptor_to_be_read_cannot_be_stored(place: Path) -> None:
    """A store is a TypeError, as that into read-only memory is."""
    descriptor = os.open(place, os.O_RDONLY)
    words = called_words(descriptor, 1)
    os.close(descriptor)
    with pytest.raises(TypeError):
        words[0] = 1

    assert bytes(16) == place.read_bytes()

    words.release()


@pytest.mark.parametrize("index", [-1, 2])
def test_index_out_of_range_touches_nothing(words: CalledWords, place: Path, index: int) -> None:
    """Neither before the words nor behind them."""
    with pytest.raises(IndexError):
        words[index] = 1
    with pytest.raises(IndexError):
        _ = words[index]

    assert bytes(16) == place.read_bytes()


@pytest.mark.parametrize("number", [-1, 2**64])
def test_number_out_of_range_touches_nothing(words: CalledWords, place: Path, number: int) -> None:
    """64 bits without a sign."""
    with pytest.raises(ValueError, match="64 bits"):
        words[0] = number

    assert bytes(16) == place.read_bytes()


def test_release_closes_the_descriptor(words: CalledWords) -> None:
    """Once; a use after it reaches no file that has got the same descriptor since."""
    before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    words.release()
    words.release()
    after = len(os.listdir("/proc/self/fd")) if before else -1

    assert before - 1 == after
    with pytest.raises(ValueError, match="given back"):
        _ = words[0]


def test_words_that_are_forgotten_are_closed(place: Path) -> None:
    """What nobody holds any more holds no descriptor."""
    descriptor = os.open(place, os.O_RDWR)
    words = called_words(descriptor, 1)
    inner = words._fd
    del words
    os.close(descriptor)
    with pytest.raises(OSError) as caught:
        os.fstat(inner)

    assert errno.EBADF == caught.value.errno


@pytest.mark.root
def test_store_on_a_full_disk_is_an_error(tmp_path: Path) -> None:
    """Where a mapped store would end the process, this one is ENOSPC."""
    with mounted(tmp_path, "-t", "tmpfs", "-o", "size=64k", "tmpfs") as point:
        (point / "a").write_bytes(b"")
        os.truncate(point / "a", 4096)
        with pytest.raises(OSError), (point / "full").open("wb", buffering=0) as full:
            while True:
                full.write(bytes(4096))
        descriptor = os.open(point / "a", os.O_RDWR)
        words = called_words(descriptor, 1)
        os.close(descriptor)
        try:
            with pytest.raises(OSError) as caught:
                words[0] = 1

            assert errno.ENOSPC == caught.value.errno
            assert 0 == words[0]
        finally:
            words.release()
