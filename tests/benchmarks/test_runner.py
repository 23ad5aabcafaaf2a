"""Rounds, quantiles and paired ratios."""

from __future__ import annotations

import weakref

import pytest

from benchmarks.runner import (
    Contender,
    Experiment,
    differences,
    median_interval,
    quantile,
    ratios,
    run,
    spread,
)


@pytest.mark.parametrize(
    ("expected", "q"), [(1.0, 0.0), (3.0, 0.5), (5.0, 1.0), (1.4, 0.1), (4.6, 0.9)]
)
def test_quantile_is_interpolated_between_neighbours(expected, q):
    """Five samples in any order: the ends are the ends, and 0.1 lies between the first two."""
    assert quantile([5.0, 1.0, 4.0, 2.0, 3.0], q) == pytest.approx(expected)


def test_quantile_of_nothing_is_refused():
    """No samples is a mistake of the caller, not a zero."""
    with pytest.raises(ValueError, match="no samples"):
        quantile([], 0.5)


def test_spread_of_one_sample_is_that_sample():
    """A single round has no width."""
    assert (7.0, 7.0, 7.0, 7.0) == spread([7.0])


def test_spread_keeps_the_worst():
    """One stall among a hundred is not in p90, but it is told."""
    found = spread([1.0] * 99 + [50.0])
    assert (1.0, 1.0, 50.0) == (found.median, found.p90, found.worst)


def test_median_interval_narrows_with_more_rounds():
    """Five rounds say little, five hundred say where the median is."""
    few, many = [float(i % 5) for i in range(5)], [float(i) for i in range(500)]
    assert (0.0, 4.0) == median_interval(few)
    assert (228.0, 272.0) == median_interval(many)


def test_ratios_are_paired_by_round_so_drift_cancels():
    """The machine slows threefold half-way; the ratio does not move."""
    raw = [10.0, 10.0, 30.0, 30.0]
    assert [1.5] * 4 == ratios([15.0, 15.0, 45.0, 45.0], raw)


def test_ratios_leave_out_rounds_whose_floor_is_zero():
    """A floor of zero flushes says nothing about a ratio."""
    assert [2.0] == ratios([4.0, 4.0], [0.0, 2.0])


def test_ratios_of_different_lengths_are_refused():
    """Samples that are not paired must not be compared."""
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


def test_differences_are_paired_by_round():
    """As with ratios, the drift is in both."""
    assert [5.0, 5.0] == differences([15.0, 105.0], [10.0, 100.0])


def _experiment(calls: list[str], **changes: object) -> Experiment:
    def contender(name: str) -> Contender:
        def sample() -> dict[str, float]:
            calls.append(name)
            return {"time": float(len(calls))}

        return Contender(name, sample)

    names = ("raw", "one", "two")
    found = Experiment(
        "work", "place", {"time": "µs"}, [contender(name) for name in names], "raw", 20, 60.0
    )
    return found._replace(**changes)


def _run(experiment: Experiment):
    return run(experiment, seed=1, progress=lambda _: None)


def test_every_contender_runs_once_a_round():
    """After each round all have been called equally often, and the warm-up is no sample."""
    calls: list[str] = []
    measured = _run(_experiment(calls))
    rounds = [sorted(calls[i : i + 3]) for i in range(0, len(calls), 3)]
    assert [["one", "raw", "two"]] * 21 == rounds
    assert [20, 20, 20] == [len(found["time"]) for found in measured.samples.values()]


def test_order_changes_between_rounds():
    """Nobody always follows the same neighbour."""
    calls: list[str] = []
    _run(_experiment(calls))
    assert len({tuple(calls[i : i + 3]) for i in range(0, len(calls), 3)}) > 3


def test_a_spent_budget_leaves_the_least_number_of_rounds():
    """A very slow disk ends the run early, not at once."""
    assert _run(_experiment([], budget_s=0.0)).rounds == 3


def test_settle_runs_before_every_sample_and_outside_of_it():
    """The write-back queue is emptied for each contender, not once a round."""
    calls: list[str] = []
    _run(
        _experiment(calls, rounds=2, settle=lambda: calls.append("settle"), warm_up=False, least=1)
    )
    assert ["settle"] * 6 == calls[::2]
    assert "settle" not in calls[1::2]


def test_what_a_contender_holds_is_let_go_after_its_rounds():
    """A filesystem can only be unmounted when no contender keeps a file of it open."""

    class Held:
        pass

    held = Held()
    gone = weakref.ref(held)
    contender = Contender("raw", lambda held=held: {"time": 1.0})
    experiment = Experiment("work", "place", {"time": "µs"}, [contender], "raw", 3, 1.0)
    measured = _run(experiment)
    del held, contender, experiment

    assert gone() is None
    assert [("raw", "")] == measured.contenders
