"""A checkpoint is whole and durable, or not there; the body is taken in blocks of one size."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.journal_format import (
    SLOT_BODY_BYTES,
    SLOT_BYTES,
    SLOTS,
    CheckpointHead,
    checkpoint_name,
    encode_head,
)
from holdfast.state.checkpoint_writing import PACE_BYTES, gather, make_file, overwrite_slot
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace, Traced
from tests.support.checkpoints import WHOSE, at, empty_disk, of, written

HEAD = CheckpointHead(WHOSE.id, 5, 7, 7, 3, 0x352441C2, 0)  # of b"abc"


@given(st.lists(st.sampled_from([0, 1, 100, PACE_BYTES - 1, PACE_BYTES, PACE_BYTES + 1, 700_000])))
def test_blocks_are_the_pieces(sizes) -> None:
    """Whatever their sizes are: all blocks but the last are full, and there are no empty ones."""
    pieces = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    body = gather(iter(pieces))
    blocks = [*body.blocks]
    assert b"".join(pieces) == b"".join(blocks)
    assert [PACE_BYTES] * len(blocks[:-1]) == [len(block) for block in blocks[:-1]]
    assert all(0 < len(block) <= PACE_BYTES for block in blocks)
    assert body.is_small is (sum(sizes) <= SLOT_BODY_BYTES)


def test_no_more_is_taken_than_must_be() -> None:
    """Of a large body the rest is taken while it is written."""
    taken: list[int] = []

    def pieces() -> Any:
        for number in range(100):
            taken.append(number)
            yield bytes(PACE_BYTES)

    body = gather(pieces())
    assert not body.is_small
    assert 5 == len(taken)
    assert 100 == len([*body.blocks]) == len(taken)


@pytest.mark.parametrize("wrap", [bytearray, memoryview])
def test_pieces_are_anything_with_bytes(wrap) -> None:
    """But no text."""
    assert [b"abcdef"] == [*gather([wrap(b"abc"), b"def"]).blocks]
    text: Any = "abc"
    with pytest.raises(TypeError, match="bytes-like"):
        gather([text])


def overwrite(vfs: Any, name: str = SLOTS[0], head: CheckpointHead = HEAD) -> bool:
    """Write a body of three bytes over a slot."""
    folder = vfs.folder("/state.jrn")
    try:
        return overwrite_slot(folder, name, blocks=[b"abc"], head=head)
    finally:
        folder.close()


def with_slot() -> MemoryVFS:
    """A journal whose first slot holds checkpoint 1."""
    disk = empty_disk()
    written(of(disk), b"before", 1)
    disk.settle()
    return disk


def test_slot_is_written_over_in_place() -> None:
    """The file stays the same, and is durable."""
    disk = with_slot()
    number = disk.stat(f"/state.jrn/{SLOTS[0]}").st_ino
    assert overwrite(disk)
    assert number == disk.stat(f"/state.jrn/{SLOTS[0]}").st_ino
    assert 7 == at(disk) == at(disk.crash())


def test_head_of_a_slot_comes_after_its_body() -> None:
    """Until then the old head is there, which nobody looks for, and not a new one without body."""
    disk = with_slot()
    traced = Trace(disk)
    before = disk.tree()[f"state.jrn/{SLOTS[0]}"]
    heads: list[bool] = []

    def look(call: Traced) -> None:
        if call.operation == "write":
            now = disk.tree()[f"state.jrn/{SLOTS[0]}"]
            assert isinstance(now, bytes)
            assert isinstance(before, bytes)
            heads.append(now[:512] == before[:512])

    traced.subscribe(look)
    assert overwrite(traced)
    assert [True, False] == heads


@pytest.mark.parametrize("kind", ["missing", "short", "linked", "folder", "symlink"])
def test_what_is_no_slot_is_not_written_over(kind) -> None:
    """It is made anew: nothing was changed."""
    disk = empty_disk()
    data = b"precious" * (SLOT_BYTES // 8)
    path = f"state.jrn/{SLOTS[0]}"
    if kind == "short":
        disk.write_tree({path: data[:-1]})
    elif kind == "linked":
        disk.write_tree({"state.jrn/other": data})
        disk.folder("/state.jrn").link("other", SLOTS[0])
    elif kind == "folder":
        disk.write_tree({path: None})
    elif kind == "symlink":
        disk.write_tree({"state.jrn/other": data, path: "-> other"})
    before = disk.tree()
    assert not overwrite(disk)
    assert before == disk.tree()
    assert [] == disk.open_files


def test_head_that_says_what_cannot_be_touches_nothing() -> None:
    """It is refused before the first byte is written."""
    disk = with_slot()
    before = disk.tree()
    with pytest.raises(ValueError, match="cannot say"):
        overwrite(disk, head=HEAD._replace(through=6))
    assert before == disk.tree()


def test_slot_whose_sync_failed_is_removed() -> None:
    """Its pages look well, and a later sync would not write them."""
    disk = with_slot()
    with pytest.raises(OSError, match="Input/output"):
        overwrite(Faulty(disk, Fault("sync_data", 1, effect="EIO")))
    assert [] == disk.folder("/state.jrn").names()
    assert 0 == at(disk)


def test_slot_that_cannot_be_removed_is_empty() -> None:
    """Nobody takes it for a checkpoint."""
    disk = with_slot()
    faults = (Fault("sync_data", 1, effect="EIO"), Fault("unlink", 1, effect="EACCES"))
    with pytest.raises(OSError, match="Input/output"):
        overwrite(Faulty(disk, *faults))
    data = disk.tree()[f"state.jrn/{SLOTS[0]}"]
    assert isinstance(data, bytes)
    assert bytes(512) == data[:512]


class Interrupting(Faulty):
    """The sync of a slot is interrupted, when it has begun or when it is done."""

    def __init__(self, inner: MemoryVFS, *, is_done: bool) -> None:
        super().__init__(inner)
        self.is_done = is_done

    def around(self, call: Any, do: Any) -> Any:
        """Raise at the sync."""
        if call.operation == "sync_data":
            if self.is_done:
                do()
            raise KeyboardInterrupt
        return do()


@pytest.mark.parametrize("is_done", [True, False])
def test_interrupted_slot_is_empty_and_stays(is_done) -> None:
    """No sync has failed: the file can be used again."""
    disk = with_slot()
    with pytest.raises(KeyboardInterrupt):
        overwrite(Interrupting(disk, is_done=is_done))
    assert [SLOTS[0]] == disk.folder("/state.jrn").names()
    assert 0 == at(disk)
    assert overwrite(disk)
    assert 7 == at(disk)


def make(vfs: Any, name: str, *, head: CheckpointHead = HEAD) -> CheckpointHead:
    """Make a checkpoint of three bytes."""
    folder = vfs.folder("/state.jrn")
    seen: list[tuple[int, int]] = []

    def complete(size: int, crc: int) -> CheckpointHead:
        seen.append((size, crc))
        return head

    options: dict[str, Any] = dict(permissions=0o640, vfs=vfs)
    try:
        made = make_file(folder, name, blocks=[b"ab", b"c"], complete=complete, **options)
    finally:
        folder.close()
    assert [(head.body_bytes, head.body_crc)] == seen
    return made


@pytest.mark.parametrize(("name", "size"), [(SLOTS[1], SLOT_BYTES), (checkpoint_name(7), 515)])
def test_file_is_made_whole(name, size) -> None:
    """A slot with all its blocks, another with its own; size and checksum are told first."""
    disk = empty_disk()
    assert HEAD == make(disk, name)
    data = disk.tree()[f"state.jrn/{name}"]
    assert isinstance(data, bytes)
    assert (encode_head(HEAD) + b"abc").ljust(size, b"\0") == data
    assert 0o640 == disk.stat(f"/state.jrn/{name}").st_mode & 0o777
    assert 7 == at(disk.crash())
    assert [] == disk.leftovers()


@pytest.mark.parametrize("name", [SLOTS[1], checkpoint_name(7)])
def test_name_that_could_not_be_synced_is_taken_back(name) -> None:
    """It might be gone after a power cut, so nobody may build on it."""
    disk = empty_disk()
    with pytest.raises(OSError, match="Input/output"):
        make(Faulty(disk, Fault("sync_folder", 1, effect="EIO")), name)
    assert [] == disk.folder("/state.jrn").names()


def test_name_of_the_same_commits_is_not_taken_back() -> None:
    """It may be the only one that there is: the old one is gone, the new one is whole."""
    disk = empty_disk()
    make(disk, checkpoint_name(7), head=HEAD._replace(generation=4))
    with pytest.raises(OSError, match="Input/output"):
        make(Faulty(disk, Fault("sync_folder", 1, effect="EIO")), checkpoint_name(7))
    assert [checkpoint_name(7)] == disk.folder("/state.jrn").names()
    for seed in range(4):
        assert 7 == at(disk.crash(seed=seed))
