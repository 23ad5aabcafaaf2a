"""The tracer: what was called, in order, and how it ended."""

from __future__ import annotations

import pytest

from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace, Traced


def test_lines_read_like_the_program() -> None:
    """A replace is six lines that anybody understands."""
    vfs = Trace(MemoryVFS())
    folder = vfs.folder("/")
    vfs.clear()
    file = folder.open("state.json.tmp", "new")
    file.write(b"{}")
    file.sync()
    file.close()
    folder.rename("state.json.tmp", "state.json")
    folder.sync()
    assert [
        "open(state.json.tmp, new)",
        "write(state.json.tmp, 2 bytes)",
        "sync(state.json.tmp)",
        "close(state.json.tmp)",
        "rename(state.json.tmp -> state.json)",
        "sync_folder(/)",
    ] == vfs.lines
    assert ["open", "write", "sync", "close", "rename", "sync_folder"] == vfs.operations
    folder.close()


def test_errors_are_written_down_and_raised() -> None:
    """A call that fails is listed with its errno, or the name of the exception."""
    vfs = Trace(MemoryVFS())
    folder = vfs.folder("/")
    with pytest.raises(FileNotFoundError):
        folder.open("a", "read")
    with pytest.raises(ValueError, match="null"):
        folder.open("a\0", "read")
    assert ["open(a, read) = ENOENT", "open(a\0, read) = ValueError"] == vfs.lines[1:]
    assert ["ENOENT", "ValueError"] == [call.error for call in vfs.calls[1:]]
    folder.close()


def test_listeners_hear_each_call_when_it_is_over() -> None:
    """Whoever subscribes is called after each call, and not for those before."""
    vfs = Trace(MemoryVFS())
    folder = vfs.folder("/")
    heard: list[Traced] = []
    vfs.subscribe(heard.append)
    folder.mkdir("d")
    folder.close()
    assert ["mkdir", "close_folder"] == [call.operation for call in heard]
    assert vfs.calls[1:] == heard


def test_calls_can_be_forgotten() -> None:
    """After `clear` the list is empty, and numbers go on."""
    vfs = Trace(MemoryVFS())
    vfs.folder("/").close()
    vfs.clear()
    assert [] == vfs.lines
    vfs.resolve("/")
    assert [3] == [call.number for call in vfs.calls]
