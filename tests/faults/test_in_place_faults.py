"""Every call of `InPlaceFile` fails with every errno: the file is old or new, and it is said which.

What a crash leaves after such a failure is tried in tests/crash, on the same operations.
"""

from __future__ import annotations

import gc

import pytest

from holdfast.errors import HandlePoisoned
from holdfast.primitives.in_place import InPlaceFile
from holdfast.primitives.sweep import sweep
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.fault import Fault, Faulty, Stopped, each_fault
from holdfast.vfs.memory import MemoryVFS

OLD = b"o" * 9000
CHANGES = ((8_990, b"n" * 20), (4090, b"n" * 12), (1, b"n"))
NEW = b"on" + b"o" * 4088 + b"n" * 12 + b"o" * 4888 + b"n" * 20
EFFECTS = ("EIO", "ENOSPC", "EACCES", "EBUSY", "ENOENT", "EINTR", "EMFILE", "EROFS", "short 1")
STATES = {
    "Nothing was changed": OLD,
    "The patch waits in its journal": NEW,
    "The patch is in the file, and durable": NEW,
}


def disk(*, used: bool, dead: bool = False) -> MemoryVFS:
    """A file; perhaps with a journal, perhaps with a patch in it that a killed writer began."""
    vfs = MemoryVFS()
    vfs.write_tree({"f": OLD})
    if used:
        patch(vfs, changes=((0, b"o"),))
    if dead:
        file = InPlaceFile("/f", vfs=Faulty(vfs, Fault("write", 4, effect="stop")))
        with pytest.raises(Stopped):
            file.patch(CHANGES)
        file.close()
    vfs.settle()
    gc.collect()
    vfs.core.collected.clear()
    return vfs


def patch(vfs, changes=CHANGES) -> None:
    with InPlaceFile("/f", vfs=vfs, clock=ManualClock()) as file:
        file.patch(changes)


def reopened(vfs: MemoryVFS) -> bytes:
    """What the file holds for who opens it next."""
    with InPlaceFile("/f", vfs=vfs) as file:
        return file.read(0, file.size)


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("used", [False, True])
def test_patch_is_old_or_new_whatever_fails(effect, used) -> None:
    """What the note says is there, nothing stays open or locked, and the next patch succeeds."""
    told = set[str]()
    for fault in each_fault(effect):
        vfs = disk(used=used)
        try:
            patch(Faulty(vfs, fault))
        except OSError as error:
            notes = " ".join(getattr(error, "__notes__", ()))
            states = [state for state in STATES if state in notes]
            told.update(states)
            raw = vfs.tree()["f"]
            assert raw in (OLD, NEW) or states == ["The patch waits in its journal"], fault
            expected = {STATES[state] for state in states} or {OLD}
            assert {reopened(vfs)} == expected, f"{fault}: {notes}"
        else:
            assert NEW == reopened(vfs), fault
        assert [] == vfs.leftovers(), fault
        sweep("/", vfs=vfs)
        patch(vfs)
        assert NEW == reopened(vfs)
        assert {"f", "f.journal", "f.lock"} == set(vfs.tree())
    assert ("Nothing was changed" in told) is (effect != "short 1")


@pytest.mark.parametrize("effect", [effect for effect in EFFECTS if effect != "ENOENT"])
def test_recovery_that_fails_is_done_by_the_next_opening(effect) -> None:
    """Until it succeeds the patch waits; it is never lost, and never half of it is shown.

    But if the system says that there is no journal, there is none.
    """
    for fault in each_fault(effect):
        vfs = disk(used=True, dead=True)
        try:
            with InPlaceFile("/f", vfs=Faulty(vfs, fault)) as file:
                assert NEW == file.read(0, file.size)
        except OSError:
            pass
        assert NEW == reopened(vfs), fault
        assert [] == vfs.leftovers(), fault


@pytest.mark.parametrize("call", ["write", "sync_data"])
def test_undo_that_fails_leaves_the_patch_to_the_next_opening(call) -> None:
    """The disk fills up, and what was written cannot be taken back either."""
    vfs = disk(used=True)
    full = Fault("write", 5, effect="ENOSPC")
    then = Fault(call, 6 if call == "write" else 2, effect="EIO")
    with (
        pytest.raises(OSError, match="Errno 28") as caught,
        InPlaceFile("/f", vfs=Faulty(vfs, full, then)) as file,
    ):
        file.patch(CHANGES)

    assert "The patch waits in its journal" in caught.value.__notes__[-1]
    assert NEW == reopened(vfs)


def test_failure_sticks_to_the_handle_alone() -> None:
    """Another handle goes on; the one whose sync failed does not, even if the disk is well."""
    vfs = disk(used=True)
    fault = Fault("sync_data", 2, effect="EIO")
    with InPlaceFile("/f", vfs=Faulty(vfs, fault)) as file, InPlaceFile("/f", vfs=vfs) as other:
        with pytest.raises(OSError, match="Errno 5"):
            file.patch(CHANGES)
        assert NEW == other.read(0, 1 << 20)
        other.patch([(0, b"!")])
        with pytest.raises(HandlePoisoned):
            file.patch(CHANGES)
        assert b"!" == file.read(0, 1)
