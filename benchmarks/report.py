"""The tables on standard output and the JSON file: each figure with its spread and ratio to raw."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.aims import NOT_RUN
from benchmarks.log_peers import ZEROED
from benchmarks.runner import ratios, spread
from benchmarks.tracing import label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.aims import Outcome
    from benchmarks.machine import Place
    from benchmarks.runner import Measured
    from benchmarks.tracing import Calls

__all__ = [
    "Session",
    "ahead_lines",
    "as_table",
    "experiment_lines",
    "number",
    "outcome_lines",
    "write_json",
]

_IDLE = ", idle"  # who does nothing is not compared with who works
_OUR_OWN = ("holdfast", ZEROED, "raw ", "dict")  # the floor and ourselves are no peers


def number(value: float) -> str:
    """Three digits that mean something."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.095 else f"{value:.3f}"


def as_table(rows: Sequence[Sequence[str]], *, right_from: int) -> list[str]:
    """Line the columns up; those from `right_from` on are figures and stand to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if index >= right_from else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def experiment_lines(run: Measured, place: Place, traced: Mapping[str, Calls] | None) -> list[str]:
    """One block: a heading, then a table for each metric."""
    experiment = run.experiment
    floor = f"{place.filesystem}, {place.journal}; one sync {number(place.sync_us)} µs"
    lines = ["", f"== {experiment.name} on {experiment.place} ({floor})"]
    lines[-1] += f", {run.rounds} rounds in {run.taken_s:.0f} s"
    for metric, unit in experiment.metrics.items():
        figure = f"{metric}, {unit}"
        head = ("contender", "guarantee, traced", figure, "p10 - p90", "x raw", "p10 - p90")
        rows = [
            _row(run, metric, name, _traced(operation, traced))
            for name, operation in run.contenders
        ]
        lines += ["  " + line for line in as_table([head, *rows], right_from=2)]
    return lines + ["  " + line for line in ahead_lines(run, traced)]


def ahead_lines(run: Measured, traced: Mapping[str, Calls] | None) -> list[str]:
    """Name the peers that were ahead of us, those that sync nothing apart from the others."""
    ours = run.experiment.ours
    if ours not in run.samples:
        return []
    synced: list[str] = []
    unsynced: list[str] = []
    for name, operation in run.contenders:
        if not name.startswith(_OUR_OWN) and not name.endswith(_IDLE):
            found = [_lead(run, metric, name) for metric in run.experiment.metrics]
            (unsynced if _syncs_nothing(operation, traced) else synced).extend(filter(None, found))
    lines = [f"ahead of {ours}: {', '.join(synced) or 'none of its peers'}"]
    if unsynced:
        lines.append(f"ahead of it, and sync nothing: {', '.join(unsynced)}")
    return lines


def _lead(run: Measured, metric: str, name: str) -> str:
    """`lmdb in time (0.80 x)`, or nothing for who is not ahead."""
    mine, ours = run.samples[name][metric], run.samples[run.experiment.ours][metric]
    paired = ratios(mine, ours)
    if not paired or (ratio := spread(paired).median) >= 1:
        return ""
    return f"{name} in {metric} ({ratio:.2f} x)"


def _syncs_nothing(operation: str, traced: Mapping[str, Calls] | None) -> bool:
    if traced is None or operation not in traced:
        return False
    return not any(step.startswith("sync") for step in traced[operation].steps)


def _traced(operation: str, traced: Mapping[str, Calls] | None) -> str:
    if not operation:
        return ""
    return label(None if traced is None else traced.get(operation))


def _row(run: Measured, metric: str, name: str, guarantee: str) -> tuple[str, ...]:
    mine = spread(run.samples[name][metric])
    paired = ratios(run.samples[name][metric], run.samples[run.experiment.raw][metric])
    figures = (number(mine.median), f"{number(mine.p10)} - {number(mine.p90)}")
    if not paired:
        return (name, guarantee, *figures, "-", "-")
    to_raw = spread(paired)
    return (
        name, guarantee, *figures,
        f"{to_raw.median:.2f}", f"{to_raw.p10:.2f} - {to_raw.p90:.2f}",
    )  # fmt: skip


def outcome_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """The aims at the end: aim, place, figure, spread, verdict."""
    rows = [("aim", "place", "figure", "p10 - p90", "verdict")]
    for outcome in outcomes:
        aim, found = outcome.aim, outcome.found
        if outcome.verdict == NOT_RUN:
            continue
        if found is None:
            rows.append((aim.text, outcome.place, "-", "-", outcome.verdict))
            continue
        figure = found.worst if aim.pick == "worst" else found.median
        between = f"{number(found.p10)} - {number(found.p90)}"
        rows.append(
            (aim.text, outcome.place, f"{number(figure)} {aim.unit}", between, outcome.verdict)
        )
    missed = sum(outcome.verdict.startswith("MISSED") for outcome in outcomes)
    met = sum(outcome.verdict.startswith("met") for outcome in outcomes)
    not_run = sum(outcome.verdict == NOT_RUN for outcome in outcomes)
    head = f"== aims: {met} met, {missed} missed" + (f", {not_run} not run" if not_run else "")
    return ["", head, *as_table(rows, right_from=5)]


class Session(NamedTuple):
    """All of one run."""

    machine: Mapping[str, object]
    places: Sequence[Place]
    traced: Mapping[str, Calls] | None
    runs: Sequence[Measured]
    outcomes: Sequence[Outcome]


def write_json(folder: str, session: Session) -> str:
    """Write everything, samples and all, into one file of `folder`; return its path."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, time.strftime("%Y%m%dT%H%M%SZ.json", time.gmtime()))
    traced = session.traced or {}
    document = {
        "machine": session.machine,
        "places": [place._asdict() for place in session.places],
        "traced": {name: list(calls.steps) for name, calls in traced.items()},
        "experiments": [_experiment(run) for run in session.runs],
        "aims": [_outcome(outcome) for outcome in session.outcomes],
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=1)
    return path


def _experiment(run: Measured) -> dict[str, object]:
    experiment = run.experiment
    return {
        "name": experiment.name,
        "place": experiment.place,
        "units": dict(experiment.metrics),
        "raw": experiment.raw,
        "rounds": run.rounds,
        "samples": run.samples,
    }


def _outcome(outcome: Outcome) -> dict[str, object]:
    return {
        "aim": outcome.aim.text,
        "place": outcome.place,
        "limit": outcome.aim.limit,
        "found": outcome.found and outcome.found._asdict(),
        "verdict": outcome.verdict,
    }
