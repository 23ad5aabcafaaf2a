"""The processes of the demonstration: started and awaited."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.demo.kills import check
from holdfast.demo.processes import run_all, start


def test_output_of_a_worker_is_a_pipe(tmp_path: Path) -> None:
    """What a worker prints can be read, and its exit code is 0."""
    process = start(["disk", str(tmp_path), "2"])
    output, errors = process.communicate(timeout=60)

    assert ("2 0 0\n", "", 0) == (output, errors, process.returncode)


def test_all_jobs_are_awaited_and_failing_ones_ignored(tmp_path: Path) -> None:
    """Each job is over when the call returns, one that fails as well."""
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    jobs = [["disk", str(folder), "2"] for folder in folders]
    run_all([*jobs, ["edits", str(tmp_path / "no.toml"), "holdfast", "1"]], lambda: None)

    assert [["full.bin"]] * 2 == [[f.name for f in folder.iterdir()] for folder in folders]


def test_progress_is_told_while_they_run(tmp_path: Path) -> None:
    """A long job is awaited with progress, and an exception there ends all workers."""

    class Enough(Exception):
        """The caller has seen enough."""

    target = tmp_path / "a.bin"

    def stop() -> None:
        if target.exists():
            raise Enough

    with pytest.raises(Enough):
        run_all([["writes", str(target), "0"]], stop)

    ended = target.stat()
    assert check(target.read_bytes()) is not None
    with pytest.raises(Enough):
        run_all([["writes", str(tmp_path / "b.bin"), "0"]], stop)
    assert (ended.st_ino, ended.st_mtime_ns) == (target.stat().st_ino, target.stat().st_mtime_ns)
