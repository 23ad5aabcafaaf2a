"""Mapped words: shared by processes, whole, and refused where a use would kill."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.vfs import SYSTEM, File
from holdfast.vfs.called_words import CalledWords, called_words
from holdfast.vfs.words import check, mapped_words, own
from tests.support.mounts import ext4, mounted

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="no /proc here")

STORE = """
import os, signal, sys
from holdfast.vfs import SYSTEM
folder = SYSTEM.folder(sys.argv[1])
words = folder.open("a", "write").words(2)
assert words[0] == 5
words[1] = 6
os.kill(os.getpid(), signal.SIGKILL)
"""
ALTERNATE = """
import sys
from holdfast.vfs import SYSTEM
words = SYSTEM.folder(sys.argv[1]).open("a", "write").words(2)
words[1] = 1
while words[1]:
    words[0] = 0
    words[0] = 2**64 - 1
"""


@pytest.fixture
def file(tmp_path: Path):
    (tmp_path / "a").write_bytes(bytes(16))
    folder = SYSTEM.folder(str(tmp_path))
    opened = folder.open("a", "write")
    folder.close()
    yield opened
    opened.close()


@needs_proc
def test_words_of_a_killed_process_stay(tmp_path: Path, file: File) -> None:
    """Another process sees what was stored, and what it stored is there after its sudden death."""
    words = file.words(2)
    words[0] = 5
    done = subprocess.run([sys.executable, "-c", STORE, str(tmp_path)], check=False, timeout=60)

    assert -9 == done.returncode
    assert 6 == words[1]

    words.release()


def test_word_is_never_seen_half_stored(tmp_path: Path, file: File) -> None:
    """While another process stores all bits and none in turn, nothing else is read."""
    words = file.words(2)
    child = subprocess.Popen([sys.executable, "-c", ALTERNATE, str(tmp_path)])
    try:
        while not words[1]:
            assert child.poll() is None
        seen: set[int] = set()
        for count in range(10_000):  # a busy machine gives the other process a turn now and then
            seen.update(words[0] for _ in range(20_000))
            if len(seen) > 1 and count >= 10:
                break
    finally:
        words[1] = 0
        words.release()
        child.wait(timeout=60)

    assert {0, 2**64 - 1} == seen


def test_mapped_words_are_a_plain_memoryview(file: File) -> None:
    """Nothing stands between the caller and the memory."""
    words = mapped_words(file.fileno(), 2)

    assert isinstance(words, memoryview)
    assert (8, 2, False) == (words.itemsize, len(words), words.readonly)

    words.release()


def test_words_of_both_kinds_are_the_same_words(file: File) -> None:
    """What is stored into a mapping is read by calls, and the other way round."""
    mapped, called = mapped_words(file.fileno(), 2), called_words(file.fileno(), 2)
    mapped[0] = 2**64 - 2
    called[1] = 3

    assert (2**64 - 2, 3) == (called[0], mapped[1])

    mapped.release()
    called.release()


def test_words_are_the_bytes_of_the_file(file: File) -> None:
    """In the byte order of this machine, from the start on."""
    words = file.words(2)
    words[1] = 258
    words.release()

    assert bytes(8) + (258).to_bytes(8, sys.byteorder) == file.read(99, offset=0)


def test_file_that_is_too_short_is_refused(file: File) -> None:
    """One byte less than the words need is EINVAL, not a signal at the first use."""
    file.truncate(15)
    for ask in (check, mapped_words, called_words):
        with pytest.raises(OSError) as caught:
            ask(file.fileno(), 2)

        assert errno.EINVAL == caught.value.errno


@needs_proc
def test_own_descriptor_is_another_description(file: File) -> None:
    """It has its own position, may do what the first one may, and no child inherits it."""
    mine = own(file.fileno())
    try:
        file.seek(7)

        assert 0 == os.lseek(mine, 0, os.SEEK_CUR)
        assert 1 == os.write(mine, b"a")
        assert not os.get_inheritable(mine)
    finally:
        os.close(mine)


@needs_proc
def test_file_that_may_not_be_opened_again_is_duplicated() -> None:
    """What has no name that could be opened, such as a socket, gets another descriptor."""
    import socket

    here, there = socket.socketpair()
    with here, there:
        copy = own(here.fileno())

        assert os.path.samestat(os.fstat(here.fileno()), os.fstat(copy))

        os.close(copy)


@pytest.mark.root
def test_words_on_a_journal_are_mapped(tmp_path: Path) -> None:
    """Where blocks that were written stay in their place, a store cannot fail."""
    with ext4(tmp_path) as point:
        assert not isinstance(_words_at(point), CalledWords)


@pytest.mark.root
def test_words_on_an_overlay_are_called(tmp_path: Path) -> None:
    """Nobody says what is under an overlay."""
    for name in ("lower", "upper", "work", "point"):
        (tmp_path / name).mkdir()
    layers = ",".join(f"{name}dir={tmp_path / name}" for name in ("lower", "upper", "work"))
    with mounted(tmp_path / "point", "-t", "overlay", "overlay", "-o", layers) as point:
        words = _words_at(point)

        assert isinstance(words, CalledWords)
        assert 9 == words[0]

        words.release()


def _words_at(point: Path):
    (point / "a").write_bytes(bytes(8))
    folder = SYSTEM.folder(str(point))
    file = folder.open("a", "write")
    words = file.words(1)
    words[0] = 9
    file.close()
    folder.close()
    return words
