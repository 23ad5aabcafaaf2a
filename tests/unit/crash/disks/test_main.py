"""The command line without a disk."""

from __future__ import annotations

from holdfast.crash.disks import __main__ as command
from holdfast.crash.disks.jobs import CrossJob, ProveJob

CONTROLS = "holdfast.crash.disks.controls:CONTROLS"


def jobs(*arguments: str) -> list:
    options = command._parser().parse_args(["--seed", "3", *arguments])
    return [*command._prove_jobs(options), *command._cross_jobs(options)]


def test_machine_that_cannot_is_told_what_is_missing(monkeypatch, capsys) -> None:
    """Exit 69 and a line for each thing, and nothing is done."""
    monkeypatch.setenv("PATH", "/nonexistent")

    assert 69 == command.main(["--on", "xfs"])
    error = capsys.readouterr().err
    assert "missing: mkfs.xfs: install the package xfsprogs" in error
    assert error.endswith("Nothing was done.\n")


def test_unknown_filesystem_is_a_usage_error(capsys) -> None:
    """Exit 2, with those that are known."""
    assert 2 == command.main(["--on", "zfs"])
    assert "Known are ext4, xfs, btrfs" in capsys.readouterr().err


def test_each_workload_runs_on_each_variant() -> None:
    """A failing device with default mounts alone; without flushes the plain device alone."""
    found = [j for j in jobs("--only", "correct", "--images", "0") if isinstance(j, ProveJob)]

    assert 7 == len(found)
    assert {
        "ext4": 4,
        "ext4 barrier=0": 1,
        "ext4 data=journal": 2,
    }.items() <= {job.variant: len(job.devices) for job in found}.items()


def test_sequences_are_enough_for_the_images_and_differ() -> None:
    """No two jobs share a seed, all filesystems take turns."""
    found = [j for j in jobs("--workloads", "--images", "10000") if isinstance(j, CrossJob)]
    seeds = [
        seed for job in found for seed in range(job.first_seed, job.first_seed + job.sequences)
    ]

    assert len(seeds) == len(set(seeds))
    assert 500 < len(seeds) < 600
    assert {"ext4", "xfs", "btrfs"} == {job.variant for job in found}
