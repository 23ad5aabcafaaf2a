"""What the words of a file promise, on every implementation."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from holdfast.vfs import File
from tests.conformance.conftest import Place
from tests.conformance.test_vfs_files import fails

LARGEST = (1 << 64) - 1


@pytest.fixture
def file(place: Place) -> Iterator[File]:
    """A file of four words and a half, open for writing."""
    place.write("a", bytes(36))
    opened = place.folder.open("a", "write")
    yield opened
    opened.close()


def test_words_are_zero_at_first_and_hold_64_bits(file: File) -> None:
    """Each of them is on its own, from 0 to the largest."""
    words = file.words(4)

    assert [0, 0, 0, 0] == [words[index] for index in range(4)]

    words[0], words[3] = LARGEST, 1

    assert [LARGEST, 0, 0, 1] == [words[index] for index in range(4)]

    words.release()


def test_words_are_shared_by_all_who_have_the_file_open(place: Place, file: File) -> None:
    """Another opening sees what was stored at once, also if it asked before or may only read."""
    reader, writer = place.folder.open("a", "read"), place.folder.open("a", "write")
    early, here, there = reader.words(4), file.words(4), writer.words(1)
    here[0] = 5

    assert [5, 5] == [early[0], there[0]]

    there[0] = 6
    late = reader.words(2)

    assert [6, 6, 6] == [early[0], here[0], late[0]]

    for words in (early, here, there, late):
        words.release()
    reader.close()
    writer.close()


def test_words_are_those_of_the_file_and_not_of_the_name(place: Place, file: File) -> None:
    """A renamed file takes its words with it; another one of that name has its own."""
    words = file.words(1)
    words[0] = 5
    place.folder.rename("a", "b")
    place.write("a", bytes(8))
    new, old = place.folder.open("a", "read"), place.folder.open("b", "read")

    assert 0 == new.words(1)[0]
    assert 5 == old.words(1)[0]

    words.release()
    new.close()
    old.close()


def test_words_outlive_the_file_that_gave_them(place: Place) -> None:
    """After `close` they are read and stored as before, and others see it."""
    place.write("a", bytes(8))
    gone, reader = place.folder.open("a", "write"), place.folder.open("a", "read")
    words = gone.words(1)
    gone.close()
    words[0] = 7

    assert 7 == words[0]
    assert 7 == reader.words(1)[0]

    words.release()
    reader.close()


def test_words_hold_no_lock(place: Place, file: File) -> None:
    """Closing the file gives its lock back, though its words are still in use."""
    locked = place.folder.open("a", "write")
    words = locked.words(1)

    assert locked.lock()
    assert not file.lock(block=False)

    locked.close()

    assert file.lock(block=False)

    words.release()


@pytest.mark.parametrize("count", [-1, 0, 5, 1 << 40])
def test_words_past_the_end_are_refused(file: File, count: int) -> None:
    """As many as the file holds, and no more: a later use would be too late to say so."""
    with fails(errno.EINVAL):
        file.words(count)


def test_only_regular_files_have_words(place: Place) -> None:
    """Folders and FIFOs have none."""
    place.folder.mkdir("d")
    place.fifo("f")
    for name in ("d", "f"):
        opened = place.folder.open(name, "read")
        with fails(errno.EINVAL):
            opened.words(1)
        opened.close()


def test_words_of_a_file_to_be_read_cannot_be_stored(place: Place, file: File) -> None:
    """Who may only read a file only reads its words."""
    reader = place.folder.open("a", "read")
    words = reader.words(4)
    with pytest.raises(TypeError):
        words[0] = 1

    assert 0 == words[0]

    words.release()
    reader.close()


def test_word_that_is_not_there_is_an_index_error(file: File) -> None:
    """Nothing past the words that were asked for is read or stored."""
    words = file.words(2)
    for index in (2, 3, 1 << 40):
        with pytest.raises(IndexError):
            _ = words[index]
        with pytest.raises(IndexError):
            words[index] = 1
    words.release()

    assert [0, 0, 0, 0] == [file.words(4)[index] for index in range(4)]


@pytest.mark.parametrize("number", [-1, LARGEST + 1])
def test_number_that_does_not_fit_is_a_value_error(file: File, number: int) -> None:
    """64 bits without a sign; the word stays."""
    words = file.words(1)
    words[0] = 3
    with pytest.raises(ValueError, match=r"64 bits|invalid value"):
        words[0] = number

    assert 3 == words[0]

    words.release()


def test_words_given_back_cannot_be_used(file: File) -> None:
    """Giving back twice is well; anything else is a ValueError, and other words go on."""
    words, others = file.words(1), file.words(1)
    words.release()
    words.release()
    with pytest.raises(ValueError, match=r"given back|released"):
        _ = words[0]
    with pytest.raises(ValueError, match=r"given back|released"):
        words[0] = 1
    others[0] = 2

    assert 2 == others[0]

    others.release()


def test_boot_is_the_same_all_the_time(place: Place) -> None:
    """One run of a machine has one name."""
    assert place.vfs.boot() == place.vfs.boot()
