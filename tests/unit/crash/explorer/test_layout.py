"""The report as text: narrow enough, complete, and in colour on request."""

from __future__ import annotations

import pytest

from holdfast.crash.explorer import explore
from holdfast.crash.explorer.layout import Paper, finding_text
from tests.support import recordings


def report_of(recording=None, **options):
    recording = recording or recordings.replace(folder_sync=False)
    return explore(recording, recordings.check_state, isolation="process", **options)


@pytest.mark.parametrize("width", [80, 100])
def test_no_line_is_wider_than_asked(width) -> None:
    """Eighty columns hold it, too."""
    for recording in (recordings.replace(file_sync=False), recordings.in_place()):
        lines = report_of(recording).text(width=width).splitlines()
        assert width >= max(map(len, lines))


def test_bug_has_all_its_parts() -> None:
    """Title, model, calls with the loss, crash point, words, acknowledgements, fix, replay."""
    report = report_of()
    text = report.text(program="-- python app.py")

    expected = [
        "BUG 1  lost acknowledged update: have 0, acked 1",
        "a power cut does it, on the filesystems of Linux",
        "LOST: the move of 'state.part' to 'state'",
        "-- ack('saved')",
        ">> CRASH after #5 ack('saved') (u/app.py:18)",
        "the check says: AssertionError: lost acknowledged update",
        "acknowledged: saved",
        "fix: sync the folder '.' after #4 rename('state.part', 'state')",
        f"replay: holdfast crash --replay {report.findings[0].id} -- python app.py",
        "1 bug: 1 of ",
    ]
    assert [] == [part for part in expected if part not in text]


def test_replay_can_be_pasted_at_any_width() -> None:
    """It is one line, as long as it is, and nothing in it is broken."""
    program = f"-- sh -c 'echo {'a b ' * 60}'"
    report = report_of()
    line = f"  replay: holdfast crash --replay {report.findings[0].id} {program}"

    assert line in report.text(width=40, program=program).splitlines()


def test_colour_is_a_choice() -> None:
    """Without it there is no escape sequence; with it the text is the same."""
    import re

    report = report_of()
    colored = report.text(color=True)

    assert "\x1b[" not in report.text()
    assert "\x1b[1;31mBUG 1" in colored
    assert report.text() == re.sub(r"\x1b\[[0-9;]*m", "", colored)


def test_text_beside_a_kept_state_names_it() -> None:
    """The same story, under its id."""
    (finding,) = report_of().findings

    assert finding_text(finding).startswith(f"STATE {finding.id}  lost acknowledged update")


def test_names_with_control_characters_cannot_write_to_the_terminal() -> None:
    """What a check said and a program named is text, not commands to a terminal."""
    paper = Paper()
    paper.put("a\x1b[2Jb\x07")

    assert "\x1b" not in paper.text
    assert "\x07" not in paper.text
