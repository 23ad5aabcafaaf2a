"""Ids: short, different, and the same for the same program."""

from __future__ import annotations

from holdfast.crash.explorer.cases import Case
from holdfast.crash.explorer.exploring import Exploration, Options
from holdfast.crash.explorer.memory import MemoryBench
from holdfast.crash.explorer.replay import order_of, state_id
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.operations import ROOT, Create, Link, Node, Rename, SetAttributes, Write
from holdfast.vfs.states import crash_states
from tests.support import recordings


def program(inode: int, temp: str, data: bytes) -> recordings.Recording:
    return recordings.record([
        ("open", 1, [Create(inode, Node("file")), Link(ROOT, temp, inode)]),
        ("write", 2, [Write(inode, 0, data)]),
        ("rename", 3, [Rename(ROOT, temp, ROOT, "state")]),
        recordings.ack(),
    ])  # fmt: skip


def ids(recording) -> list[str]:
    bench = MemoryBench(MemoryVFS(), print)
    exploration = Exploration(recording, bench, Options("posix", {}, 1.0, 0))
    return [
        exploration.id_of(case)
        for model in exploration.models()
        for case in exploration.cases(exploration.whole, model)
    ]


def test_every_state_has_an_id_of_its_own() -> None:
    """Models apart, too."""
    found = ids(program(3, "t", b"x" * 9000))

    assert len(found) > 30
    assert len(found) == len(set(found))


def test_ids_survive_another_recording() -> None:
    """Inode numbers, random names and contents of the same size make no difference."""
    assert ids(program(3, "t1", b"x" * 5000)) == ids(program(99, "u2", b"y" * 5000))


def test_options_that_change_the_states_change_the_ids() -> None:
    """An id names a state under these options."""
    state = next(iter(crash_states(recordings.STATE, (), model="prefix")))
    case = Case("prefix", state, {}, ())

    assert state_id(case) != state_id(case, settings=(("garbage", True),))


def test_names_in_any_script_have_ids() -> None:
    """An attribute may be called anything."""
    attribute = SetAttributes(2, xattrs=(("user.größe", b"1"),))
    found = ids(recordings.record([("setxattr", 1, [attribute])]))

    assert 1 < len(found) == len(set(found))


def test_order_among_equals_is_that_of_the_operations() -> None:
    """The loss of contents, then of an earlier one, whatever the inodes are called."""
    orders = [
        [
            order_of(state)
            for state in crash_states(recording.before, recording.operations)
            if state.dropped
        ]
        for recording in (program(3, "t1", b"x" * 5000), program(99, "u2", b"y" * 5000))
    ]

    assert orders[0] == orders[1]
    firsts = [tuple(order[0].split()[:2]) for order in sorted(orders[0])]
    assert firsts == sorted(firsts)
    assert {("0", "000000002"), ("1", "000000001"), ("1", "000000003")} == set(firsts)


def test_state_in_a_recovery_is_named_after_the_recovered_one() -> None:
    """So that a replay finds the way."""
    state = next(iter(crash_states(recordings.STATE, (), model="prefix")))
    own = state_id(Case("prefix", state, {}, ()))

    assert f"abcd.{own}" == state_id(Case("prefix", state, {}, ()), parent="abcd")
