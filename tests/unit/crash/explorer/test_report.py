"""The report as facts."""

from __future__ import annotations

import json

from holdfast.crash.explorer import Report, explore
from tests.support import recordings


def test_json_is_plain_and_complete() -> None:
    """Every field of the documentation is there, and it goes through a file."""
    report = explore(
        recordings.replace(folder_sync=False), recordings.check_state, isolation="process"
    )
    facts = json.loads(json.dumps(report.as_json()))
    (finding,) = facts["findings"]

    assert (1, "linux", True) == (facts["exit_code"], facts["model"], facts["exhaustive"])
    for name in (set(Report._fields) | {"exit_code"}) | set(finding):
        assert f"`{name}`" in (Report.as_json.__doc__ or ""), f"document {name}"
    assert ["saved"] == finding["acked"]
    assert "sync-folder" == finding["advice"][0]["rule"]
    lost = [call for call in finding["calls"] if call["lost"]]
    assert [4] == [call["number"] for call in lost]
    assert {"path": "/home/u/app.py", "line": 16, "function": "save"} == lost[0]["sites"][0]


def test_clean_report_says_how_much_was_tried() -> None:
    """With the model and the word exhaustive."""
    text = explore(recordings.replace(), recordings.check_state, isolation="process").text()

    assert text.startswith("CLEAN  0 of ")
    assert "model linux, exhaustive" in text
