"""Work for a process of its own: what to do, as plain data, and how it is done and awaited.

Everything that mounts runs in a child with mounts of its own, under a time limit: when it hangs or
dies, the kernel takes mounts, loop devices and server away with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.crash.disks.cross_validation import CrossResult, Outside
from holdfast.crash.disks.harness import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.vfs.model import Model

__all__ = ["CrossJob", "Failure", "Job", "ProveJob", "job_from_json", "job_to_json", "run_job"]


class ProveJob(NamedTuple):
    """One workload of the list `workloads` ("package.module:NAME") on one variant."""

    workloads: str
    name: str
    variant: str
    devices: tuple[str, ...]
    images_max: int = 60
    seed: int = 0
    block_bytes: int = 4096
    timeout_s: float = 300.0


class CrossJob(NamedTuple):
    """Random sequences with these seeds on one variant, for these models."""

    variant: str
    first_seed: int
    sequences: int
    models: tuple[Model, ...]
    images_per_sequence: int = 40
    until_s: float = 120.0
    block_bytes: int = 4096
    timeout_s: float = 300.0


Job = ProveJob | CrossJob


class Failure(NamedTuple):
    """A job that came to no end, and the last words of its process."""

    job: Job
    why: str


def job_to_json(job: Job) -> str:
    """A job as one line."""
    return json.dumps({"kind": type(job).__name__, **job._asdict()})


def job_from_json(line: str) -> Job:
    """Read such a line."""
    fields: dict[str, Any] = json.loads(line)
    kind = fields.pop("kind")
    many = "devices" if kind == "ProveJob" else "models"
    fields[many] = tuple(fields[many])
    return ProveJob(**fields) if kind == "ProveJob" else CrossJob(**fields)


def run_job(job: Job) -> Sequence[Result | CrossResult | Failure]:
    """Run a job in a process of its own, and return what it found.

    A job that fails or takes too long is a `Failure`; nothing of it is left mounted.
    """
    with tempfile.TemporaryDirectory(prefix="holdfast-disks-") as folder:
        return _run_below(folder, job)


def _run_below(folder: str, job: Job) -> Sequence[Result | CrossResult | Failure]:
    """Its mounts are seen by the child alone: for us there are only folders, which we remove."""
    command = [sys.executable, "-m", "holdfast.crash.disks.worker"]
    child = subprocess.Popen(  # noqa: S603 (our own program)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": folder},
    )
    try:
        out, err = child.communicate(job_to_json(job), timeout=job.timeout_s)
    except subprocess.TimeoutExpired:
        return [Failure(job, f"not done after {job.timeout_s:.0f} s")]
    finally:
        child.kill()
        child.wait()
        for pipe in filter(None, (child.stdin, child.stdout, child.stderr)):
            pipe.close()
    if child.returncode:
        return [Failure(job, "\n".join(err.strip().splitlines()[-12:]))]
    return [_read(json.loads(line)) for line in out.splitlines()]


def _read(fields: dict[str, Any]) -> Result | CrossResult:
    if "workload" in fields:
        return Result(**fields)
    found = [Outside(**one) for one in fields.pop("outside")]
    return CrossResult(**fields, outside=tuple(found))
