from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from holdfast.primitives.lock_file import Description
from holdfast.primitives.lock_grants import Grants, current_owner, running_loop, this_thread
from holdfast.vfs.memory import MemoryVFS


@pytest.fixture
def disk() -> MemoryVFS:
    return MemoryVFS()


@pytest.fixture
def description(disk) -> Iterator[Description]:
    folder = disk.folder("/")
    file = folder.open("lock", "create")
    folder.close()
    file.lock()
    made = Description(file)
    yield made
    made.discard()


def test_owner_is_the_thread() -> None:
    """Outside of asyncio, the thread is the owner."""
    owners = []
    for _ in range(2):  # one after the other, so that the second may get the ident of the first
        thread = threading.Thread(target=lambda: owners.append(current_owner()))
        thread.start()
        thread.join()

    assert this_thread.owner is current_owner()
    assert 3 == len({current_owner(), *owners})


def test_owner_is_the_task() -> None:
    """In a task, synchronous code is the task's as well."""

    async def main() -> tuple[object, object]:
        return asyncio.current_task(), current_owner()

    task, owner = asyncio.run(main())

    assert task is owner


def test_owner_in_a_callback_is_the_thread() -> None:
    """A callback of an event loop belongs to no task."""
    loop = asyncio.new_event_loop()
    seen: list[object] = []
    loop.call_soon(lambda: seen.extend([current_owner(), running_loop()]))
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()

    assert [this_thread.owner, loop] == seen


def test_grant_of_another_owner_is_not_taken_out(description) -> None:
    """Among several grants, everybody finds their own only."""
    grants = Grants()
    grants.held["somebody"] = description

    with pytest.raises(KeyError):
        grants.pop_own()

    grants.held[current_owner()] = description

    assert (current_owner(), description) == grants.pop_own()

    grants.held.clear()


def test_grant_of_an_owner_that_has_one_can_be_released_by_anybody(description) -> None:
    """A second grant does not displace the first; a living owner's is not for others."""
    grants = Grants()
    second = grants.free_owner("somebody")
    grants.held[second] = description

    assert "somebody" == second

    other = grants.free_owner("somebody")
    grants.held[other] = description

    assert (other, description) == grants.pop_own()
    with pytest.raises(KeyError):
        grants.pop_own()

    grants.held.clear()


def test_lost_grants_are_counted_with_their_depth(description, disk) -> None:
    """Each acquire of a lost grant has one release to come; what is lost by a fork stays locked."""
    grants = Grants()
    description.count = 3
    grants.held["me"] = description
    grants.lose(unlock=False)

    assert (3, {}) == (grants.lost, grants.held)
    assert ["/lock"] == disk.held_locks


def test_dropped_grants_are_given_back(description, disk) -> None:
    """A lock object that nobody refers to any more holds nothing."""
    grants = Grants()
    grants.held["me"] = description
    del grants

    assert [] == disk.held_locks


def test_task_of_a_stopped_loop_stands_before_its_thread(description) -> None:
    """A thread that would block waits for tasks of its own event loop in vain."""
    grants = Grants()

    async def main() -> tuple[bool, bool, bool]:
        grants.held[asyncio.current_task()] = description
        loop = asyncio.get_running_loop()
        return (
            grants.stand_before("another", loop),
            grants.stand_before("another", None),
            grants.stand_before(asyncio.current_task(), None),
        )

    assert (True, False, True) == asyncio.run(main())

    grants.held.clear()
