"""The calls of a story: those that matter, in order."""

from __future__ import annotations

import pytest

from holdfast.crash.explorer import explore
from holdfast.crash.explorer.lines import crash_point, lines_of
from holdfast.crash.explorer.scene import Scene
from holdfast.vfs import operations as ops
from holdfast.vfs.operations import ROOT, Node
from holdfast.vfs.states import crash_states
from tests.support import recordings


def scene_of(recording, **options):
    report = explore(recording, recordings.check_state, isolation="process", **options)
    return report.findings[0].scene


def test_lost_call_and_acknowledgement_are_there() -> None:
    """With what was lost, in the words of the report."""
    lines = lines_of(scene_of(recordings.replace(folder_sync=False)))
    told = {line.call.number: (line.lost, line.is_mark) for line in lines}

    assert ("the move of 'state.part' to 'state'", False) == told[4]
    assert ("", True) == told[5]


def test_what_has_nothing_to_do_with_it_is_left_out() -> None:
    """Sixty writes to another file hide nothing."""
    replace = recordings.replace(file_sync=False)
    steps = [("write('noise')", 50, [ops.Write(9, at, b"n")]) for at in range(60)]
    own = [
        (call.text, call.sites[0].line, [op for op, o in zip(replace.operations, replace.origins,
         strict=True) if o == number])
        for number, call in enumerate(replace.calls)
    ]  # fmt: skip
    before = {
        **recordings.STATE,
        ROOT: Node("folder", entries=(("noise", 9), ("state", 2))),
        9: Node("file"),
    }
    recording = recordings.record([*steps[:30], *own[:2], *steps[30:60], *own[2:]], before)
    lines = lines_of(scene_of(recording, model="posix", limit=64))

    assert not any("noise" in line.call.text for line in lines)
    assert 12 >= len(lines)


def test_crash_point_reads() -> None:
    """Before, after, or inside a call."""
    assert crash_point(scene_of(recordings.in_place())).startswith("after #1 open('state', O_TRU")
    big = recordings.record([("write", 3, [ops.Write(2, 0, b'{"n": 1}' + b" " * 9000)])])

    def check(folder, acked) -> None:
        import os

        assert os.path.getsize(f"{folder}/state") in {8, 9008}, "cut"

    (finding,) = explore(big, check, isolation="process", model="prefix").findings
    assert "inside #1 write (u/app.py:3): a torn write" == crash_point(finding.scene)


HALVES = {
    "a torn write": ops.Write(2, 0, b"x" * 9000),
    "a truncate cut in half": ops.Truncate(2, 3),
    "some of the attributes were set": ops.SetAttributes(2, mode=0o600, owner=(7, 7)),
    "one half of the rename was done": ops.Rename(3, "new", ROOT, "state"),
    "one half of the exchange was done": ops.Exchange(3, "new", ROOT, "state"),
}


@pytest.mark.parametrize("words", HALVES)
def test_half_done_calls_say_what_they_are(words) -> None:
    """A rename across folders is no write."""
    before = {
        ROOT: Node("folder", entries=(("state", 2), ("tmp", 3))),
        2: Node("file", data=b"old" * 2000),
        3: Node("folder", entries=(("new", 4),)),
        4: Node("file", data=b"new"),
    }
    recording = recordings.record([("call", 3, [HALVES[words]])], before)
    points = {
        crash_point(scene)
        for state in crash_states(before, recording.operations, model="posix")
        if state.dropped and (scene := Scene(recording, state)).is_inside
    }

    more = {"none of its bytes is there"} if words == "a torn write" else set()
    assert {f"inside #1 call (u/app.py:3): {which}" for which in {words, *more}} == points


def test_call_of_several_changes_is_done_in_part() -> None:
    """The file is there, and has no name as yet."""
    made = [ops.Create(5, Node("file")), ops.Link(ROOT, "x", 5)]
    recording = recordings.record([("open('x')", 3, made)])
    states = crash_states(recording.before, recording.operations, model="prefix", at=1)
    (point,) = {crash_point(Scene(recording, state)) for state in states}

    assert "inside #1 open('x') (u/app.py:3): a part of it was done" == point
