"""After a failed sync everybody refuses; a new handle serves what the disk has, old ones never."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from holdfast.errors import HandlePoisoned
from holdfast.primitives.log import Log
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty


def failing(nth: int) -> Faulty:
    return Faulty(SYSTEM, Fault("sync_data", nth, effect="EIO", on="*.segment*"))


def data_of(log: Log) -> list[bytes]:
    return [record.data for record in log.read()]


APPEND = """
import sys
from holdfast.errors import HandlePoisoned
from holdfast.primitives.log import Log
log = Log(sys.argv[1])
log.append(b"process")
print("appended", flush=True)
for line in sys.stdin:
    try:
        log.append(b"process again")
        print("appended", flush=True)
    except HandlePoisoned as error:
        print(error.durable, [record.data for record in log.read()][-1], flush=True)
"""


@pytest.mark.parametrize("sync", ["always", "never", 60.0])
def test_all_refuse_and_a_new_handle_serves_what_is_there(tmp_path: Path, sync) -> None:
    """Handles of this process and of another one refuse, also after somebody opened it anew."""
    path = tmp_path / "events.log"
    command = [sys.executable, "-c", APPEND, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert "appended\n" == process.stdout.readline()
        other = Log(path, sync="never")
        other.append(b"other")
        other.barrier()
        log = Log(path, sync=sync, vfs=failing(1))
        with pytest.raises(OSError, match="Input/output error"):
            log.append(b"perhaps")
            log.barrier()

        def all_refuse() -> None:
            for old in (log, other):
                with pytest.raises(HandlePoisoned):
                    old.append(b"never")
                with pytest.raises(HandlePoisoned):
                    old.barrier()
                with pytest.raises(HandlePoisoned):
                    old.append_many([b"never", b"never"])
                with pytest.raises(HandlePoisoned):
                    old.submit(b"never").result(20)
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("again\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(("2 ", "4 "))

        all_refuse()
        for reader in (Log(path), Log(path, sync="never")):
            assert [b"process", b"other"] == data_of(reader)
            assert 2 == reader.last == reader.durable
        anew = Log(path)
        assert 4 == anew.append(b"anew")
        assert anew.recovered is not None
        assert "sync" == anew.recovered.kind
        all_refuse()
        assert [b"process", b"other", b"perhaps", b"anew"] == data_of(anew)
        assert anew.check().ok
        with suppress(HandlePoisoned):  # with sync=60.0, what was to be synced is perhaps lost
            log.close()
        other.close()
        anew.close()
        process.stdin.close()


def test_threads_that_waited_for_the_sync_all_get_an_error(tmp_path: Path) -> None:
    """The sync that fails is everybody's: nobody is told that a record is durable."""
    for nth in range(1, 12):
        log = Log(tmp_path / f"{nth}.log", vfs=failing(nth))
        told: list[int] = []
        errors: list[BaseException] = []

        def work(log: Log = log, told=told, errors=errors) -> None:
            try:
                for _ in range(100):
                    told.append(log.append(b"x"))
            except OSError as error:
                errors.append(error)
            except HandlePoisoned as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
        assert 8 == len(errors)
        reader = Log(log.path)
        assert set(told) <= {record.sequence for record in reader.read()}
        assert reader.durable == len(data_of(reader))
        log.close()


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_sync_that_fails_when_a_segment_is_full(tmp_path: Path, nth: int) -> None:
    """While rolling: the same, and what was durable before is there."""
    path = tmp_path / "events.log"
    log = Log(path, sync="never", segment_bytes=1024, vfs=failing(nth))
    with pytest.raises(OSError, match="Input/output error") as caught:
        for number in range(100):
            log.append(b"%d" % number + bytes(100))
    assert errno.EIO == caught.value.errno
    with pytest.raises(HandlePoisoned):
        log.append(b"never")
    durable = log.durable
    assert list(range(1, durable + 1)) == [record.sequence for record in log.read()]
    with Log(path, segment_bytes=1024) as anew:
        last = anew.append(b"anew")
        assert list(range(1, last + 1)) == [record.sequence for record in anew.read()]
        assert anew.check().ok
    log.close()


DEVICE = """
import os, sys
from holdfast.crash.disks.faults import DeviceFaults
from holdfast.crash.disks.filesystems import variant
from holdfast.crash.disks.mounting import own_mounts
from holdfast.crash.disks.recorded_disk import RecordedDisk
from holdfast.errors import HandlePoisoned
from holdfast.primitives.log import Log

own_mounts()
marker = b"THIS WRITE FAILS".ljust(20_000, b".")
with RecordedDisk(variant(sys.argv[1]), lambda folder: None) as disk:
    faults = DeviceFaults(fail_writes=(1, 1), fail_matching=marker[:16])
    with disk.recorded(faults=faults, direct=False) as folder:
        path = os.path.join(folder, "events.log")
        log, other = Log(path), Log(path, sync="never")
        log.append(b"one")
        other.append(b"two")
        other.barrier()
        other.append(b"three")
        try:
            log.append(marker)
            raise SystemExit("the sync did not fail")
        except OSError as error:
            assert error.errno == 5, error
        for old in (log, other):
            try:
                old.append(b"never")
                raise SystemExit("a poisoned handle appended")
            except HandlePoisoned as error:
                assert error.durable == 2, error
            assert [record.data for record in old.read()] == [b"one", b"two"]
        anew = Log(path)
        last = anew.append(b"anew")
        records = [record.data for record in anew.read()]
        assert marker not in records, "the cache was believed"
        assert records[:2] == [b"one", b"two"] and records[-1] == b"anew"
        assert last == len(records)
        for old in (log, other):
            try:
                old.append(b"never")
                raise SystemExit("a poisoned handle appended after all")
            except HandlePoisoned:
                pass
        assert anew.check().ok
        for each in (log, other, anew):
            each.close()
        del log, other, anew, old
"""


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="needs /dev/fuse")
@pytest.mark.parametrize("filesystem", ["ext4", "xfs", "btrfs"])
def test_device_that_fails_a_write(tmp_path: Path, filesystem: str) -> None:
    """A real filesystem on a bad device: what the cache shows is not what the disk has."""
    command = [sys.executable, "-c", DEVICE, filesystem]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=100, check=False, env=environment
    )
    assert 0 == done.returncode, done.stdout + done.stderr
