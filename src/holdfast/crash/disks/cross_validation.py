"""Holds the persistence model against real filesystems: every tree seen must be in its set.

A random sequence is carried out on a recorded filesystem, with a mark in the block log after each
step. Each crash image is mounted, and the tree in it looked up in the model: it must be possible
after some number of operations between those that had returned by then and those that had begun.
A tree outside is a hole in the model. Then the sequence is cut down as long as a tree outside
remains.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from holdfast.crash.disks.faults import NO_FAULTS, DeviceFaults
from holdfast.crash.disks.images import ImageOptions, blocks_of, crash_images
from holdfast.crash.disks.random_operations import random_steps
from holdfast.crash.disks.steps import operations_of, perform, start_tree, without
from holdfast.crash.disks.trees import canonical, contents_by_path, read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.crash.disks.recorded_disk import RecordedDisk
    from holdfast.crash.disks.steps import Step
    from holdfast.vfs.model import Model
    from holdfast.vfs.operations import Node, Operation, Tree

__all__ = [
    "CrossOptions",
    "CrossResult",
    "Membership",
    "Outside",
    "Sighting",
    "cross_validate",
    "outside",
]

_SLOW = DeviceFaults(delay_s=0.004, delay_share=0.4)


class Membership(Protocol):
    """`holdfast.vfs` decides it: whether a crash after `at` operations may leave what was seen."""

    def __call__(
        self,
        tree: Tree,
        operations: Sequence[Operation],
        seen: Tree,
        *,
        at: int,
        model: Model,
        block_bytes: int,
    ) -> bool: ...


class CrossOptions(NamedTuple):
    """How long a sequence is and how many of its images are mounted; which models must hold."""

    length: int = 12
    images_per_sequence: int = 60
    models: tuple[Model, ...] = ("posix",)
    block_bytes: int = 4096


class Sighting(NamedTuple):
    """A tree after a crash, and the moments: how many steps had returned for certain."""

    tree: Tree
    moments: tuple[int, ...]
    how: str


class Outside(NamedTuple):
    """A tree that a filesystem showed and a model does not allow."""

    filesystem: str
    model: str
    seed: int
    steps: tuple[str, ...]
    returned: int
    how: str
    tree: dict[str, str]


class CrossResult(NamedTuple):
    """What was seen; `pairs` are distinct trees with the step reached, `trees` without it."""

    filesystem: str
    sequences: int
    images: int
    trees: int
    pairs: int
    unmountable: int
    outside: tuple[Outside, ...]
    seconds: float
    mounting_s: float


def outside(
    steps: Sequence[Step],
    sighting: Sighting,
    *,
    could_be: Membership,
    options: CrossOptions,
) -> Iterator[tuple[Model, int]]:
    """Yield each model, with the moment, that does not allow what was seen."""
    operations, done = operations_of(steps)
    tree = start_tree()
    for returned in sighting.moments:
        reached = range(done[returned], done[min(returned + 1, len(steps))] + 1)
        for model in options.models:
            allows = partial(
                could_be,
                tree,
                operations,
                sighting.tree,
                model=model,
                block_bytes=options.block_bytes,
            )
            if not any(allows(at=at) for at in reached):
                yield model, returned


class _Counted:
    """The tally of a run."""

    def __init__(self) -> None:
        self.images = 0
        self.unmountable = 0
        self.trees: set[int] = set()
        self.pairs: set[int] = set()
        self.found: list[Outside] = []
        self.mounting_s = 0.0


def cross_validate(
    disk: RecordedDisk,
    seeds: Sequence[int],
    *,
    could_be: Membership,
    options: CrossOptions,
    until_s: float = float("inf"),
) -> CrossResult:
    """Run a sequence for each seed, every second one on a slow device.

    Args:
        disk: prepared with `steps.prepare`.
        seeds: of the sequences.
        could_be: the model's word.
        options: how much.
        until_s: no new sequence begins after so many seconds.
    """
    began, counted, sequences = time.monotonic(), _Counted(), 0
    for seed in seeds:
        if time.monotonic() - began > until_s:
            break
        sequences += 1
        _one_sequence(disk, seed, (counted, could_be, options))
    return CrossResult(
        disk.variant.name,
        sequences,
        counted.images,
        len(counted.trees),
        len(counted.pairs),
        counted.unmountable,
        tuple(counted.found),
        time.monotonic() - began,
        counted.mounting_s,
    )


def _one_sequence(
    disk: RecordedDisk, seed: int, by: tuple[_Counted, Membership, CrossOptions]
) -> None:
    counted, could_be, options = by
    steps = random_steps(seed, length=options.length)
    seen: set[tuple[tuple[Node, ...], int]] = set()
    for sighting in sightings(disk, steps, seed=seed, options=options, counted=counted):
        look = canonical(sighting.tree)
        counted.trees.add(hash(look))
        fresh = tuple(moment for moment in sighting.moments if (look, moment) not in seen)
        seen |= {(look, moment) for moment in fresh}
        counted.pairs |= {hash((seed, look, moment)) for moment in fresh}
        new = sighting._replace(moments=fresh)
        for model, moment in outside(steps, new, could_be=could_be, options=options):
            if any(one.seed == seed and one.model == model for one in counted.found):
                continue
            counted.found.append(
                _minimal(disk, seed, (steps, new, model, moment), could_be=could_be)
            )


def sightings(
    disk: RecordedDisk,
    steps: Sequence[Step],
    *,
    seed: int,
    options: CrossOptions,
    counted: _Counted | None = None,
) -> Iterator[Sighting]:
    """Carry the steps out, crash, and yield each tree that is then found."""
    counted = counted or _Counted()
    faults = _SLOW._replace(seed=seed) if seed % 2 else NO_FAULTS
    with disk.recorded(faults=faults) as folder:
        disk.mark("0")
        for number, step in enumerate(steps, start=1):
            perform(step, folder)
            disk.mark(str(number))
        records, log = disk.log()
    start = next(n for n, record in enumerate(records) if record.text == "0") + 1
    choices = ImageOptions(
        disk.block_bytes,
        seed=seed,
        limit=options.images_per_sequence,
        never_torn=disk.variant.filesystem.never_torn,
    )
    for image in crash_images(records, log, start=start, options=choices):
        blocks = blocks_of(image, records, block_bytes=disk.block_bytes)
        began = time.monotonic()
        try:
            with disk.crashed(blocks, read_only=True) as folder:
                tree = read_tree(folder)
        except OSError:
            counted.unmountable += 1
            continue
        finally:
            counted.images += 1
            counted.mounting_s += time.monotonic() - began
        moments = tuple(moment.marks - 1 for moment in image.moments)
        yield Sighting(tree, moments, image.moments[0].how)


def _minimal(
    disk: RecordedDisk,
    seed: int,
    found: tuple[tuple[Step, ...], Sighting, Model, int],
    *,
    could_be: Membership,
) -> Outside:
    """Leave out steps, the last first, as long as the model is still broken."""
    steps, sighting, model, moment = found
    options = CrossOptions(images_per_sequence=200, models=(model,), block_bytes=disk.block_bytes)
    for number in reversed(range(len(steps))):
        fewer = without(steps, number)
        if fewer is None:
            continue
        again = _first_outside(disk, seed, (fewer, options), could_be=could_be)
        if again is not None:
            steps = fewer
            sighting, moment = again
    return Outside(
        disk.variant.name,
        model,
        seed,
        tuple(map(str, steps)),
        moment,
        sighting.how,
        dict(contents_by_path(sighting.tree)),
    )


def _first_outside(
    disk: RecordedDisk,
    seed: int,
    what: tuple[tuple[Step, ...], CrossOptions],
    *,
    could_be: Membership,
) -> tuple[Sighting, int] | None:
    steps, options = what
    for sighting in sightings(disk, steps, seed=seed, options=options):
        for _, moment in outside(steps, sighting, could_be=could_be, options=options):
            return sighting, moment
    return None
