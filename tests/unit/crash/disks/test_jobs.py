"""Jobs as lines, and jobs that come to no end."""

from __future__ import annotations

import pytest

from holdfast.crash.disks.jobs import (
    CrossJob,
    Failure,
    ProveJob,
    job_from_json,
    job_to_json,
    run_job,
)


@pytest.mark.parametrize(
    "job",
    [
        ProveJob("a.b:C", "write", "ext4 data=journal", ("plain", "slow"), seed=4),
        CrossJob("xfs", 70, 20, ("posix", "linux"), until_s=3.5),
    ],
    ids=["prove", "cross"],
)
def test_job_travels_as_a_line(job) -> None:
    """Every field comes back."""
    line = job_to_json(job)

    assert job == job_from_json(line)
    assert "\n" not in line


def test_job_that_fails_is_a_failure_with_the_last_words() -> None:
    """An error in the child is a result, with what it said."""
    job = CrossJob("no-such-filesystem", 0, 1, ("posix",))
    (failure,) = run_job(job)

    assert isinstance(failure, Failure)
    assert job == failure.job
    assert "Error" in failure.why


def test_job_that_takes_too_long_is_ended() -> None:
    """Its process is killed at the limit."""
    job = CrossJob("ext4", 0, 10_000, ("posix",), timeout_s=0.01)

    assert [Failure(job, "not done after 0 s")] == run_job(job)
