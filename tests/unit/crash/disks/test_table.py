"""The page and the words of a run."""

from __future__ import annotations

import json

from holdfast.crash.disks.cross_validation import CrossResult, Outside
from holdfast.crash.disks.harness import Result
from holdfast.crash.disks.jobs import CrossJob, Failure
from holdfast.crash.disks.table import Outcome, page, summary, to_json

WRITE = Result("ext4", "write_bytes", "plain", 40, 7, 0, 0, "", "", False, 1.0)
SLOW = WRITE._replace(device="slow", images=60)
FAILING = WRITE._replace(device="EIO on data", reached="OSError, EIO", images=5)
CONTROL = WRITE._replace(
    workload="control: no sync", violations=3, must_fail=True, complaint="torn"
)
CROSS = CrossResult("xfs", 20, 400, 50, 300, 0, (), 9.0, 8.0)
OUTSIDE = Outside("xfs", "linux", 7, ("create('x')",), 1, "write 3 alone", {"x": "0 bytes"})


def outcome(*results: Result, crosses=(CROSS,), failures=()) -> Outcome:
    return Outcome(results, tuple(crosses), tuple(failures), "6.18", "2026-11-23", 5, 12.0)


def test_page_adds_the_devices_of_a_workload() -> None:
    """The plain and the slow device are one cell; the failing one has a table of its own."""
    text = page(outcome(WRITE, SLOW, FAILING))

    assert "| write_bytes | 0 of 100 |" in text
    assert "| write_bytes | ext4 | EIO on data | 5 | OSError, EIO | 0 |" in text
    assert "on 2026-11-23, Linux 6.18, 505 images mounted" in text


def test_page_shows_what_must_be_caught_in_bold() -> None:
    """A control that must be caught is told from one that may be."""
    assert "| no sync | **3 of 40** |" in page(outcome(CONTROL))


def test_page_adds_the_cross_validations_of_a_filesystem() -> None:
    """One row for each, with the rate of mounting."""
    assert "| xfs | 40 | 800 | 600 | 50 | 0 | 0 |" in page(outcome(crosses=(CROSS, CROSS)))


def test_run_is_well_only_if_all_is() -> None:
    """A violation, a control that was not caught, a tree outside and a failed job each spoil it."""
    job = CrossJob("xfs", 0, 1, ("posix",))
    bad = [
        outcome(WRITE._replace(violations=1)),
        outcome(CONTROL._replace(violations=0)),
        outcome(crosses=(CROSS._replace(outside=(OUTSIDE,)),)),
        outcome(crosses=(CROSS._replace(unmountable=1),)),
        outcome(failures=(Failure(job, "hung"),)),
    ]

    assert outcome(WRITE, CONTROL).ok
    assert [False] * 5 == [one.ok for one in bad]


def test_summary_says_what_is_wrong() -> None:
    """The complaint, the failed job, and each step of a sequence that left the model."""
    job = CrossJob("xfs", 0, 1, ("posix",))
    crosses = (CROSS._replace(outside=(OUTSIDE,)),)
    text = summary(
        outcome(
            WRITE._replace(violations=1, complaint="torn"),
            crosses=crosses,
            failures=[Failure(job, "hung")],
        )
    )

    assert "NOT AS IT MUST BE: ext4, write_bytes, device plain: torn" in text
    assert "hung" in text
    assert "OUTSIDE THE MODEL linux: xfs, sequence 7" in text
    assert "  1 create('x')" in text
    assert "    x: 0 bytes" in text
    assert text.endswith("see above")


def test_json_holds_everything() -> None:
    """Results with their verdict, cross-validations with what lay outside."""
    found = json.loads(to_json(outcome(WRITE, crosses=(CROSS._replace(outside=(OUTSIDE,)),))))

    assert (False, True, 440) == (found["ok"], found["results"][0]["ok"], found["images"])
    assert OUTSIDE.seed == found["crosses"][0]["outside"][0]["seed"]
