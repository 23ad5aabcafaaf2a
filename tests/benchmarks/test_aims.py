"""Verdicts on the aims."""

from __future__ import annotations

import pytest

from benchmarks.aims import AIMS, doubt, judge
from benchmarks.machine import Place
from benchmarks.runner import Experiment, Measured
from benchmarks.workloads.catalogue import WORKLOADS


def _place(**changes: object) -> Place:
    place = Place("disk", "/d", "ext4", "rw", "8:1", "journal", 700.0, 900.0)
    return place._replace(**changes)


def _measured(name: str, metric: str, samples: dict[str, list[float]]) -> Measured:
    experiment = Experiment(name, "disk", {metric: "µs"}, (), "raw calls", 3, 1.0)
    contenders = [(who, "") for who in samples]
    return Measured(
        experiment, contenders, 3, {who: {metric: found} for who, found in samples.items()}
    )


def _verdicts(measured: Measured, place: Place) -> list[str]:
    name = measured.experiment.name
    return [
        outcome.verdict
        for outcome in judge([measured], [place])
        if outcome.aim.experiment == name and not outcome.verdict.startswith("not measured")
    ]


@pytest.mark.parametrize(("expected", "mine"), [("met", 105.0), ("MISSED", 110.0)])
def test_ratio_is_judged_against_its_limit(expected, mine):
    """4 KiB on a disk: 1.05 times the raw calls is well, 1.10 is a miss and says so."""
    samples = {"raw calls": [100.0] * 3, "holdfast.write_bytes": [mine] * 3}
    assert [expected] == _verdicts(_measured("replace-small", "time", samples), _place())


def test_in_memory_has_its_own_limit():
    """1.3 is a miss on a disk and well where nothing is synced."""
    samples = {"raw calls": [20.0] * 3, "holdfast.write_bytes": [26.0] * 3}
    found = _verdicts(_measured("replace-small", "time", samples), _place(filesystem="tmpfs"))
    assert ["met"] == found


@pytest.mark.parametrize(("expected", "mine"), [("met", 100.0), ("MISSED", 150.0)])
def test_speed_up_is_judged_the_other_way_round(expected, mine):
    """Six times faster than one by one is well, four times is not; a fast flush needs no twenty."""
    samples = {"raw calls": [600.0] * 3, "holdfast.write_many": [mine] * 3}
    assert [expected] == _verdicts(_measured("write-many-new", "time", samples), _place())


def test_a_slow_flush_asks_for_twenty():
    """Where a sync takes 5 ms, six times faster meets the one aim and misses the other."""
    samples = {"raw calls": [600.0] * 3, "holdfast.write_many": [100.0] * 3}
    place = _place(sync_us=5000.0)
    assert ["met", "MISSED"] == _verdicts(_measured("write-many-new", "time", samples), place)


def test_a_pattern_is_judged_by_its_worst():
    """One slow verb among quick ones is the verdict on all."""
    samples = {
        "bare interpreter": [8.0] * 3,
        "holdfast get": [20.0] * 3,
        "holdfast set": [41.0] * 3,
    }
    assert ["MISSED"] == _verdicts(_measured("cli-verbs", "time", samples), _place())


@pytest.mark.parametrize(("expected", "apsw"), [("met", 310.0), ("MISSED", 290.0)])
def test_the_best_of_several_rivals_is_the_one_to_beat(expected, apsw):
    """Three times faster than the best of them, whichever that is."""
    samples = {
        "sqlite3, one connection": [900.0] * 3,
        "apsw": [apsw] * 3,
        "diskcache": [10.0] * 3,
        "holdfast.Store": [100.0] * 3,
    }
    assert expected == _verdicts(_measured("store-threads", "time", samples), _place())[0]


def test_a_limit_within_the_noise_is_called_unsure():
    """The median is below the limit and three of seven rounds are above: the verdict says so."""
    mine = [1.02, 1.03, 1.04, 1.05, 1.10, 1.12, 1.15]
    samples = {"raw calls": [1.0] * 7, "holdfast.write_bytes": mine}
    found = _verdicts(_measured("replace-small", "time", samples), _place())
    assert ["met (unsure)"] == found


def test_a_single_lost_update_is_a_miss():
    """The worst round counts, not the median."""
    samples = {"holdfast.Document.update": [0.0, 1.0, 0.0]}
    assert ["MISSED"] == _verdicts(_measured("document-contended", "lost", samples), _place())


def test_a_busy_machine_puts_times_in_doubt_and_leaves_counts():
    """Ratios tend to 1 when each sync waits for the scheduler; a lost update stays lost."""
    times = {"raw calls": [100.0] * 3, "holdfast.write_bytes": [100.0] * 3}
    counts = {"holdfast.Document.update": [0.0] * 3}
    runs = [
        _measured("replace-small", "time", times),
        _measured("document-contended", "lost", counts),
    ]
    found = {o.aim.experiment: o.verdict for o in doubt(judge(runs, [_place()])) if o.found}
    assert {"replace-small": "met (busy)", "document-contended": "met"} == found


def test_what_was_not_run_is_said_for_every_aim():
    """No aim disappears from the table."""
    found = judge([], [_place()])
    assert [aim.text for aim in AIMS] == [outcome.aim.text for outcome in found]
    assert {"not run"} == {outcome.verdict for outcome in found}


def test_every_aim_belongs_to_a_workload():
    """An aim whose experiment was renamed would never be judged again."""
    names = {aim.experiment for aim in AIMS}
    kin = {name: [work for work in WORKLOADS if name.startswith(work)] for name in names}
    assert {} == {name: found for name, found in kin.items() if not found}
