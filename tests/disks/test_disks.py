"""Real filesystems, crashed: operations of holdfast, broken programs, and the model.

The quick part of `make crash-disks`. Each job runs in a process with mounts of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.crash.disks.cross_validation import CrossResult
from holdfast.crash.disks.filesystems import FILESYSTEMS, missing
from holdfast.crash.disks.harness import Result
from holdfast.crash.disks.jobs import CrossJob, ProveJob, run_job

ROOT = Path(__file__).parents[2]
OURS, CONTROLS = "tests.disks.operations:WORKLOADS", "holdfast.crash.disks.controls:CONTROLS"
LACKS = missing(list(FILESYSTEMS))
PATIENCE_S = 20.0

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKS), reason=f"missing: {'; '.join(LACKS)}"),
]
each_filesystem = pytest.mark.parametrize("name", list(FILESYSTEMS))


@pytest.fixture(autouse=True)
def nothing_left(tmp_path, monkeypatch) -> Iterator[None]:
    """After each test no mount, no loop device and no folder of it is left."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield

    assert str(tmp_path) not in Path("/proc/self/mounts").read_text("ascii")
    assert [] == devices_on(tmp_path)
    assert [] == list(tmp_path.iterdir())


def backing_files() -> list[str]:
    """What loop devices stand on."""
    found = []
    for path in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            found.append(path.read_text())
        except OSError:  # it has gone meanwhile
            continue
    return found


def devices_on(folder: Path) -> list[str]:
    """The loop devices that stand on something in the folder."""
    return [backing for backing in backing_files() if str(folder) in backing]


def proved(job: ProveJob) -> list[Result]:
    results = run_job(job)
    assert [Result] * len(job.devices) == list(map(type, results)), results
    return [result for result in results if isinstance(result, Result)]


def crossed(job: CrossJob) -> CrossResult:
    (result,) = run_job(job)
    assert isinstance(result, CrossResult), result
    return result


@each_filesystem
def test_write_is_old_or_new_and_durable(name) -> None:
    """Every image of a crash mounts, and holds the old contents or the new, whole."""
    results = proved(ProveJob(OURS, "write_bytes", name, ("plain", "slow"), images_max=40))

    assert [(0, 0), (0, 0)] == [(r.violations, r.unmountable) for r in results], results
    assert all(result.images >= 15 and result.trees >= 4 for result in results), results


@each_filesystem
@pytest.mark.parametrize("device", ["EIO on data", "EIO on a flush"])
def test_device_error_reaches_the_caller(name, device) -> None:
    """The write raises; after the crash and the next mount the file is old or new."""
    (result,) = proved(ProveJob(OURS, "write_bytes", name, (device,), images_max=30))

    assert 0 == result.violations, result
    assert result.reached.endswith(", EIO"), result


@each_filesystem
@pytest.mark.parametrize("what", ["file not synced", "folder not synced"])
def test_missing_sync_is_caught(name, what) -> None:
    """Teeth: a replace without one of its syncs breaks its promise on every filesystem.

    On the slow device: on a fast one the data may be there before anybody can miss them.
    """
    (result,) = proved(ProveJob(CONTROLS, f"control: replace, {what}", name, ("slow",), 60))

    assert result.violations > 0, result
    assert ("torn" if what.startswith("file") else "lost") in result.complaint


def test_device_that_is_never_flushed_is_caught() -> None:
    """Teeth: with `barrier=0` even the correct program loses what it acknowledged."""
    (result,) = proved(ProveJob(OURS, "write_bytes", "ext4 barrier=0", ("plain",), 40))

    assert result.violations > 0, result


@each_filesystem
def test_every_tree_that_is_seen_is_in_the_model(name) -> None:
    """Random sequences: no tree outside `posix` or `linux`, and dozens of images each."""
    seed = int(time.time()) * 1000
    result = crossed(CrossJob(name, seed, 10, ("posix", "linux")))

    assert () == result.outside
    assert 0 == result.unmountable
    assert result.images >= 40, result
    assert result.pairs >= 50, result


def test_model_with_sectors_holds_on_a_device_with_sectors() -> None:
    """A device that tears at 512 bytes shows no tree that `block_bytes=512` does not allow."""
    result = crossed(CrossJob("ext4", 5000, 6, ("posix", "linux"), block_bytes=512))

    assert ((), 0) == (result.outside, result.unmountable)
    assert result.images >= 60, result


def test_model_that_is_too_strong_is_caught() -> None:
    """Teeth: that a power cut is a kill is refuted, by a sequence cut down to what it takes."""
    result = crossed(CrossJob("ext4", 1, 3, ("prefix",), images_per_sequence=20))

    assert result.outside
    assert all(len(found.steps) < 12 for found in result.outside), result.outside


UNSYNCED = """
import os, sys
from holdfast.crash.disks.faults import DeviceFaults
from holdfast.crash.disks.filesystems import variant
from holdfast.crash.disks.mounting import own_mounts
from holdfast.crash.parent import die_with_parent
from holdfast.crash.disks.recorded_disk import RecordedDisk

die_with_parent()
own_mounts()
with RecordedDisk(variant(sys.argv[1]), lambda folder: None) as disk:
    with disk.recorded(faults=DeviceFaults(delay_s=0.05)) as folder:
        with open(os.path.join(folder, "unsynced"), "wb") as file:
            file.write(bytes(4_000_000))
        os.write(1, b"ready")
        sys.stdin.read()
"""


@each_filesystem
def test_run_that_is_killed_with_unsynced_data_leaves_no_device(tmp_path, name) -> None:
    """The kernel unmounts for the dead: the data go to the server, so that must still be able."""
    command = [sys.executable, "-c", UNSYNCED, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert b"ready" == child.stdout.read(5)
        assert 1 == len(devices_on(tmp_path))
        child.kill()
    # a device that stays behind has lost the folder from its path
    wait_until(lambda: not {"/disk", "/image"} & {text.strip() for text in backing_files()})
    wait_until(lambda: not devices_on(tmp_path))

    for folder in (*tmp_path.glob("holdfast-disks-*/*"), *tmp_path.glob("holdfast-disks-*")):
        os.rmdir(folder)  # empty ones: what was mounted there is gone


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when it holds; fail when it does not within the patience."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE_S, backing_files()
        time.sleep(0.005)


def test_command_writes_the_page_and_the_figures(tmp_path) -> None:
    """A small run from the command line ends well and names kernel and counts."""
    page, figures = tmp_path / "page.md", tmp_path / "figures.json"
    command = [sys.executable, "-m", "holdfast.crash.disks", "--on", "ext4", "--images", "40"]
    command += ["--only", "correct", "--devices", "plain", "--write", page, "--json", figures]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "all as it must be" in done.stdout
    assert f"Linux {os.uname().release.split('-')[0]}" in page.read_text()
    assert '"ok": true' in figures.read_text()
    page.unlink()
    figures.unlink()
