"""The probe: true facts about a folder, and nothing left in it."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
from itertools import pairwise

import pytest

from holdfast.primitives.sweep import sweep
from holdfast.primitives.temp import recognise
from holdfast.vfs import SYSTEM, ManualClock
from holdfast.vfs.linux import LinuxFile, LinuxFolder
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.probe import NOTHING_SYNCED_US, Latency, probe
from tests.support.mounts import mounted
from tests.support.stand_ins import refusing, standing_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins are those of Linux")

MEMORY = "/dev/shm"


@pytest.fixture
def in_memory():
    if not os.path.ismount(MEMORY):
        pytest.skip(f"no tmpfs at {MEMORY}")
    folder = f"{MEMORY}/{SYSTEM.token()}"
    os.mkdir(folder)
    yield folder
    os.rmdir(folder)  # fails if something was left


def test_linux_folder_gives_all(tmp_path) -> None:
    """An ordinary folder has links, locks and long names, and the folder is empty afterwards."""
    facts = probe(str(tmp_path), seconds=0.05)

    assert str(tmp_path) == facts.path
    assert facts.hard_links
    assert facts.no_clobber
    assert facts.locks_exclude
    assert 255 == facts.name_max_bytes
    assert not facts.folds_case
    assert facts.space is not None
    assert facts.space.size_bytes > 0
    assert () == facts.mounted_files
    assert [] == os.listdir(tmp_path)


def test_tmpfs_syncs_nothing(in_memory) -> None:
    """A sync of memory is too fast to have reached a disk, and the mount table agrees."""
    facts = probe(in_memory)

    assert not facts.is_synced
    assert facts.append.p50_us < NOTHING_SYNCED_US
    assert not facts.promises.sync_is_durable


def test_memory_filesystem_can_be_probed() -> None:
    """A filesystem that is not the system's has no free space and no mounts to read."""
    vfs = MemoryVFS()

    facts = probe("/", vfs=vfs)

    assert None is facts.space
    assert facts.hard_links
    assert facts.no_clobber
    assert facts.locks_exclude
    folder = vfs.folder("/")
    assert [] == folder.names()
    folder.close()


@pytest.mark.parametrize(
    ("file_methods", "folder_methods"),
    [
        ({"sync": refusing(errno.EIO)}, {}),
        ({"write": refusing(errno.ENOSPC)}, {}),
        ({}, {"sync": refusing(errno.EIO)}),
        ({}, {"rename": refusing(errno.EBUSY)}),
        ({}, {"open_unnamed": refusing(errno.EIO)}),
        ({"lock": refusing(errno.EIO)}, {}),
        ({"set_attributes": refusing(errno.EIO)}, {}),
    ],
)
def test_failed_probe_leaves_nothing(tmp_path, file_methods, folder_methods) -> None:
    """An error in the middle is raised as it is, and the private folder is gone."""
    with pytest.raises(OSError) as caught:
        probe(str(tmp_path), vfs=standing_in(file_methods, folder_methods))

    assert caught.value.errno in {errno.EIO, errno.ENOSPC, errno.EBUSY}
    assert [] == os.listdir(tmp_path)


def test_times_come_from_the_clock(tmp_path) -> None:
    """With a sync of 20 ms the figures say 20 ms, after the fewest samples that are taken."""
    clock = ManualClock()

    def sync(self) -> None:
        clock.advance(0.02)

    facts = probe(str(tmp_path), vfs=standing_in({"sync": sync}), clock=clock)

    assert 20_000 == pytest.approx(facts.append.p50_us)
    assert 20_000 == pytest.approx(facts.replace.p99_us)
    assert 50 == pytest.approx(facts.append.per_s)
    assert 5 == facts.append.samples


def test_number_of_samples_is_bounded(tmp_path) -> None:
    """A clock that stands still does not make the probe run for ever."""
    facts = probe(str(tmp_path), vfs=standing_in({"sync": lambda self: None}), clock=ManualClock())

    assert Latency(0.0, 0.0, 100) == facts.append
    assert not facts.is_synced


def test_private_folder_is_recognised_when_it_is_left(tmp_path) -> None:
    """The folder of a probe that was killed has a temporary name, so that it is recognised."""
    seen = []

    def mkdir(self, name, **options) -> None:
        seen.append((name, options))
        LinuxFolder.mkdir(self, name, **options)

    probe(str(tmp_path), vfs=standing_in({}, {"mkdir": mkdir}), seconds=0.01)

    [(name, options)] = seen
    assert {"permissions": 0o700} == options
    assert re.fullmatch(r"\.holdfast-probe\.[0-9a-f]{16}\.holdfast-tmp", name)
    assert None is not recognise(name)


def test_sweep_leaves_a_running_probe_alone(tmp_path) -> None:
    """A sweep in the middle of a probe finds it alive; the probe ends well, and nothing is left."""
    swept = []

    def rename(self, old, new, **options) -> None:
        swept.extend(sweep(tmp_path))
        LinuxFolder.rename(self, old, new, **options)

    facts = probe(str(tmp_path), vfs=standing_in({}, {"rename": rename}), seconds=0.01)

    assert [] == swept
    assert facts.locks_exclude
    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize("times", [1, 3])
def test_folder_that_was_swept_is_made_anew(tmp_path, times) -> None:
    """A sweep between the making of the folder and its lock costs another try, and no error."""
    swept = []

    def mkdir(self, name, **options) -> None:
        LinuxFolder.mkdir(self, name, **options)
        if len(swept) < times:
            swept.extend(sweep(tmp_path))

    probe(str(tmp_path), vfs=standing_in({}, {"mkdir": mkdir}), seconds=0.01)

    assert times == len(swept)
    assert [] == os.listdir(tmp_path)


def test_killed_probe_is_swept(tmp_path) -> None:
    """What a probe leaves when its process is killed in the middle is recognised as dead."""
    program = (
        "import os, signal, sys\n"
        "from holdfast.vfs.linux import LinuxFolder, LinuxVFS\n"
        "from holdfast.vfs.probe import probe\n"
        "LinuxFolder.rename = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "probe(sys.argv[1], vfs=LinuxVFS())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=60,
        check=False,
    )

    [left] = os.listdir(tmp_path)
    assert -signal.SIGKILL == done.returncode
    assert [tmp_path / left] == sweep(tmp_path)
    assert [] == os.listdir(tmp_path)


def test_percentiles_are_in_order(tmp_path) -> None:
    """The 99th percentile is no smaller than the median, and the figures are positive."""
    facts = probe(str(tmp_path), seconds=0.05)

    for latency in (facts.append, facts.overwrite, facts.replace):
        assert all(a <= b for a, b in pairwise((0, latency.p50_us, latency.p99_us)))
        assert 5 <= latency.samples <= 100
    assert facts.zero_fill_ratio > 0


@pytest.mark.parametrize("name", ["missing", "file", "file/below"])
def test_what_is_no_folder_is_an_error(tmp_path, name) -> None:
    """A missing folder or a file is told by its own error, and nothing is made."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        probe(str(tmp_path / name))

    assert ["file"] == os.listdir(tmp_path)


def test_symlink_to_a_folder_is_followed(tmp_path) -> None:
    """The facts name the folder that the symlink leads to."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")

    assert str(tmp_path / "folder") == probe(str(tmp_path / "link"), seconds=0.01).path


@pytest.mark.root
def test_read_only_mount_is_an_error(tmp_path) -> None:
    """A filesystem that is mounted read-only cannot be measured."""
    options = ("-t", "tmpfs", "-o", "ro", "none")
    with mounted(tmp_path, *options) as place, pytest.raises(OSError) as caught:
        probe(str(place))

    assert errno.EROFS == caught.value.errno


@pytest.mark.root
def test_mount_of_a_single_file_is_seen(tmp_path) -> None:
    """A file that another one is mounted over cannot be replaced, and is named."""
    for name in ("source", "target", "other"):
        (tmp_path / name).write_bytes(b"")
    with mounted(tmp_path / "target", "--bind", str(tmp_path / "source")):
        facts = probe(str(tmp_path), seconds=0.01)

    assert ("target",) == facts.mounted_files


def test_guard_that_a_sweeper_has_locked_is_given_up(tmp_path) -> None:
    """It is about to be removed: another folder is made, and nothing of the first is left."""
    asked: list[bool] = []

    def lock(self, **options):
        asked.append(len(asked) > 0)
        return asked[-1] and LinuxFile.lock(self, **options)

    made: list[str] = []

    def mkdir(self, name, **options):
        made.append(name)
        LinuxFolder.mkdir(self, name, **options)

    probe(str(tmp_path), vfs=standing_in({"lock": lock}, {"mkdir": mkdir}), seconds=0.0)

    assert 2 == len(made)
    assert [] == os.listdir(tmp_path)
