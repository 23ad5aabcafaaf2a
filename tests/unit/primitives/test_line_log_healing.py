"""An end of a log that is no line: found, judged, and kept beside the log."""

from __future__ import annotations

from contextlib import closing

import pytest

from holdfast.primitives.line_log_healing import find_torn, is_whole, move_away, write_at
from holdfast.primitives.line_log_records import LINE_MAX_BYTES, whole_text
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS


def disk(data: bytes) -> MemoryVFS:
    vfs = MemoryVFS()
    vfs.write_tree({"a": data})
    return vfs


@pytest.mark.parametrize(
    ("data", "at"),
    [
        (b"", 0),
        (b"one\n", 4),
        (b"one\ntwo", 4),
        (b"one", 0),
        (b"\n", 1),
        (b"one\n" + bytes(200_000), 4),
        (b"x" * 200_000, 0),
        (b"x" * 65_535 + b"\n" + b"y" * 65_536, 65_536),
    ],
)
def test_end_without_newline_is_found(data: bytes, at: int) -> None:
    """However long it is, by pieces from the end."""
    with closing(disk(data).folder("/")) as folder, closing(folder.open("a", "read")) as file:
        assert at == find_torn(file, len(data))


def test_end_is_judged_as_a_whole() -> None:
    """By what the log says is a record; one that is longer than any line is none."""
    with closing(disk(b"a\nbcd").folder("/")) as folder, closing(folder.open("a", "read")) as file:
        assert is_whole(file, 2, size=5, judge=lambda fragment: fragment == b"bcd")
        assert not is_whole(file, 2, size=5, judge=lambda fragment: False)
        assert not is_whole(file, 2, size=LINE_MAX_BYTES + 3, judge=lambda fragment: True)
        assert not is_whole(file, 2, size=6, judge=whole_text("utf-8"))


def test_what_is_torn_is_appended_beside_the_log() -> None:
    """I2: with a newline behind it, and what was there before stays."""
    vfs = disk(b"line\nhalf")
    with closing(vfs.folder("/")) as folder, closing(folder.open("a", "read")) as file:
        assert "a.torn" == move_away(file, folder, "a", span=(5, 9))
        assert "a.torn" == move_away(file, folder, "a", span=(5, 7))

    assert {"a": b"line\nhalf", "a.torn": b"half\nha\n"} == vfs.tree()
    assert [] == vfs.leftovers()


def test_zeros_take_no_room() -> None:
    """I4: stretches of zeros are left out, and read as zeros."""
    zeros = 1 << 20
    vfs = disk(b"x" + bytes(zeros) + b"y")
    with closing(vfs.folder("/")) as folder, closing(folder.open("a", "read")) as file:
        before = len(vfs.core.operations)
        move_away(file, folder, "a", span=(0, zeros + 2))
    written = sum(len(getattr(each, "data", b"")) for each in vfs.core.operations[before:])

    assert b"x" + bytes(zeros) + b"y\n" == vfs.tree()["a.torn"]
    assert written < 3 * (1 << 16)


def test_long_end_is_kept_in_pieces() -> None:
    """I4: no more than a piece of it is in memory at a time."""
    vfs = disk(b"x" * (1 << 20))
    with closing(vfs.folder("/")) as folder, closing(folder.open("a", "read")) as file:
        before = len(vfs.core.operations)
        move_away(file, folder, "a", span=(0, 1 << 20))
    written = [len(getattr(each, "data", b"")) for each in vfs.core.operations[before:]]

    assert 1 << 16 == max(written)
    assert b"x" * (1 << 20) + b"\n" == vfs.tree()["a.torn"]


def test_write_that_comes_short_is_continued() -> None:
    """The system may take a part; one that takes nothing is an error."""
    vfs = disk(b"")
    with closing(Faulty(vfs, Fault("write", 1, effect="short 2")).folder("/")) as folder:
        file = folder.open("a", "write")
        write_at(file, b"abcdef", 0)
        file.close()

    assert b"abcdef" == vfs.tree()["a"]
    with closing(Faulty(vfs, Fault("write", 1, effect="short 0")).folder("/")) as folder:
        file = folder.open("a", "write")
        with pytest.raises(OSError, match="wrote nothing"):
            write_at(file, b"abc", 0)
        file.close()
