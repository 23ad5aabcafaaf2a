"""Rounds and statistics: each contender once a round, in random order; ratios paired per round.

A machine that speeds up or slows down during a run moves all contenders of a round alike, so the
ratio of a contender to the raw calls of the same round says more than either figure.
"""

from __future__ import annotations

import gc
import math
import random
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Sample = Mapping[str, float]
    Progress = Callable[[str], None]

__all__ = [
    "Contender",
    "Experiment",
    "Measured",
    "Spread",
    "differences",
    "median_interval",
    "quantile",
    "ratios",
    "run",
    "spread",
]


class Contender(NamedTuple):
    """One way to do the work; `sample` times itself and returns a figure for each metric."""

    name: str
    sample: Callable[[], Sample]
    traced: str = ""  # its operation in `tracing`, which says what it guarantees


class Experiment(NamedTuple):
    """What is compared in one set of rounds; stops at `rounds`, or after `budget_s` seconds."""

    name: str
    place: str
    metrics: Mapping[str, str]  # metric: unit
    contenders: Sequence[Contender]
    raw: str  # the contender that all ratios are taken to
    rounds: int
    budget_s: float
    settle: Callable[[], None] | None = None  # before each sample, not timed
    least: int = 3  # rounds to run even when the budget is spent
    warm_up: bool = True  # one round that is not counted: imports, first touch of a folder
    ours: str = ""  # the table says which peers were ahead of this contender


class Measured(NamedTuple):
    """The samples of one experiment: `samples[contender][metric]`, one entry a round.

    `contenders` are names with their traced operations: what a contender holds open is let go.
    """

    experiment: Experiment
    contenders: list[tuple[str, str]]
    rounds: int
    samples: dict[str, dict[str, list[float]]]
    taken_s: float = 0.0


class Spread(NamedTuple):
    """The middle of some samples and how far they lie apart."""

    median: float
    p10: float
    p90: float
    worst: float


def quantile(samples: Sequence[float], q: float) -> float:
    """The value below which a share `q` of the samples lies, interpolated between neighbours."""
    if not samples:
        raise ValueError("no samples, no quantile")
    ordered = sorted(samples)
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread(samples: Sequence[float]) -> Spread:
    """Median, 10th and 90th percentile, and largest."""
    return Spread(
        quantile(samples, 0.5), quantile(samples, 0.1), quantile(samples, 0.9), max(samples)
    )


def median_interval(samples: Sequence[float]) -> tuple[float, float]:
    """Where the true median lies in 19 of 20 cases, whatever the distribution."""
    ordered = sorted(samples)
    count = len(ordered)
    reach = 0.98 * math.sqrt(count)
    low = max(0, math.floor(count / 2 - reach))
    high = min(count - 1, math.ceil(count / 2 + reach))
    return ordered[low], ordered[high]


def ratios(samples: Sequence[float], raw: Sequence[float]) -> list[float]:
    """Each sample over the raw one of its round; rounds whose raw figure is 0 say nothing."""
    return [mine / floor for mine, floor in zip(samples, raw, strict=True) if floor]


def differences(samples: Sequence[float], raw: Sequence[float]) -> list[float]:
    """Each sample less the raw one of its round."""
    return [mine - floor for mine, floor in zip(samples, raw, strict=True)]


def run(experiment: Experiment, *, seed: int, progress: Progress) -> Measured:
    """Run the rounds; at least `least`, however slow the disk is."""
    order = random.Random(seed)
    samples: dict[str, dict[str, list[float]]] = {
        contender.name: {metric: [] for metric in experiment.metrics}
        for contender in experiment.contenders
    }
    begin = time.monotonic()
    if experiment.warm_up:
        _round(experiment, order)
    end = time.monotonic() + experiment.budget_s
    done = 0
    while done < experiment.rounds and (done < experiment.least or time.monotonic() < end):
        for name, sample in _round(experiment, order).items():
            for metric in experiment.metrics:
                samples[name][metric].append(sample[metric])
        done += 1
        progress(f"{experiment.name} on {experiment.place}: round {done} of {experiment.rounds}")
    contenders = [(contender.name, contender.traced) for contender in experiment.contenders]
    taken_s = time.monotonic() - begin
    return Measured(experiment._replace(contenders=()), contenders, done, samples, taken_s)


def _round(experiment: Experiment, order: random.Random) -> dict[str, Sample]:
    contenders = list(experiment.contenders)
    order.shuffle(contenders)
    found: dict[str, Sample] = {}
    for contender in contenders:
        if experiment.settle is not None:
            experiment.settle()
        gc.collect(0)
        gc.disable()
        try:
            found[contender.name] = contender.sample()
        finally:
            gc.enable()
    return found
