"""`python -m holdfast.crash.disks`: prove programs, and the model, on real filesystems."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from holdfast.crash.disks.cross_validation import CrossResult
from holdfast.crash.disks.filesystems import FILESYSTEMS, missing, variant
from holdfast.crash.disks.harness import DEVICES, Result
from holdfast.crash.disks.jobs import CrossJob, Failure, ProveJob, run_job
from holdfast.crash.disks.table import Outcome, page, summary, to_json
from holdfast.crash.disks.worker import find_workloads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.crash.disks.jobs import Job

__all__ = ["main"]

_CONTROLS = "holdfast.crash.disks.controls:CONTROLS"
_VARIANTS = (
    *FILESYSTEMS,
    "ext4 noauto_da_alloc",
    "ext4 data=journal",
    "ext4 data=writeback",
    "ext4 barrier=0",
)
_SEQUENCES_PER_JOB = 20
_IMAGES_PER_SEQUENCE = 18  # about as many as a sequence has that differ
_EXIT_MISSING = 69  # EX_UNAVAILABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m holdfast.crash.disks",
        description="Cut the power of real filesystems (needs root, /dev/fuse, loop devices).",
    )
    add = parser.add_argument
    add("--on", nargs="+", default=list(_VARIANTS), metavar="'FS OPTIONS'", help="such as ext4")
    add("--workloads", nargs="*", default=[_CONTROLS], metavar="MODULE:NAME")
    add("--only", default="", metavar="TEXT", help="workloads with this in their name")
    add("--devices", nargs="+", default=list(DEVICES), choices=list(DEVICES))
    add("--images", type=int, default=12_000, help="of the cross-validation; 0: none")
    add("--images-each", type=int, default=60, help="of one workload on one device")
    add("--block-bytes", type=int, default=4096, choices=[512, 4096], help="what never tears")
    add("--models", nargs="+", default=["posix", "linux"], choices=["posix", "linux"])
    add("--seed", type=int, default=None, help="a fresh one unless given")
    add("--processes", type=int, default=2)
    add("--write", metavar="FILE", help="the page, as Markdown")
    add("--json", metavar="FILE", help="everything, as JSON")
    return parser


def _prove_jobs(options: argparse.Namespace) -> list[Job]:
    return [
        ProveJob(
            place,
            workload.name,
            name,
            tuple(_devices(name, options)),
            images_max=options.images_each,
            block_bytes=options.block_bytes,
        )
        for place in options.workloads
        for workload in find_workloads(place)
        if options.only in workload.name
        for name in options.on
    ]


def _devices(name: str, options: argparse.Namespace) -> Sequence[str]:
    """A failing device is tried with the default mount; where nothing is safe one will do."""
    where = variant(name)
    if where.unsafe:
        return ("plain",)
    return [d for d in options.devices if not where.options or not d.startswith("EIO")]


def _cross_jobs(options: argparse.Namespace) -> list[Job]:
    """As many sequences as give the images, in turn on each filesystem."""
    names = [name for name in options.on if name in FILESYSTEMS]
    if not names or not options.images:
        return []
    per_job = _SEQUENCES_PER_JOB * _IMAGES_PER_SEQUENCE
    return [
        CrossJob(
            names[number % len(names)],
            options.seed * 1_000_000 + number * _SEQUENCES_PER_JOB,
            _SEQUENCES_PER_JOB,
            tuple(options.models),
            block_bytes=options.block_bytes,
        )
        for number in range(-(-options.images // per_job))
    ]


def _run(jobs: Sequence[Job], options: argparse.Namespace) -> Outcome:
    began = time.monotonic()
    found: list[Result | CrossResult | Failure] = []
    with ThreadPoolExecutor(options.processes) as pool:
        for number, results in enumerate(pool.map(run_job, jobs), start=1):
            found += results
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{number} of {len(jobs)} ")
    return Outcome(
        tuple(one for one in found if isinstance(one, Result)),
        tuple(one for one in found if isinstance(one, CrossResult)),
        tuple(one for one in found if isinstance(one, Failure)),
        os.uname().release.split("-")[0],
        time.strftime("%Y-%m-%d", time.gmtime()),
        options.seed,
        time.monotonic() - began,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 0 if all is as it must be, 1 if not, 69 if this machine cannot."""
    options = _parser().parse_args(arguments)
    if options.seed is None:
        options.seed = secrets.randbelow(1_000_000)
    try:
        lacks = missing(sorted({variant(name).filesystem.name for name in options.on}))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if lacks:
        sys.stderr.write("".join(f"missing: {text}\n" for text in lacks) + "Nothing was done.\n")
        return _EXIT_MISSING
    outcome = _run([*_prove_jobs(options), *_cross_jobs(options)], options)
    _write(options.write, page(outcome))
    _write(options.json, to_json(outcome))
    sys.stdout.write(summary(outcome) + "\n")
    return 0 if outcome.ok else 1


def _write(path: str | None, text: str) -> None:
    if path:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    sys.exit(main())
