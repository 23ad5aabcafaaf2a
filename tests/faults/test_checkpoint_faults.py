"""Every failing call of making a place, and of writing and pruning checkpoints."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty, Stopped, each_fault
from holdfast.vfs.memory import MemoryVFS
from tests.support.budget import scaled
from tests.support.checkpoints import LARGE, at, empty_disk, of, place_of, written
from tests.support.interrupts import interrupted

ERRORS = ("EIO", "ENOSPC", "EACCES", "EDQUOT", "EROFS", "EINTR", "EISDIR", "short 1")


class Scene(NamedTuple):
    """Checkpoints that stand, and the one that is written: sizes of bodies, and `keep`."""

    before: tuple[bytes, ...]
    body: bytes
    keep: int = 0

    def disk(self) -> MemoryVFS:
        """What stands is durable."""
        disk = empty_disk()
        checkpoints = of(disk, keep=self.keep)
        for number, body in enumerate(self.before, 1):
            written(checkpoints, body, number)
        disk.settle()
        return disk

    def act(self, vfs: Any) -> Iterator[str]:
        """Write, whose number is 9, and prune; yields what was done."""
        folder = vfs.folder("/state.jrn")
        try:
            checkpoints = of(vfs, keep=self.keep, folder=folder)
            written(checkpoints, self.body, 9)
            yield "written"
            checkpoints.prune()
            yield "pruned"
        finally:
            folder.close()


SMALL = b"small"
SCENES = {
    "first slot": Scene((), SMALL),
    "second slot": Scene((SMALL,), SMALL),
    "slot over slot": Scene((SMALL, SMALL), b"new" * 3000),
    "large": Scene((SMALL, SMALL), LARGE),
    "large over large": Scene((LARGE,), LARGE),
    "small over large": Scene((LARGE,), SMALL),
    "kept": Scene((SMALL, LARGE, SMALL), SMALL, keep=1),
}


def temporary(disk: MemoryVFS) -> list[str]:
    """What is in the folder for a while only."""
    return [name for name in disk.folder("/state.jrn").names() if name.endswith("tmp")]


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("effect", ERRORS)
def test_failing_call_leaves_what_stood(name, effect) -> None:
    """Whatever call fails: what stood is loaded, nothing is left over, and the next one works."""
    scene = SCENES[name]
    done: list[str] = []
    lengths = set()
    for fault in each_fault(effect):
        disk = scene.disk()
        done.clear()
        notes: list[str] = []
        try:
            done.extend(scene.act(Faulty(disk, fault)))
        except OSError as error:
            notes = getattr(error, "__notes__", [])
        if fault.fired and not done and fault.seen > 1:  # the first call opens the folder
            assert "The one before it stands" in notes[-1], str(fault)
        lengths.add(len(done))
        assert at(disk) == (9 if done else len(scene.before)), str(fault)
        assert [] == temporary(disk), str(fault)
        assert [] == [*disk.open_files, *disk.held_locks], str(fault)
        written(of(disk, keep=scene.keep), b"next", 10)
        assert 10 == at(disk) == at(disk.crash()), str(fault)
    assert lengths == ({2} if effect.startswith("short") else {0, 1, 2})


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_power_cut_after_a_failing_call_leaves_one_of_both(name) -> None:
    """What was synced may be there; what is there is whole, and never older than what stood."""
    scene = SCENES[name]
    for fault in each_fault("EIO", "stop"):
        disk = scene.disk()
        done: list[str] = []
        try:
            done.extend(scene.act(Faulty(disk, fault)))
        except (OSError, Stopped):
            pass
        for seed in range(scaled(2)):
            crashed = disk.crash(seed=seed)
            assert at(crashed) in ({9} if done else {len(scene.before), 9}), f"{fault} {seed}"
            written(of(crashed, keep=scene.keep), b"next", 10)
            assert 10 == at(crashed.crash()), f"{fault} {seed}"


@pytest.mark.parametrize("name", SCENES)
def test_every_crash_leaves_a_whole_one(name) -> None:
    """At every point of writing and pruning, in all states or many: the old one or the new one."""
    scene = SCENES[name]
    disk = scene.disk()
    for step in scene.act(disk):
        disk.mark(step)
    found = set()
    for crashed in disk.crash_states(limit=scaled(64)):
        state = crashed.crash_state
        assert state is not None
        found.add(at(crashed))
        if state.marks:
            assert 9 == at(crashed), state
    assert {len(scene.before), 9} == found


# ------------------------------------------------------------ making a place


def test_failing_call_leaves_no_place_or_a_whole_one() -> None:
    """Whatever call fails: nothing stays open, and the next creation gets over what is left."""
    outcomes = set()
    for fault in each_fault(*ERRORS):
        disk = MemoryVFS()
        place = place_of(Faulty(disk, fault), "/a/state.jrn")
        try:
            place.open(create=True)
            number = place.identity.id
        except OSError:
            number = 0
            assert not place.is_open, str(fault)
        outcomes.add(bool(number))
        place.close()
        assert [] == disk.leftovers(), str(fault)
        if number:
            disk = disk.crash()
        again = place_of(disk, "/a/state.jrn")
        assert again.open(create=True), str(fault)
        assert number in {0, again.identity.id}, str(fault)
        assert ["journal"] == again.folder.names(), str(fault)
    assert {True, False} == outcomes


@pytest.mark.parametrize("seed", range(6))
def test_killed_maker_and_a_power_cut_leave_no_place_or_a_whole_one(seed) -> None:
    """At any call; two makers in a row, and then the power goes."""
    for fault in each_fault("stop"):
        disk = MemoryVFS()
        with suppress(Stopped):
            place_of(Faulty(disk, fault)).open(create=True)
        second = place_of(disk)
        second.open(create=True)
        third = place_of(disk.crash(seed=seed))
        assert third.open(create=False), str(fault)
        assert second.identity == third.identity, str(fault)


def made_in_the_end(disk: MemoryVFS, why: str) -> None:
    """It can be made, is durable then, and nothing else is there."""
    place = place_of(disk)
    assert place.open(create=True), why
    assert ["journal"] == place.folder.names(), why
    number = place.identity.id
    place.close()
    after = place_of(disk.crash())
    assert after.open(create=False), why
    assert number == after.identity.id, why
    assert {"state.jrn", "state.jrn/journal"} == set(disk.tree()), why


def test_place_is_durable_after_a_creation_that_failed() -> None:
    """I4: whatever call failed, the next creation does not count on what no sync will cover."""
    for fault in each_fault(*ERRORS):
        disk = MemoryVFS()
        place = place_of(Faulty(disk, fault))
        with suppress(OSError):
            place.open(create=True)
        place.close()
        made_in_the_end(disk, str(fault))


def test_place_is_durable_after_a_maker_that_died_and_one_that_failed() -> None:
    """I4: what the second one could not sync, the third one makes anew."""
    for dead in each_fault("stop"):
        for fault in each_fault("EIO", "EMFILE"):
            disk = MemoryVFS()
            with suppress(Stopped):
                place_of(Faulty(disk, Fault("call", dead.nth, effect="stop"))).open(create=True)
            place = place_of(Faulty(disk, fault))
            with suppress(OSError):
                place.open(create=True)
            place.close()
            made_in_the_end(disk, f"{dead}, {fault}")
        with suppress(Stopped):
            place_of(Faulty(MemoryVFS(), dead)).open(create=True)


# ------------------------------------------------------------ interrupts


@pytest.mark.slow
@pytest.mark.leaks_allowed  # an interrupt between the opening of a file and its being noted
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", SCENES)
def test_interrupt_anywhere_leaves_what_stood(name, tmp_path: Path) -> None:
    """Or the new one, whole, if it was in place; no temporary file, and no lock on what stays."""
    scene = SCENES[name]
    top = tmp_path / "state.jrn"
    events = nth = 0
    found = set()
    for nth in range(1, 5000):
        shutil.rmtree(top, ignore_errors=True)
        top.mkdir()
        folder = SYSTEM.folder(str(top))
        checkpoints = of(SYSTEM, keep=scene.keep, folder=folder)
        for number, body in enumerate(scene.before, 1):
            written(checkpoints, body, number)
        is_over = not interrupted(
            lambda checkpoints=checkpoints: written(checkpoints, scene.body, 9),
            nth=nth,
            places=("state/checkpoint", "primitives/temp"),
        )
        head = of(SYSTEM, folder=folder).load(b"".join).head
        found.add(head.sequence if head else 0)
        gc.collect()
        written(of(SYSTEM, keep=scene.keep, folder=folder), b"next", 10)
        names = folder.names()
        folder.close()
        assert [] == [name for name in names if name.endswith("tmp")], f"event {nth}"
        if is_over:
            break
        events = nth
    assert 20 < events == nth - 1
    assert {len(scene.before), 9} == found


@pytest.mark.slow
@pytest.mark.leaks_allowed
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_interrupted_maker_is_got_over(tmp_path: Path) -> None:
    """A place that was being made is made by the next one, and nobody waits."""
    nth = 0
    for nth in range(1, 1000):
        path = tmp_path / f"{nth}.jrn"
        place = place_of(SYSTEM, str(path))
        is_over = not interrupted(
            lambda place=place: place.open(create=True),
            nth=nth,
            places=("state/journal", "primitives/folders"),
        )
        place.close()
        del place
        gc.collect()
        again = place_of(SYSTEM, str(path))
        assert again.open(create=True)
        assert ["journal"] == again.folder.names(), f"event {nth}"
        assert again.lock_checkpoints(block=False), f"event {nth}"
        again.close()
        if is_over:
            break
    assert 20 < nth < 999
