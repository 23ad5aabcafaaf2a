"""The wrapper that trace and fault share: every call goes through the one hook."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from holdfast.vfs.interpose import OPERATIONS, Call, Interposed
from holdfast.vfs.memory import MemoryVFS

T = TypeVar("T")


class Seen(Interposed):
    """Keeps the calls as they come."""

    def __init__(self) -> None:
        super().__init__(MemoryVFS())
        self.seen: list[Call] = []

    def around(self, call: Call, do: Callable[[], T]) -> T:
        """Note the call."""
        self.seen.append(call)
        return do()


def use_everything(vfs: Interposed) -> None:
    """Call every method of the seam once, or more."""
    folder = vfs.folder("/")
    file = folder.open("a", "new")
    file.write(b"abc")
    file.write(b"d", offset=3)
    file.seek(0)
    file.read(2)
    file.read(2, offset=1)
    file.truncate(2)
    file.start_writeback()
    file.drop_cache()
    file.truncate(8)
    file.words(1).release()
    file.truncate(2)
    file.sync_data()
    vfs.boot()
    file.set_attributes(mode=0o600, owner=None, xattrs={})
    file.sync()
    file.stat()
    file.lock(shared=True, block=False)
    vfs.announce(file)
    vfs.holder(file)
    file.unlock()
    file.lock_range(3, 2, shared=True)
    file.lock_range(3, 2, block=False)
    file.unlock_range(3, 2)
    copy = file.duplicate()
    unnamed = folder.open_unnamed()
    folder.link(unnamed, "b")
    folder.link("b", "c")
    folder.rename("a", "d")
    folder.rename("d", "e", source=folder)
    folder.unlink("b")
    folder.mkdir("f")
    folder.rmdir("f")
    folder.stat("e")
    folder.xattrs("e")
    folder.names()
    folder.sync()
    vfs.stat("/e")
    vfs.resolve("/e")
    vfs.fine_stamps("/", 1)
    vfs.promises("/")
    vfs.token()
    for opened in (file, copy, unnamed, folder):
        opened.close()


def test_every_operation_goes_through_the_hook() -> None:
    """Each of the operations is seen, and no other."""
    vfs = Seen()
    use_everything(vfs)
    assert OPERATIONS == {call.operation for call in vfs.seen}
    assert {"c": b"", "e": b"ab"} == vfs.inner.tree()  # type: ignore[attr-defined]


def test_calls_are_counted_from_one() -> None:
    """Numbers go up by one."""
    vfs = Seen()
    use_everything(vfs)
    assert list(range(1, len(vfs.seen) + 1)) == [call.number for call in vfs.seen]


def test_calls_print_as_one_line() -> None:
    """A call names what it is about and how."""
    vfs = Seen()
    use_everything(vfs)
    lines = [str(call) for call in vfs.seen]
    for expected in (
        "folder(/)",
        "open(a, new)",
        "write(a, 3 bytes)",
        "write(a, 1 bytes at 3)",
        "seek(a, 0, 0)",
        "truncate(a, 2 bytes)",
        "set_attributes(a, mode 0600, owner None, 0 xattrs)",
        "sync(a)",
        "sync_data(a)",
        "words(a, 1)",
        "lock(a, shared, at once)",
        "lock_range(a, 2 bytes at 3, shared)",
        "lock_range(a, 2 bytes at 3, at once)",
        "unlock_range(a, 2 bytes at 3)",
        "open_unnamed(/)",
        "link(b <- (unnamed))",
        "link(c <- b)",
        "rename(a -> d)",
        "rename(/d -> e)",
        "sync_folder(/)",
        "close(a)",
        "close_folder(/)",
    ):
        assert expected in lines


def test_hook_may_shorten_reads_and_writes() -> None:
    """`short` bounds what goes to the filesystem underneath."""

    class Short(Interposed):
        def around(self, call: Call, do: Callable[[], T]) -> T:
            call.short = 2
            return do()

    vfs = Short(MemoryVFS())
    folder = vfs.folder("/")
    file = folder.open("a", "new")
    assert 2 == file.write(memoryview(b"abcd"))
    assert 2 == file.write(bytearray(b"abcd"), offset=2)
    assert b"ab" == file.read(4, offset=0)
    file.close()
    folder.close()


def test_wrappers_stack() -> None:
    """A wrapper of a wrapper unwraps files and folders one level at a time."""
    inner = Seen()
    vfs = Interposed(Interposed(inner))
    folder, other = vfs.folder("/"), vfs.folder("/")
    file = folder.open_unnamed()
    folder.link(file, "a")
    folder.rename("a", "b", source=other)
    assert vfs.holder(file) is None
    assert ["b"] == folder.names()
    assert "/" == folder.path
    for opened in (file, folder, other):
        opened.close()
    assert [] == inner.inner.leftovers()  # type: ignore[attr-defined]
