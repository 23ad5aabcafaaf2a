"""`doctor`: a verdict that is true of the folder, and nothing left in it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.diagnosis import doctor
from holdfast.primitives import temp
from holdfast.vfs import SYSTEM
from holdfast.vfs.memory import MemoryVFS
from tests.support.mounts import ext4, mounted
from tests.support.stand_ins import refusing, standing_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins are those of Linux")

MEMORY = "/dev/shm"
SMALLEST_MIB = 8


@pytest.fixture
def on_disk(tmp_path):
    """A folder on a disk of its own kind, as this machine has it."""
    if SYSTEM.promises(str(tmp_path)).filesystem not in {"ext4", "xfs", "btrfs"}:
        pytest.skip("the temporary folder of this machine is not on ext4, xfs or btrfs")
    return tmp_path


@pytest.fixture
def in_memory():
    if not os.path.ismount(MEMORY):
        pytest.skip(f"no tmpfs at {MEMORY}")
    folder = Path(MEMORY, SYSTEM.token())
    folder.mkdir()
    yield folder
    folder.rmdir()  # fails if something was left


def levels(report):
    return {finding.level for finding in report.findings}


def sentences(report):
    return " ".join(finding.sentence for finding in report.findings)


def test_disk_is_durable(on_disk) -> None:
    """On an ordinary disk the verdict is yes, the exit code 0, and nothing is left."""
    report = doctor(on_disk)

    assert ("yes", True, 0) == (report.verdict, report.durable, report.exit_code)
    assert "error" not in levels(report)
    assert [] == os.listdir(on_disk)


def test_memory_survives_the_process_alone(in_memory) -> None:
    """On tmpfs the verdict says so, with an error among the findings and exit code 1."""
    report = doctor(in_memory)

    assert "only against process crash" == report.verdict
    assert (False, 1) == (report.durable, report.exit_code)
    assert "lives in memory" in report.why
    assert "error" in levels(report)


def test_memory_filesystem_is_judged_by_its_times() -> None:
    """A filesystem that promises to sync, and takes no time for it, is not believed."""
    report = doctor("/", vfs=MemoryVFS())

    assert "only against process crash" == report.verdict
    assert "A sync takes" in report.why


def test_promise_that_is_not_held_decides(on_disk) -> None:
    """What the system admits counts, however long a sync takes."""
    weak = ("mounted nobarrier: the disk's own cache is not emptied",)

    report = doctor(on_disk, vfs=standing_in(sync_is_durable=False, weaknesses=weak))

    assert "only against process crash" == report.verdict
    assert "nobarrier" in report.why
    assert "error" in levels(report)


def test_folder_that_cannot_be_synced_is_not_durable(on_disk) -> None:
    """A name that a power cut can take back is not durable."""
    report = doctor(on_disk, vfs=standing_in(folder_sync=False))

    assert "only against process crash" == report.verdict
    assert "folders" in report.why


def test_without_locks_the_answer_is_no(on_disk) -> None:
    """Where locks exclude nobody, updates are lost: what needs locks does not fit."""
    report = doctor(on_disk, vfs=standing_in(file_methods={"lock": lambda self, **options: True}))

    assert ("no", 1) == (report.verdict, report.exit_code)
    unfit = {pattern.use for pattern in report.patterns if pattern.available and not pattern.fits}
    locking = {"Document, edit(path)", "FileLock", "Log", "LineLog, DurableHandler", "Stream"}
    locking |= {"Store", "Journal"}
    assert locking == unfit


def test_missing_links_are_told(on_disk) -> None:
    """Without hard links, a new file that must not clobber is refused."""
    report = doctor(on_disk, vfs=standing_in(folder_methods={"link": refusing(errno.EPERM)}))

    assert report.durable
    assert "Hard links are missing" in sentences(report)
    unfit = {pattern.use for pattern in report.patterns if pattern.available and not pattern.fits}
    assert {'open(path, "x")'} == unfit


def test_leftovers_of_the_dead_are_counted(on_disk) -> None:
    """Temporary files whose lock is free are told, those of living writers and others are not."""
    dead = temp.temp_name("a.json", SYSTEM.token())
    living = temp.temp_name("b.json", SYSTEM.token())
    guard = SYSTEM.token()
    orphan = temp.temp_name("c.json", f"{SYSTEM.token()}-1")
    names = (dead, living, temp.temp_name(temp.GUARD, guard), orphan, ".d.tmp", "e")
    for name in (*names, temp.temp_name("f", f"{guard}-2")):
        (on_disk / name).write_bytes(b"")
    folder = SYSTEM.folder(str(on_disk))
    held = [folder.open(names[1], "write"), folder.open(names[2], "write")]
    assert all(file.lock() for file in held)

    report = doctor(on_disk)
    for file in held:
        file.close()
    folder.close()

    assert {dead, orphan} == set(report.leftovers)
    assert "2 temporary files of killed writers" in sentences(report)
    assert len(names) + 1 == len(os.listdir(on_disk))


def test_private_folders_of_the_dead_are_counted(on_disk) -> None:
    """A private folder is alive while the lock of the file of its name in it is held."""
    dead, empty, living = (temp.temp_name("a", SYSTEM.token()) for _ in range(3))
    for name in (dead, empty, living):
        (on_disk / name).mkdir()
    for name in (dead, living):
        (on_disk / name / name).write_bytes(b"")
    folder = SYSTEM.folder(str(on_disk / living))
    held = folder.open(living, "write")
    assert held.lock()

    report = doctor(on_disk)
    held.close()
    folder.close()

    assert {dead, empty} == set(report.leftovers)


def test_leftover_that_is_no_file_is_left_alone(on_disk) -> None:
    """A FIFO or a dangling symlink with a temporary name makes nothing hang or fail."""
    os.mkfifo(on_disk / temp.temp_name("a", SYSTEM.token()))
    (on_disk / temp.temp_name("b", SYSTEM.token())).symlink_to("missing")

    assert "yes" == doctor(on_disk).verdict


@pytest.mark.parametrize(
    ("error", "name"), [(FileNotFoundError, "missing"), (NotADirectoryError, "file")]
)
def test_what_is_no_folder_is_refused_with_a_note(tmp_path, error, name) -> None:
    """The system's error stays, and the note says what is on disk and what to do."""
    (tmp_path / "file").write_bytes(b"contents")

    with pytest.raises(error) as caught:
        doctor(tmp_path / name)

    assert any("Nothing was left" in note for note in caught.value.__notes__)
    assert ["file"] == os.listdir(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission_is_refused(tmp_path) -> None:
    """A folder that this user may not write to is told as such."""
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError) as caught:
        doctor(tmp_path)
    tmp_path.chmod(0o700)

    assert any("may write to" in note for note in caught.value.__notes__)


def test_disk_that_fails_is_an_error(on_disk) -> None:
    """A sync that fails is no figure: the error is raised, and nothing is left."""
    with pytest.raises(OSError) as caught:
        doctor(on_disk, vfs=standing_in(file_methods={"sync": refusing(errno.EIO)}))

    assert errno.EIO == caught.value.errno
    assert [] == os.listdir(on_disk)


def test_swallowed_syncs_are_found(on_disk) -> None:
    """A library of the name that swallows syncs, loaded before all others, is told."""
    libraries = [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()]
    some = next((path for path in libraries if "/libc.so" in path or "/libm.so" in path), None)
    if some is None:
        pytest.skip("no shared library to give the name to")
    fake = on_disk / "libeatmydata.so"
    shutil.copyfile(some, fake)
    program = "from holdfast.diagnosis import doctor; print(doctor('.').why)"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "LD_PRELOAD": str(fake), "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=on_disk,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "libeatmydata is loaded: syncs are swallowed.\n" == done.stdout


def test_report_survives_json(on_disk) -> None:
    """`as_dict` is made of what JSON holds, and says what the attributes say."""
    report = doctor(on_disk)

    found = json.loads(json.dumps(report.as_dict()))
    assert report.as_dict() == found
    assert report.verdict == found["verdict"]
    assert report.facts.promises.filesystem == found["figures"]["filesystem"]
    assert found["figures"]["replaces_per_s"] > 0


@pytest.mark.root
@pytest.mark.parametrize("option", ["nobarrier", "barrier=0"])
def test_mount_without_barriers_is_found(tmp_path, option) -> None:
    """A disk whose cache is not emptied cannot be told by time; the mount options tell."""
    with ext4(tmp_path, size_mib=SMALLEST_MIB, options=option) as place:
        report = doctor(place)

    assert "only against process crash" == report.verdict
    assert "barrier" in report.why


@pytest.mark.root
def test_ext4_with_barriers_is_durable(tmp_path) -> None:
    """The same disk, mounted as usual, is durable."""
    with ext4(tmp_path, size_mib=SMALLEST_MIB) as place:
        report = doctor(place)

    assert "yes" == report.verdict
    assert "are free" in sentences(report)


@pytest.mark.root
def test_volatile_overlay_is_found(tmp_path) -> None:
    """An overlay that syncs nothing is told, and so is that it goes with its container."""
    for name in ("lower", "upper", "work", "merged"):
        (tmp_path / name).mkdir()
    layers = [f"{kind}dir={tmp_path / kind}" for kind in ("lower", "upper", "work")]
    options = ",".join([*layers, "volatile"])
    with mounted(tmp_path / "merged", "-t", "overlay", "-o", options, "overlay") as place:
        report = doctor(place)

    assert "only against process crash" == report.verdict
    assert "volatile" in report.why
    assert "container" in sentences(report)
