"""The names of a line log on disk."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from holdfast.errors import PromiseUnavailable
from holdfast.primitives.line_log_names import (
    identity_of,
    kept_files,
    look,
    numbered,
    numbers,
    open_kept,
    refuse_other_kinds,
)
from holdfast.vfs import SYSTEM
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import MemoryVFS


def disk(*names: str) -> MemoryVFS:
    made = MemoryVFS()
    made.write_tree({f"/d/{name}": name.encode() for name in names})
    return made


def test_numbers_are_those_of_old_files() -> None:
    """Not a date, not a leading zero, not another log."""
    names = (
        "a",
        "a.2",
        "a.10",
        "a.01",
        "a.0",
        "a.1x",
        "a.20261123",
        "a.²",
        "b.1",
        "a.999999",
        "aa.1",
    )
    with closing(disk(*names).folder("/d")) as folder:
        assert [2, 10, 999_999] == numbers(folder, "a")


def test_number_nought_is_the_log_itself() -> None:
    """The others have theirs behind a dot."""
    assert ["a", "a.1", "a.12"] == [numbered("a", number) for number in (0, 1, 12)]


def test_files_are_listed_oldest_first() -> None:
    """A number that is missing is no end."""
    vfs = disk("a", "a.1", "a.4", "a.lock", "a.torn", "b")

    assert ["a.4", "a.1", "a"] == [kept.name for kept in kept_files("/d/a", vfs=vfs)]
    assert [] == kept_files("/d/z", vfs=vfs)
    assert [] == kept_files("/missing/a", vfs=vfs)
    assert [] == vfs.leftovers()


def test_folder_with_a_number_is_none_of_them() -> None:
    """Only files are read."""
    vfs = disk("a", "a.1/x")

    assert ["a"] == [kept.name for kept in kept_files("/d/a", vfs=vfs)]


class Rotating(Interposed):
    """Renames the log whenever it is looked at."""

    def __init__(self, disk: MemoryVFS, times: int) -> None:
        super().__init__(disk)
        self.times = times

    def around(self, call, do):
        result = do()
        if call.operation == "stat" and call.name == "a" and self.times:
            self.times -= 1
            with closing(self.inner.folder("/d")) as folder:
                folder.rename("a", f"a.{self.times + 1}")
                folder.open("a", "create").close()
        return result


def test_list_counts_when_it_stood_still() -> None:
    """Two rotations meanwhile: it is looked at again, and no file is listed twice."""
    found = kept_files("/d/a", vfs=Rotating(disk("a"), 2))

    assert ["a.2", "a.1", "a"] == [kept.name for kept in found]
    assert 3 == len({kept.identity for kept in found})


def test_log_that_never_stands_still_is_an_error() -> None:
    """The number of looks is bounded."""
    vfs = Rotating(disk("a"), 10_000)
    with pytest.raises(OSError, match="rotated faster") as caught:
        kept_files("/d/a", vfs=vfs)

    assert "/d/a" == caught.value.filename


def test_file_is_opened_only_if_it_is_the_one() -> None:
    """The name may stand for another by now, or for nothing."""
    vfs = disk("a")
    (kept,) = kept_files("/d/a", vfs=vfs)
    file = open_kept("/d/a", kept, vfs=vfs)
    assert file is not None
    assert kept.identity == identity_of(file.stat())
    file.close()
    with closing(vfs.folder("/d")) as folder:
        folder.rename("a", "a.1")

        assert open_kept("/d/a", kept, vfs=vfs) is None
        folder.open("a", "create").close()
        assert open_kept("/d/a", kept, vfs=vfs) is None
        assert look(folder, "z") is None
    assert [] == vfs.leftovers()


def test_what_is_no_file_is_no_log(tmp_path) -> None:
    """A folder and a FIFO are refused, which is not to be taken for an empty log."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for name in ("folder", "fifo"):
        path = str(tmp_path / name)
        with pytest.raises(PromiseUnavailable, match="no regular file"):
            refuse_other_kinds(path, os.stat(path))
        with pytest.raises(PromiseUnavailable):
            kept_files(path, vfs=SYSTEM)
