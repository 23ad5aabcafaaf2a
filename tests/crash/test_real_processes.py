"""Level 2: operations as real processes under the recorder. Linux, no root.

A few in the tests; `python -m tests.crash` takes them all.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the recorder is for Linux", allow_module_level=True)

from holdfast.crash.recorders import RecorderUnavailable
from tests.crash import real
from tests.crash.operations import BY_NAME
from tests.crash.promises import RETURNED
from tests.support.mounts import mounted

EXPLORED = [
    *("write_bytes", "write_bytes, new folders", "write_bytes, backup", "open xb", "replacing"),
    *("write_many", "sweep", "FileLock", "awrite_bytes", "Document.update, keep=2"),
    *("Document.quarantine", "edit", "atomicwrites: move_atomic", "holdfast set"),
    *("LineLog.append, new file", "LineLog.append, rotation", "DurableHandler, rotation"),
    *("Log.append, new log", "Log.append, into the next segment, zero-filling"),
    *("Log after half a frame", "Log after a failed sync", "Log.drop_before, all"),
    *("Journal.commit, new journal", "Journal.checkpoint, dropping segments"),
    *("Store put, new store", "Store.transaction", "Store.checkpoint, keep=1"),
    *(
        "InPlaceFile.patch, new journal",
        "InPlaceFile.patch, growing",
        "InPlaceFile after half a patch",
    ),
]
KILLED = [
    "write_bytes",
    "open xb",
    "Document.update, keep=2",
    "LineLog.append, rotation",
    "Log.append, into the next segment",
    "Journal.checkpoint, dropping segments",
    "Store.transaction",
    "InPlaceFile.patch",
]


@pytest.fixture(scope="module", autouse=True)
def recorder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where no recorder may be used."""
    try:
        real.record(BY_NAME["write_bytes"], tmp_path_factory.mktemp("try") / "a")
    except RecorderUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", EXPLORED)
def test_what_the_kernel_saw_is_old_or_new(tmp_path: Path, name: str) -> None:
    """Nothing goes past the seam: the promises hold on what was really done."""
    result = real.every_crash(BY_NAME[name], tmp_path, budget_s=3)

    assert () == result.violations, str(result)
    assert 3 <= result.states


@pytest.mark.parametrize("name", EXPLORED)
def test_process_does_what_was_done_in_memory(tmp_path: Path, name: str) -> None:
    """The same writes, syncs and changes of names, in the same order, and an acknowledgement."""
    recording = real.record(BY_NAME[name], tmp_path / "recorded")

    assert 0 == recording.status
    assert real.kinds_in_memory(BY_NAME[name]) == real.kinds(recording)
    assert RETURNED == real.marks(recording)[-1]


@pytest.mark.parametrize("name", KILLED)
def test_kill_at_each_call_leaves_old_or_new(tmp_path: Path, name: str) -> None:
    """SIGKILL in place of a call: the next one sweeps, and goes on."""
    calls = ("open", "write", "fsync", "rename", "link")
    result = real.killed_at_each_call(BY_NAME[name], tmp_path, calls=calls)

    assert () == result.violations, str(result)
    assert 4 <= result.runs


@pytest.mark.parametrize("name", KILLED)
def test_kill_at_a_random_moment_leaves_old_or_new(tmp_path: Path, name: str) -> None:
    """Between the calls as well."""
    result = real.killed_at_random(BY_NAME[name], tmp_path, times=5)

    assert () == result.violations, str(result)


@pytest.mark.parametrize(
    "name", ["write_bytes, 10 KiB", "write_many", "replacing", "edit", "LineLog.append, long line"]
)
def test_file_that_may_not_grow_leaves_the_old(tmp_path: Path, name: str) -> None:
    """No room: an error, the old contents, and nothing temporary."""
    result = real.full_disk(BY_NAME[name], tmp_path)

    assert () == result.violations, str(result)


@pytest.mark.root
@pytest.mark.parametrize("name", ["write_bytes, 10 KiB", "write_many", "Document.update, keep=2"])
def test_full_disk_leaves_the_old(tmp_path: Path, name: str) -> None:
    """On a disk of 64 KiB, full but for one page, two, and so on until it fits."""
    with mounted(tmp_path, "-t", "tmpfs", "-o", "size=64k", "holdfast-crash") as place:
        result = real.full_filesystem(BY_NAME[name], place)

    assert () == result.violations, str(result)
    assert 1 < result.runs < 19


def test_process_that_breaks_its_promise_is_found(tmp_path: Path) -> None:
    """Teeth: a write in place is caught: by a crash, by a kill, and by a full disk."""

    def in_place(at: object) -> None:
        path = Path(at.top) / "a"  # type: ignore[attr-defined]
        path.write_bytes(b"")
        path.write_bytes(BY_NAME["write_bytes"].files["a"][-1])  # type: ignore[arg-type]

    operation = BY_NAME["write_bytes"]._replace(run=in_place)

    assert real.every_crash(operation, tmp_path / "crash").violations
    assert real.killed_at_each_call(operation, tmp_path / "kill", calls=("write",)).violations
    assert real.full_disk(operation, tmp_path / "full").violations
    assert os.listdir(tmp_path / "crash") == ["recorded"]
