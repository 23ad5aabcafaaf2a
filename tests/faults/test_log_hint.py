"""The shared tail of a log is a hint: whatever befalls it, nothing is lost and nobody alarmed."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import HoldfastError
from holdfast.primitives.log import Log
from holdfast.primitives.log_hint import BOOT, MAP_BYTES, WORDS

Damage = Callable[[Path], None]


def overwrite(lock: Path, data: bytes) -> None:
    """In place, so that whoever has it mapped sees it at once."""
    with lock.open("r+b") as file:
        file.write(data)


def zeroed(lock: Path) -> None:
    overwrite(lock, bytes(MAP_BYTES))


def random_words(lock: Path) -> None:
    overwrite(lock, random.Random(5).randbytes(MAP_BYTES))


def all_ones(lock: Path) -> None:
    overwrite(lock, b"\xff" * MAP_BYTES)


def of_another_boot(lock: Path) -> None:
    data = bytearray(lock.read_bytes())
    data[8 * BOOT] ^= 1
    overwrite(lock, bytes(data))


def deleted(lock: Path) -> None:
    lock.unlink()


def replaced(lock: Path) -> None:
    lock.unlink()
    lock.write_bytes(b"")


DAMAGES = [zeroed, random_words, all_ones, of_another_boot, deleted, replaced]


def data_of(log: Log) -> list[bytes]:
    return [record.data for record in log.read()]


@pytest.fixture(params=["always", "never", 0.02])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A log with a few segments, written with one of the three kinds of sync."""
    path = tmp_path / "events.log"
    with Log(path, sync=request.param, segment_bytes=1024) as log:
        for number in range(20):
            log.append(b"%d" % number + bytes(40))
    return path


WRITTEN = [b"%d" % number + bytes(40) for number in range(20)]


@pytest.mark.parametrize("damage", DAMAGES)
def test_hint_damaged_while_nobody_lives_changes_nothing(path: Path, damage: Damage) -> None:
    """All records are read, before anybody appends and afterwards."""
    damage(path / "lock")
    for sync in ("always", "never"):
        assert WRITTEN == data_of(Log(path, sync=sync))
        assert 20 == Log(path, sync=sync).last
    with Log(path) as log:
        assert 21 == log.append(b"more")
        assert log.recovered is None
        assert [*WRITTEN, b"more"] == data_of(log)


@pytest.mark.parametrize("damage", DAMAGES)
def test_hint_damaged_under_living_handles_changes_nothing(path: Path, damage: Damage) -> None:
    """Two writers, a reader and a follower go on with what they had."""
    one, two, reader = Log(path), Log(path, sync="never"), Log(path)
    one.append(b"one")
    two.append(b"two")
    two.barrier()
    following: Any = reader.follow(timeout_s=5)
    seen = [next(following).data for _ in range(22)]

    damage(path / "lock")
    assert [*WRITTEN, b"one", b"two"] == data_of(reader)
    for number, log in enumerate([two, one, one, two]):
        assert 23 + number == log.append(b"%d" % number)
    two.barrier()
    with Log(path) as third:
        assert 27 == third.append(b"third")

    expected = [*WRITTEN, b"one", b"two", b"0", b"1", b"2", b"3", b"third"]
    assert expected == data_of(reader)
    assert expected == seen + [next(following).data for _ in range(5)]
    following.close()
    assert one.check().ok
    one.close()
    two.close()


def test_lock_file_deleted_between_two_appends_lets_nobody_write_over_others(
    tmp_path: Path,
) -> None:
    """At once after another one has looked at it: two locks at a time would be two ends."""
    path = tmp_path / "events.log"
    logs = [Log(path, sync="never") for _ in range(2)]
    told = {}
    for number in range(200):
        log, other = logs if number % 2 else reversed(logs)
        told[log.append(b"a%d" % number)] = b"a%d" % number
        (path / "lock").unlink()
        told[other.append(b"b%d" % number)] = b"b%d" % number
    assert 400 == len(told)
    assert told == dict(Log(path, sync="never").read())
    for log in logs:
        log.close()


@pytest.mark.parametrize("word", range(1, WORDS - 1))
@pytest.mark.parametrize("value", [0, 1, 600, 2**63, 2**64 - 1])
def test_one_wrong_word_is_never_believed(word: int, value: int, tmp_path: Path) -> None:
    """With any word of the tail overwritten, appends and reads go on, and nothing is lost."""
    path = tmp_path / "events.log"
    log = Log(path, segment_bytes=2048)
    told = {log.append(b"%d" % number): b"%d" % number for number in range(5)}
    overwrite_word(path / "lock", word, value)
    try:
        for number in range(5, 60):
            told[log.append(b"%d" % number)] = b"%d" % number
    except HoldfastError:  # told to open it anew: an error, not a loss
        assert POISONING[word], f"word {word} = {value}"
    log.close()

    with Log(path, segment_bytes=2048) as other:
        told[other.append(b"other")] = b"other"
        assert told.items() <= dict(other.read()).items()
    assert other.check().ok


POISONING = [False] * 14 + [True, True, False]  # `POISON` and `EPOCH` say that a sync failed


def overwrite_word(lock: Path, word: int, value: int) -> None:
    with lock.open("r+b") as file:
        file.seek(8 * word)
        file.write(value.to_bytes(8, sys.byteorder))


def test_stale_hint_is_not_believed_by_writers(tmp_path: Path) -> None:
    """A copy of the lock file that was put back leads to a look at what there is."""
    path = tmp_path / "events.log"
    log = Log(path)
    log.append(b"1")
    stale = (path / "lock").read_bytes()
    log.append(b"2")
    overwrite(path / "lock", stale)
    with Log(path) as other:
        assert 3 == other.append(b"3")
    assert 4 == log.append(b"4")
    assert [b"1", b"2", b"3", b"4"] == data_of(log)
    log.close()


def test_stale_hint_hides_nothing_from_readers(tmp_path: Path) -> None:
    """The same for those who only read: what is behind the stale end is shown."""
    path = tmp_path / "events.log"
    with Log(path) as log:
        log.append(b"1")
        stale = (path / "lock").read_bytes()
        log.append(b"2")
    overwrite(path / "lock", stale)
    for sync in ("always", "never"):
        assert [b"1", b"2"] == data_of(Log(path, sync=sync))
        assert 2 == Log(path, sync=sync).last


def test_backup_put_elsewhere_and_back_is_read_and_goes_on(tmp_path: Path) -> None:
    """`cp -a` away and back: the words speak of other files, and are not believed."""
    path, backup = tmp_path / "events.log", tmp_path / "backup"
    with Log(path) as log:
        log.append_many([b"1", b"2"])
    subprocess.run(["cp", "-a", path, backup], check=True)
    with Log(path) as log:
        log.append(b"3")
    with Log(backup) as copy:
        assert [b"1", b"2"] == data_of(copy)
        assert 3 == copy.append(b"another third")
    shutil.rmtree(path)
    subprocess.run(["cp", "-a", backup, path], check=True)
    with Log(path) as log:
        assert [b"1", b"2", b"another third"] == data_of(log)
        assert 4 == log.append(b"4")


@pytest.mark.parametrize("way", ["moved", "removed"])
def test_backup_restored_under_living_handles(tmp_path: Path, way: str) -> None:
    """Writers, readers and followers go over to the folder that has the name now."""
    path, backup = tmp_path / "events.log", tmp_path / "backup"
    log, reader = Log(path), Log(path)
    log.append_many([b"1", b"2"])
    subprocess.run(["cp", "-a", path, backup], check=True)
    following: Any = reader.follow(timeout_s=5)
    assert [b"1", b"2"] == [next(following).data for _ in range(2)]
    log.append(b"lost with what was replaced")
    if way == "moved":
        path.rename(tmp_path / "old")
    else:
        shutil.rmtree(path)
    subprocess.run(["cp", "-a", backup, path], check=True)

    pause()
    assert 3 == log.append(b"3")
    assert [b"1", b"2", b"3"] == data_of(reader) == data_of(Log(path))
    assert b"3" == next(following).data
    following.close()
    log.close()


def test_backup_restored_in_place_under_living_handles(tmp_path: Path) -> None:
    """Files overwritten with what they were: the log goes on from there."""
    path, backup = tmp_path / "events.log", tmp_path / "backup"
    log = Log(path)
    log.append_many([b"1", b"2"])
    subprocess.run(["cp", "-a", path, backup], check=True)
    log.append(b"gone with the backup")
    for file in backup.iterdir():
        overwrite(path / file.name, file.read_bytes())

    assert 3 == log.append(b"3")
    assert [b"1", b"2", b"3"] == data_of(Log(path)) == data_of(log)
    assert log.check().ok
    log.close()


def test_segment_replaced_by_another_file_gets_no_append(tmp_path: Path) -> None:
    """A segment that was put back by renaming is found: nothing goes into the nameless one."""
    path = tmp_path / "events.log"
    log = Log(path)
    log.append(b"1")
    [segment] = path.glob("*.segment")
    shutil.copy2(segment, tmp_path / "copy")
    (tmp_path / "copy").rename(segment)
    pause()
    assert 2 == log.append(b"2")
    assert [b"1", b"2"] == data_of(Log(path))
    log.close()


def pause() -> None:
    """Let the time pass for which a look at the path is trusted."""
    import time

    end = time.monotonic() + 0.002
    while time.monotonic() < end:
        pass


CUT = """
import os, sys
from holdfast.primitives.log import Log
path = sys.argv[1]
log = Log(path)
log.append(b"1")
following = log.follow(timeout_s=0.2)
assert next(following).data == b"1"
os.truncate(path + "/lock", 0)
assert [record.data for record in Log(path).read()] == [b"1"]
assert list(following) == []
end = __import__("time").monotonic() + 0.002
while __import__("time").monotonic() < end:
    pass
try:
    log.append(b"2")
except Exception as error:
    print(type(error).__name__)
log.close()
with Log(path) as anew:
    anew.append(b"3")
    print([record.data for record in anew.read()])
"""


def test_lock_file_that_was_cut_ends_no_process(tmp_path: Path) -> None:
    """Cut to nothing while it is mapped: an error, and a new handle goes on."""
    command = [sys.executable, "-c", CUT, str(tmp_path / "events.log")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ("", 0) == (done.stderr, done.returncode)
    assert done.stdout.splitlines() in (
        ["Corruption", "[b'1', b'3']"],
        ["[b'1', b'2', b'3']"],
    )
    assert os.path.getsize(tmp_path / "events.log" / "lock") >= MAP_BYTES
