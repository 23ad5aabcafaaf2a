"""Which checkpoint and which commits give a state."""

from __future__ import annotations

import pytest

from holdfast.formats.journal_format import CheckpointHead
from holdfast.primitives.check_report import Lost
from holdfast.state.checkpoint_reading import Found
from holdfast.state.journal_runs import Plan, Run, Runs, choose


def found(sequence: int, through: int) -> Found:
    """A checkpoint."""
    return Found("checkpoint-a", CheckpointHead(1, sequence + 1, sequence, through, 0, 0, 0))


def runs_of(*runs: tuple[int, int]) -> Runs:
    """What was found in a log."""
    made = Runs(is_store=False)
    made.runs = [Run(*run) for run in runs]
    return made


@pytest.mark.parametrize(
    ("checkpoints", "runs", "expected"),
    [
        ([], [], (None, 0, 0)),
        ([], [(1, 9)], (None, 0, 9)),
        ([], [(2, 9)], (None, 0, 0)),
        ([(5, 5)], [], (5, 5, 5)),
        ([(5, 5)], [(1, 9)], (5, 5, 9)),
        ([(5, 5)], [(6, 9)], (5, 5, 9)),
        ([(5, 5)], [(7, 9)], (5, 5, 5)),
        ([(5, 5)], [(1, 5)], (5, 5, 5)),
        ([(5, 5)], [(1, 4)], (5, 5, 5)),
        ([(5, 5)], [(1, 2), (4, 8), (10, 12)], (5, 5, 8)),
        ([(5, 8)], [(1, 9)], (5, 5, 9)),
        ([(5, 8), (3, 3)], [(1, 7)], (3, 3, 7)),
        ([(5, 8)], [(1, 7)], (None, 0, 7)),
        ([(5, 8)], [(3, 7)], (5, 5, 7)),
        ([(5, 8), (3, 9)], [], (5, 5, 5)),
    ],
)
def test_newest_consistent_state_is_chosen(checkpoints, runs, expected) -> None:
    """The newest checkpoint that the log reaches; else the log alone; else the newest."""
    plan = choose([found(*each) for each in checkpoints], [Run(*run) for run in runs])

    assert expected == (plan.found and plan.found.head.sequence, plan.start, plan.end)


def losses(plan: Plan, lost: list[Lost], runs: Runs, *, gone: bool = False) -> list[tuple]:
    """Where commits are missing, and how many."""
    return [
        (loss.after_sequence, loss.records) for loss in plan.losses(lost, runs, is_log_gone=gone)
    ]


def test_losses_that_the_checkpoint_holds_are_none() -> None:
    """Of one that it holds in part, the part behind it is told."""
    plan = Plan(found(10, 10), 10, 10, 10)
    runs = runs_of((1, 3), (14, 20))
    assert [(10, 3)] == losses(plan, [Lost(3, "gap", 10)], runs)
    assert [(10, None)] == losses(plan, [Lost(3, "torn")], runs_of((1, 3)))
    assert [] == losses(Plan(found(10, 10), 10, 20, 10), [Lost(3, "gap", 5)], runs_of((9, 20)))


def test_gap_that_is_none_of_the_log_is_told() -> None:
    """A damaged checkpoint held what lies between."""
    plan = Plan(found(3, 3), 3, 3, 3)

    assert [(3, 6)] == losses(plan, [], runs_of((10, 20)))
    assert [(3, 6)] == losses(plan, [Lost(3, "gap", 6)], runs_of((10, 20)))
    assert [(3, None)] == losses(plan, [], runs_of(), gone=True)
    assert [(3, 4)] == losses(Plan(found(3, 7), 3, 3, 7), [], runs_of(), gone=True)
