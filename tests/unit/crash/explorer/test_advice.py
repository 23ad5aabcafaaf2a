"""Each rule, on the program that breaks it."""

from __future__ import annotations

import os
import re

import pytest

import holdfast
from holdfast.crash.explorer import explore
from holdfast.crash.explorer.advice import advise
from holdfast.crash.explorer.lines import crash_point
from holdfast.crash.explorer.scene import Scene
from holdfast.crash.recording import Site
from holdfast.formats.log_format import segment_name
from holdfast.vfs import operations as ops
from holdfast.vfs.operations import ROOT, Node
from holdfast.vfs.states import crash_states
from tests.support import recordings
from tests.support.recordings import NEW, ack, record


def advice_for(recording, check=recordings.check_state, **options):
    """The advice of all findings, by rule."""
    report = explore(recording, check, isolation="process", model="posix", **options)
    return {advice.rule: advice for finding in report.findings for advice in finding.advice}


def parses(folder, acked) -> None:
    """The check of those who acknowledge nothing."""
    recordings.check_state(folder, [])


def rename_first() -> recordings.Recording:
    unlink = ("unlink('state')", 4, [ops.Unlink(ROOT, "state")])
    rename = ("rename('state.part', 'state')", 5, [ops.Rename(ROOT, "state.part", ROOT, "state")])
    before = {
        ROOT: Node("folder", entries=(("state", 2), ("state.part", 3))),
        2: Node("file", data=recordings.OLD),
        3: Node("file", data=NEW),
    }
    return record([unlink, rename], before)


def two_files() -> recordings.Recording:
    """An index that is written, and synced, before the data that it speaks of."""
    before = {
        ROOT: Node("folder", entries=(("data", 2), ("index", 3))),
        2: Node("file"),
        3: Node("file"),
    }
    return record(
        [
            ("write('data')", 4, [ops.Write(2, 0, b"data")]),
            ("write('index')", 5, [ops.Write(3, 0, b"index")]),
            ("fsync('index')", 6, [ops.SyncFile(3)]),
            ("fsync('data')", 7, [ops.SyncFile(2)]),
        ],
        before,
    )


def check_index(folder, acked) -> None:
    with open(f"{folder}/index", "rb") as index, open(f"{folder}/data", "rb") as data:
        assert not index.read() or data.read() == b"data", "the index speaks of what is not there"


def failed_sync() -> recordings.Recording:
    steps = [
        ("write('state')", 4, [ops.Write(2, 6, b"1}")]),
        ("fsync('state') = EIO", 5, [ops.SyncFailed(2)]),
        ("fsync('state')", 5, [ops.SyncFile(2)]),
        ack(line=6),
    ]
    return record(steps)


def early() -> recordings.Recording:
    replaced = [ops.Create(3, Node("file", data=NEW)), ops.Link(ROOT, "n", 3)]
    rename = ("rename('n', 'state')", 8, [ops.Rename(ROOT, "n", ROOT, "state")])
    return record([("link('n')", 6, replaced), ack(line=7), rename])


def created() -> recordings.Recording:
    before = {ROOT: Node("folder")}
    link = [ops.Create(3, Node("file")), ops.Link(ROOT, "state", 3)]
    return record([("open", 3, link), ("write", 4, [ops.Write(3, 0, NEW)])], before)


def check_if_there(folder, acked) -> None:
    if os.path.exists(f"{folder}/state"):
        parses(folder, acked)


def in_two_calls() -> recordings.Recording:
    writes = [("write", 3, [ops.Write(2, 0, b"{  ")]), ("write", 4, [ops.Write(2, 0, b"{")])]
    return record([*writes, ("write", 5, [ops.Write(2, 1, b'"n": 3}')])])


def torn() -> recordings.Recording:
    before = {ROOT: Node("folder", entries=(("state", 2),)), 2: Node("file", data=b"a" * 8192)}
    return record([("write('state')", 3, [ops.Write(2, 0, b"b" * 8192)])], before)


def check_same(folder, acked) -> None:
    with open(f"{folder}/state", "rb") as file:
        assert 1 == len(set(file.read())), "a mix of old and new"


PROGRAMS = {
    "sync-before-rename": (recordings.replace(file_sync=False), recordings.check_state),
    "sync-folder": (recordings.replace(folder_sync=False), recordings.check_state),
    "sync-file": (recordings.appended(sync=False), recordings.check_log),
    "truncate-then-write": (recordings.in_place(sync=True), recordings.check_state),
    "remove-then-rename": (rename_first(), parses),
    "failed-sync": (failed_sync(), recordings.check_state),
    "acknowledged-early": (early(), recordings.check_state),
    "name-before-contents": (created(), check_if_there),
    "not-atomic": (in_two_calls(), parses),
    "torn-write": (torn(), check_same),
}


@pytest.mark.parametrize("rule", PROGRAMS)
def test_rule_is_given_for_the_program_that_breaks_it(rule) -> None:
    """And it names a line of the program."""
    found = advice_for(*PROGRAMS[rule])

    assert rule in found
    assert "app.py:" in found[rule].do


def test_data_that_others_speak_of_are_synced_before_them() -> None:
    """The sync that is missing stands between the two writes."""
    advice = advice_for(two_files(), check_index)["sync-file"]

    assert "sync 'data' after #1" in advice.do
    assert "before #2" in advice.do


def test_file_that_is_to_be_synced_is_named_as_it_was_called_then() -> None:
    """Not by the name that it got later."""
    advice = advice_for(*PROGRAMS["sync-before-rename"])["sync-before-rename"]

    assert "sync 'state.part' after #2 " in advice.do
    assert "and before #" in advice.do


def test_reason_of_a_folder_s_sync_holds_in_both_models() -> None:
    """On Linux the sync of a file covers the names that it got (R11); in POSIX it does not."""
    advice = advice_for(*PROGRAMS["sync-folder"])["sync-folder"]

    assert advice.do.endswith(
        "by POSIX that alone covers its names; on Linux a later fsync of a file covers those that "
        "it got, too."
    )


def test_check_that_hangs_is_told_about_itself() -> None:
    """Nothing is guessed about buffers of the program."""
    recording = early()
    states = crash_states(recording.before, recording.operations, model="prefix")
    scene = Scene(recording, next(state for state in states if state.marks))

    assert ["acknowledged-early"] == [advice.rule for advice in advise(scene)]
    (advice,) = advise(scene, hung=True)
    assert "check-hangs" == advice.rule
    assert "--check-timeout" in advice.do


def test_small_write_that_lost_its_bytes_is_not_called_torn() -> None:
    """Five bytes in one block: the file is longer, and holds zeros, until it is synced."""
    before = {ROOT: Node("folder", entries=(("log", 2),)), 2: Node("file")}
    recording = record([("write('log', 5 bytes)", 3, [ops.Write(2, 0, b"milk.")])], before)

    def check(folder, acked) -> None:
        with open(f"{folder}/log", "rb") as file:
            assert file.read() in {b"", b"milk."}, "zeros"

    (finding,) = explore(recording, check, isolation="process", model="posix").findings
    (advice,) = finding.advice

    assert advice.do.startswith("the size of a file and its bytes reach the disk apart")
    assert "no sync prevents" not in advice.do
    assert crash_point(finding.scene).endswith(": none of its bytes is there")


def test_folder_as_it_was_is_told_when_it_fails() -> None:
    """A check that cannot accept the start is not a bug of a call."""
    before = {ROOT: Node("folder")}
    made = [ops.Create(3, Node("file", data=NEW)), ops.Link(ROOT, "state", 3)]
    found = advice_for(record([("link", 3, made)], before), parses)

    assert found["before-the-start"].call is None


SHELL_SITES = {"no lines": (), "an address": (Site("mv+0x7bbf", 0, ""),)}


@pytest.mark.parametrize("sites", SHELL_SITES)
@pytest.mark.parametrize("rule", PROGRAMS)
def test_program_that_is_not_python_is_shown_the_command_line(rule, sites) -> None:
    """It cannot call a function of holdfast."""
    recording, check = PROGRAMS[rule]
    calls = tuple(call._replace(sites=SHELL_SITES[sites]) for call in recording.calls)
    for advice in advice_for(recording._replace(calls=calls), check).values():
        assert "holdfast." not in advice.use
        assert "`holdfast write FILE`" in advice.use


@pytest.mark.parametrize(
    ("atomic_across", "rule"), [(False, "rename-across-folders"), (True, "sync-folder")]
)
def test_rename_across_folders_is_told_by_what_it_is(atomic_across, rule) -> None:
    """Two changes; or, where the filesystem makes it one, a folder that was not synced."""
    before = {
        ROOT: Node("folder", entries=(("state", 2), ("tmp", 3))),
        2: Node("file", data=recordings.OLD),
        3: Node("folder", entries=(("new", 4),)),
        4: Node("file", data=NEW),
    }
    rename = ("rename('tmp/new', 'state')", 5, [ops.Rename(3, "new", ROOT, "state")])
    found = advice_for(record([rename, ack(line=6)], before), atomic_across=atomic_across)

    assert [rule] == list(found)
    if atomic_across:
        assert found[rule].do.startswith("sync the folder '.' after #1")


def test_file_is_named_as_the_call_names_it() -> None:
    """Not as a later rename of its folder does."""
    before = {
        ROOT: Node("folder", entries=(("next", 2),)),
        2: Node("folder", entries=(("page", 3),)),
        3: Node("file", data=b"old"),
    }
    steps = [
        ("write('next/page')", 4, [ops.Write(3, 0, b"new")]),
        ("rename('next', 'site')", 5, [ops.Rename(ROOT, "next", ROOT, "site")]),
    ]

    def check(folder, acked) -> None:
        if os.path.exists(f"{folder}/site"):
            with open(f"{folder}/site/page", "rb") as file:
                assert file.read() == b"new", "the old page"

    advice = advice_for(record(steps, before), check)["sync-file"]

    assert advice.do.startswith("sync 'next/page' after #1 write('next/page')")


def test_advice_names_only_what_there_is() -> None:
    """Every `holdfast.name` in it is public."""
    used = " ".join(
        advice.use + advice.do
        for recording, check in PROGRAMS.values()
        for advice in advice_for(recording, check).values()
    )
    names = set(re.findall(r"holdfast\.(\w+)", used))

    assert {"write_bytes", "open"} <= names
    assert set() == names - set(holdfast.__all__)


def two_commits(*, synced: bool) -> recordings.Recording:
    """What a Store does for two puts, of which the second must not be missing."""
    name = segment_name(1)
    before = {
        ROOT: Node("folder", entries=(("lock", 2), (name, 3))),
        2: Node("file", data=bytes(8)),
        3: Node("file"),
    }
    steps = [
        (f"pwrite64('{name}')", 4, [ops.Write(3, 0, b"one")]),
        ("(stores into mapped files)", None, [ops.Write(2, 0, b"1")]),
        (f"fdatasync('{name}')", 4, [ops.SyncFile(3)]),
        ("(stores into mapped files)", None, [ops.Write(2, 4, b"1")]),
        (f"pwrite64('{name}')", 5, [ops.Write(3, 3, b"two")]),
    ]
    return record([step for step in steps if synced or "sync" not in step[0]], before)


def check_both(folder, acked) -> None:
    with open(f"{folder}/{segment_name(1)}", "rb") as file:
        assert file.read() in {b"", b"onetwo"}, "the one without the other"


@pytest.mark.parametrize("synced", [True, False])
def test_user_of_a_log_is_not_told_to_sync_its_files(synced) -> None:
    """But to make one commit, or to have it synced."""
    report = explore(two_commits(synced=synced), check_both, isolation="process", model="posix")
    first, *others = [advice for finding in report.findings for advice in finding.advice]

    assert {"one-commit"} == {advice.rule for advice in (first, *others)}
    assert "app.py:4" in first.do
    assert "Store.transaction()" in first.use
