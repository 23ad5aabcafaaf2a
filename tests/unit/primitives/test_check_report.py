"""Reports as text and as plain data."""

from __future__ import annotations

import json

import pytest

from holdfast.primitives.check_report import CheckReport, Finding, Lost, RepairReport

TORN = Finding("torn", "log/a", 560, "log/a: torn. Cut. Go on.")
DAMAGE = Finding("damage", "log/a", None, "log/a: damaged. Untouched. Repair it.")


@pytest.mark.parametrize("kind", ["torn", "hole", "leftover"])
def test_what_a_crash_may_leave_is_ok(kind) -> None:
    """Only damage makes a report not ok."""
    finding = Finding(kind, "log/a", 1, "m")

    assert CheckReport("log", "log", 1, 9, (finding,)).ok
    assert not CheckReport("log", "log", 1, 9, (finding, DAMAGE)).ok


def test_report_reads_as_text() -> None:
    """One line on the whole, and one for each finding."""
    report = CheckReport("log", "log", 1, 12_345, (TORN, DAMAGE))

    assert (
        "log: DAMAGED (log, 1 record in 12,345 bytes)\n"
        "  torn: log/a: torn. Cut. Go on.\n"
        "  damage: log/a: damaged. Untouched. Repair it."
    ) == str(report)
    assert str(CheckReport("log", "log", 2, 3, ())) == "log: ok (log, 2 records in 3 bytes)"


def test_report_is_plain_data() -> None:
    """It survives JSON, with its verdict."""
    report = CheckReport("log", "log", 1, 9, (TORN, DAMAGE))

    assert {
        "path": "log", "kind": "log", "records": 1, "size_bytes": 9, "ok": False,
        "findings": [
            {"kind": "torn", "path": "log/a", "offset": 560, "message": TORN.message},
            {"kind": "damage", "path": "log/a", "offset": None, "message": DAMAGE.message},
        ],
    } == json.loads(json.dumps(report.as_dict()))  # fmt: skip


@pytest.mark.parametrize(
    ("records", "said"), [(None, ""), (1, "1 record lost: "), (1200, "1,200 records lost: ")]
)
def test_loss_is_counted_where_that_is_known(records, said) -> None:
    """How many, and why."""
    assert f"after record 3: {said}byte 9" == str(Lost(3, "byte 9", records))


def test_repair_reads_as_text_and_data() -> None:
    """What was saved and what is lost, and where."""
    report = RepairReport("log", "new", 7, (Lost(3, "byte 9 is damaged"),), ("made anew",))

    expected = "new: 7 records saved from log\n  made anew\n  after record 3: byte 9 is damaged"
    assert expected == str(report)
    assert {
        "source": "log", "target": "new", "records": 7,
        "lost": [{"after_sequence": 3, "reason": "byte 9 is damaged", "records": None}],
        "notes": ["made anew"],
    } == json.loads(json.dumps(report.as_dict()))  # fmt: skip
