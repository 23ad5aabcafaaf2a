"""Somebody removes the target while it is being replaced: it is simply made."""

from __future__ import annotations

import errno

import pytest

from holdfast.primitives.replace import write_bytes
from holdfast.primitives.write_many import write_many
from holdfast.primitives.writer import open as hold_open
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import MemoryVFS


class Vanishing(Interposed):
    """Removes `/a` before the nth call."""

    def __init__(self, disk: MemoryVFS, nth: int) -> None:
        super().__init__(disk)
        self.disk = disk
        self.nth = nth
        self.calls = 0

    def around(self, call, do):
        self.calls += 1
        if self.calls == self.nth:
            folder = self.disk.folder("/")
            folder.unlink("a")
            folder.close()
        return do()


def stream(vfs) -> None:
    with hold_open("/a", "wb", vfs=vfs) as file:
        file.write(b"new")


@pytest.mark.parametrize(
    "write",
    [
        lambda vfs: write_bytes("/a", b"new", vfs=vfs),
        lambda vfs: write_bytes("/a", b"new", backup="b", vfs=vfs),
        lambda vfs: write_bytes(
            "/a", b"new", backup="b", vfs=Faulty(vfs, Fault("link", 1, effect="EPERM"))
        ),
        lambda vfs: write_many({"/a": b"new"}, vfs=vfs),
        stream,
    ],
    ids=["bytes", "backup", "backup by copy", "many", "stream"],
)
def test_target_that_is_removed_at_any_call_is_made(write) -> None:
    """Before the first call, the second, and so on, until it is replaced."""
    nth = 0
    for nth in range(1, 100):
        disk = MemoryVFS()
        disk.write_tree({"a": b"old", "c": b""})
        vfs = Vanishing(disk, nth)
        write(vfs)
        if b"new" != disk.tree().get("a"):
            break  # the new one was in place, and was removed
        assert {"a", "b", "c"} >= set(disk.tree())
        assert [] == disk.leftovers()

    assert 8 < nth < 99


def test_mode_of_what_was_removed_is_kept_less_what_a_list_may_have_hidden() -> None:
    """The group's bits may have been the mask of its access list: they are narrowed."""
    disk = MemoryVFS()
    disk.make_node("a", "file", permissions=0o660)
    vfs = Vanishing(disk, 0)
    vfs.around = lambda call, do: _unlink_at(disk, call, do)
    write_bytes("/a", b"new", vfs=vfs)
    folder = disk.folder("/")
    mode = folder.stat("a").st_mode & 0o777
    folder.close()

    assert 0o600 == mode


def _unlink_at(disk: MemoryVFS, call, do):
    if call.operation == "xattrs":
        folder = disk.folder("/")
        folder.unlink("a")
        folder.close()
    return do()


def test_note_tells_what_is_there() -> None:
    """Removed meanwhile, and then the sync fails: nothing stands."""
    disk = MemoryVFS()
    disk.write_tree({"a": b"old"})
    with pytest.raises(OSError) as caught:
        write_bytes("/a", b"new", vfs=Faulty(Vanishing(disk, 5), Fault("sync", 1, effect="EIO")))

    assert errno.EIO == caught.value.errno
    assert "Nothing was made." in caught.value.__notes__[0]
    assert {} == disk.tree()
