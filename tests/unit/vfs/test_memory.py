"""The memory filesystem as a whole: trees, crashes, leftovers, settings."""

from __future__ import annotations

import errno

import pytest

from holdfast.vfs import ManualClock, Promises
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.operations import Link, MakeFolder, Mark, Rename, SyncFile, SyncFolder, Write


def save(vfs: MemoryVFS, data: bytes, *, sync: bool = True, folder_sync: bool = True) -> None:
    """Replace /d/f by the usual sequence, and say so."""
    folder = vfs.folder("/d")
    file = folder.open("t", "new")
    file.write(data)
    if sync:
        file.sync()
    file.close()
    folder.rename("t", "f")
    if folder_sync:
        folder.sync()
    folder.close()
    vfs.mark("saved")


def disk(**settings) -> MemoryVFS:
    """A disk with the old contents in /d/f."""
    vfs = MemoryVFS(**settings)
    vfs.write_tree({"d/f": b"old"})
    return vfs


def test_tree_is_what_was_written() -> None:
    """Files, folders and symlinks come back as they were given, in order."""
    tree = {"a": b"1", "d": None, "d/e": None, "d/e/f": b"\0", "l": "-> d/e"}
    vfs = MemoryVFS()
    vfs.write_tree(tree)
    assert tree == vfs.tree()
    assert list(tree) == list(vfs.tree())


def test_special_files_are_shown_by_kind() -> None:
    """FIFOs and devices have no contents."""
    vfs = MemoryVFS()
    for kind in ("fifo", "character", "block"):
        vfs.make_node(f"/{kind}", kind)  # type: ignore[arg-type]
    assert {"block": "(block)", "character": "(character)", "fifo": "(fifo)"} == vfs.tree()
    with pytest.raises(FileExistsError):
        vfs.make_node("/fifo", "file")


def test_written_tree_is_durable() -> None:
    """A test starts on a disk that has no history."""
    vfs = disk()
    assert vfs.tree() == vfs.crash().tree()
    assert [vfs.tree()] == [crashed.tree() for crashed in vfs.crash_states()]


def test_history_is_written_down() -> None:
    """Each change is one operation, by inode number."""
    vfs = disk()
    save(vfs, b"new")
    kinds = [type(operation).__name__ for operation in vfs.core.operations]
    assert ["Create", "Link", "Write", "SyncFile", "Rename", "SyncFolder", "Mark"] == kinds
    _, link, write, sync, rename, folder_sync, mark = vfs.core.operations
    assert isinstance(link, Link)
    assert Write(link.inode, 0, b"new") == write
    assert SyncFile(link.inode) == sync
    assert Rename(link.folder, "t", link.folder, "f") == rename
    assert SyncFolder(link.folder) == folder_sync
    assert Mark("saved") == mark


def test_reading_leaves_no_history() -> None:
    """What cannot be lost is not written down."""
    vfs = disk()
    folder = vfs.folder("/d")
    file = folder.open("f", "write")
    file.read(9)
    file.lock()
    file.write(b"")
    file.close()
    folder.names()
    folder.stat("f")
    folder.close()
    assert [] == vfs.core.operations


def test_recording_can_be_switched_off() -> None:
    """A long test that never crashes need not keep its history."""
    vfs = disk()
    vfs.core.recording = False
    save(vfs, b"new")
    assert [] == vfs.core.operations


def test_settle_makes_everything_durable() -> None:
    """What was not synced is durable afterwards, and a crash cannot take it."""
    vfs = disk()
    save(vfs, b"new", sync=False, folder_sync=False)
    vfs.settle()
    assert {"d": None, "d/f": b"new"} == vfs.crash().tree()


def test_crash_loses_what_was_not_synced() -> None:
    """Without a folder sync the acknowledged contents are gone; with it they are not."""
    lost, kept = disk(), disk()
    save(lost, b"new", folder_sync=False)
    save(kept, b"new")
    assert {"d": None, "d/f": b"old"} == lost.crash().tree()
    assert {"d": None, "d/f": b"new"} == kept.crash().tree()


def test_crash_may_strike_in_between() -> None:
    """`at` counts operations from the start of the history."""
    vfs = disk()
    save(vfs, b"new")
    assert b"old" == vfs.crash(at=5).tree()["d/f"]
    assert b"new" == vfs.crash(at=6).tree()["d/f"]
    assert ("saved",) == vfs.crash().crash_state.marks  # type: ignore[union-attr]
    assert () == vfs.crash(at=6).crash_state.marks  # type: ignore[union-attr]


def test_crash_with_a_seed_keeps_some() -> None:
    """Seeds give different survivors, and the same seed the same ones."""
    vfs = disk()
    save(vfs, b"n" * 9010, sync=False, folder_sync=False)
    found = {vfs.crash(seed=seed).tree()["d/f"] for seed in range(40)}
    assert len(found) > 2
    assert vfs.crash(seed=7).tree() == vfs.crash(seed=7).tree()


def test_crash_states_of_a_correct_replace_hold_the_promise() -> None:
    """Old or new, new once it was said, and nothing else."""
    vfs = disk()
    save(vfs, b"n" * 9010)
    states = vfs.crash_states()
    for crashed in states:
        assert crashed.crash_state is not None
        allowed = {b"n" * 9010} if crashed.crash_state.marks else {b"old", b"n" * 9010}
        assert crashed.tree()["d/f"] in allowed
    assert states.exhaustive
    assert states.states > 5


def test_crash_states_take_the_options_of_the_model() -> None:
    """Kill, sectors and garbage are asked for by name."""
    vfs = disk()
    save(vfs, b"n" * 1000, sync=False)
    killed = {crashed.tree()["d/f"] for crashed in vfs.crash_states(model="prefix")}
    assert {b"old", b"n" * 1000} == killed
    torn = {crashed.tree()["d/f"] for crashed in vfs.crash_states(block_bytes=512)}
    assert b"n" * 512 + bytes(488) in torn
    assert bytes(1000) in torn
    garbage = {crashed.tree()["d/f"] for crashed in vfs.crash_states(garbage=True)}
    assert bytes(1000) not in garbage


def test_crashed_disk_is_a_whole_filesystem() -> None:
    """It can be used, and crashed again: a crash during recovery."""
    vfs = disk()
    save(vfs, b"new", folder_sync=False)
    for crashed in vfs.crash_states(at=6):
        before = crashed.tree()["d/f"]
        folder = crashed.folder("/d")
        if "t" in folder.names():
            folder.unlink("t")
        folder.close()
        save(crashed, b"newer")
        assert b"newer" == crashed.crash().tree()["d/f"]
        assert {before, b"newer"} == {again.tree()["d/f"] for again in crashed.crash_states()}


def test_crashed_disk_shares_nothing_that_can_change() -> None:
    """Writing to one disk changes no other."""
    vfs = disk()
    save(vfs, b"new")
    one, two = vfs.crash(), vfs.crash()
    folder = one.folder("/d")
    file = folder.open("f", "write")
    file.write(b"ONE")
    file.close()
    folder.close()
    assert [b"ONE", b"new", b"new"] == [each.tree()["d/f"] for each in (one, two, vfs)]


def test_crashed_disk_has_no_open_files_and_the_same_settings() -> None:
    """Nothing of the dead process is left; the machine is the same."""
    clock, place = ManualClock(), Promises("slow", False, True, True, False, ())
    vfs = disk(clock=clock, capacity_bytes=100, unnamed_files=False)
    vfs.place, vfs.core.umask, vfs.core.privileged = place, 0o077, False
    folder = vfs.folder("/d")
    file = folder.open("f", "write")
    file.lock()
    crashed = vfs.crash()
    assert [] == crashed.leftovers()
    assert (place, 0o077, False) == (crashed.place, crashed.core.umask, crashed.core.privileged)
    assert (100, False, clock) == (
        crashed.core.capacity_bytes,
        crashed.core.unnamed_files,
        crashed.core.clock,
    )
    assert 3 == crashed.core.used_bytes
    file.close()
    folder.close()


def test_inode_numbers_are_never_used_again() -> None:
    """A file that takes a name has another number than the one that had it, also after a crash."""
    vfs = disk()
    folder = vfs.folder("/")
    seen = []
    for _ in range(5):
        folder.open("a", "new").close()
        seen.append(folder.stat("a").st_ino)
        folder.unlink("a")
    folder.close()
    assert 5 == len(set(seen))
    crashed = vfs.crash()
    assert crashed.make_node("/b", "file").number not in {1, 2, 3}


def test_tokens_come_from_the_seed() -> None:
    """A run can be replayed, and the disk after a crash gives other tokens."""
    one, two = MemoryVFS(seed=5), MemoryVFS(seed=5)
    tokens = [one.token(), one.token()]
    assert tokens == [two.token(), two.token()]
    assert MemoryVFS(seed=6).token() not in tokens
    assert one.crash().token() not in tokens


def test_times_come_from_the_clock() -> None:
    """Files carry the time of the clock that was passed."""
    clock = ManualClock(start_ns=1000)
    vfs = MemoryVFS(clock=clock)
    folder = vfs.folder("/")
    file = folder.open("a", "new")
    clock.advance(1e-6)
    file.write(b"a")
    clock.advance(1e-6)
    file.set_attributes(mode=0o600, owner=None, xattrs={})
    assert (2000, 3000) == (file.stat().st_mtime_ns, file.stat().st_ctime_ns)
    file.close()
    folder.close()


def test_leftovers_name_what_was_not_given_back() -> None:
    """Open files, open folders and held locks are counted, by path."""
    vfs = disk()
    folder = vfs.folder("/d")
    file = folder.open("f", "write")
    copy = file.duplicate()
    file.lock()
    assert ["/d/f"] == vfs.open_files
    assert ["/d"] == vfs.open_folders
    assert ["/d/f"] == vfs.held_locks
    assert ["open file: /d/f", "open folder: /d", "held lock: /d/f"] == vfs.leftovers()
    file.close()
    assert ["/d/f"] == vfs.held_locks
    copy.close()
    folder.close()
    assert [] == vfs.leftovers()


def test_leftovers_name_what_only_the_collector_closed() -> None:
    """A file that nobody closed is told of even when it is gone."""
    vfs = disk()
    folder = vfs.folder("/d")
    folder.open("f", "read")
    del folder
    assert ["never closed: /d/f", "never closed: /d"] == vfs.leftovers()
    assert [] == vfs.open_files + vfs.open_folders


def test_promises_are_what_the_test_says() -> None:
    """`place` stands in for the mount table."""
    vfs = MemoryVFS()
    assert "memory" == vfs.promises("/").filesystem
    vfs.place = Promises("nfs4", True, True, False, False, ("locks exclude this machine only",))
    assert not vfs.promises("/").locks


def test_relative_paths_start_at_the_top() -> None:
    """There is one working folder, `/`."""
    vfs = disk()
    for path in ("d", "./d", "/d/", "d/../d", ""):
        vfs.folder(path).close()
    assert "/d/f" == vfs.resolve("d/f")
    assert "/f" == vfs.resolve("../../f")
    assert "/" == vfs.resolve("")


def test_long_chains_of_symlinks_are_loops() -> None:
    """40 symlinks are followed and 41 are ELOOP, as Linux has it."""
    vfs = MemoryVFS()
    vfs.write_tree({"l0": b"end", **{f"l{n}": f"-> l{n - 1}" for n in range(1, 42)}})
    assert "/l0" == vfs.resolve("/l40")
    folder = vfs.folder("/")
    folder.open("l40", "read").close()
    with pytest.raises(OSError, check=lambda error: error.errno == errno.ELOOP):
        folder.open("l41", "read")
    with pytest.raises(OSError, check=lambda error: error.errno == errno.ELOOP):
        vfs.resolve("/l41")
    folder.close()


def test_new_folders_are_written_down() -> None:
    """A folder comes into being with its name."""
    vfs = MemoryVFS()
    folder = vfs.folder("/")
    folder.mkdir("d")
    folder.close()
    assert [MakeFolder] == [type(operation) for operation in vfs.core.operations]
    assert {} == vfs.crash().tree()
