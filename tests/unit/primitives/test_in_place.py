"""`InPlaceFile`: patches are whole, locks hold, and what cannot be is refused."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from holdfast.errors import (
    Closed,
    Conflict,
    HandlePoisoned,
    LockTimeout,
    PromiseUnavailable,
)
from holdfast.formats.patch_format import BLOCK_BYTES, MAX_BLOCKS
from holdfast.primitives.in_place import InPlaceFile
from holdfast.vfs.fault import Fault, Faulty, Stopped
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

OLD = bytes(range(250)) * 60
"""15,000 bytes: three whole blocks, and a part of a fourth."""


def disk(data: bytes = OLD) -> MemoryVFS:
    """A filesystem with a file."""
    made = MemoryVFS()
    made.write_tree({"f": data})
    made.settle()
    return made


def contents(vfs: MemoryVFS) -> bytes:
    """What any program reads."""
    data = vfs.tree()["f"]
    assert isinstance(data, bytes)
    return data


def with_changes(data: bytes, *changes: tuple[int, bytes]) -> bytes:
    """What changes make of bytes."""
    made = bytearray(data)
    for offset, piece in changes:
        made[offset : offset + len(piece)] = piece
    return bytes(made)


CHANGES = ((14_990, b"x" * 30), (3, b"abc"), (4090, b"y" * 12))


def test_patch_changes_all_places() -> None:
    """In any order, over the edge of blocks, and beyond the end of the file."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as file:
        file.patch(CHANGES)
        assert 15_020 == file.size
        assert file.recovered is None

    assert with_changes(OLD, *CHANGES) == contents(vfs)


def test_patch_takes_what_is_like_bytes() -> None:
    """Any buffer, from any iterable; nothing at all is nothing."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as file:
        file.patch((at, bytearray(b"z")) for at in (1, 9000))
        file.patch([])
        file.patch([(5, b"")])

    assert with_changes(OLD, (1, b"z"), (9000, b"z")) == contents(vfs)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ([(0, b"ab"), (1, b"c")], "overlap"),
        ([(5, b"c"), (5, b"c")], "overlap"),
        ([(-1, b"ab")], "no file has these"),
        ([(-1, b"")], "no file has these"),
        ([((1 << 63) - 1, b"a")], "no file has these"),
        ([(15_001, b"a")], "leaves no gap"),
        ([(15_000, b"a"), (15_002, b"a")], "leaves no gap"),
    ],
)
def test_impossible_changes_are_refused(changes, complaint) -> None:
    """Before anything is done."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as file, pytest.raises(ValueError, match=complaint):
        file.patch(changes)

    assert {"f": OLD, "f.lock": b""} | vfs.tree() == {"f": OLD, "f.lock": b""}


@pytest.mark.parametrize("change", [("a", b""), (1.5, b"a"), (0, "text")])
def test_what_is_no_change_is_a_type_error(change) -> None:
    """An offset is a whole number, and what goes there is bytes."""
    with InPlaceFile("/f", vfs=disk()) as file, pytest.raises(TypeError):
        file.patch([change])


def test_patch_of_too_many_blocks_is_refused() -> None:
    """A patch has a bound, which the message names."""
    large = bytes(MAX_BLOCKS * BLOCK_BYTES)
    with InPlaceFile("/f", vfs=disk()) as file:
        for changes in ([(0, large + b"x")], [(1, large)]):
            with pytest.raises(ValueError, match="at most 8192 blocks"):
                file.patch(changes)


def test_read_is_as_long_as_the_file() -> None:
    """A read ends with the file, with locks and without; a place that is none is refused."""
    with InPlaceFile("/f", vfs=disk()) as file:
        for locked in (True, False):
            assert OLD[10:30] == file.read(10, 20, locked=locked)
            assert OLD[14_999:] == file.read(14_999, 1 << 60, locked=locked)
            assert b"" == file.read(15_000, 5, locked=locked)
            assert b"" == file.read(1 << 40, 5, locked=locked)
            assert b"" == file.read(5, 0, locked=locked)
        for offset, size in ((-1, 1), (0, -1), (1, (1 << 63) - 1)):
            with pytest.raises(ValueError, match="no file has these"):
                file.read(offset, size)


def test_symlink_is_followed() -> None:
    """Journal and lock lie beside the file that it leads to."""
    vfs = disk()
    vfs.write_tree({"d": None, "d/link": "-> ../f"})
    with InPlaceFile("/d/link", vfs=vfs) as file:
        file.patch([(0, b"!")])

    assert {"d", "d/link", "f", "f.journal", "f.lock"} == set(vfs.tree())


def test_missing_file_is_not_made() -> None:
    """There is nothing to patch, and nothing is left."""
    vfs = MemoryVFS()
    with pytest.raises(FileNotFoundError) as caught:
        InPlaceFile("/nowhere", vfs=vfs)

    assert "/nowhere" == caught.value.filename
    assert {} == vfs.tree()


def test_folder_is_refused() -> None:
    """Only a regular file can be patched."""
    vfs = disk()
    vfs.write_tree({"d": None})
    with pytest.raises(PromiseUnavailable, match="is a folder"):
        InPlaceFile("/d", vfs=vfs)


@pytest.mark.parametrize("sync", ["sometimes", 1])
def test_unknown_sync_is_refused(sync) -> None:
    """It says always or never."""
    with pytest.raises(ValueError, match="sync="):
        InPlaceFile("/f", sync=sync, vfs=disk())


def test_journal_is_as_private_as_the_file(tmp_path: Path) -> None:
    """Who may not read the file must not read what it held; nobody executes a journal."""
    path = tmp_path / "f"
    path.write_bytes(OLD)
    path.chmod(0o750)
    with InPlaceFile(path) as file:
        file.patch([(0, b"secret")])

    assert 0o640 == stat.S_IMODE((tmp_path / "f.journal").stat().st_mode)


def test_journal_is_cut_back() -> None:
    """A large patch leaves no large journal."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as file:
        file.patch([(0, bytes(600_000))])
        assert bytes(600_000) == file.read(0, 600_000)

    journal = vfs.tree()["f.journal"]
    assert isinstance(journal, bytes)
    assert 1 << 20 == len(journal)


def test_never_syncs_nothing_of_a_patch() -> None:
    """With `sync="never"` no patch waits for the disk; the journal itself is made whole."""
    traced = Trace(disk())
    with InPlaceFile("/f", sync="never", vfs=traced) as file:
        file.patch([(0, b"1")])
        traced.clear()
        file.patch([(0, b"2")])
        assert [] == [call for call in traced.operations if call.startswith("sync")]


def test_use_after_close_is_refused() -> None:
    """Everything but closing again."""
    file = InPlaceFile("/f", vfs=disk())
    assert "<InPlaceFile '/f'>" == repr(file)
    file.close()
    file.close()
    assert "<InPlaceFile '/f', closed>" == repr(file)
    for use in (
        lambda: file.patch([(0, b"a")]),
        lambda: file.read(0, 1),
        lambda: file.size,
        file.check,
        lambda: file.lock(0, 1).__enter__(),
    ):
        with pytest.raises(Closed):
            use()


def test_replaced_file_is_not_patched() -> None:
    """A handle of the file that had the name before writes to neither."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as file:
        vfs.write_tree({"new": b"n" * 100})
        vfs.folder("/").rename("new", "f")
        with pytest.raises(OSError, match=r"\[Errno") as caught:
            file.patch([(0, b"!")])

    assert errno.ESTALE == caught.value.errno
    assert b"n" * 100 == contents(vfs)


# ---------------------------------------------------------------- locks


def test_lock_excludes_other_handles_from_the_blocks() -> None:
    """A range is locked with all of its blocks; others are free."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as one, InPlaceFile("/f", vfs=vfs) as other, one.lock(10, 1):
        with pytest.raises(LockTimeout), other.lock(4095, 1, timeout_s=0):
            pass
        with pytest.raises(LockTimeout), other.lock(0, 1, shared=True, timeout_s=0):
            pass
        with other.lock(4096, 100, timeout_s=0):
            pass


def test_shared_locks_share() -> None:
    """Readers together; a writer alone."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as one, InPlaceFile("/f", vfs=vfs) as other:
        with one.lock(0, 10, shared=True), other.lock(0, 10, shared=True, timeout_s=0):
            assert OLD[:10] == other.read(0, 10)
        with (
            one.lock(0, 10, shared=True),
            pytest.raises(LockTimeout),
            other.lock(0, 10, timeout_s=0),
        ):
            pass


def test_who_holds_a_lock_reads_and_patches_there() -> None:
    """Read, decide, patch, with nobody in between; other bytes are refused, not waited for."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as file, file.lock(0, 4000):
        value = file.read(0, 1)
        file.patch([(0, bytes([value[0] + 7]))])
        with pytest.raises(RuntimeError, match="all at once"):
            file.patch([(9000, b"x")])

    assert with_changes(OLD, (0, b"\x07")) == contents(vfs)


def test_lock_of_no_bytes_excludes_nobody() -> None:
    """It is allowed, and holds nothing."""
    with InPlaceFile("/f", vfs=disk()) as file, file.lock(5, 0):
        pass


def test_threads_lose_no_update() -> None:
    """Each reads, adds one and patches, under a lock of the range."""
    vfs = disk(bytes(5000))
    with InPlaceFile("/f", vfs=vfs) as file:

        def count() -> None:
            for _ in range(25):
                with file.lock(4094, 8):
                    value = int.from_bytes(file.read(4094, 8), "little")
                    file.patch([(4094, (value + 1).to_bytes(8, "little"))])

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 100 == int.from_bytes(file.read(4094, 8), "little")
    assert [] == vfs.held_locks


def killed(vfs: MemoryVFS, *faults: Fault, changes=CHANGES) -> None:
    """A patcher dies at some call, and leaves its journal."""
    file = InPlaceFile("/f", vfs=Faulty(vfs, *faults))
    with pytest.raises(Stopped):
        file.patch(changes)
    file.close()


def killed_half_way(vfs: MemoryVFS) -> None:
    """The journal was made and written, and one of three places is patched."""
    killed(vfs, Fault("write", 5, effect="stop"))


def test_open_handle_finishes_what_a_dead_one_has_begun() -> None:
    """Reading a block of the patch, under a lock, finishes it; another block waits for nothing."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as file:
        killed_half_way(vfs)
        half = contents(vfs)
        assert half not in (OLD, with_changes(OLD, *CHANGES))
        assert OLD[8192:8200] == file.read(8192, 8)
        assert half == contents(vfs)

        assert b"yyyy" == file.read(4096, 4)
        assert with_changes(OLD, *CHANGES) == contents(vfs)


def test_lock_finishes_what_a_dead_one_has_begun() -> None:
    """Also for who looks at the bytes by other means."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as file:
        killed_half_way(vfs)
        with file.lock(0, 1):
            assert with_changes(OLD, *CHANGES) == contents(vfs)


def test_patch_finishes_what_a_dead_one_has_begun() -> None:
    """Whatever it changes itself, there is but one journal."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as file:
        killed_half_way(vfs)
        file.patch([(9000, b"mine")])

    assert with_changes(OLD, *CHANGES, (9000, b"mine")) == contents(vfs)


def test_opening_says_what_it_finished() -> None:
    """And what it dropped; a reader without locks sees a part until then."""
    vfs = disk()
    killed_half_way(vfs)
    with InPlaceFile("/f", vfs=vfs) as file:
        assert file.recovered is not None
        assert ("finished", 3) == file.recovered[:2]
        assert with_changes(OLD, *CHANGES) == file.read(0, 1 << 20)
    killed(vfs, Fault("write", 1, effect="short 600"), Fault("write", 3, effect="stop"))
    with InPlaceFile("/f", vfs=vfs) as file:
        assert file.recovered is None  # not even its first byte was written


def test_conflict_leaves_both_as_they_are() -> None:
    """A file that the patch does not fit is not touched, by opening, reading or patching."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as file:
        killed_half_way(vfs)
        vfs.folder("/").open("f", "write").write(b"?", offset=2000)
        before = vfs.tree()
        for use in (
            lambda: file.read(0, 5),
            lambda: file.patch([(9000, b"x")]),
            lambda: InPlaceFile("/f", vfs=vfs),
        ):
            with pytest.raises(Conflict, match=r"f\.journal.*remove the journal"):
                use()
        assert before == vfs.tree()
        assert OLD[8192:8193] == file.read(8192, 1)
        assert not file.check().ok


# ---------------------------------------------------------------- failures


def test_patch_that_fails_is_taken_back() -> None:
    """The disk fills up in the middle: the file is as it was, and the handle goes on."""
    vfs = disk()
    with InPlaceFile("/f", vfs=vfs) as file:
        file.patch([(0, b"\0")])
    faulty = Faulty(vfs)
    with InPlaceFile("/f", vfs=faulty) as file:
        faulty.faults = (Fault("write", 5, effect="ENOSPC"),)
        with pytest.raises(OSError, match=r"\[Errno") as caught:
            file.patch(CHANGES)
        assert errno.ENOSPC == caught.value.errno
        assert "Nothing was changed" in caught.value.__notes__[-1]
        assert OLD == contents(vfs)
        assert () == file.check().findings
        file.patch(CHANGES)

    assert with_changes(OLD, *CHANGES) == contents(vfs)


def test_interrupted_patch_is_taken_back() -> None:
    """What a signal handler raises leaves the file as it was."""
    vfs = disk()

    class Interrupting(Trace):
        armed = False

        def around(self, call, do):
            if self.armed and call.operation == "write" and call.name == "f":
                self.armed = False
                raise KeyboardInterrupt
            return super().around(call, do)

    traced = Interrupting(vfs)
    with InPlaceFile("/f", vfs=traced) as file:
        traced.armed = True
        with pytest.raises(KeyboardInterrupt):
            file.patch(CHANGES)
        assert OLD == contents(vfs)
        assert () == file.check().findings
        file.patch(CHANGES)
    assert with_changes(OLD, *CHANGES) == contents(vfs)


@pytest.mark.parametrize(
    ("nth", "state", "is_patched"),
    [(1, "Nothing was changed", False), (2, "waits in its journal", True), (3, "durable", True)],
)
def test_failed_sync_sticks(nth, state, is_patched) -> None:
    """The handle patches no more; opened anew, the file is old or new."""
    vfs = disk()
    fault = Fault("sync_data", nth, effect="EIO")
    with InPlaceFile("/f", vfs=Faulty(vfs, fault)) as file:
        with pytest.raises(OSError, match=r"\[Errno") as caught:
            file.patch(CHANGES)
        assert state in caught.value.__notes__[-1]
        with pytest.raises(HandlePoisoned, match="open the file anew") as poisoned:
            file.patch([(0, b"x")])
        assert poisoned.value.first is caught.value
    with InPlaceFile("/f", vfs=vfs) as file:
        assert (with_changes(OLD, *CHANGES) if is_patched else OLD) == file.read(0, 1 << 20)
        file.patch([(0, b"x")])


def test_unfinished_patch_is_not_read_by_its_handle() -> None:
    """After a failed sync of the file the handle cannot finish, and does not show a part."""
    fault = Fault("sync_data", 2, effect="EIO")
    with InPlaceFile("/f", vfs=Faulty(disk(), fault)) as file:
        with pytest.raises(OSError, match=r"\[Errno"):
            file.patch(CHANGES)
        with pytest.raises(HandlePoisoned):
            file.read(0, 1)
        assert OLD[8192:8193] == file.read(8192, 1)


def test_nothing_is_left_open(tmp_path: Path) -> None:
    """Neither after use nor after a refusal: the check of leaks runs on this test."""
    path = tmp_path / "f"
    path.write_bytes(OLD)
    with InPlaceFile(path) as file:
        file.patch([(0, b"1")])
        file.read(0, 1)
    (tmp_path / "f.journal").write_bytes(b"of somebody else")
    with pytest.raises(Exception, match="Move it elsewhere"):
        InPlaceFile(path)
    assert ["f", "f.journal", "f.lock"] == sorted(os.listdir(tmp_path))
