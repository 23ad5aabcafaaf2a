"""`holdfast doctor`: the verb; what it measures is tested in tests/unit/diagnosis."""

from __future__ import annotations

import json
import os

from holdfast import doctor


def test_report_is_printed(cli, tmp_path) -> None:
    """The report has a verdict, and its exit code says the same."""
    code, out, err = cli("doctor", tmp_path)

    assert (doctor(tmp_path).exit_code, "") == (code, err)
    assert "DURABLE: " in out
    assert [] == os.listdir(tmp_path)


def test_json_report_is_one_document(cli, tmp_path) -> None:
    """--json prints the same report as a document."""
    report = json.loads(cli("doctor", "--json", tmp_path).out)

    assert set(doctor(tmp_path).as_dict()) == set(report)


def test_missing_folder_is_told(cli, tmp_path) -> None:
    """A folder that is not there is exit code 66."""
    code, out, err = cli("doctor", tmp_path / "no")

    assert (66, "", 1) == (code, out, err.count("\n"))
