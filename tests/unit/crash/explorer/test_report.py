"""The report as facts."""

from __future__ import annotations

import json

import pytest

from holdfast.crash.explorer import Report, explore
from holdfast.vfs.micro import Model
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


MODELS: dict[Model, str] = {
    "prefix": "not tried: power cuts (--model linux)",
    "linux": "not tried: the weaker --model posix",
    "posix": "",
}


@pytest.mark.parametrize("model", MODELS)
def test_clean_report_says_what_was_not_tried(model) -> None:
    """The weaker model, if there is one."""
    report = explore(recordings.replace(), recordings.check_state, isolation="process", model=model)
    text = " ".join(report.text().split())

    assert text.rstrip().endswith(MODELS[model] or " s)")


@pytest.mark.parametrize("short", [{"exhaustive": False}, {"exhaustive": False, "stopped": True}])
def test_what_was_tried_in_part_is_clean_so_far(short) -> None:
    """A sample, or a run that was out of time, says so in its first words."""
    report = explore(recordings.replace(), recordings.check_state, isolation="process")

    assert report._replace(**short).text().startswith("CLEAN SO FAR  0 of ")


def test_clean_report_says_how_much_was_tried() -> None:
    """With the model and the word exhaustive."""
    text = explore(recordings.replace(), recordings.check_state, isolation="process").text()

    assert text.startswith("CLEAN  0 of ")
    assert "model linux, exhaustive" in text


def test_report_of_nothing_tried_is_not_clean() -> None:
    """It has an exit code of its own, and says what to do."""
    report = explore(recordings.replace(), lambda *_: None, isolation="process", budget_s=0.0)

    assert (0, 2) == (report.tried, report.exit_code)
    assert "NOTHING WAS TRIED: raise --budget" in report.text()
    assert "CLEAN" not in report.text()
