"""Temporary names, and the making of temporary files."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.primitives import temp
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.stand_ins import refusing, standing_in

TOKEN = "0123456789abcdef"


def made(folder, vfs):
    """The name, file and description of a new temporary file."""
    new = temp.Made()
    temp.create(new, folder, "a", permissions=0o600, vfs=vfs)
    return new.temp, new.file, new.info


names = st.one_of(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1),
    st.binary(min_size=1, max_size=300).map(
        lambda raw: os.fsdecode(raw.replace(b"/", b"").replace(b"\0", b"")) or "a"
    ),
    st.sampled_from(["n", "é", "日", "\U0001f600", "\udcff"]).map(lambda char: char * 300),
)


@given(names, st.sampled_from([TOKEN, f"{TOKEN}-0", f"{TOKEN}-ffffffff"]))
def test_every_temporary_name_fits_and_is_recognised(target: str, token: str) -> None:
    """At most 255 bytes, hidden, and its parts come back; the target's name is at most cut."""
    name = temp.temp_name(target, token)
    found = temp.recognise(name)

    assert 255 >= len(os.fsencode(name))
    assert name.startswith(".")
    assert found is not None
    assert target.startswith(found.target)
    assert token == found.token + (f"-{found.serial}" if found.serial else "")
    assert found.target == target or temp.is_cut(found.target)


@pytest.mark.parametrize("char", ["é", "日", "\U0001f600"])
def test_name_is_never_cut_within_a_character(char: str) -> None:
    """What remains is text again."""
    found = temp.recognise(temp.temp_name("x" + char * 200, TOKEN))

    assert found is not None
    found.target.encode("utf-8")


@pytest.mark.parametrize("raw", [b"\x80" * 255, b"a" + b"\xbf" * 254, b"\xff" * 255])
def test_name_that_is_no_text_is_cut_where_it_is_full(raw: bytes) -> None:
    """There is no character to spare, and nothing to go back to."""
    name = temp.temp_name(os.fsdecode(raw), TOKEN)

    assert 255 == len(os.fsencode(name))
    assert (os.fsdecode(raw[:224]), TOKEN, None) == temp.recognise(name)


def test_mode_of_a_new_file_is_asked_of_the_kernel(tmp_path) -> None:
    """Where there are files without a name, and where there are none."""
    before = os.umask(0o027)
    try:
        folder = SYSTEM.folder(str(tmp_path))
        named = standing_in({}, {"open_unnamed": refusing(errno.EOPNOTSUPP)}).folder(str(tmp_path))
        modes = [temp.mode_of_new(place, "a", vfs=SYSTEM) for place in (folder, named)]
    finally:
        os.umask(before)
    folder.close()
    named.close()

    assert [0o640, 0o640] == modes
    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "a", "", ".holdfast-tmp", f".{TOKEN}.holdfast-tmp", f"a.{TOKEN}.holdfast-tmp",
        f".a.{TOKEN[1:]}.holdfast-tmp", f".a.{TOKEN.upper()}.holdfast-tmp",
        f".a.{TOKEN}.holdfast-tmp.txt", f".a.{TOKEN}-.holdfast-tmp", f".a.{TOKEN}-x.holdfast-tmp",
    ],
)  # fmt: skip
def test_other_names_are_not_recognised(name: str) -> None:
    """Only the exact form is ours."""
    assert temp.recognise(name) is None


def test_file_is_made_locked() -> None:
    """The lock is held when it is returned."""
    disk = MemoryVFS()
    folder = disk.folder("/")
    name, file, info = made(folder, disk)
    assert 1 == len(disk.held_locks)
    assert (0o600, 1) == (info.st_mode & 0o777, info.st_nlink)
    file.close()
    folder.close()

    assert [name] == list(disk.tree())


def test_file_that_a_sweeper_was_faster_to_remove_is_given_up() -> None:
    """Unlinked between the making and the lock: another name is taken."""
    disk = MemoryVFS()
    vfs = Trace(disk)
    swept = []

    def sweep_once(call) -> None:
        if call.operation == "open" and not swept:
            (name,) = disk.tree()
            swept.append(name)
            other = disk.folder("/")
            other.unlink(name)
            other.close()

    vfs.subscribe(sweep_once)
    folder = vfs.folder("/")
    name, file, info = made(folder, vfs)
    file.close()
    folder.close()

    assert 1 == info.st_nlink
    assert [name] == list(disk.tree())
    assert swept != [name]


def test_file_that_a_sweeper_has_locked_is_given_up() -> None:
    """Locked by another between the making and the lock: another name is taken."""
    disk = MemoryVFS()
    vfs = Trace(disk)
    locked = []

    def lock_once(call) -> None:
        if call.operation == "open" and not locked:
            (name,) = disk.tree()
            other = disk.folder("/")
            locked.append(other.open(name, "write"))
            other.close()
            locked[0].lock()

    vfs.subscribe(lock_once)
    folder = vfs.folder("/")
    name, file, _ = made(folder, vfs)
    for thing in (file, folder, *locked):
        thing.close()

    assert [name] == list(disk.tree())


@pytest.mark.parametrize("code", ["ENOLCK", "EOPNOTSUPP", "EINVAL"])
def test_filesystem_without_locks_is_no_hindrance(code: str) -> None:
    """The file is made; a sweeper, which needs the lock, will leave it alone."""
    disk = MemoryVFS()
    vfs = Faulty(disk, Fault("lock", 1, effect=code))
    folder = vfs.folder("/")
    _, file, _ = made(folder, vfs)
    file.close()
    folder.close()

    assert 1 == len(disk.tree())


@pytest.mark.parametrize("step", ["open", "lock", "stat_file"])
def test_failed_making_leaves_nothing(step: str) -> None:
    """The error comes as it is; no file, no lock, no descriptor is left."""
    disk = MemoryVFS()
    vfs = Faulty(disk, Fault(step, 1, effect="EIO"))
    folder = vfs.folder("/")
    with pytest.raises(OSError) as caught:
        made(folder, vfs)
    folder.close()

    assert errno.EIO == caught.value.errno
    assert {} == disk.tree()
    assert [] == disk.leftovers()


@pytest.mark.parametrize("step", ["open", "lock"])
def test_making_ends_when_all_is_swept_away(step: str) -> None:
    """A hundred names taken in a row is an error, not a loop without end."""

    class Busy(Faulty):
        def around(self, call, do):
            if call.operation == "lock" and step == "lock":
                return False
            return super().around(call, do)

    disk = MemoryVFS()
    faults = [Fault("open", 1, effect="EEXIST", repeat=True)] if step == "open" else []
    vfs = Busy(disk, *faults)
    folder = vfs.folder("/")
    with pytest.raises(OSError) as caught:
        made(folder, vfs)
    folder.close()

    assert errno.EAGAIN == caught.value.errno
    assert {} == disk.tree()


@pytest.mark.parametrize(
    "data", [b"0123456789", memoryview(b"0123456789"), bytearray(b"0123456789")]
)
def test_everything_is_written_whatever_the_pieces(data) -> None:
    """Short writes are continued where they ended."""
    disk = MemoryVFS()
    vfs = Faulty(disk, *(Fault("write", n, effect="short 3") for n in (1, 2)))
    folder = vfs.folder("/")
    file = folder.open("a", "new")
    temp.write_all(file, data)
    file.close()
    folder.close()

    assert {"a": b"0123456789"} == disk.tree()


def test_items_of_several_bytes_are_written_as_bytes() -> None:
    """An array of numbers is its memory."""
    from array import array

    disk = MemoryVFS()
    folder = disk.folder("/")
    file = folder.open("a", "new")
    temp.write_all(file, array("I", [1, 2]))
    file.close()
    folder.close()

    assert {"a": array("I", [1, 2]).tobytes()} == disk.tree()


def test_write_of_nothing_is_an_error() -> None:
    """A system that takes no byte and raises nothing would hold us for ever."""
    disk = MemoryVFS()
    vfs = Faulty(disk, Fault("write", 1, effect="short 0", repeat=True))
    folder = vfs.folder("/")
    file = folder.open("a", "new")
    with pytest.raises(OSError, match="nothing"):
        temp.write_all(file, b"a")
    file.close()
    folder.close()
