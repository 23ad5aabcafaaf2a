"""What a run came to, as a page for people and as JSON for programs. Pure: text in, text out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdfast.crash.disks.cross_validation import CrossResult, Outside
    from holdfast.crash.disks.harness import Result
    from holdfast.crash.disks.jobs import Failure

__all__ = ["Outcome", "page", "summary", "to_json"]

_WHOLE = ("plain", "slow")
_HEAD = """\
# Crashes on real filesystems

Made by `make crash-disks`{about}.

A block device was recorded under each filesystem while a program ran on it. Then the power was cut:
at every moment, with every write that no flush covers there or lost, alone, together and torn. Each
image was mounted, and what the filesystem recovered was checked.
"""


class Outcome(NamedTuple):
    """All results of a run; `kernel` and `day` say where and when."""

    results: tuple[Result, ...]
    crosses: tuple[CrossResult, ...]
    failures: tuple[Failure, ...]
    kernel: str
    day: str
    seed: int
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every result is as it must be, and every job came to an end."""
        clean = all(result.ok for result in self.results) and not self.failures
        return clean and not any(cross.outside or cross.unmountable for cross in self.crosses)

    @property
    def images(self) -> int:
        """How many images were mounted."""
        return sum(r.images for r in self.results) + sum(c.images for c in self.crosses)


def summary(outcome: Outcome) -> str:
    """What a terminal shows at the end."""
    lines = [f"{outcome.images:,} images mounted in {outcome.seconds:.0f} s, seed {outcome.seed}"]
    lines += [f"NOT AS IT MUST BE: {_complaint(r)}" for r in outcome.results if not r.ok]
    lines += [f"{failure.job}: {failure.why}" for failure in outcome.failures]
    lines += [
        f"{name}: {row.images} images of {row.sequences} random sequences, {row.rate}/s,"
        f" {row.pairs} pairs, {row.outside} outside, {row.unmountable} not mountable"
        for name, row in _totals(outcome.crosses).items()
    ]
    lines += [line for c in outcome.crosses for one in c.outside for line in _describe(one)]
    lines.append("all as it must be" if outcome.ok else "see above")
    return "\n".join(lines)


def _complaint(result: Result) -> str:
    what = result.complaint or "nothing was found, and something had to be"
    return f"{result.filesystem}, {result.workload}, device {result.device}: {what}"


def _describe(found: Outside) -> Iterator[str]:
    yield f"OUTSIDE THE MODEL {found.model}: {found.filesystem}, sequence {found.seed}"
    yield from (f"  {number} {step}" for number, step in enumerate(found.steps, start=1))
    yield f"  crash when {found.returned} had returned; survived: {found.how}; then:"
    yield from (f"    {path}: {what}" for path, what in found.tree.items())


def page(outcome: Outcome) -> str:
    """The page of the documentation."""
    about = f" on {outcome.day}, Linux {outcome.kernel}, {outcome.images:,} images mounted"
    ours = [r for r in outcome.results if not r.workload.startswith("control: ")]
    controls = [r for r in outcome.results if r.workload.startswith("control: ")]
    parts = [_HEAD.format(about=about)]
    if ours:
        parts += [_OURS, _grid(ours, _WHOLE), _FAILING, _failing(ours)]
    if controls:
        parts += [_CONTROLS, _grid(controls, _WHOLE)]
    if outcome.crosses:
        parts += [_CROSS, _cross_table(outcome.crosses)]
    return "\n".join(parts)


_OURS = """\
## Operations of holdfast

Images mounted, and in how many a promise was broken: the file is not old or new as a whole, what
was acknowledged is gone, a leftover stays, the next write fails. Each operation ran on a device
that answers at once, and on a slow one where another program syncs all the time.

`barrier=0` tells ext4 not to flush the device. Then nothing can be promised, and violations must
show: a check that finds none there would find none anywhere.
"""
_FAILING = """\

## A device that fails

One data write, or one flush, is answered with an input/output error. Given are the error that the
program saw, and the violations after the power was cut and the filesystem mounted again.
"""
_CONTROLS = """\

## Programs that are broken on purpose

They prove the harness. **Caught** is in how many images; each must be caught on the filesystems in
bold, and the correct one nowhere.
"""
_CROSS = """\

## The model against real filesystems

Random sequences of writes, truncations, renames, links, folders and syncs, half of them on a slow
device. Every tree that a filesystem showed after a crash was looked up in the model of
[crash states](../explanation/crash-model.md). *Pairs* are distinct trees with the step that the
sequence had reached; *outside* are those that a model does not allow.
"""


def _grid(results: Sequence[Result], devices: Sequence[str]) -> str:
    chosen = [result for result in results if result.device in devices]
    columns = _unique(result.filesystem for result in chosen)
    rows = [["operation", *columns]]
    for name in _unique(result.workload for result in chosen):
        cells = [
            _cell([r for r in chosen if (r.workload, r.filesystem) == (name, c)]) for c in columns
        ]
        rows.append([name.removeprefix("control: "), *cells])
    return _table(rows)


def _cell(results: Sequence[Result]) -> str:
    if not results:
        return ""
    images, bad = sum(r.images for r in results), sum(r.violations for r in results)
    lost = sum(r.unmountable for r in results)
    text = f"{bad} of {images}" + (f", {lost} not mountable" if lost else "")
    return f"**{text}**" if any(r.must_fail for r in results) else text


def _failing(results: Sequence[Result]) -> str:
    rows = [["operation", "filesystem", "device", "images", "error", "violations"]]
    rows += [
        [r.workload, r.filesystem, r.device, str(r.images), r.reached or "none", str(r.violations)]
        for r in results
        if r.device not in _WHOLE
    ]
    return _table(rows)


class _Total(NamedTuple):
    sequences: int
    images: int
    pairs: int
    rate: int
    outside: int
    unmountable: int


def _totals(crosses: Sequence[CrossResult]) -> dict[str, _Total]:
    """By filesystem. Sequences differ from run to run, so pairs can be added; trees could not."""
    found: dict[str, _Total] = {}
    for name in _unique(cross.filesystem for cross in crosses):
        some = [cross for cross in crosses if cross.filesystem == name]
        images = sum(cross.images for cross in some)
        found[name] = _Total(
            sum(cross.sequences for cross in some),
            images,
            sum(cross.pairs for cross in some),
            round(images / max(sum(cross.mounting_s for cross in some), 0.001)),
            sum(len(cross.outside) for cross in some),
            sum(cross.unmountable for cross in some),
        )
    return found


def _cross_table(crosses: Sequence[CrossResult]) -> str:
    head = ["filesystem", "sequences", "images", "pairs", "images/s", "outside", "not mountable"]
    totals = _totals(crosses)
    return _table([head, *([name, *map(str, row)] for name, row in totals.items())])


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body]) + "\n"


def to_json(outcome: Outcome) -> str:
    """Everything, for programs."""
    crosses = [
        {**cross._asdict(), "outside": [one._asdict() for one in cross.outside]}
        for cross in outcome.crosses
    ]
    results = [{**result._asdict(), "ok": result.ok} for result in outcome.results]
    failures = [{"job": f.job._asdict(), "why": f.why} for f in outcome.failures]
    fields = {**outcome._asdict(), "results": results, "crosses": crosses, "failures": failures}
    return json.dumps({**fields, "ok": outcome.ok, "images": outcome.images}, indent=1) + "\n"
