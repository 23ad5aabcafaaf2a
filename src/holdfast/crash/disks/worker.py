"""The process that does one job of `jobs`: read from standard input, results as lines of JSON.

It has mounts of its own from the first moment, and dies with the process that started it.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from holdfast.crash.disks.cross_validation import CrossOptions, cross_validate
from holdfast.crash.disks.filesystems import variant
from holdfast.crash.disks.harness import prove
from holdfast.crash.disks.images import ImageOptions
from holdfast.crash.disks.jobs import CrossJob, ProveJob, job_from_json
from holdfast.crash.disks.mounting import own_mounts
from holdfast.crash.disks.recorded_disk import RecordedDisk
from holdfast.crash.disks.steps import prepare
from holdfast.crash.parent import die_with_parent
from holdfast.vfs.membership import could_be

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.crash.disks.harness import Workload
    from holdfast.crash.disks.jobs import Job

__all__ = ["find_workloads", "main"]


def find_workloads(place: str) -> tuple[Workload, ...]:
    """Return the workloads that stand at `package.module:NAME`.

    Raises:
        ImportError, AttributeError: There are none. Nothing was done.
    """
    module, _, name = place.partition(":")
    return tuple(getattr(import_module(module), name or "WORKLOADS"))


def _prove(job: ProveJob) -> Iterator[dict[str, object]]:
    for workload in find_workloads(job.workloads):
        if workload.name == job.name:
            how = ImageOptions(job.block_bytes, seed=job.seed, limit=job.images_max)
            for result in prove(workload, variant(job.variant), devices=job.devices, options=how):
                yield result._asdict()


def _cross(job: CrossJob) -> Iterator[dict[str, object]]:
    options = CrossOptions(
        images_per_sequence=job.images_per_sequence,
        models=job.models,
        block_bytes=job.block_bytes,
    )
    seeds = range(job.first_seed, job.first_seed + job.sequences)
    with RecordedDisk(variant(job.variant), prepare, block_bytes=job.block_bytes) as disk:
        result = cross_validate(
            disk, seeds, could_be=could_be, options=options, until_s=job.until_s
        )
    yield {**result._asdict(), "outside": [one._asdict() for one in result.outside]}


def run(job: Job) -> Iterator[dict[str, object]]:
    """Do the job; yield each result as plain data."""
    return _prove(job) if isinstance(job, ProveJob) else _cross(job)


def main() -> None:
    """Do the job on standard input."""
    die_with_parent()
    own_mounts()
    os.umask(0o022)
    for fields in run(job_from_json(sys.stdin.read())):
        sys.stdout.write(json.dumps(fields) + "\n")


if __name__ == "__main__":
    main()
