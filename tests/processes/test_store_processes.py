"""One store used by many processes, threads and tasks, some of them killed: its histories."""

from __future__ import annotations

import json
import math
import random
import shutil
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.state.store import Store
from tests.support.budget import scaled, soak_s
from tests.support.linearizability import INITIAL, Op, Value, check
from tests.support.store_history import as_value
from tests.support.store_process import COUNTERS, THREADS
from tests.support.store_world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7000)]

Worlds = Callable[[float, float], Iterator[tuple[World, float]]]
STEPS = 10_000_000


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Worlds]:
    """Gives one world after another on this disk, each for some seconds, until time is over."""
    yield from _worlds_in(tmp_path)


@pytest.fixture
def quick_worlds(tmp_path: Path) -> Iterator[Worlds]:
    """The same in memory where there is such a place: many more operations and checkpoints."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path))
    yield from _worlds_in(folder)
    shutil.rmtree(folder)


def _worlds_in(folder: Path) -> Iterator[Worlds]:
    made: list[World] = []

    def worlds(seconds: float, most_s: float) -> Iterator[tuple[World, float]]:
        for number in range(math.ceil(seconds / most_s)):
            world = World(folder / str(number))
            made.append(world)
            yield world, min(most_s, seconds - number * most_s)
            shutil.rmtree(folder / str(number))

    yield worlds
    for world in made:
        world.end_anyhow()


def prove(world: World, *, at_least: int) -> list[Op]:
    """One order explains the history and what is there in the end; return the history."""
    history = world.history()
    with Store[Any](world.store) as store:
        end = max(op.end or op.start for op in history) + 1
        prefixes = {op.arguments[0] for op in history if op.kind == "items"}
        for number, prefix in enumerate(sorted(prefixes)):
            found = tuple((key, as_value(value)) for key, value in store.items(prefix=prefix))
            at = end + 2 * number
            history.append(Op(f"end.{number}", "items", (prefix,), at, at + 1, found))
        report = store.check()
        assert report.ok, str(report)
    verdict = check(history, steps=STEPS)
    assert verdict.ok, str(verdict)
    assert len(history) > at_least
    return history


def test_history_of_killed_processes_has_an_order(worlds: Worlds) -> None:
    """4 processes x 16 threads on this disk, with every sync, checkpoints and a follower."""
    dice = random.Random(11)
    for world, seconds in worlds(soak_s(10), 15):
        world.work("always", "always", "0.02", "never", groups=12)
        world.add("follow", "f")
        kills = world.kill_at_random(seconds, dice)
        world.end()
        prove(world, at_least=1000)
        assert kills > seconds / 3


def test_history_with_many_checkpoints_has_an_order(quick_worlds: Worlds) -> None:
    """In memory, with a reader and a follower that checkpoints overtake many times a second.

    The store has so many other keys that a checkpoint looks at it in several slices.
    """
    dice = random.Random(12)
    for world, seconds in quick_worlds(soak_s(8), 15):
        with Store[Any](world.store) as store:
            store.update({f"other/{number}": [number, INITIAL] for number in range(5000)})
        world.work("always", "always", "always", "0.02", groups=12)
        world.add("watch", "w", "12", "always")
        world.add("follow", "f")
        kills = world.kill_at_random(seconds, dice)
        world.end()
        history = prove(world, at_least=2000)
        assert [] == wrong_commits(followed(world.notes), history)
        assert kills > seconds / 3
        assert any(world.store.glob("*checkpoint*"))


def test_history_of_one_group_has_an_order(quick_worlds: Worlds) -> None:
    """All operations on the same four keys, so that each of them is joined with each."""
    dice = random.Random(13)
    for world, seconds in quick_worlds(soak_s(5), 10):
        world.work("always", "never", "0.02", groups=1)
        world.kill_at_random(seconds, dice)
        world.end()
        prove(world, at_least=1000)


# ------------------------------------------------------------ what followers saw


Commits = list[tuple[int, dict[str, Value]]]


def followed(notes: Path) -> list[Commits]:
    """What each life of a follower saw without being overtaken: runs of commits."""
    runs: list[Commits] = []
    for path in sorted(notes.glob("*.seen")):
        runs.append([])
        for line in path.read_text().splitlines():
            first, *rest = json.loads(line)
            if first == "overtaken":
                runs.append([])
            else:
                changed = {key: as_value(value) for key, value in rest[0].items()}
                runs[-1].append((first, changed | dict.fromkeys(rest[1])))
    return runs


def wrong_commits(runs: list[Commits], history: list[Op]) -> list[str]:
    """Say what is wrong with the commits that were followed.

    Sequences follow one another; everybody sees the same commit under a sequence; and a commit of
    an operation comes before those of all operations that began after it had ended.
    """
    found, known = [], dict[int, dict[str, Value]]()
    for run in runs:
        numbers = [sequence for sequence, _ in run]
        if numbers != [*range(numbers[0], numbers[0] + len(run))] if run else False:
            found.append(f"gaps or repetitions in {numbers[:9]} ...")
        for sequence, changes in run:
            if known.setdefault(sequence, changes) != changes:
                found.append(f"{sequence}: {changes}, and {known[sequence]}")
    by_tag = {op.tag: op for op in history}
    latest = -math.inf
    for sequence, changes in sorted(known.items()):
        for tag in {value[1] for value in changes.values() if value is not None} - {INITIAL}:
            op = by_tag.get(tag)
            if op is None:
                found.append(f"{sequence}: {tag} is no operation")
                continue
            if op.end is not None and op.end < latest:
                found.append(f"{sequence}: {op} came after one that began after its end")
            latest = max(latest, op.start)
    return found[:20]


def test_wrong_commits_are_told() -> None:
    """The check of what was followed can fail: gaps, other contents, another order."""
    one = Op("a.1", "put", ("k", 1), 1, 2)
    two = Op("a.2", "put", ("k", 2), 3, 4)
    first: tuple[int, dict[str, Value]] = (1, {"k": (1, "a.1")})
    second: tuple[int, dict[str, Value]] = (2, {"k": (2, "a.2")})

    assert [] == wrong_commits([[first, second], [second]], [one, two])
    assert wrong_commits([[first, (3, second[1])]], [one, two])
    assert wrong_commits([[first], [(1, second[1])]], [one, two])
    assert wrong_commits([[(1, second[1]), (2, first[1])]], [one, two])
    assert wrong_commits([[first, second]], [one])


# ------------------------------------------------------------ counters


def counts(notes: Path) -> dict[str, list[tuple[str, int, int]]]:
    """By process: which counter got which value, and when."""
    return {
        path.stem: [tuple(json.loads(line)) for line in path.read_text().splitlines()]
        for path in sorted(notes.glob("*.counts"))
    }


def test_updates_of_shared_counters_lose_nothing(worlds: Worlds) -> None:
    """4 processes x 16 threads x 1,000 updates, with checkpoints meanwhile, and nobody starves.

    When the first process is through, none has come less than a tenth as far as the median, which
    is what none that waits ten times as long as the others could have done.
    """
    each = scaled(1000)
    for world, _ in worlds(1, 1):
        places = [world.add("count", letter, str(each)) for letter in "abcd"]
        for place in places:
            place.hear(1)
        for place in places:
            place.say("go\n")
        for place in places:
            place.finish()
        found = counts(world.notes)
        values: dict[str, list[int]] = defaultdict(list)
        for entries in found.values():
            for key, got, _ in entries:
                values[key].append(got)
        total = 4 * THREADS * each
        assert total == sum(map(len, values.values()))
        for key in COUNTERS:
            assert [*range(1, len(values[key]) + 1)] == sorted(values[key]), key
        with Store[Any](world.store) as store:
            assert {key: len(got) for key, got in values.items()} == dict(store)
            assert any(world.store.glob("checkpoint*"))
            assert store.check().ok
        assert_fair(found)


def assert_fair(found: dict[str, list[tuple[str, int, int]]]) -> None:
    first_end = min(max(at for _, _, at in entries) for entries in found.values())
    done = [sum(at <= first_end for _, _, at in entries) for entries in found.values()]
    assert min(done) > statistics.median(done) / 10, done
