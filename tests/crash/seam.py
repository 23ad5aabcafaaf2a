"""Level 1: each operation on a filesystem in memory. No root, every operating system.

What is tried: every state that the model allows after a crash, at any call; a crash during the
recovery; and, at every call, every errno, and a crash after that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from holdfast.crash.explorer import explore_memory
from holdfast.crash.explorer.trees import paths_of
from holdfast.crash.recorders.memory import record_memory
from holdfast.crash.recording import Recording
from holdfast.errors import HoldfastError
from holdfast.vfs import VFS
from holdfast.vfs.fault import Faulty, each_fault
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.states import CrashOptions
from tests.crash.places import Place
from tests.crash.promises import RECOVERING, RETURNED, Operation, check, recover

ERRNOS = (
    "EIO",
    "ENOSPC",
    "EACCES",
    "EPERM",
    "EBUSY",
    "EINTR",
    "EMFILE",
    "EROFS",
    "EDQUOT",
    "short 1",
)
TORN: Mapping[str, CrashOptions] = {
    "blocks of 4096": {"block_bytes": 4096},
    "blocks of 512": {"block_bytes": 512},
    "blocks of 4096, garbage": {"block_bytes": 4096, "garbage": True},
    "blocks of 512, garbage": {"block_bytes": 512, "garbage": True},
}
"""How blocks are torn, and what is where one is lost: each is tried on its own."""

FEW: Mapping[str, CrashOptions] = {
    name: TORN[name] for name in ("blocks of 4096", "blocks of 512, garbage")
}


_TOKENS = 1000


class Result(NamedTuple):
    """What one proof of one operation came to.

    `states`: how many different ones were checked. `runs`: how many times it was run. `exhaustive`:
    no state that the model allows was left out.
    """

    operation: str
    proof: str
    runs: int
    states: int
    exhaustive: bool
    violations: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        count = f"{self.operation}, {self.proof}: {self.states} states of {self.runs} runs"
        return "\n".join([f"{count}, {len(self.violations)} violations", *self.violations[:5]])


def torn_for(operation: Operation, torn: Mapping[str, CrashOptions]) -> Iterator[CrashOptions]:
    """How blocks are torn for this operation: with garbage only if its promise is for that."""
    for number, options in enumerate(found := [*torn.values()]):
        if operation.garbage or not options.get("garbage"):
            yield options
        elif (plain := {**options, "garbage": False}) not in (
            {"garbage": False, **other} for other in found[:number]
        ):
            yield plain  # type: ignore[misc]


def disk_before(operation: Operation, *, unnamed: bool = True) -> MemoryVFS:
    """A filesystem in memory with what was there before, durably."""
    disk = MemoryVFS(unnamed_files=unnamed)
    operation.start(Place(disk))
    disk.settle()
    return disk


def recorded(
    operation: Operation, disk: MemoryVFS, wrap: Callable[[VFS], VFS] = lambda vfs: vfs
) -> Recording:
    """Run it to its end, and acknowledge.

    Raises:
        RuntimeError: it raised.
    """

    def action(vfs: VFS) -> None:
        operation.run(Place(wrap(vfs)))
        disk.mark(RETURNED)

    recording = record_memory(disk, action)
    if recording.status:
        raise RuntimeError(f"{operation.name}: {recording.notes}")
    return recording


def every_crash(
    operation: Operation,
    *,
    torn: Mapping[str, CrashOptions] = TORN,
    budget_s: float = 30.0,
    limit: int = 4096,
) -> Result:
    """Try every state that the model allows, with files that have no name and without them."""
    began_s, states, runs, exhaustive, bad = time.monotonic(), 0, 0, True, list[str]()
    for unnamed in (True, False):
        disk = disk_before(operation, unnamed=unnamed)
        recording = recorded(operation, disk)
        runs += 1
        for options in torn_for(operation, torn):
            report = explore_memory(
                disk,
                lambda crashed, acked: check(operation, Place(crashed), acked),
                recording=recording,
                model=operation.model,
                block_bytes=options.get("block_bytes", 4096),
                garbage=options.get("garbage", False),
                budget_s=budget_s,
                limit=min(limit, operation.states),
            )
            states += report.tried
            exhaustive &= report.exhaustive and not report.stopped
            bad += [f"{finding.title}\n{report.text()}" for finding in report.findings]
    seconds = time.monotonic() - began_s
    return Result(operation.name, "crash", runs, states, exhaustive, tuple(bad), seconds)


def crash_in_recovery(operation: Operation, *, budget_s: float = 30.0) -> Result:
    """Recover after a crash, crash again at any call of that, and recover once more."""
    disk = disk_before(operation)

    def recovery(crashed: MemoryVFS) -> None:
        for _ in range(_TOKENS):  # else the next recovery would draw the same ones
            crashed.token()
        crashed.mark(RECOVERING)
        recover(operation, Place(crashed))

    report = explore_memory(
        disk,
        lambda crashed, acked: check(operation, Place(crashed), acked),
        recording=recorded(operation, disk),
        model=operation.model,
        recover=recovery,
        budget_s=budget_s,
        limit=operation.states,
    )
    return Result(
        operation.name,
        "crash during the recovery",
        report.recovered,
        report.tried,
        report.exhaustive and not report.stopped,
        tuple(report.text() for _ in report.findings[:1]),
        report.seconds,
    )


def crash_after_fault(
    operation: Operation,
    *,
    errnos: Sequence[str] = ERRNOS,
    torn: Mapping[str, CrashOptions] = FEW,
    limit: int = 256,
) -> Result:
    """Let each call fail with each errno, and crash at any moment of that run."""
    search = _AfterFault(operation, torn, limit)
    began_s = time.monotonic()
    for fault in each_fault(*errnos):
        disk = disk_before(operation)
        returned, error = attempt(operation, Faulty(disk, fault))
        if returned:
            disk.mark(RETURNED)
        search.look(disk, f"{fault}: {error!r}")
    seconds = time.monotonic() - began_s
    return Result(
        operation.name,
        "fault, then crash",
        search.runs,
        len(search.seen),
        search.exhaustive,
        tuple(search.bad),
        seconds,
    )


def attempt(operation: Operation, vfs: VFS) -> tuple[bool, BaseException | None]:
    """Run it where something fails; say whether it returned, and what it raised."""
    try:
        operation.run(Place(vfs))
    except (OSError, HoldfastError, RuntimeError) as error:
        return False, error
    return True, None


class _AfterFault:
    """The states of many runs of one operation, each different one checked once."""

    def __init__(self, operation: Operation, torn: Mapping[str, CrashOptions], limit: int) -> None:
        self.runs = 0
        self.exhaustive = True
        self.bad: list[str] = []
        self.seen: set[object] = set()
        self._histories: set[object] = set()
        self._operation, self._torn = operation, torn
        self._limit = min(limit, operation.states)

    def look(self, disk: MemoryVFS, context: str) -> None:
        self.runs += 1
        history = tuple(disk.core.operations)
        if history in self._histories:
            return  # as after another errno
        self._histories.add(history)
        for options in torn_for(self._operation, self._torn):
            for place, acked in self._new(disk, options):
                try:
                    check(self._operation, place, acked)
                except AssertionError as error:
                    self.bad.append(f"{error} after {context}, acknowledged: {acked}")

    def _new(self, disk: MemoryVFS, options: CrashOptions) -> Iterator[tuple[Place, list[str]]]:
        crashed = disk.crash_states(
            **{**options, "model": self._operation.model, "limit": self._limit}
        )
        for one in crashed:
            state = one.crash_state
            assert state is not None
            acked = [*state.marks]
            key = (*acked, *paths_of(state.tree).items())
            if key not in self.seen:
                self.seen.add(key)
                yield Place(one), acked
        self.exhaustive &= crashed.exhaustive
