"""Line logs and their handler, with every error and a sudden death at every call."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing

import pytest

from holdfast.errors import HandlePoisoned, HoldfastError
from holdfast.primitives.durable_handler import DurableHandler
from holdfast.primitives.line_log import LineLog
from holdfast.vfs import VFS
from holdfast.vfs.fault import Fault, Faulty, Stopped, each_fault
from holdfast.vfs.memory import MemoryVFS

EFFECTS = (
    *("EIO", "ENOSPC", "EACCES", "EPERM", "EROFS", "EDQUOT", "ENOLCK", "ESTALE", "ENOENT"),
    *("EMFILE", "EINTR", "short 1", "stop"),
)
OLD = ["old 1", "old 2", "old 3"]
HALF = b"hal\0f"


def disk(*, torn: bool = False) -> MemoryVFS:
    """A disk with a log in three files."""
    made = MemoryVFS()
    files = {f"/d/app.log.{3 - n}": f"{OLD[n - 1]}\n".encode() for n in (1, 2)}
    made.write_tree({**files, "/d/app.log": b"old 3\n" + HALF * torn})
    return made


def lines_of(vfs: VFS) -> list[str]:
    with LineLog("/d/app.log", vfs=vfs) as log:
        return [record.text for record in log.read()]


def append(vfs: VFS) -> None:
    with LineLog("/d/app.log", vfs=vfs) as log:
        log.append("new 1")


def append_and_rotate(vfs: VFS) -> None:
    with LineLog("/d/app.log", vfs=vfs, max_bytes=10, keep=5) as log:
        log.append("new 1")


def append_in_time(vfs: VFS) -> None:
    with LineLog("/d/app.log", vfs=vfs, sync=60) as log:
        log.append("new 1")
        log.barrier()


def append_many(vfs: VFS) -> None:
    with LineLog("/d/app.log", vfs=vfs) as log:
        log.append_many(["new 1", "new 2", "new 3"])


def rotate(vfs: VFS) -> None:
    with LineLog("/d/app.log", vfs=vfs) as log:
        log.rotate()


WAYS: dict[str, tuple[Callable[[VFS], object], list[str]]] = {
    "append": (append, ["new 1"]),
    "append and rotate": (append_and_rotate, ["new 1"]),
    "append in time": (append_in_time, ["new 1"]),
    "append_many": (append_many, ["new 1", "new 2", "new 3"]),
    "rotate": (rotate, []),
}


@pytest.mark.parametrize("torn", [False, True], ids=["", "torn end"])
@pytest.mark.parametrize("name", WAYS)
def test_lines_are_whole_after_any_fault(name: str, torn: bool) -> None:
    """Whatever fails: the old lines stand, the new ones wholly or not, and appending goes on."""
    do, new = WAYS[name]
    tried = 0
    for fault in each_fault(*EFFECTS):
        vfs = disk(torn=torn)
        faulty = Faulty(vfs, fault)
        error: BaseException | None = None
        try:
            do(faulty)
        except (OSError, HoldfastError, RuntimeError, Stopped) as caught:
            error = caught
        context = f"{name}: {fault}: {error!r}"
        found = lines_of(vfs)

        assert found[: len(OLD)] == OLD, context
        assert found[len(OLD) :] in ([], new), context
        if error is None:
            assert found == OLD + new, context
        assert [] == vfs.held_locks, context
        if not faulty.stopped:
            left = [path for path in vfs.open_files if not path.endswith(".lock")]
            assert [] == left + vfs.open_folders, context
        with LineLog("/d/app.log", vfs=vfs) as log:
            log.append("afterwards")
            assert [*found, "afterwards"] == [r.text for r in log.read()], context
        kept = [value for value in vfs.tree().values() if isinstance(value, bytes)]
        assert not torn or any(HALF in value for value in kept), f"lost what was torn, {context}"
        tried += 1

    assert tried > 60


@pytest.mark.parametrize("effect", ["EIO", "ENOSPC", "EDQUOT"])
def test_failed_sync_sticks_to_the_object(effect: str) -> None:
    """The first error is raised, then `HandlePoisoned`; a new object goes on."""
    vfs = MemoryVFS()
    log = LineLog("/app.log", vfs=Faulty(vfs, Fault("sync_data", 1, effect=effect)))
    with pytest.raises(OSError) as first:
        log.append("one")
    with pytest.raises(HandlePoisoned) as second:
        log.append("two")
    with pytest.raises(HandlePoisoned):
        log.barrier()
    log.close()

    assert "the sync failed" in first.value.__notes__[-1]
    assert first.value is second.value.first
    assert ("/app.log", 74) == (second.value.path, second.value.exit_code)
    with LineLog("/app.log", vfs=vfs) as anew:
        anew.append("three")
        assert "three" == [record.text for record in anew.read()][-1]


def test_failed_sync_in_the_background_is_told_once() -> None:
    """Nobody was waiting: whoever calls next is told, `close` at the latest."""
    faulty = Faulty(MemoryVFS(), Fault("sync_data", 1, effect="EIO"))
    log = LineLog("/app.log", vfs=faulty, sync=60)
    log.append("one")
    log._writer._sync_in_background()

    with pytest.raises(HandlePoisoned):
        log.close()
    log.close()


def test_failed_write_is_cut_back_at_once() -> None:
    """A full disk takes a part: nothing of it stays, and the error says so."""
    vfs = MemoryVFS()
    with LineLog("/app.log", vfs=vfs) as log:
        log.append("before")
    rest = (Fault("write", 1, effect="short 3"), Fault("write", 2, effect="ENOSPC"))
    with LineLog("/app.log", vfs=Faulty(vfs, *rest)) as log, pytest.raises(OSError) as caught:
        log.append("does not fit")

    assert b"before\n" == vfs.tree()["app.log"]
    assert "nothing was appended" in caught.value.__notes__[-1]
    assert "/app.log" == caught.value.filename


def test_disk_of_few_bytes_holds_whole_lines() -> None:
    """Filled until nothing fits: every line that was acknowledged stands there, and no part."""
    vfs = MemoryVFS(capacity_bytes=500)
    stood = []
    with LineLog("/app.log", vfs=vfs) as log:
        for number in range(100):
            try:
                log.append(f"line {number}" + "x" * number)
            except OSError:
                continue
            stood.append(f"line {number}" + "x" * number)

    assert stood == lines_at(vfs)
    assert 5 < len(stood) < 100


def lines_at(vfs: MemoryVFS) -> list[str]:
    data = vfs.tree()["app.log"]
    assert isinstance(data, bytes)
    assert data.endswith(b"\n")
    return data.decode().splitlines()


@pytest.mark.parametrize("effect", EFFECTS[:-1])  # a dead process raises nothing
def test_handler_raises_nothing_into_the_application(effect: str, capsys) -> None:
    """Whatever fails: `handleError` says so, and the records before and after stand."""
    tried = 0
    for fault in each_fault(effect):
        vfs = disk()
        with closing(
            DurableHandler(
                "/d/app.log", maxBytes=14, backupCount=9, delay=True, vfs=Faulty(vfs, fault)
            )
        ) as handler:
            for number in range(1, 4):
                handler.handle(logging.makeLogRecord({"msg": f"new {number}", "levelno": 40}))
        said = capsys.readouterr().err
        found = lines_of(vfs)

        assert found[: len(OLD)] == OLD, str(fault)
        assert {*found[len(OLD) :]} <= {"new 1", "new 2", "new 3"}, f"{fault}: {found}"
        assert len(found) >= len(OLD) + 2, f"{fault}: {found}"
        assert len(found) == len(OLD) + 3 or "Logging error" in said, f"{fault}: {found}"
        tried += 1

    assert tried > 1
