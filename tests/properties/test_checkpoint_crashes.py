"""Processes that write checkpoints, are killed, lose their power and go on: none is ever lost.

What is owed: a checkpoint that was acknowledged, or a newer one; and, since the log is dropped up
to what `prune` returned, one that reaches at least so far. Every body says whose it is.
"""

from __future__ import annotations

from random import Random

import pytest

from holdfast.state.checkpoints import Checkpoints
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.memory import MemoryVFS
from tests.support.budget import scaled
from tests.support.checkpoints import LARGE, empty_disk, of

PROCESSES = 3
STOPS = ("open", "write", "sync", "sync_data", "sync_folder", "rename", "unlink", "close", "call")
FAILURES = ("open", "write", "rename", "unlink", "read", "stat", "names")
SYNCS = ("sync", "sync_data", "sync_folder")


def body_of(sequence: int, rng: Random) -> bytes:
    """Small, of a few pages or large; what it says is all through it."""
    size = rng.choice((0, 10, 10, 600, 9000, 40_000, len(LARGE)))
    return (b"%d " % sequence) * (size // len(b"%d " % sequence))


class World:
    """A disk, the processes on it, and what is owed to them."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.disk: MemoryVFS = empty_disk()
        self.keep = self.rng.choice((0, 0, 0, 1, 2))
        self.owed = self.sequence = 0
        self.bodies: dict[int, set[bytes]] = {}
        self.restart()

    def restart(self) -> None:
        """All processes are new."""
        self.vfs = [Faulty(self.disk) for _ in range(PROCESSES)]
        self.processes: list[Checkpoints] = [of(vfs, keep=self.keep) for vfs in self.vfs]

    def power_cut(self) -> None:
        """What was not synced is gone, or some of it."""
        self.disk = self.disk.crash(seed=self.rng.randrange(1000))
        self.restart()

    def step(self) -> None:
        """One process does one thing, and may be killed, or fail, at any call."""
        rng = self.rng
        one = rng.randrange(PROCESSES)
        effect, operations = rng.choice(
            [("none", ()), ("none", ()), ("stop", STOPS), ("EIO", FAILURES), ("EIO", SYNCS)]
        )
        faults = [Fault(name, rng.randint(1, 4), effect=effect) for name in operations]
        faults = rng.sample(faults, min(1, len(faults)))
        self.vfs[one].faults = tuple(faults)
        act = rng.choice((self.write, self.write, self.write, self.prune))
        try:
            act(self.processes[one])
        except OSError:
            if faults[0].operation in SYNCS:  # what it left in memory is not what the disk has
                self.power_cut()
                return
        except Stopped:
            self.vfs[one] = Faulty(self.disk)
            self.processes[one] = of(self.vfs[one], keep=self.keep)
        self.vfs[one].faults = ()
        if rng.random() < 0.3:
            self.power_cut()

    def write(self, process: Checkpoints) -> None:
        """A newer state, or once more the same one."""
        self.sequence += self.rng.choice((0, 1, 1, 3))
        body = body_of(self.sequence, self.rng)
        self.bodies.setdefault(self.sequence, set()).add(body)
        process.write([body], sequence=self.sequence, finish=lambda: self.sequence)
        self.owed = max(self.owed, self.sequence)

    def prune(self, process: Checkpoints) -> None:
        """From here on the log begins behind what it returns."""
        self.owed = max(self.owed, process.prune())

    def prove(self) -> None:
        """What is loaded is what somebody wrote, and not older than what is owed."""
        loaded = of(self.disk).load(b"".join)
        found = loaded.head.sequence if loaded.head else 0
        assert self.owed <= found <= self.sequence
        if loaded.head:
            assert loaded.value in self.bodies[found]


@pytest.mark.parametrize("part", range(4))
def test_no_acknowledged_checkpoint_is_lost(part) -> None:
    """After every step, and after the power is cut there: the newest that is owed, or a newer."""
    for seed in range(scaled(30)):
        world = World(1000 * part + seed)
        for number in range(14):
            world.step()
            try:
                world.prove()
                for cut in range(2):
                    live = world.disk
                    world.disk = live.crash(seed=cut)
                    world.prove()
                    world.disk = live
            except AssertionError:
                raise AssertionError(f"seed {1000 * part + seed}, step {number}") from None
