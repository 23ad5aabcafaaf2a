"""A full disk under a log: what was promised is there, nothing is half appended, and it goes on."""

from __future__ import annotations

import errno
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.primitives.log import Log
from tests.support.mounts import mounted, run

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def image_of(folder: Path, *, size_mib: int, make: list[str]) -> Iterator[Path]:
    """A new filesystem on a loop device of its own."""
    image, point = folder / "image", folder / "mounted"
    with image.open("wb") as file:
        file.truncate(size_mib << 20)
    point.mkdir()
    try:
        run(*make, str(image))
    except FileNotFoundError:
        pytest.skip(f"there is no {make[0]} here")
    with mounted(point, "-o", "loop", str(image)) as place:
        yield place
        gc.collect()  # what a caught exception holds open


@contextmanager
def tmpfs(folder: Path, size_kib: int) -> Iterator[Path]:
    with mounted(folder, "-t", "tmpfs", "-o", f"size={size_kib}k", "none") as place:
        yield place
        gc.collect()  # what a caught exception holds open


def fill_up(log: Log, told: dict[int, bytes], *, size_bytes: int) -> OSError:
    """Append until the disk is full; return the error."""
    with pytest.raises(OSError) as caught:
        for number in range(1_000_000):
            data = (b"%d " % number).ljust(size_bytes, b"x")
            told[log.append(data)] = data
    assert caught.value.errno in FULL
    return caught.value


def prove_full_disk(place: Path, *, size_bytes: int, sync: Any) -> None:
    """Fill it, with ballast to make room with; twice: the log goes on each time."""
    path = place / "events.log"
    told: dict[int, bytes] = {}
    log = Log(path, sync=sync, segment_bytes=128 << 10)
    told[log.append(b"first")] = b"first"
    ballast = place / "ballast"
    for number, room_kib in enumerate((96, 32)):
        ballast.write_bytes(os.urandom(room_kib << 10))
        os.sync()
        error = fill_up(log, told, size_bytes=size_bytes)
        assert getattr(error, "__notes__", None), "the error says what to do"
        for _ in range(5):  # it stays an error, and nothing is half appended
            with pytest.raises(OSError, match=str(error.strerror)):
                log.append_many([b"y" * size_bytes] * 40)
        assert told == dict(Log(path, sync=sync).read())
        ballast.unlink()
        os.sync()
        data = b"room %d" % number
        told[log.append(data)] = data
        with Log(path, sync=sync) as other:
            told[other.append(data)] = data
    assert told == dict(Log(path, sync=sync).read())
    assert log.check().ok
    log.drop_before(log.last + 1)
    assert log.append(b"after all was dropped") == max(told) + 1
    log.close()
    with Log(path, sync=sync) as again:
        assert again.recovered is None
        assert [b"after all was dropped"] == [record.data for record in again.read()]


@pytest.mark.root
@pytest.mark.parametrize("sync", ["always", "never"])
@pytest.mark.parametrize("size_bytes", [100, 5000])
@pytest.mark.parametrize("size_kib", [256, 1024])
def test_full_tmpfs(tmp_path: Path, size_kib: int, size_bytes: int, sync: str) -> None:
    """Pages of memory, no zeros ahead."""
    with tmpfs(tmp_path, size_kib) as place:
        prove_full_disk(place, size_bytes=size_bytes, sync=sync)


@pytest.mark.root
@pytest.mark.parametrize("size_kib", [4, 8, 64])
def test_tmpfs_that_is_too_small_for_a_log_or_just_not(tmp_path: Path, size_kib: int) -> None:
    """Whatever can be had of a log: an error, and then it works as soon as there is room."""
    with tmpfs(tmp_path, size_kib) as place:
        told: dict[int, bytes] = {}
        log = Log(place / "events.log")
        fill_up(log, told, size_bytes=700)
        assert told == dict(log.read())
        run("mount", "-o", "remount,size=1024k", str(place))
        told[log.append(b"room")] = b"room"
        assert told == dict(log.read())
        log.close()


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.parametrize("sync", ["always", "never"])
@pytest.mark.parametrize("size_bytes", [100, 20_000])
def test_full_ext4(tmp_path: Path, size_bytes: int, sync: str) -> None:
    """Zeros ahead, and mapped words."""
    make = ["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-b", "1024"]
    with image_of(tmp_path, size_mib=2, make=make) as place:
        prove_full_disk(place, size_bytes=size_bytes, sync=sync)


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.parametrize("sync", ["always", "never"])
def test_full_btrfs(tmp_path: Path, sync: str) -> None:
    """Copy on write: words by calls, which may fail as well."""
    make = ["mkfs.btrfs", "-q", "--mixed", "-d", "single", "-m", "single"]
    with image_of(tmp_path, size_mib=24, make=make) as place:
        prove_full_disk(place, size_bytes=30_000, sync=sync)


LIMITED = """
import resource, sys
from holdfast.primitives.log import Log
log = Log(sys.argv[1], segment_bytes=1 << 20)
told = {log.append(b"first"): b"first"}
size = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_001, resource.RLIM_INFINITY))
errors = 0
for number in range(3000):
    data = (b"%d " % number).ljust(size, b"x")
    try:
        told[log.append(data)] = data
    except OSError as error:
        assert error.errno == 27, error
        errors += 1
        if errors == 3:
            break
assert errors == 3
assert told == dict(log.read())
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
told[log.append(b"more")] = b"more"
log.close()
with Log(sys.argv[1]) as other:
    told[other.append(b"other")] = b"other"
    assert told == dict(other.read())
assert other.check().ok
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("size_bytes", [30, 777, 9000])
def test_limit_of_the_file_size(tmp_path: Path, size_bytes: int) -> None:
    """EFBIG in the middle of a record: it is cut back; the log goes on when the limit is lifted."""
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "events.log"), str(size_bytes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ("", 0) == (done.stderr, done.returncode)
