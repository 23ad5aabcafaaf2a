"""Stores whose disk is damaged, cut or hostile: no acknowledged commit is lost without a word."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections import Counter
from pathlib import Path
from zlib import crc32

import pytest

from holdfast.errors import Corruption, HoldfastError, UnknownFormat
from holdfast.formats.journal_format import (
    SLOT_BYTES,
    CheckpointHead,
    Identity,
    checkpoint_name,
    encode_head,
    encode_identity,
)
from holdfast.formats.store_format import encode_changes, framed
from holdfast.state.store import Store
from tests.support.log_bytes import Segment, as_folder
from tests.support.store_bytes import (
    EXPECTED,
    REFUSED,
    files_of,
    flipped,
    opened,
    read,
    trimmed,
    with_file,
    written,
)

ID = 0x1D
LONGEST_S = 10.0


@pytest.fixture(scope="module", params=[0, 1, 2], ids=lambda n: f"{n} checkpoints")
def disk(request: pytest.FixtureRequest):
    """A store with none, one or two checkpoints."""
    return trimmed(written(checkpoints=request.param))


def outcome(changed, *, read_only: bool) -> str:
    """What reading comes to: all of it, refused, or other contents."""
    found = read(changed, read_only=read_only)
    return str(found) if found == REFUSED else "all" if found == EXPECTED else f"OTHER: {found}"


@pytest.mark.parametrize("read_only", [False, True])
def test_no_flipped_bit_loses_a_commit(disk, read_only: bool) -> None:
    """A bit of each byte that holds something: all is shown, or it is damage; and never less."""
    found: Counter[str] = Counter()
    for name, data in files_of(disk).items():
        for at in range(len(data)):
            changed = with_file(disk, name, flipped(data, at, bit=at * 5 % 8))
            found[outcome(changed, read_only=read_only)] += 1

    assert {"all", REFUSED} >= {*found}
    assert found[REFUSED] > 1000


def test_damage_that_reading_survives_is_told_by_check(disk) -> None:
    """What is passed over (an older slot, a damaged one while the log is whole) is no secret.

    A damaged slot looks as one that a crash has hit: it is told as that.
    """
    silent: Counter[str] = Counter()
    for name, data in files_of(disk).items():
        if not data.strip(b"\0"):
            continue
        used = len(data.rstrip(b"\0"))
        for at in range(0, used, 3):
            changed = with_file(disk, name, flipped(data, at, bit=0))
            with opened(changed) as store:
                try:
                    if not store.check().findings:
                        silent[name.rpartition("/")[2]] += 1
                except HoldfastError:
                    continue

    assert {} == silent


def test_commit_after_survived_damage_keeps_everything(disk) -> None:
    """Where reading goes on, writing goes on: all that was there, and the new commit, are there."""
    went_on = 0
    for name, data in files_of(disk).items():
        for at in range(0, len(data), 11):
            changed = with_file(disk, name, flipped(data, at, bit=at % 8))
            with opened(changed) as store:
                try:
                    store["new"] = 1
                except HoldfastError:
                    assert REFUSED == read(changed)
                    continue
            assert {**EXPECTED, "new": 1} == read(changed), (name, at)
            went_on += 1
            if went_on % 20 == 1:
                with opened(changed) as store:
                    store.checkpoint()
                assert {**EXPECTED, "new": 1} == read(changed), (name, at)

    assert went_on


def test_cut_file_loses_nothing_without_a_word(disk) -> None:
    """Each file cut anywhere: all is shown, or refused; where its last frames are gone, told.

    But not where it is cut at the end of a frame: nothing is left of what came after.
    """
    silent = 0
    for name, data in files_of(disk).items():
        for at in range(0, len(data), 5):
            found = read(with_file(disk, name, data[:at]))
            if found in (EXPECTED, REFUSED):
                continue
            assert "segment" in name, (name, at, found)
            with opened(with_file(disk, name, data[:at])) as store:
                assert found == dict(store)
                silent += store.recovered is None
    assert silent <= 4


def test_missing_file_is_told(disk) -> None:
    """Without the identity, the log, or the checkpoints that stand for it: refused."""
    found = {name.rpartition("/")[2]: read(with_file(disk, name, None)) for name in files_of(disk)}
    checkpoints = {name: value for name, value in found.items() if "checkpoint" in name}

    assert REFUSED == found["journal"]
    assert [] == [name for name, value in checkpoints.items() if value not in (REFUSED, EXPECTED)]
    if checkpoints:
        assert REFUSED == found["00000000000000000001.segment"]


# ------------------------------------------------------------ hostile folders


def folder_of(path: Path, *segments: Segment, **files: bytes) -> Path:
    """A store of these files, with an identity."""
    folder = path / "s"
    (folder / "log").mkdir(parents=True)
    (folder / "journal").write_bytes(encode_identity(Identity(ID, "store", "json", 1)))
    for name, data in as_folder(segments).items():
        (folder / name).write_bytes(data)
    for name, data in files.items():
        (folder / name.replace("_", "-")).write_bytes(data)
    return folder


def refused(path: Path, error: type[BaseException] = Corruption) -> str:
    """Reading and writing are refused, soon, with little memory, and nothing is changed."""
    before = contents(path)
    tracemalloc.start()
    began_s = time.monotonic()
    try:
        for read_only in (True, False):
            with Store(path, read_only=read_only) as store, pytest.raises(error):
                dict(store)
        with Store(path) as store, pytest.raises(error) as caught:
            store["new"] = 1
        assert tracemalloc.get_traced_memory()[1] < 48 << 20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began_s < LONGEST_S
    assert before == contents(path)
    return str(caught.value)


def contents(path: Path) -> dict[str, bytes]:
    files = (p for p in path.rglob("*") if p.is_file() and p.name != "lock")
    return {str(p): p.read_bytes()[: 1 << 20] for p in files}


def head(**fields: int) -> bytes:
    usual = {
        "journal": ID, "generation": 1, "sequence": 1, "through": 1,
        "body_bytes": 0, "body_crc": 0, "created_ns": 1,
    }  # fmt: skip
    return encode_head(CheckpointHead(**{**usual, **fields}))


def body(entry: bytes, **fields: int) -> bytes:
    data = framed(entry)
    return head(body_bytes=len(data), body_crc=crc32(data), **fields) + data


GOOD = encode_changes([("a", b"1")])


@pytest.mark.parametrize("place", [0, 4, 8, 12, 16])
@pytest.mark.parametrize("value", [0, 2, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_entry_that_does_not_add_up_is_damage(tmp_path: Path, place: int, value: int) -> None:
    """Counts and sizes that say too much, in a frame whose checksums fit: an error, not a crash."""
    entry = bytearray(encode_changes([("a", b"1"), ("b", b"22")]))
    if int.from_bytes(entry[place : place + 4], "little") == value:
        pytest.skip(reason="this is what stands there")
    entry[place : place + 4] = value.to_bytes(4, "little")
    if place == 12 and value == 0xFFFF_FFFF:
        entry = entry[:-3]  # one key that is deleted is something else
    folder = folder_of(tmp_path, Segment().append(GOOD).append(bytes(entry)))

    assert "s" in refused(folder, HoldfastError)


@pytest.mark.parametrize(
    "entry", [b"", b"\0", b"\1", b"\1\0\0\0\1\0\0\0", b"\xff" * 16, GOOD[:-1], GOOD + b"x"],
    ids=["empty", "zero", "one", "head", "ones", "short", "long"],
)  # fmt: skip
def test_entry_that_is_none_is_damage(tmp_path: Path, entry: bytes) -> None:
    """In the log, and as the body of a checkpoint."""
    refused(folder_of(tmp_path / "log", Segment().append(GOOD).append(entry)), HoldfastError)
    if entry:
        only = Segment(2).append(GOOD)
        refused(folder_of(tmp_path / "body", only, checkpoint_a=body(entry)), HoldfastError)


def test_key_that_is_no_text_is_damage(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 as a key."""
    entry = encode_changes([("ab", b"1")]).replace(b"ab", b"\xff\xfe")

    refused(folder_of(tmp_path, Segment().append(entry)), HoldfastError)


def test_value_that_does_not_parse_hurts_nobody_else(tmp_path: Path) -> None:
    """Only who asks for it gets an error; it can be replaced."""
    entry = encode_changes([("a", b"{no json"), ("b", b"2")])
    folder = folder_of(tmp_path, Segment().append(entry))
    with Store[object](folder) as store:
        assert 2 == store["b"]
        with pytest.raises(HoldfastError):
            store["a"]
        store["a"] = 1
        assert {"a": 1, "b": 2} == dict(store)


@pytest.mark.parametrize(
    ("checkpoint", "why"),
    [
        (head(body_bytes=1 << 62), "a body that nobody can hold"),
        (head(body_bytes=1 << 20), "a body beyond the end"),
        (body(GOOD, journal=ID + 1), "of another journal"),
        (body(GOOD)[:-1], "cut"),
        (body(GOOD)[:511], "half a head"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_checkpoint_that_cannot_be_is_damage(tmp_path: Path, checkpoint: bytes, why: str) -> None:
    """Where the log does not reach back: refused; where it does: passed over."""
    first = Segment().append(GOOD)
    cut = folder_of(tmp_path / "cut", Segment(2).append(GOOD), checkpoint_a=checkpoint)
    whole = folder_of(tmp_path / "whole", first, checkpoint_a=checkpoint)

    assert "checkpoint-a" in refused(cut)
    with Store[int](whole) as store:
        assert {"a": 1} == dict(store), why


def test_checkpoint_ahead_of_the_log_is_damage(tmp_path: Path) -> None:
    """It says that commits were durable which are not there: files of two times were mixed."""
    first = Segment().append(GOOD)
    ahead = body(GOOD, sequence=1, through=5)

    refused(folder_of(tmp_path / "a", first, checkpoint_a=ahead.ljust(SLOT_BYTES, b"\0")))
    refused(
        folder_of(tmp_path / "b", first, **{checkpoint_name(7): body(GOOD, sequence=7, through=7)})
    )


def test_gap_between_checkpoint_and_log_is_damage(tmp_path: Path) -> None:
    """Commits between them are missing."""
    log = Segment(5).append(GOOD)

    refused(folder_of(tmp_path, log, checkpoint_a=body(GOOD, sequence=3, through=4)))


@pytest.mark.parametrize("place", [8, 10, 12, 130])
def test_later_version_is_left_alone(tmp_path: Path, place: int) -> None:
    """Of the identity and of a checkpoint: nothing is changed, and it says so."""
    for number, name in enumerate(("journal", "checkpoint-a")):
        folder = folder_of(tmp_path / str(number), Segment().append(GOOD), checkpoint_a=body(GOOD))
        block = bytearray((folder / name).read_bytes()[:512])
        rest = (folder / name).read_bytes()[512:]
        block[place] += 1
        block[508:] = crc32(block[:508]).to_bytes(4, "little")
        (folder / name).write_bytes(bytes(block) + rest)

        assert "newer holdfast" in refused(folder, UnknownFormat)


@pytest.mark.parametrize("name", ["journal", "checkpoint-a", checkpoint_name(3)])
@pytest.mark.parametrize("kind", ["fifo", "folder", "symlink", "loop"])
def test_something_else_under_a_name_of_ours(tmp_path: Path, name: str, kind: str) -> None:
    """It is told, or passed over where the log is whole; at once, and without following it."""
    folder = folder_of(tmp_path, Segment().append(GOOD))
    target = folder / name
    target.unlink(missing_ok=True)
    if kind == "fifo":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to("/dev/zero" if kind == "symlink" else name)
    with Store[int](folder) as store:
        try:
            store["b"] = 2
        except (HoldfastError, OSError):
            assert name == "journal"
        else:
            assert {"a": 1, "b": 2} == dict(store)
            assert store.check().findings


def test_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """A folder with other things, a log, or a journal that is no store: refused by name."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    assert "letter.txt" in refused(tmp_path / "other", UnknownFormat)

    journal = folder_of(tmp_path / "journal", Segment().append(GOOD))
    (journal / "journal").write_bytes(encode_identity(Identity(ID, "journal", "", 1)))
    assert "store" in refused(journal, UnknownFormat)

    codec = folder_of(tmp_path / "codec", Segment().append(GOOD))
    (codec / "journal").write_bytes(encode_identity(Identity(ID, "store", "bytes", 1)))
    assert "bytes" in refused(codec, UnknownFormat)
