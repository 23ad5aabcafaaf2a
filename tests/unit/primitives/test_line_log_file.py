"""The file of a line log under its lock: what is called, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from holdfast.primitives.line_log_file import LineFile, Options
from holdfast.primitives.line_log_healing import TornEnd
from holdfast.primitives.line_log_records import whole_text
from holdfast.primitives.line_log_rotation import SizeRotation
from holdfast.vfs import VFS
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

CHANGING = {"open", "write", "truncate", "rename", "sync", "sync_data", "sync_folder"}


def file_on(vfs: VFS, *, syncs: bool = True, max_bytes: int | None = None) -> LineFile:
    told: list[TornEnd] = []
    rotation = SizeRotation(max_bytes, None)
    return LineFile("/a", Options(rotation, whole_text("utf-8"), told.append, vfs, syncs=syncs))


def calls(do: Callable[[VFS], object], **files: bytes) -> list[str]:
    vfs = MemoryVFS()
    vfs.write_tree(files)
    trace = Trace(vfs)
    do(trace)
    return [call.text for call in trace.calls if call.operation in CHANGING]


def append_and_sync(vfs: VFS, *lines: bytes, **options: object) -> None:
    file = file_on(vfs, **options)  # type: ignore[arg-type]
    for line in lines:
        file.append([line])
        file.sync()
    file.let_go()


def test_new_file_is_made_between_two_syncs_of_its_folder() -> None:
    """I2: what had the name before is durable elsewhere, and then the new name is."""
    assert [
        "open(a, write) -> ENOENT",
        "sync_folder(/)",
        "open(a, create)",
        "sync_folder(/)",
        "write(a, 4 bytes at 0)",
        "sync_data(a)",
    ] == [text.replace(" failed with ", " -> ") for text in calls_of_new()]


def calls_of_new() -> list[str]:
    found = calls(lambda vfs: append_and_sync(vfs, b"one\n"))
    return [found[0].partition(")")[0] + ") -> ENOENT", *found[1:]]


def test_first_lines_are_written_with_the_newline_before_them() -> None:
    """I4: once; what this handle has written itself is not written again."""
    found = calls(lambda vfs: append_and_sync(vfs, b"two\n", b"three\n"), a=b"one\n")

    assert ["write(a, 5 bytes at 3)", "write(a, 6 bytes at 8)"] == [
        text for text in found if text.startswith("write")
    ]


def test_nothing_is_synced_where_nothing_is_to_be() -> None:
    """`syncs=False`, but for what is asked for."""

    def run(vfs: VFS) -> None:
        file = file_on(vfs, syncs=False)
        file.append([b"one\n"])
        file.forget()

    assert [] == [text for text in calls(run) if "sync" in text]


def test_file_is_synced_before_it_is_let_go_of() -> None:
    """I7: a rotation closes it, and lines in it are not durable yet."""

    def run(vfs: VFS) -> None:
        file = file_on(vfs, max_bytes=5)
        file.append([b"one\n"])
        file.append([b"two\n"])
        file.let_go()

    found = calls(run)

    assert found.index("sync_data(a)") < found.index("rename(a -> a.1)")
    assert 2 == found.count("sync_data(a)")


def test_lines_are_taken_as_far_as_they_fit() -> None:
    """The first in any case; the count says how many."""
    vfs = MemoryVFS()
    file = file_on(vfs, max_bytes=8)

    assert [2, 1, 1] == [
        file.append([b"one\n", b"two\n", b"3\n"]),
        file.append([b"longer than a file\n", b"x\n"]),
        file.append([b"x\n"]),
    ]
    assert 4 == file.appended
    file.let_go()
    assert {"a", "a.1", "a.2"} == set(vfs.tree())


class Interrupted(Interposed):
    """Raises an interrupt after a write."""

    def around(self, call, do):
        result = do()
        if call.operation == "write":
            raise KeyboardInterrupt
        return result


def test_interrupted_write_is_cut_back() -> None:
    """I5: nothing of it stands, and nothing is counted."""
    vfs = MemoryVFS()
    vfs.write_tree({"a": b"one\n"})
    file = file_on(Interrupted(vfs))
    with pytest.raises(KeyboardInterrupt):
        file.append([b"two\n"])

    assert (0, {"a": b"one\n"}) == (file.appended, vfs.tree())
    file.let_go()


def test_write_that_cannot_be_cut_back_is_told() -> None:
    """The note says what stands there, and the next append settles it."""
    vfs = MemoryVFS()
    faults = (
        Fault("write", 1, effect="short 2"),
        Fault("write", 2, effect="ENOSPC"),
        Fault("truncate", 1, effect="EIO"),
    )
    file = file_on(Faulty(vfs, *faults))
    with pytest.raises(OSError) as caught:
        file.append([b"two\n"])
    assert "a part of it stands at the end" in caught.value.__notes__[0]
    file.append([b"three\n"])
    file.let_go()

    assert b"tw\nthree\n" == vfs.tree()["a"]


def test_new_file_whose_name_is_not_durable_is_removed_again() -> None:
    """I2: else a later sync of the folder would seem to have made it so."""
    vfs = MemoryVFS()
    file = file_on(Faulty(vfs, Fault("sync_folder", 2, effect="EIO")))
    with pytest.raises(OSError):
        file.append([b"one\n"])

    assert {} == vfs.tree()
    assert file.failed is not None
    assert [] == vfs.leftovers()


def test_file_that_is_not_open_has_nothing_to_sync() -> None:
    """Neither now nor in the background."""
    file = file_on(MemoryVFS())
    file.sync()
    file.sync_name()

    assert file.duplicate() is None


class Cutting(Interposed):
    """Cuts a file, as `copytruncate` does, right before an operation on it: once."""

    def __init__(self, inner: MemoryVFS, operation: str, size: int) -> None:
        super().__init__(inner)
        self.operation = operation
        self.size = size
        self.is_armed = False

    def around(self, call, do):
        if self.is_armed and call.operation == self.operation:
            self.is_armed = False
            folder = self.inner.folder("/")
            with closing(folder), closing(folder.open("a", "write")) as file:
                file.truncate(self.size)
        return do()


@pytest.mark.parametrize("operation", ["write", "read"])
@pytest.mark.parametrize(
    ("size", "stands"), [(0, b""), (4, b"one\n"), (6, b"one\ntw\n")], ids=["all", "a line", "half"]
)
@pytest.mark.parametrize("is_first", [True, False])
def test_lines_stand_where_a_file_ends_that_was_cut_meanwhile(
    operation, size, stands, is_first
) -> None:
    """I6: the lines stand where it ends now, and begin a line."""
    vfs = MemoryVFS()
    vfs.write_tree({"a": b"one\n" if not is_first else b"one\ntwo\n"})
    cutting = Cutting(vfs, operation, size)
    file = file_on(cutting)
    if not is_first:
        file.append([b"two\n"])
    cutting.is_armed = True
    file.append([b"three\n"])

    file.append([b"four\n"])
    file.let_go()

    assert not cutting.is_armed
    assert {"a": stands + b"three\nfour\n"} == vfs.tree()


def test_note_tells_whether_others_of_the_call_stand() -> None:
    """What failed is the rest of them."""
    notes = []
    for is_rest in (False, True):
        file = file_on(Faulty(MemoryVFS(), Fault("write", 1, effect="ENOSPC")))
        with pytest.raises(OSError) as caught:
            file.append([b"two\n"], is_rest=is_rest)
        notes.append(caught.value.__notes__[-1].partition(" was")[0])

    assert ["/a: nothing", "/a: nothing more"] == notes


def test_sync_that_was_interrupted_is_still_to_be_made() -> None:
    """Else the next one would do nothing, and report success."""

    class InterruptedSync(Interposed):
        def around(self, call, do):
            if call.operation == "sync_data" and not interrupts:
                interrupts.append(call.operation)
                raise KeyboardInterrupt
            return do()

    interrupts: list[str] = []
    vfs = MemoryVFS()
    file = file_on(InterruptedSync(vfs))
    file.append([b"one\n"])
    with pytest.raises(KeyboardInterrupt):
        file.sync()

    assert file.unsynced
    file.sync()
    assert not file.unsynced
    file.let_go()
