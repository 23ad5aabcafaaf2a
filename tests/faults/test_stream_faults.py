"""Every call that a stream makes, every errno: what is told is true, and nothing stays open."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

from holdfast.errors import HandlePoisoned
from holdfast.primitives.stream import Stream
from holdfast.vfs import SYSTEM, VFS
from holdfast.vfs.fault import Fault, Faulty, Stopped, each_fault
from holdfast.vfs.interpose import Call, Interposed
from holdfast.vfs.memory import MemoryVFS
from tests.conftest import open_below
from tests.support.streams import taken as count_of

T = TypeVar("T")

OLD, PIECES = b"old ", (b"first ", b"second ", b"third")
EFFECTS = ("EIO", "ENOSPC", "EACCES", "EPERM", "EBUSY", "EINTR", "EMFILE", "EROFS", "short 1")
SYNCS = {"sync", "sync_data", "sync_folder"}


class Judge(Interposed):
    """Watches for a sync after one that failed, since its opening."""

    failed = False
    broken = False

    def around(self, call: Call, do: Callable[[], T]) -> T:
        """Carry the call out."""
        if call.operation in SYNCS and self.failed:
            self.broken = True
        try:
            return do()
        except OSError:
            self.failed = self.failed or call.operation in SYNCS
            raise


def run(vfs: VFS, path: str, taken: list[bytes], *, buffer_bytes: int = 0) -> None:
    """Write the pieces, and note what the stream says that it took of each."""
    with Stream(path, sync_every_s=3600, buffer_bytes=buffer_bytes, vfs=vfs) as stream:
        for piece in PIECES:
            try:
                stream.write(piece)
            except OSError as error:
                taken.append(piece[: count_of(error)])
                raise
            taken.append(piece)
            stream.sync()


@pytest.mark.parametrize("there", [False, True], ids=["new", "there"])
def test_every_fault_is_told_and_nothing_is_claimed(there: bool) -> None:
    """The file holds what the stream took, to the byte; no sync comes after one that failed."""
    tried = 0
    for fault in each_fault(*EFFECTS):
        disk = MemoryVFS()
        if there:
            disk.write_tree({"a": OLD})
        judge, taken = Judge(Faulty(disk, fault)), list[bytes]()
        with suppress(OSError, HandlePoisoned):
            run(judge, "/a", taken)
        if disk.leftovers():
            gc.collect()  # an exception may hold it
        tried += fault.fired
        expected = (OLD if there else b"") + b"".join(taken)

        assert expected == disk.tree().get("a", b""), str(fault)
        assert not judge.broken, f"{fault}: synced again after a failure"
        assert [] == disk.leftovers(), str(fault)

    assert tried > 10 * len(EFFECTS)


@pytest.mark.parametrize("effect", ["EIO", "ENOSPC"])
def test_what_is_durable_is_what_the_first_failed_sync_left(effect: str) -> None:
    """The error says up to where, and every state after a power cut has that."""
    for nth in range(1, len(PIECES)):
        disk, taken = MemoryVFS(), list[bytes]()
        with pytest.raises(HandlePoisoned) as poisoned:
            run(Faulty(disk, Fault("sync_data", nth, effect=effect)), "/a", taken)
        disk.mark("told")
        durable = b"".join(PIECES[:nth])
        states = [s for s in disk.crash_states() if s.crash_state and "told" in s.crash_state.marks]

        assert len(durable) == poisoned.value.durable
        assert states
        assert [] == [s for s in states if not bytes(s.tree()["a"]).startswith(durable)]  # type: ignore[arg-type]


def test_sudden_death_loses_nothing_that_was_written() -> None:
    """The process dies in place of each of its calls; what `write` took is in the file."""
    for fault in each_fault("stop"):
        disk, taken = MemoryVFS(), list[bytes]()
        with suppress(Stopped):
            run(Faulty(disk, fault), "/a", taken)

        assert bytes(disk.tree().get("a", b"")).startswith(b"".join(taken)), str(fault)  # type: ignore[arg-type]


def test_every_fault_on_the_system(tmp_path: Path) -> None:
    """The same on a real filesystem, with fewer errnos, and through a buffer."""
    for number, fault in enumerate(each_fault("ENOSPC", "short 1")):
        top = tmp_path / str(number)
        top.mkdir()
        with suppress(OSError, HandlePoisoned):
            run(Faulty(SYSTEM, fault), str(top / "a"), [], buffer_bytes=8)
        gc.collect()
        data = (top / "a").read_bytes() if (top / "a").exists() else b""

        assert b"".join(PIECES).startswith(data), str(fault)
        assert [] == open_below(top), str(fault)
