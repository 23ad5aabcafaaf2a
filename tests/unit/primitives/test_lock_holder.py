from __future__ import annotations

import asyncio

import pytest

from holdfast.primitives.lock_file import LockFile
from holdfast.primitives.lock_holder import HolderLookup
from holdfast.vfs import ManualClock
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

pytestmark = pytest.mark.usefixtures("no_thread_left")


def lookup(vfs) -> HolderLookup:
    file = LockFile("/a.lock", permissions=0o666, vfs=vfs, clock=ManualClock())
    return HolderLookup(file)


def test_everybody_is_answered_by_few_looks() -> None:
    """A hundred tasks that ask at once cost a look or two, and each is told the holder."""
    disk = MemoryVFS()
    disk.write_tree({"/a.lock": b""})
    folder = disk.folder("/")
    held = folder.open("a.lock", "write")
    held.lock()
    trace = Trace(disk)

    async def main() -> list[object]:
        asked = lookup(trace)
        with asked.mutex:  # nobody is answered before all have asked
            tasks = [asyncio.create_task(asked.ask()) for _ in range(100)]
            await asyncio.sleep(0)
        return await asyncio.gather(*tasks)

    answers = asyncio.run(main())
    looks = trace.operations.count("open")

    assert {disk.holder(held)} == set(answers)
    assert None not in answers
    assert looks <= 2

    held.close()
    folder.close()


def test_cancelled_question_does_not_stop_the_others() -> None:
    """A task that is cancelled while it asks leaves the others their answer."""
    disk = MemoryVFS()

    async def main() -> list[object]:
        asked = lookup(disk)
        tasks = [asyncio.create_task(asked.ask()) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, *others = asyncio.run(main())

    assert isinstance(first, asyncio.CancelledError)
    assert [None, None] == others
