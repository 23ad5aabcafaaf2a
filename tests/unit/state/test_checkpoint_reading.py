"""Heads are looked at, bodies are checked, and memory is bounded whatever the files say."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.errors import BadFrame, ChecksumMismatch
from holdfast.formats.journal_format import SLOTS, CheckpointHead, checkpoint_name, encode_head
from holdfast.state.checkpoint_reading import PIECE_BYTES, Damaged, is_whole, read_found, scan
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.checkpoints import LARGE, WHOSE, empty_disk, of, written


def three() -> MemoryVFS:
    """Two in slots, and a newer one in a file."""
    disk = empty_disk()
    for number, body in enumerate((b"one", b"two", LARGE), 1):
        written(of(disk), body, number)
    return disk


def test_newest_comes_first() -> None:
    """By generation, wherever it is; other names are not looked at."""
    disk = three()
    disk.write_tree({"state.jrn/journal": b"x", "state.jrn/1.checkpoint": b"x"})
    found, damaged = scan(disk.folder("/state.jrn"), WHOSE)
    names = [checkpoint_name(3), SLOTS[1], SLOTS[0]]
    assert (names, ()) == ([one.name for one in found], damaged)
    assert [False, True, True] == [one.is_slot for one in found]


def test_of_one_generation_the_one_with_more_commits_is_newer() -> None:
    """A writer that failed may have left one that a later one did not know of."""
    disk = empty_disk()
    heads = [CheckpointHead(WHOSE.id, 1, *span, 0, 0, 0) for span in ((3, 5), (4, 4), (2, 9))]
    names = (SLOTS[0], SLOTS[1], checkpoint_name(2))
    pairs = zip(names, heads, strict=True)
    disk.write_tree({f"state.jrn/{name}": encode_head(head) for name, head in pairs})
    found, damaged = scan(disk.folder("/state.jrn"), WHOSE)
    assert [4, 3, 2] == [one.head.sequence for one in found]
    assert () == damaged


def test_empty_slot_is_no_damage_and_an_empty_file_is() -> None:
    """Slots are made of zeros; other files never are."""
    disk = empty_disk()
    zeros = bytes(600)
    disk.write_tree({f"state.jrn/{name}": zeros for name in (SLOTS[0], checkpoint_name(1))})
    found, damaged = scan(disk.folder("/state.jrn"), WHOSE)
    assert ((), [f"/state.jrn/{checkpoint_name(1)}"]) == (found, [error.path for error in damaged])


@pytest.mark.parametrize("number", [0, 1])
def test_body_is_checked(number) -> None:
    """In a slot before a byte is passed on, in a file before anybody gets what was made of it."""
    disk = three()
    folder = disk.folder("/state.jrn")
    found = scan(folder, WHOSE).found[number]
    assert is_whole(folder, found)
    file = folder.open(found.name, "write")
    file.write(b"?", offset=512 + found.head.body_bytes - 1)
    seen: list[bytes] = []
    assert not is_whole(folder, found)
    with pytest.raises(Damaged) as caught:
        read_found(folder, found, seen.extend)
    assert isinstance(caught.value.why, ChecksumMismatch)
    assert bool(seen) is not found.is_slot
    file.truncate(512 + found.head.body_bytes - 1)
    with pytest.raises(Damaged) as caught:
        read_found(folder, found, seen.extend)
    assert isinstance(caught.value.why, BadFrame)


def test_error_of_the_disk_is_no_damage() -> None:
    """It is passed on, also by who looks whether a body is whole."""
    disk = three()
    folder = Faulty(disk, Fault("read", 4, effect="EIO", repeat=True)).folder("/state.jrn")
    for found in scan(folder, WHOSE).found:
        with pytest.raises(OSError, match="Input/output"):
            is_whole(folder, found)
        with pytest.raises(OSError, match="Input/output"):
            read_found(folder, found, list)
    assert [] == disk.open_files


def test_error_of_the_disk_is_not_hidden_by_a_reader() -> None:
    """Who makes something of half a body has made nothing."""
    disk = three()
    folder = Faulty(disk, Fault("read", 5, effect="EIO")).folder("/state.jrn")

    def swallow(pieces: Iterator[bytes]) -> int:
        count = 0
        try:
            for _ in pieces:
                count += 1
        except OSError:
            pass
        return count

    with pytest.raises(OSError, match="Input/output"):
        read_found(folder, scan(folder, WHOSE).found[0], swallow)


def test_what_went_meanwhile_is_damaged() -> None:
    """Or became something else; who reads looks again."""
    disk = three()
    folder = disk.folder("/state.jrn")
    found = scan(folder, WHOSE).found[0]
    folder.unlink(found.name)
    for _ in range(2):
        with pytest.raises(Damaged, match="Read again"):
            read_found(folder, found, list)
        assert not is_whole(folder, found)
        if found.name not in folder.names():
            folder.mkdir(found.name)


def test_huge_body_takes_no_memory(tmp_path: Path) -> None:
    """A sparse file of 200 MiB whose head is right and whose body is not."""
    size = 200 << 20
    name = checkpoint_name(9)
    head = CheckpointHead(WHOSE.id, 1, 9, 9, size, 1, 0)
    (tmp_path / name).write_bytes(encode_head(head))
    os.truncate(tmp_path / name, 512 + size)
    folder = SYSTEM.folder(str(tmp_path))
    tracemalloc.start()
    try:
        (found,) = scan(folder, WHOSE).found
        assert not is_whole(folder, found)
        assert tracemalloc.get_traced_memory()[1] < 4 * PIECE_BYTES
    finally:
        tracemalloc.stop()
        folder.close()
