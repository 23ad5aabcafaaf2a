"""The registry: files patched in place. All of each patch or nothing of it, once it is opened here.

    unreadable    opening raises: nothing was damaged, so that is a false alarm
    torn          the file holds a part of a patch, or something else than a patch makes of it
    not durable   it was acknowledged, and is not there

What the file holds before it is opened here may be anything between old and new: what a program
sees that reads it by itself is no promise. The files are small, so that all states can be tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import combinations
from typing import Any

from holdfast.crash.acknowledge import ack
from holdfast.errors import HoldfastError
from holdfast.primitives.in_place import InPlaceFile
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.fault import Fault, Faulty, Stopped
from tests.crash.line_logs import Anything
from tests.crash.places import Place
from tests.crash.promises import FEW, MODE, RETURNED, Operation

FILE = "disk.img"
JOURNAL = f"{FILE}.journal"
OLD = b"o" * 700
"""Two sectors, of which the second is not whole."""
Changes = Sequence[tuple[int, bytes]]
APART: Changes = ((690, b"B" * 10), (500, b"A" * 20))
"""Over the edge of the sectors, and at the end."""
OTHER: Changes = ((3, b"C"), (540, b"D" * 9), (689, b"E"))
LONGER: Changes = ((695, b"F" * 100), (0, b"G"))
BLOCKS: Changes = ((4090, b"H" * 12), (4600, b"I"))
TWO_BLOCKS = b"p" * 4650


def patched(data: bytes, *patches: Changes) -> bytes:
    """What patches make of a file."""
    made = bytearray(data)
    for changes in patches:
        for offset, piece in sorted(changes):
            made[offset : offset + len(piece)] = piece
    return bytes(made)


class Patched:
    """Each of these patches, which do not overlap, is in the file as a whole or not at all.

    `unsure`: how many of the first their writer, who was killed or failed, perhaps has not made.
    """

    def __init__(self, *patches: Changes, old: bytes = OLD, unsure: int = 0) -> None:
        self.numbers = range(len(patches))
        self.sure = set(self.numbers[unsure:])
        chosen = [each for n in range(len(patches) + 1) for each in combinations(self.numbers, n)]
        self.sets = {patched(old, *(patches[n] for n in each)): {*each} for each in chosen}

    def __call__(self, at: Place, acked: Sequence[str], again: bool) -> None:
        """Open the file, and look at it.

        Raises:
            AssertionError: something does not hold.
        """
        try:
            with InPlaceFile(at.path(FILE), vfs=at.vfs) as file:
                found = file.read(0, file.size)
                report = file.check()
        except HoldfastError as error:
            raise AssertionError(f"unreadable: {type(error).__name__}: {error}") from error
        assert not report.findings, f"unreadable: {report}"
        if JOURNAL in at.tree():
            mode = at.mode(JOURNAL)
            assert mode == MODE & 0o666, f"attributes: {JOURNAL} has mode {mode:o}"
        assert found in self.sets, f"torn: {len(found)} bytes, {found[:9]!r} ... {found[-9:]!r}"
        needed = {int(mark) for mark in acked if mark.isdigit()}
        if again or RETURNED in acked:
            needed |= self.sure
        assert needed <= self.sets[found], f"not durable: {self.sets[found]} of {needed}"


def said(at: Place, number: int) -> None:
    """Tell that a patch is durable."""
    disk = at.memory
    if disk is None:
        ack(number)
    else:
        disk.mark(str(number))


def opened(at: Place, **options: Any) -> InPlaceFile:
    """Open the file; each time at the same time, so that the same is written each time."""
    return InPlaceFile(at.path(FILE), **{"vfs": at.vfs, "clock": ManualClock(), **options})


def patch(at: Place, *patches: Changes, first: int = 0) -> None:
    with opened(at) as file:
        for number, changes in enumerate(patches, first):
            file.patch(changes)
            said(at, number)


def other(at: Place) -> None:
    """The patch that comes after one whose end is not known."""
    patch(at, OTHER, first=1)


def patches(at: Place, *, changes: Sequence[Changes]) -> None:
    patch(at, *changes)


def killed(at: Place, *faults: Fault, changes: Changes = APART) -> None:
    """A patcher is killed at some call."""
    with suppress(Stopped), opened(at, vfs=Faulty(at.vfs, *faults)) as file:
        file.patch(changes)


def after_half_a_journal(at: Place) -> None:
    half = Fault("write", 1, on="*.journal", effect="short 400")
    killed(at, half, Fault("write", 2, effect="stop"))
    other(at)


def after_an_unsynced_journal(at: Place) -> None:
    killed(at, Fault("sync_data", 1, effect="stop"))
    other(at)


def after_half_a_patch(at: Place) -> None:
    killed(at, Fault("write", 4, effect="stop"))
    other(at)


def after_an_unsynced_patch(at: Place) -> None:
    killed(at, Fault("sync_data", 2, effect="stop"))
    other(at)


def after_an_undropped_patch(at: Place) -> None:
    killed(at, Fault("sync_data", 3, effect="stop"))
    other(at)


def after_an_unsynced_name(at: Place) -> None:
    """The maker of the journal is killed when it has its name, and the folder is not synced."""
    killed(at, Fault("sync_folder", 1, effect="stop"))
    other(at)


def after_a_failed_sync(at: Place, nth: int) -> None:
    """A sync fails, the handle is closed, and the file is opened anew."""
    fault = Fault("sync_data", nth, effect="EIO")
    try:
        with opened(at, vfs=Faulty(at.vfs, fault)) as file:
            file.patch(APART)
    except OSError:
        if not fault.fired:
            raise
    other(at)


ELSEWHERE: Changes = ((692, b"W"),)


def before_another_program(at: Place) -> None:
    """Somebody else writes into what was patched: no journal may come back and find that."""
    patch(at, APART)
    offset, data = ELSEWHERE[0]
    with closing(at.vfs.folder(at.top)) as folder, closing(folder.open(FILE, "write")) as file:
        file.write(data, offset=offset)


class PatchedByBoth(Patched):
    """With what the other program wrote, or without."""

    def __init__(self) -> None:
        super().__init__(APART)
        self.sets[patched(OLD, APART, ELSEWHERE)] = {0}
        self.sets[patched(OLD, ELSEWHERE)] = set()


def taken_back(at: Place) -> None:
    """A patch fails in the middle of the file, and is taken back; another one follows."""
    fault = Fault("write", 4, effect="ENOSPC")
    try:
        with opened(at, vfs=Faulty(at.vfs, fault)) as file:
            file.patch(APART)
    except OSError:
        if not fault.fired:
            raise
    other(at)


def used(at: Place) -> None:
    """The file was patched before, so there is a journal."""
    with opened(at) as file:
        file.patch([(0, file.read(0, 1))])


def in_place(
    name: str, run: Callable[[Place], object], holds: Any, *, old: bytes = OLD, **more: Any
) -> Operation:
    """An operation on a file that has a journal already."""
    return Operation(
        name,
        run,
        {},
        before={FILE: old, "other": b"of somebody else"},
        loosely={FILE: Anything()},
        beside=(JOURNAL, f"{FILE}.lock"),
        holds=holds,
        **{"prepare": used, **more},
    )


IN_DOUBT = Patched(APART, OTHER, unsure=1)

OPERATIONS: tuple[Operation, ...] = (
    in_place("InPlaceFile.patch", partial(patches, changes=[APART]), Patched(APART)),
    in_place(
        "InPlaceFile.patch, new journal",
        partial(patches, changes=[APART]),
        Patched(APART),
        prepare=None,
    ),
    in_place(
        "InPlaceFile.patch, twice",
        partial(patches, changes=[APART, OTHER]),
        Patched(APART, OTHER),
    ),
    in_place("InPlaceFile.patch, growing", partial(patches, changes=[LONGER]), Patched(LONGER)),
    in_place(
        "InPlaceFile.patch, two blocks",
        partial(patches, changes=[BLOCKS]),
        Patched(BLOCKS, old=TWO_BLOCKS),
        old=TWO_BLOCKS,
        states=FEW,
    ),
    in_place("InPlaceFile.patch, taken back", taken_back, IN_DOUBT),
    in_place("InPlaceFile.patch, before another program", before_another_program, PatchedByBoth()),
    in_place("InPlaceFile after half a journal", after_half_a_journal, IN_DOUBT),
    in_place("InPlaceFile after an unsynced journal", after_an_unsynced_journal, IN_DOUBT),
    in_place("InPlaceFile after half a patch", after_half_a_patch, IN_DOUBT),
    in_place("InPlaceFile after an unsynced patch", after_an_unsynced_patch, IN_DOUBT),
    in_place("InPlaceFile after an undropped patch", after_an_undropped_patch, IN_DOUBT),
    in_place("InPlaceFile after an unsynced name", after_an_unsynced_name, IN_DOUBT, prepare=None),
    in_place(
        "InPlaceFile after a failed sync, of the journal",
        partial(after_a_failed_sync, nth=1),
        IN_DOUBT,
    ),
    in_place(
        "InPlaceFile after a failed sync, of the file",
        partial(after_a_failed_sync, nth=2),
        IN_DOUBT,
    ),
    in_place(
        "InPlaceFile after a failed sync, of the end",
        partial(after_a_failed_sync, nth=3),
        IN_DOUBT,
    ),
)
