"""Canaries on real filesystems: what the model finds is seen there, and the twins are clean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from holdfast.crash.disks.filesystems import FILESYSTEMS, missing
from holdfast.crash.disks.harness import Result
from holdfast.crash.disks.jobs import ProveJob, run_job
from tests.canaries.corpus import ROOT

LACKS = missing(list(FILESYSTEMS))

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKS), reason=f"missing: {'; '.join(LACKS)}"),
]


def proved(name: str, filesystem: str) -> Result:
    """Run one side of a canary on a filesystem, and cut the power everywhere."""
    (result,) = run_job(ProveJob("tests.canaries.disks:WORKLOADS", name, filesystem, ("plain",)))
    assert isinstance(result, Result), result
    return result


@pytest.fixture(autouse=True)
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of a job finds the canaries."""
    path = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(ROOT), path))))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "filesystem"),
    [
        ("append_no_sync", "ext4"),
        ("no_folder_sync", "xfs"),
        ("deleted_returns", "btrfs"),
        ("cut_tail", "ext4"),
        ("number_grows", "xfs"),
        ("job_moved", "btrfs"),
        ("sqlite_default", "ext4"),
    ],
)
def test_finding_is_seen_on_a_real_filesystem(name, filesystem):
    """The README names where; these are sure there."""
    assert proved(f"{name} bad", filesystem).violations > 0


@pytest.mark.parametrize(
    ("name", "filesystem"),
    [("no_sync", "ext4"), ("cut_tail", "xfs"), ("job_moved", "btrfs"), ("sqlite_default", "ext4")],
)
def test_twin_is_clean_on_a_real_filesystem(name, filesystem):
    """No image of a crash breaks its promise, and each one mounts."""
    result = proved(f"{name} good", filesystem)
    assert (0, 0) == (result.violations, result.unmountable), result.complaint
    assert result.images > 0
