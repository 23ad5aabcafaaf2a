"""The newest whole checkpoint is read; a new one costs one sync and never touches the newest."""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import ChecksumMismatch, UnknownFormat
from holdfast.formats.journal_format import (
    HEAD_BYTES,
    SLOT_BODY_BYTES,
    SLOT_BYTES,
    SLOTS,
    CheckpointHead,
    Identity,
    checkpoint_name,
    decode_head,
    encode_head,
)
from holdfast.vfs import SYSTEM, ManualClock
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.checkpoints import LARGE, WHOSE, at, empty_disk, of, written

SYNCS = {"sync", "sync_data", "sync_folder"}


def steps(traced: Trace) -> list[str]:
    """What went to the disk, and how often it was waited for."""
    return [step for step in traced.operations if step in {*SYNCS, "rename"}]


def test_journal_without_checkpoint_has_none() -> None:
    """Nothing is loaded, kept or dropped, and nothing is made."""
    disk = empty_disk()
    checkpoints = of(disk)
    assert (None, None, ()) == checkpoints.load(b"".join)
    assert [] == checkpoints.kept()
    assert 0 == checkpoints.prune()
    assert {"state.jrn": None} == disk.tree()


@pytest.mark.parametrize("body", [b"", b"state", b"x" * SLOT_BODY_BYTES, LARGE])
@pytest.mark.parametrize("keep", [0, 2])
def test_checkpoint_is_read_as_written(body, keep) -> None:
    """Body and head, by who wrote it and by others."""
    disk = empty_disk()
    mine = of(disk, keep=keep)
    head = written(mine, body, 7, through=9)
    assert (WHOSE.id, 1, 7, 9, len(body)) == head[:5]
    assert ManualClock().now_ns() == head.created_ns
    for reader in (mine, of(disk)):
        assert (head, body, ()) == reader.load(b"".join)
        assert [head] == reader.kept()
    assert 7 == mine.prune()
    assert [] == [path for path in disk.open_files if "jrn/" in path]


def test_small_ones_go_to_the_slots_in_turn() -> None:
    """Each slot has all its blocks from the start; the newest one is never written over."""
    disk = empty_disk()
    checkpoints = of(disk)
    names = []
    for number in range(1, 6):
        before = disk.tree()
        written(checkpoints, b"%d" % number, number)
        after = disk.tree()
        names += [path for path in after if after[path] != before.get(path)]
    assert [f"state.jrn/{SLOTS[at % 2]}" for at in range(5)] == names
    assert [SLOT_BYTES] * 2 == [len(disk.tree()[f"state.jrn/{name}"] or b"") for name in SLOTS]
    assert [5, 4] == [head.generation for head in checkpoints.kept()]


def test_small_one_costs_one_sync() -> None:
    """As soon as both slots are there: one write over, and one sync of data."""
    disk = empty_disk()
    traced = Trace(disk)
    checkpoints = of(traced)
    for number in (1, 2):
        written(checkpoints, b"x" * 5000, number)
    del traced.calls[:]
    written(checkpoints, b"y" * 5000, 3)
    checkpoints.prune()
    assert ["sync_data"] == steps(traced)


def killed_before_its_sync(disk: MemoryVFS) -> None:
    """Checkpoint 3 is whole in the slot of 1, and nobody has synced it; 2 is durable."""
    for number in (1, 2):
        written(of(disk), b"old", number)
    disk.settle()
    file = disk.folder("/state.jrn").open(SLOTS[0], "write")
    file.write(encode_head(CheckpointHead(WHOSE.id, 3, 3, 3, 0, 0, 0)))
    file.close()


def test_one_of_the_killed_is_made_durable_before_the_next_is_written() -> None:
    """Otherwise the only durable one would be written over."""
    disk = empty_disk()
    killed_before_its_sync(disk)
    written(of(disk), b"new", 4)
    assert {2, 3, 4} == {at(crashed) for crashed in disk.crash_states()}


def test_how_far_the_log_may_go_is_durable() -> None:
    """What `prune` answers is a checkpoint that a power cut leaves, whoever wrote it."""
    disk = empty_disk()
    killed_before_its_sync(disk)
    assert 3 == of(disk).prune()
    assert 3 == at(disk.crash())


def test_large_one_is_paced() -> None:
    """Never more than 256 KiB between two syncs; the name comes after the last one."""
    traced = Trace(empty_disk())
    written(of(traced), LARGE, 5)
    unsynced = 0
    for call in traced.calls:
        if call.operation == "write":
            unsynced += int(re.findall(r"(\d+) bytes", call.text)[0])
        elif call.operation in {"sync", "sync_data"}:
            unsynced = 0
        assert unsynced <= (256 << 10) + HEAD_BYTES, str(call)
    assert ["sync", "rename", "sync_folder"] == steps(traced)[-3:]
    assert len(LARGE) // (256 << 10) <= steps(traced).count("sync_data")


@pytest.mark.parametrize("size", [1, 1000, 256 << 10, 3 << 20])
def test_pieces_may_have_any_size(size) -> None:
    """And are read back in pieces of at most 256 KiB."""
    disk = empty_disk()
    pieces = [LARGE[at : at + size] for at in range(0, 4 * size, size)]
    of(disk).write(iter(pieces), sequence=3, finish=lambda: 3)
    found = of(disk).load(list).value
    assert found is not None
    assert b"".join(pieces) == b"".join(found)
    assert max(map(len, found)) <= 256 << 10


def test_commit_point_comes_after_the_last_piece() -> None:
    """`finish` is asked when all was taken, and before anybody can load it."""
    disk = empty_disk()
    seen: list[str] = []

    def pieces() -> Iterator[bytes]:
        for number in range(3):
            seen.append(f"piece {number}")
            yield b"x" * (number * (1 << 20) + 1)

    def finish() -> int:
        seen.append(f"finish {of(disk).load(b''.join).head}")
        return 8

    head = of(disk).write(pieces(), sequence=6, finish=finish)
    assert ["piece 0", "piece 1", "piece 2", "finish None"] == seen
    assert (6, 8) == (head.sequence, head.through)


@pytest.mark.parametrize("body", [b"small", LARGE])
def test_failing_pieces_leave_nothing(body) -> None:
    """Whatever they raise comes out, and the one before stands."""
    disk = empty_disk()
    checkpoints = of(disk)
    for number in (1, 2):
        written(checkpoints, b"before", number)
    before = disk.tree()

    def broken() -> Iterator[bytes]:
        yield body
        raise KeyError("of the caller")

    def unfinished() -> int:
        raise KeyError("of the log")

    with pytest.raises(KeyError, match="caller"):
        checkpoints.write(broken(), sequence=9, finish=lambda: 9)
    with pytest.raises(KeyError, match="log"):
        checkpoints.write([body], sequence=9, finish=unfinished)
    with pytest.raises(ValueError, match="cannot say"):
        checkpoints.write([body], sequence=9, finish=lambda: 8)
    assert before == disk.tree()


@pytest.mark.parametrize("keep", [0, 1, 3])
@pytest.mark.parametrize("body", [b"small", LARGE])
def test_old_ones_are_kept_on_request(body, keep) -> None:
    """As many as wanted besides the newest; the log is needed from the oldest of them on."""
    disk = empty_disk()
    checkpoints = of(disk, keep=keep)
    reach = []
    for number in range(1, 6):
        written(checkpoints, body + b"%d" % number, number)
        reach.append(checkpoints.prune())
    assert [max(1, number - keep) for number in range(1, 6)] == reach
    if keep or body is LARGE:
        files = [checkpoint_name(number) for number in range(5 - keep, 6)]
        assert files == sorted(disk.folder("/state.jrn").names())
        heads = checkpoints.kept()
        assert [*range(5, 4 - keep, -1)] == [head.sequence for head in heads]


def test_state_of_the_past_is_loaded() -> None:
    """The newest one that shows nothing of what came after."""
    disk = empty_disk()
    checkpoints = of(disk, keep=9)
    for number in range(1, 5):
        written(checkpoints, b"%d" % number, 10 * number, through=10 * number + 5)
    found = [checkpoints.load(b"".join, through=n).value for n in (14, 15, 24, 25, 44, 45, 999)]
    assert [None, b"1", b"1", b"2", b"3", b"4", b"4"] == found


def test_going_from_large_to_small_and_back() -> None:
    """The newest counts, wherever it is; files that it replaces go."""
    disk = empty_disk()
    checkpoints = of(disk)
    for number, body in enumerate([b"a", LARGE, b"b", LARGE, b"c", b"d"], 1):
        written(checkpoints, body, number)
        assert body == of(disk).load(b"".join).value
        assert number == checkpoints.prune()
    assert sorted(SLOTS) == sorted(disk.folder("/state.jrn").names())


def test_beside_a_large_one_the_older_slot_is_written() -> None:
    """The other one is what is left should the large one be damaged."""
    disk = empty_disk()
    for number, body in enumerate([b"a", b"b", LARGE, b"d"], 1):
        written(of(disk), body, number)
    assert [4, 3, 2] == [head.sequence for head in of(disk).kept()]


def test_large_one_of_the_same_commits_takes_the_name() -> None:
    """Two checkpoints without a commit in between; there is one file."""
    disk = empty_disk()
    checkpoints = of(disk)
    for _ in range(2):
        written(checkpoints, LARGE, 5)
    assert 2 == checkpoints.load(list).head.generation  # type: ignore[union-attr]
    assert [checkpoint_name(5)] == disk.folder("/state.jrn").names()
    assert 5 == checkpoints.prune()


# ------------------------------------------------------------ what is damaged


def damage(disk: MemoryVFS, name: str, place: int) -> None:
    """Change a bit of a file."""
    file = disk.folder("/state.jrn").open(name, "write")
    byte = file.read(1, offset=place)[0]
    file.write(bytes([byte ^ 1]), offset=place)
    file.close()


@pytest.mark.parametrize("place", [0, 16, 40, 511, 512, 512 + 4])
def test_damaged_slot_is_passed_over(place) -> None:
    """The older one is loaded, and it is said what is wrong with the other; it is left as it is."""
    disk = empty_disk()
    for number in (1, 2):
        written(of(disk), b"body %d" % number, number)
    damage(disk, SLOTS[1], place)
    before = disk.tree()
    loaded = of(disk).load(b"".join)
    assert b"body 1" == loaded.value
    assert [f"/state.jrn/{SLOTS[1]}"] == [error.path for error in loaded.skipped]
    assert [1] == [head.sequence for head in of(disk).kept()]
    assert before == disk.tree()
    assert 1 == of(disk).prune()


@pytest.mark.parametrize("name", [SLOTS[1], checkpoint_name(2)])
def test_flipped_bit_is_noticed_wherever_it_is(name) -> None:
    """In every byte of head and body: the older one is loaded. Behind them it changes nothing."""
    disk = empty_disk()
    keep = int(name not in SLOTS)
    for number in (1, 2):
        written(of(disk, keep=keep), b"state %d" % number, number)
    file = disk.folder("/state.jrn").open(name, "write")
    end = HEAD_BYTES + len(b"state 2")
    for place in range(end + 2 * (not keep)):
        byte = file.read(1, offset=place)[0]
        file.write(bytes([byte ^ 1 << place % 8]), offset=place)
        loaded = of(disk).load(b"".join)
        expected = (b"state 1", 1) if place < end else (b"state 2", 0)
        assert expected == (loaded.value, len(loaded.skipped)), place
        file.write(bytes([byte]), offset=place)


def test_next_one_goes_over_the_damaged_slot() -> None:
    """Never over the one that is whole; its generation is higher than any that is told."""
    disk = empty_disk()
    for number in (1, 2):
        written(of(disk), b"body", number)
    damage(disk, SLOTS[1], 512)
    whole = disk.tree()[f"state.jrn/{SLOTS[0]}"]
    assert 3 == written(of(disk), b"new", 3).generation
    assert whole == disk.tree()[f"state.jrn/{SLOTS[0]}"]
    assert b"new" == of(disk).load(b"".join).value


def test_damaged_slot_is_not_waited_for() -> None:
    """Only what is whole is made durable; the damaged one is synced once, when it is new."""
    disk = empty_disk()
    for number in (1, 2):
        written(of(disk), b"body", number)
    damage(disk, SLOTS[1], 512)
    traced = Trace(disk)
    written(of(traced), b"new", 3)
    synced = [call.name for call in traced.calls if call.operation == "sync_data"]
    assert [SLOTS[0], SLOTS[1]] == synced


class Lying(Faulty):
    """A slot looks well until the cache is dropped: its sync had failed, and nobody was told."""

    def around(self, call: Any, do: Any) -> Any:
        """Show what the disk has."""
        if call.operation == "drop_cache" and call.name == SLOTS[1]:
            call.inner.write(b"what the disk has", offset=520)
        return do()


@pytest.mark.parametrize("use", ["write", "prune"])
def test_slot_that_was_well_in_memory_alone_is_told(use) -> None:
    """Before anything is built on what another has written, it is read from the disk."""
    disk = empty_disk()
    for number in (1, 2):
        written(of(disk), b"x" * 100, number)
    if use == "prune":
        assert 1 == of(Lying(disk)).prune()
    else:
        whole = disk.tree()[f"state.jrn/{SLOTS[0]}"]
        written(of(Lying(disk)), b"new", 3)
        assert whole == disk.tree()[f"state.jrn/{SLOTS[0]}"]


@pytest.mark.parametrize("place", [5, 60, 600, (1 << 20) + 700])
def test_damaged_large_one_is_passed_over(place) -> None:
    """Also when what reads it has seen a part already; that is thrown away."""
    disk = empty_disk()
    checkpoints = of(disk, keep=1)
    for number in (1, 2):
        written(checkpoints, LARGE + b"%d" % number, number)
    damage(disk, checkpoint_name(2), place)
    loaded = checkpoints.load(b"".join)
    assert LARGE + b"1" == loaded.value
    assert [f"/state.jrn/{checkpoint_name(2)}"] == [error.path for error in loaded.skipped]


@pytest.mark.parametrize("keeps_on", [True, False])
@pytest.mark.parametrize("body", [b"b" * 5000, LARGE])
def test_error_of_the_reader_is_told_from_damage(body, keeps_on) -> None:
    """For whole bodies its own error comes out; over a damaged one it is not believed."""
    disk = empty_disk()
    checkpoints = of(disk, keep=1)
    for number in (1, 2):
        written(checkpoints, body, number)

    def broken(pieces: Iterable[bytes]) -> bytes:
        data = b"".join(pieces) if keeps_on else next(iter(pieces))
        raise ChecksumMismatch("of the reader", path="r") if keeps_on else KeyError(len(data))

    with pytest.raises(ChecksumMismatch if keeps_on else KeyError):
        checkpoints.load(broken)
    damage(disk, checkpoint_name(2), HEAD_BYTES + len(body) - 1)
    first = []

    def broken_once(pieces: Iterable[bytes]) -> bytes:
        first.append(1)
        if len(first) == 1 and body is LARGE:
            broken(pieces)
        return b"".join(pieces)

    loaded = checkpoints.load(broken_once)
    assert (body, 1) == (loaded.value, len(loaded.skipped))


def test_reader_that_stops_early_is_not_believed_over_damage() -> None:
    """The checksum is checked all the same."""
    disk = empty_disk()
    written(of(disk), LARGE, 1)
    damage(disk, checkpoint_name(1), HEAD_BYTES + len(LARGE) - 1)
    loaded = of(disk).load(next)
    assert (None, None, 1) == (loaded.head, loaded.value, len(loaded.skipped))


def test_checkpoint_of_another_journal_is_none() -> None:
    """Nor is one whose name is not its own."""
    disk = empty_disk()
    written(of(disk), b"mine", 4)
    other = Identity(8, "store", "json", 0)
    loaded = of(disk, whose=other).load(b"".join)
    assert loaded.head is None
    assert "another journal" in str(loaded.skipped[0])
    written(of(disk), LARGE, 5)
    folder = disk.folder("/state.jrn")
    folder.rename(checkpoint_name(5), checkpoint_name(6))
    loaded = of(disk).load(b"".join)
    assert b"mine" == loaded.value
    assert "its own name" in str(loaded.skipped[0])


@pytest.mark.parametrize("name", [SLOTS[0], checkpoint_name(9)])
def test_size_that_nobody_can_hold_is_not_believed(name) -> None:
    """A head with a right checksum that speaks of terabytes."""
    disk = empty_disk()
    for size in (SLOT_BODY_BYTES + 1, 1 << 40, (1 << 64) - 1):
        head = CheckpointHead(WHOSE.id, 1, 9, 9, size, 0, 0)
        file = disk.folder("/state.jrn").open(name, "create")
        file.write(encode_head(head), offset=0)
        file.truncate(SLOT_BYTES)
        file.close()
        loaded = of(disk).load(b"".join)
        assert loaded.head is None
        assert "room for a body" in str(loaded.skipped[0])
        assert 0 == of(disk).prune()


def test_later_format_is_refused_and_left() -> None:
    """A newer program wrote it: neither passed over nor written over."""
    disk = empty_disk()
    written(of(disk), b"x", 1)
    from zlib import crc32

    block = bytearray(encode_head(CheckpointHead(WHOSE.id, 9, 9, 9, 0, 0, 0)))
    block[8] = 2
    block[508:] = crc32(block[:508]).to_bytes(4, "little")
    disk.write_tree({f"state.jrn/{SLOTS[1]}": bytes(block) + bytes(SLOT_BODY_BYTES)})
    before = disk.tree()
    for use in (
        lambda: of(disk).load(b"".join),
        lambda: written(of(disk), b"y", 2),
        of(disk).kept,
        of(disk).prune,
    ):
        with pytest.raises(UnknownFormat, match="newer holdfast"):
            use()
    assert before == disk.tree()


@pytest.mark.parametrize("kind", ["fifo", "symlink", "folder", "short", "linked"])
def test_something_else_in_place_of_a_slot(kind, tmp_path: Path) -> None:
    """It is passed over, and the next checkpoint is made beside it or in its place."""
    path = tmp_path / SLOTS[0]
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious" * SLOT_BYTES)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "symlink":
        path.symlink_to(precious)
    elif kind == "folder":
        path.mkdir()
    elif kind == "short":
        path.write_bytes(b"")
    else:
        os.link(precious, path)
    folder = SYSTEM.folder(str(tmp_path))
    checkpoints = of(SYSTEM, folder=folder)
    assert 1 == len(checkpoints.load(b"".join).skipped)
    for number in range(1, 4):
        written(checkpoints, b"%d" % number, number)
        assert b"%d" % number == checkpoints.load(b"".join).value
    assert 3 == checkpoints.prune()
    assert b"precious" * SLOT_BYTES == precious.read_bytes()
    folder.close()


def test_slots_really_have_their_blocks(tmp_path: Path) -> None:
    """Zeros are written, not left out: a full disk cannot stop a small checkpoint."""
    folder = SYSTEM.folder(str(tmp_path))
    checkpoints = of(SYSTEM, folder=folder)
    for number in (1, 2):
        written(checkpoints, b"small", number)
    folder.close()
    for name in SLOTS:
        info = os.stat(tmp_path / name)
        assert SLOT_BYTES == info.st_size
        assert info.st_size <= 512 * info.st_blocks


# ------------------------------------------------------------ full disks, leftovers, readers


def test_small_one_finds_room_where_a_slot_does_not() -> None:
    """On a full disk a checkpoint may be what makes room: it goes to a file of its own size."""
    disk = empty_disk(capacity_bytes=100_000)
    checkpoints = of(disk)
    written(checkpoints, b"state", 4)
    assert [checkpoint_name(4)] == disk.folder("/state.jrn").names()
    assert (b"state", 4) == (of(disk).load(b"".join).value, checkpoints.prune())


def test_full_disk_leaves_the_one_before() -> None:
    """The system's error, and a note that says what stands."""
    disk = empty_disk(capacity_bytes=SLOT_BYTES + 100_000)
    checkpoints = of(disk)
    written(checkpoints, b"before", 4)
    with pytest.raises(OSError, match="No space") as caught:
        written(checkpoints, LARGE, 5)
    assert errno.ENOSPC == caught.value.errno
    assert "The one before it stands" in caught.value.__notes__[-1]
    assert b"before" == checkpoints.load(b"".join).value
    assert [SLOTS[0]] == disk.folder("/state.jrn").names()


def test_leftovers_of_the_killed_are_swept() -> None:
    """A large checkpoint that was under way takes no room for ever."""
    disk = empty_disk()
    with pytest.raises(Stopped):
        written(of(Faulty(disk, Fault("sync_data", 2, effect="stop"))), LARGE, 5)
    assert [name for name in disk.folder("/state.jrn").names() if name.endswith("tmp")]
    written(of(disk), b"small", 6)
    assert [SLOTS[0]] == disk.folder("/state.jrn").names()


class Meddling:
    """Reads a body while others write checkpoints."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.acts = [act]

    def __call__(self, pieces: Iterator[bytes]) -> bytes:
        first = next(pieces)
        while self.acts:
            self.acts.pop()()
        return b"".join([first, *pieces])


def test_reader_that_was_overtaken_reads_the_newer_one() -> None:
    """Files may go while they are being looked for; nothing is passed over for it."""
    disk = empty_disk()
    checkpoints = of(disk)
    written(checkpoints, LARGE + b"1", 1)
    folder = disk.folder("/state.jrn")

    class Overtaken:
        """The file goes between the look at its head and the reading of its body."""

        looks = 0
        path = folder.path

        def __getattr__(self, name: str) -> Any:
            return getattr(folder, name)

        def stat(self, name: str) -> Any:
            self.looks += name == checkpoint_name(1)
            if self.looks == 2:
                written(checkpoints, LARGE + b"2", 2)
                checkpoints.prune()
            return folder.stat(name)

    loaded = of(disk, folder=Overtaken()).load(b"".join)
    assert (LARGE + b"2", ()) == (loaded.value, loaded.skipped)


def test_slot_that_is_written_over_while_it_is_read_is_read_again() -> None:
    """The body no longer fits the head: by now there is a newer one."""
    disk = empty_disk()
    checkpoints = of(disk)
    written(checkpoints, b"1", 1)
    folder = disk.folder("/state.jrn")

    class Overtaken:
        """Two checkpoints come between the look at the head and the reading of the body."""

        looks = 0
        path = folder.path

        def __getattr__(self, name: str) -> Any:
            return getattr(folder, name)

        def stat(self, name: str) -> Any:
            self.looks += name == SLOTS[0]
            if self.looks == 2:
                written(checkpoints, b"2", 2)
                written(checkpoints, b"3", 3)
            return folder.stat(name)

    loaded = of(disk, folder=Overtaken()).load(b"".join)
    assert (b"3", ()) == (loaded.value, loaded.skipped)


def test_reader_of_a_large_one_keeps_the_file_that_it_has_open() -> None:
    """It is removed under it, and read to its end."""
    disk = empty_disk()
    checkpoints = of(disk)
    written(checkpoints, LARGE, 1)

    def overtake() -> None:
        written(checkpoints, b"small", 2)
        checkpoints.prune()

    assert LARGE == checkpoints.load(Meddling(overtake)).value
    assert b"small" == checkpoints.load(b"".join).value


def test_interrupted_reader_goes_on_no_further() -> None:
    """What is no error is passed on at once."""
    disk = empty_disk()
    written(of(disk), LARGE, 1)

    def interrupt(pieces: Iterator[bytes]) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        of(disk).load(interrupt)
    assert [] == disk.open_files


def test_head_of_the_newest_is_the_last_word() -> None:
    """What is read from the disk is what `write` has returned."""
    disk = empty_disk()
    head = written(of(disk), b"body", 3, through=4)
    data = disk.tree()[f"state.jrn/{SLOTS[0]}"]
    assert isinstance(data, bytes)
    assert head == decode_head(data[:HEAD_BYTES], path="x")
    assert b"body" == data[HEAD_BYTES : HEAD_BYTES + 4]
    assert not any(data[HEAD_BYTES + 4 :])


@pytest.mark.parametrize("body", [b"x" * 3000, LARGE])
def test_readers_beside_a_writer_see_what_was_acknowledged(body, tmp_path: Path) -> None:
    """Each load gives a whole one, never an older one than was told before it began."""
    folder = SYSTEM.folder(str(tmp_path))
    checkpoints = of(SYSTEM, folder=folder)
    told = written(checkpoints, b"1 " + body, 1).sequence
    wrong: list[str] = []
    over = threading.Event()

    def watch() -> None:
        own = SYSTEM.folder(str(tmp_path))
        reader = of(SYSTEM, folder=own)
        for _ in range(100_000):
            least = told
            loaded = reader.load(b"".join)
            number = loaded.head.sequence if loaded.head else 0
            if number < least or loaded.value != b"%d " % number + body:
                wrong.append(f"{number} where {least} was told: {loaded.skipped}")
            if over.is_set():
                break
        own.close()

    threads = [threading.Thread(target=watch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(2, 60):
        told = written(checkpoints, b"%d " % number + body, number).sequence
        checkpoints.prune()
    over.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    folder.close()
    assert [] == wrong
