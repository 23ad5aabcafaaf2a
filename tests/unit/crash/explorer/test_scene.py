"""Facts about a state: what was lost, where the crash struck."""

from __future__ import annotations

from holdfast.crash.explorer.scene import Scene, Target
from holdfast.vfs.micro import Model
from holdfast.vfs.operations import Create, Link, Mark, Node, Write
from holdfast.vfs.states import crash_states
from tests.support import recordings


def scenes(recording, model: Model = "posix", **options) -> list[Scene]:
    states = crash_states(recording.before, recording.operations, model=model, **options)
    return [Scene(recording, state) for state in states]


def test_lost_calls_are_named_by_their_index() -> None:
    """With what a sync would have covered."""
    recording = recordings.replace(folder_sync=False)
    scene = next(s for s in scenes(recording) if s.state.dropped and s.state.marks)

    assert frozenset({3}) == scene.lost_calls
    assert [Target("entries", 1)] == list(scene.targets)
    assert "rename" in scene.call(next(iter(scene.lost))).text


def test_write_that_stopped_is_inside() -> None:
    """A page of a write of two, and nothing lost: a torn write, not a crash between calls."""
    half = [s for s in scenes(recordings.replace(data=b"x" * 5000), "prefix") if s.is_half_written]

    (scene,) = half
    assert scene.is_inside
    assert 1 == scene.tears
    assert 4096 == len(scene.state.tree[3].data)


def test_crash_between_two_operations_of_one_call_is_inside() -> None:
    """The inode is there, its name not yet."""
    recording = recordings.record([("open", 1, [Create(3, Node("file")), Link(1, "x", 3)])])
    inside = [scene.is_inside for scene in scenes(recording, "prefix") if scene.at == 1]

    assert all(inside)


def test_crash_after_an_acknowledgement_is_not_inside() -> None:
    """An acknowledgement changes nothing that could be half done."""
    recording = recordings.record([("two", 1, [Mark("a"), Mark("b")])])

    assert not any(scene.is_inside for scene in scenes(recording, "prefix"))


def test_tears_count_writes_that_survived_in_part() -> None:
    """Losing all of a write is simpler than losing some of it."""
    recording = recordings.replace(file_sync=False, data=b"x" * 9000)
    blocks = [s for s in scenes(recording) if len(s.state.dropped) == 1]
    torn = {type(s.state.dropped[0]).__name__: s.tears for s in blocks}

    assert 1 == torn["Block"]
    assert 0 == torn["Size"]


def test_renamed_file_is_known_by_its_rename_and_new_name() -> None:
    """The advice has to say which rename moved which file."""
    scene = scenes(recordings.replace(folder_sync=False))[-1]

    assert 3 == scene.moved_by(4)
    assert "state.part" == scene.path(3, after=2)
    assert "state" == scene.path(3, after=4)


def test_file_that_has_its_name_later_is_known_by_that() -> None:
    """One that is written without a name and linked then."""
    made = [Create(3, Node("file")), Write(3, 0, b"1"), Link(1, "late", 3)]
    scene = scenes(recordings.record([("all", 1, made)]))[-1]

    assert "late" == scene.path(3, after=1)
