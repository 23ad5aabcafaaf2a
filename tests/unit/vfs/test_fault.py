"""Faults: their text, when they strike, what is left, and the loop over all calls."""

from __future__ import annotations

import errno
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.vfs import VFS
from holdfast.vfs.fault import Fault, Faulty, Stopped, Without, each_fault
from holdfast.vfs.interpose import OPERATIONS
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

PATIENCE_S = 20.0


def disk() -> MemoryVFS:
    """A disk with /d/f."""
    vfs = MemoryVFS()
    vfs.write_tree({"d/f": b"old"})
    return vfs


def save(vfs: VFS, data: bytes = b"new") -> None:
    """Replace /d/f by the usual sequence, and clean up after a failure."""
    folder = vfs.folder("/d")
    try:
        file = folder.open("t", "new")
        try:
            file.lock()
            while data:
                data = data[file.write(data) :]
            file.sync()
            folder.rename("t", "f")
        except OSError:
            folder.unlink("t")
            raise
        finally:
            file.close()
        folder.sync()
    finally:
        folder.close()


def fails(number: int):
    """Expect an `OSError` with this errno."""
    return pytest.raises(OSError, check=lambda error: error.errno == number)


@pytest.mark.parametrize(
    "text",
    [
        "call 7 -> EIO",
        "sync 1 -> EIO",
        "write 2+ on *.log -> ENOSPC",
        "write 1 -> short 10",
        "rename 1 -> stop",
        "open 3 on a -> b.txt -> EACCES",
        "sync_folder 12+ -> EDQUOT",
    ],
)
def test_fault_is_its_text(text: str) -> None:
    """What is printed is read back as the same rule."""
    fault = Fault.parse(text)
    assert text == str(fault)
    assert f"Fault.parse({text!r})" == repr(fault)
    assert vars(fault) == vars(Fault.parse(str(fault)))


@given(
    operation=st.sampled_from([*sorted(OPERATIONS), "call"]),
    nth=st.integers(1, 10**6),
    effect=st.sampled_from(["EIO", "ENOSPC", "stop"]),
    on=st.none() | st.text(min_size=1),
    repeat=st.booleans(),
)
def test_any_fault_prints_and_parses(operation, nth, effect, on, repeat) -> None:
    """Every rule survives being printed, whatever the name pattern holds."""
    fault = Fault(operation, nth, effect=effect, on=on, repeat=repeat)
    assert vars(fault) == vars(Fault.parse(str(fault)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sync",
        "sync 0 -> EIO",
        "sync 1 -> EWHAT",
        "sink 1 -> EIO",
        "sync 1 -> short 3",
        "write 1 -> short",
        "write 1 -> short x",
        "sync 1 -> EIO please",
        "sync one -> EIO",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    """A rule that cannot be is a ValueError, not a fault that never strikes."""
    with pytest.raises(ValueError, match=r"\S"):
        Fault.parse(text)


@pytest.mark.parametrize(
    ("operation", "nth", "effect"),
    [("sync", 0, "EIO"), ("what", 1, "EIO"), ("write", 1, "short -1"), ("sync", 1, "E")],
)
def test_impossible_faults_are_not_made(operation: str, nth: int, effect: str) -> None:
    """The same holds for rules that are made in code."""
    with pytest.raises(ValueError, match=r"\S"):
        Fault(operation, nth, effect=effect)


def test_errno_strikes_once_and_the_call_is_not_made() -> None:
    """The nth call fails with that errno and the name, the next is as usual."""
    fault = Fault.parse("open 2 -> EMFILE")
    memory = disk()
    vfs = Faulty(memory, fault)
    folder = vfs.folder("/d")
    folder.open("a", "new").close()
    assert not fault.fired
    with pytest.raises(OSError, match="b") as caught:
        folder.open("b", "new")
    assert (errno.EMFILE, "b") == (caught.value.errno, caught.value.filename)
    assert fault.fired
    folder.open("c", "new").close()
    folder.close()
    assert ["d", "d/a", "d/c", "d/f"] == list(memory.tree())


def test_repeated_fault_stays() -> None:
    """With `+`, the nth call and all after it fail."""
    folder = Faulty(disk(), Fault.parse("mkdir 2+ -> ENOSPC")).folder("/d")
    folder.mkdir("a")
    for _ in range(3):
        with fails(errno.ENOSPC):
            folder.mkdir("b")
    folder.close()


def test_name_pattern_chooses() -> None:
    """Only calls on matching names are counted."""
    fault = Fault.parse("open 2 on *.log -> EACCES")
    folder = Faulty(disk(), fault).folder("/d")
    folder.open("a.log", "new").close()
    folder.open("a.txt", "new").close()
    with fails(errno.EACCES):
        folder.open("b.log", "new")
    assert 2 == fault.seen
    folder.close()


def test_short_write_writes_so_many_bytes() -> None:
    """No error is raised; the count says what happened."""
    memory = disk()
    folder = Faulty(memory, Fault.parse("write 1 -> short 2")).folder("/d")
    file = folder.open("f", "write")
    assert 2 == file.write(b"NEW")
    assert 3 == file.write(b"NEW")
    file.close()
    folder.close()
    assert b"NENEW" == memory.tree()["d/f"]


def test_failing_close_has_closed() -> None:
    """The descriptor is gone and the lock with it, as close(2) has it."""
    memory = disk()
    vfs = Faulty(memory, Fault.parse("close 1 -> EIO"), Fault.parse("close_folder 1 -> EIO"))
    folder = vfs.folder("/d")
    file = folder.open("f", "write")
    file.lock()
    for opened in (file, folder):
        with fails(errno.EIO):
            opened.close()
        opened.close()
    assert [] == memory.leftovers()


def test_failing_sync_is_remembered_by_the_disk() -> None:
    """A second sync returns well, and a crash may still take the data."""
    memory = disk()
    vfs = Faulty(memory, Fault.parse("sync 1 -> EIO"), Fault.parse("sync_folder 1 -> EIO"))
    folder = vfs.folder("/d")
    file = folder.open("f", "write")
    file.write(b"new")
    folder.mkdir("e")
    for opened in (file, folder):
        with fails(errno.EIO):
            opened.sync()
        opened.sync()
        opened.close()
    assert {"d": None, "d/f": b"old"} == memory.crash().tree()


def test_failing_sync_of_data_is_remembered_by_the_disk() -> None:
    """Neither kind of sync covers later what was dirty when a sync of data failed."""
    for again in ("sync", "sync_data"):
        memory = disk()
        folder = Faulty(memory, Fault.parse("sync_data 1 -> EIO")).folder("/d")
        file = folder.open("f", "write")
        file.write(b"new")
        with fails(errno.EIO):
            file.sync_data()
        getattr(file, again)()
        file.close()
        folder.close()
        assert {"d": None, "d/f": b"old"} == memory.crash().tree()


@pytest.mark.parametrize("hint", ["start_writeback", "drop_cache"])
def test_hints_cannot_fail(hint) -> None:
    """Neither of them ever raises; the fault counts as having struck."""
    fault = Fault.parse(f"{hint} 1 -> EIO")
    folder = Faulty(disk(), fault).folder("/d")
    file = folder.open("f", "write")
    getattr(file, hint)()
    assert fault.fired
    file.close()
    folder.close()


def test_stop_is_the_last_thing_that_happens() -> None:
    """No clean-up code touches the disk, locks are gone, and no `except Exception` sees it."""
    memory = disk()
    vfs = Faulty(memory, Fault.parse("rename 1 -> stop"))
    folder = vfs.folder("/d")
    with pytest.raises(Stopped, match="rename"):
        save(vfs)
    assert {"d": None, "d/f": b"old", "d/t": b"new"} == memory.tree()
    assert vfs.stopped
    assert [] == memory.open_files + memory.held_locks + memory.open_folders
    with pytest.raises(Stopped):
        folder.unlink("t")
    with pytest.raises(Stopped):
        vfs.folder("/")
    folder.close()
    assert not issubclass(Stopped, Exception)


def test_dead_process_stores_no_words() -> None:
    """After a stop the words can be given back, and nothing else; others see what was stored."""
    memory = disk()
    memory.write_tree({"w": bytes(16)})
    vfs = Faulty(memory, Fault.parse("sync_data 1 -> stop"), Fault.parse("words 2 -> ENOMEM"))
    folder = vfs.folder("/")
    file = folder.open("w", "write")
    words = file.words(2)
    words[1] = 7
    with fails(errno.ENOMEM):
        file.words(2)
    with pytest.raises(Stopped):
        file.sync_data()
    with pytest.raises(Stopped):
        words[1] = 8
    with pytest.raises(Stopped):
        _ = words[1]
    words.release()
    survivor = memory.folder("/")
    other = survivor.open("w", "read")
    assert 7 == other.words(2)[1]
    other.close()
    survivor.close()


def test_stop_ends_other_threads_too() -> None:
    """A thread that waits for a lock when the process dies does not go on."""
    memory = disk()
    vfs = Faulty(memory, Fault.parse("mkdir 1 -> stop"))
    folder = vfs.folder("/d")
    held, waiting = folder.open("f", "write"), folder.open("f", "write")
    held.lock()
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            waiting.lock()
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    while not memory.core.inodes[3].flock.waiting:  # type: ignore[union-attr]
        thread.join(0)
    with pytest.raises(Stopped):
        folder.mkdir("e")
    thread.join(PATIENCE_S)
    assert 1 == len(ended)
    assert isinstance(ended[0], (Stopped, OSError))
    assert [] == memory.held_locks


def test_each_fault_tries_every_call() -> None:
    """The loop has one fault for each call of the run, and one that does not strike."""
    trace = Trace(disk())
    save(trace)
    tried = []
    for fault in each_fault("EIO"):
        memory = disk()
        with suppress(OSError):
            save(Faulty(memory, fault))
        tried.append(fault)
        assert [] == memory.leftovers()
        assert memory.tree()["d/f"] in {b"old", b"new"}
    assert [f"call {n} -> EIO" for n in range(1, len(trace.calls) + 2)] == [*map(str, tried)]
    assert [True] * len(trace.calls) + [False] == [fault.fired for fault in tried]


def test_each_fault_takes_effects_in_turn() -> None:
    """`short` goes over the writes alone, `stop` over all calls; states after a stop are legal."""
    tried = []
    for fault in each_fault("short 1", "stop"):
        memory = disk()
        try:
            save(Faulty(memory, fault))
        except Stopped:
            for crashed in memory.crash_states():
                assert crashed.tree()["d/f"] in {b"old", b"new"}
        tried.append(str(fault))
    assert ["write 1 -> short 1", "write 2 -> short 1", "call 1 -> stop"] == tried[:3]
    assert {"stop"} == {text.split()[-1] for text in tried[2:]}


def test_each_fault_ends_a_run_without_end() -> None:
    """A run that always makes one call more is told, and not tried for ever."""
    with pytest.raises(RuntimeError, match="10,000"):
        for fault in each_fault("EIO"):
            fault.fired = True


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        ("sync", {b"old", b"new", b"", b"\0\0\0"}),
        ("sync_folder", {b"old", b"new"}),
        ("lock", {b"old", b"new"}),
        ("rename", {b"old", b"new", b"", b"\0\0\0"}),
    ],
)
def test_without_a_kind_of_call_the_rest_goes_on(kind: str, allowed: set[bytes]) -> None:
    """The run ends as usual, and a crash shows what that call was for."""
    memory = disk()
    save(Without(memory, kind))
    assert {"d": None, "d/f": b"new"} == memory.tree()
    seen = {crashed.tree()["d/f"] for crashed in memory.crash_states()}
    assert {b"old", b"new"} <= seen
    assert seen <= allowed
    assert (b"" in allowed) == (b"" in seen)


def test_without_a_folder_sync_the_acknowledged_is_lost() -> None:
    """What the folder sync is for."""
    with_sync, without = disk(), disk()
    save(with_sync)
    save(Without(without, "sync_folder"))
    assert b"new" == with_sync.crash().tree()["d/f"]
    assert b"old" == without.crash().tree()["d/f"]


def test_without_locks_nobody_is_excluded() -> None:
    """Every lock is had at once, by all."""
    folder = Without(disk(), "lock").folder("/d")
    one, two = folder.open("f", "write"), folder.open("f", "write")
    assert one.lock()
    assert two.lock(block=False)
    one.unlock()
    for opened in (one, two, folder):
        opened.close()


def test_without_attributes_the_mode_stays() -> None:
    """Nothing is set."""
    folder = Without(disk(), "set_attributes").folder("/d")
    file = folder.open("f", "write")
    before = file.stat().st_mode
    file.set_attributes(mode=0o600, owner=None, xattrs={})
    assert before == file.stat().st_mode
    file.close()
    folder.close()


def test_without_rename_copies_long_files_between_folders() -> None:
    """The copy in place has all the bytes, and the old name is gone."""
    memory = disk()
    memory.write_tree({"big": b"x" * 200_000})
    vfs = Without(memory, "rename")
    folder, top = vfs.folder("/d"), vfs.folder("/")
    folder.rename("big", "f", source=top)
    folder.close()
    top.close()
    assert {"d": None, "d/f": b"x" * 200_000} == memory.tree()


def test_without_an_unknown_kind_is_refused() -> None:
    """A misspelt kind would switch nothing off."""
    with pytest.raises(ValueError, match="sink"):
        Without(disk(), "sync", "sink")
