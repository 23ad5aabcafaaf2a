"""What `VFS` and `Folder` promise, on every implementation."""

from __future__ import annotations

import contextlib
import errno
import stat

import pytest

from tests.conformance.conftest import Place
from tests.conformance.test_vfs_files import fails

LONGEST = "n" * 255
TOO_LONG = "n" * 256


def test_folder_is_empty_at_first(place: Place) -> None:
    """A new folder lists no names."""
    assert [] == place.folder.names()
    assert place.root == place.folder.path


def test_folder_of_a_file_is_refused(place: Place) -> None:
    """A file, or a path through one, is ENOTDIR; nothing there is ENOENT."""
    place.write("a", b"")
    with fails(errno.ENOTDIR, place.path("a")):
        place.vfs.folder(place.path("a"))
    with fails(errno.ENOTDIR, place.path("a/b")):
        place.vfs.folder(place.path("a/b"))
    with fails(errno.ENOENT, place.path("b")):
        place.vfs.folder(place.path("b"))
    with fails(errno.ENOENT, place.path("b/c")):
        place.vfs.folder(place.path("b/c"))


def test_folder_follows_symlinks(place: Place) -> None:
    """A folder may be opened through symlinks, but not round in circles."""
    place.folder.mkdir("real")
    place.symlink("link", "real")
    place.symlink("round", "round")
    inside = place.vfs.folder(place.path("link"))
    inside.open("a", "new").close()
    inside.close()
    inside = place.vfs.folder(place.path("link/../real/./"))
    assert ["a"] == inside.names()
    inside.close()
    with fails(errno.ELOOP, place.path("round")):
        place.vfs.folder(place.path("round"))


def test_path_is_described_through_symlinks(place: Place) -> None:
    """`stat` describes what a path leads to; what leads nowhere is ENOENT, ENOTDIR or ELOOP."""
    place.write("a", b"123")
    place.symlink("link", "a")
    place.symlink("round", "round")
    place.symlink("nowhere", "b")

    assert place.folder.stat("a").st_ino == place.vfs.stat(place.path("link")).st_ino
    assert 3 == place.vfs.stat(place.path("a")).st_size
    assert stat.S_ISDIR(place.vfs.stat(place.path(".")).st_mode)
    for name, code in {"nowhere": errno.ENOENT, "a/b": errno.ENOTDIR, "round": errno.ELOOP}.items():
        with fails(code, place.path(name)):
            place.vfs.stat(place.path(name))


def test_fine_stamps_tell_every_change_after_a_look(place: Place) -> None:
    """Where stamps are said to be fine, no change within one tick of the clock goes unseen."""
    file = place.folder.open("a", "new")
    seen = file.stat()
    fine = place.vfs.fine_stamps(place.path("a"), seen.st_dev)
    for number in range(200 if fine else 0):
        file.write(bytes([number]), offset=0)
        now = file.stat()

        assert (seen.st_mtime_ns, seen.st_ctime_ns) != (now.st_mtime_ns, now.st_ctime_ns)

        seen = now
    file.close()


def test_folder_descriptor_outlives_a_rename(place: Place) -> None:
    """What is opened through a folder goes to that folder, wherever it has been moved."""
    place.folder.mkdir("before")
    inside = place.vfs.folder(place.path("before"))
    place.folder.rename("before", "after")
    inside.open("a", "new").close()
    inside.close()
    inside = place.vfs.folder(place.path("after"))
    assert ["a"] == inside.names()
    inside.close()


@pytest.mark.parametrize("mode", ["create", "new"])
def test_open_makes_a_file(place: Place, mode) -> None:
    """Modes `create` and `new` make what is missing."""
    place.folder.open("a", mode).close()
    assert ["a"] == place.folder.names()


@pytest.mark.parametrize("mode", ["read", "write"])
def test_open_of_a_missing_file_is_refused(place: Place, mode) -> None:
    """Modes `read` and `write` make nothing."""
    with fails(errno.ENOENT, "a"):
        place.folder.open("a", mode)
    assert [] == place.folder.names()


def test_new_refuses_what_is_there(place: Place) -> None:
    """Mode `new` is EEXIST for a file, a folder and any symlink, and harms none."""
    place.write("a", b"abc")
    place.folder.mkdir("d")
    place.symlink("l", "a")
    place.symlink("dangling", "nowhere")
    for name in ("a", "d", "l", "dangling"):
        with fails(errno.EEXIST, name):
            place.folder.open(name, "new")
    assert b"abc" == place.read("a")
    assert ["a", "d", "dangling", "l"] == sorted(place.folder.names())


def test_open_follows_symlinks(place: Place) -> None:
    """Reading and writing go to the target; `create` makes the target of a dangling one."""
    place.write("a", b"abc")
    place.symlink("l", "a")
    place.symlink("dangling", "nowhere")
    assert b"abc" == place.read("l")
    with fails(errno.ENOENT, "dangling"):
        place.folder.open("dangling", "write")
    place.folder.open("dangling", "create").close()
    assert ["a", "dangling", "l", "nowhere"] == sorted(place.folder.names())


def test_open_of_a_loop_is_refused(place: Place) -> None:
    """Symlinks that go round are ELOOP."""
    place.symlink("x", "y")
    place.symlink("y", "x")
    for mode in ("read", "create"):
        with fails(errno.ELOOP, "x"):
            place.folder.open("x", mode)  # type: ignore[arg-type]


def test_folders_are_not_opened_for_writing(place: Place) -> None:
    """Writing to a folder is EISDIR, and reading one gives EISDIR at the first read."""
    place.folder.mkdir("d")
    for mode in ("write", "create"):
        with fails(errno.EISDIR, "d"):
            place.folder.open("d", mode)  # type: ignore[arg-type]
    file = place.folder.open("d", "read")
    assert stat.S_ISDIR(file.stat().st_mode)
    with fails(errno.EISDIR):
        file.read(1)
    file.close()


def test_fifo_is_opened_without_waiting(place: Place) -> None:
    """A FIFO that nobody writes to opens at once and is at its end."""
    place.fifo("f")
    assert stat.S_ISFIFO(place.folder.stat("f").st_mode)
    file = place.folder.open("f", "read")
    assert stat.S_ISFIFO(file.stat().st_mode)
    assert b"" == file.read(1)
    file.close()


def test_stat_does_not_follow(place: Place) -> None:
    """Stat of a symlink describes the symlink, dangling or not."""
    place.symlink("l", "nowhere")
    assert stat.S_ISLNK(place.folder.stat("l").st_mode)
    place.folder.mkdir("d")
    assert stat.S_ISDIR(place.folder.stat("d").st_mode)
    assert place.folder.stat(".").st_ino != place.folder.stat("d").st_ino
    with fails(errno.ENOENT, "a"):
        place.folder.stat("a")


def test_xattrs_of_a_missing_name_are_refused(place: Place) -> None:
    """There are no attributes of nothing, and the error names it."""
    place.symlink("l", "nowhere")
    assert {} == place.folder.xattrs("l")
    with fails(errno.ENOENT, "a"):
        place.folder.xattrs("a")


def test_longest_name_fits(place: Place) -> None:
    """255 bytes are a name, 256 are ENAMETOOLONG, in every call that takes one."""
    place.write(LONGEST, b"abc")
    place.folder.rename(LONGEST, "b")
    place.folder.rename("b", LONGEST)
    assert [LONGEST] == place.folder.names()
    for use in (
        lambda: place.folder.open(TOO_LONG, "create"),
        lambda: place.folder.stat(TOO_LONG),
        lambda: place.folder.unlink(TOO_LONG),
        lambda: place.folder.mkdir(TOO_LONG),
        lambda: place.folder.rmdir(TOO_LONG),
        lambda: place.folder.xattrs(TOO_LONG),
    ):
        with fails(errno.ENAMETOOLONG, TOO_LONG):
            use()
    with fails(errno.ENAMETOOLONG, LONGEST, TOO_LONG):
        place.folder.rename(LONGEST, TOO_LONG)
    assert [LONGEST] == place.folder.names()


def test_length_is_counted_in_bytes(place: Place) -> None:
    """128 letters of two bytes are too long."""
    with fails(errno.ENAMETOOLONG, "é" * 128):
        place.folder.open("é" * 128, "new")


@pytest.mark.parametrize("name", ["with space", "line\nbreak", "-rf", "é☃", "\udcff", "%s", "a\\b"])
def test_strange_names_are_names(place: Place, name: str) -> None:
    """Whatever is neither `/` nor NUL is a name, and comes back from the list as it was."""
    place.write(name, b"abc")
    assert [name] == place.folder.names()
    assert b"abc" == place.read(name)
    place.folder.unlink(name)


def test_nul_in_a_name_is_a_value_error(place: Place) -> None:
    """A NUL byte cannot be passed to any system."""
    with pytest.raises(ValueError, match="null"):
        place.folder.open("a\0b", "create")


def test_rename_replaces(place: Place) -> None:
    """The new name has the old one's file, and the old name is gone; what is open stays open."""
    place.write("a", b"new")
    place.write("b", b"old")
    old = place.folder.open("b", "read")
    number = place.folder.stat("a").st_ino
    place.folder.rename("a", "b")
    assert ["b"] == place.folder.names()
    assert b"new" == place.read("b")
    assert number == place.folder.stat("b").st_ino
    assert b"old" == old.read(9)
    assert 0 == old.stat().st_nlink
    old.close()


def test_rename_moves_between_folders(place: Place) -> None:
    """With a source folder, the name moves here."""
    place.folder.mkdir("d")
    place.write("a", b"abc")
    inside = place.vfs.folder(place.path("d"))
    inside.rename("a", "b", source=place.folder)
    assert ["d"] == place.folder.names()
    assert ["b"] == inside.names()
    inside.close()


def test_rename_of_a_missing_name_is_refused(place: Place) -> None:
    """Nothing cannot be renamed, and the target stays."""
    place.write("b", b"abc")
    with fails(errno.ENOENT, "a", "b"):
        place.folder.rename("a", "b")
    assert b"abc" == place.read("b")


def test_rename_between_two_names_of_one_file_does_nothing(place: Place) -> None:
    """Both names of a file stay when one is renamed to the other (rename(2))."""
    place.write("a", b"abc")
    place.folder.link("a", "b")
    place.folder.rename("a", "b")
    place.folder.rename("a", "a")
    assert ["a", "b"] == sorted(place.folder.names())


def test_rename_moves_a_symlink_itself(place: Place) -> None:
    """A symlink is renamed and replaced, never its target."""
    place.write("a", b"abc")
    place.symlink("l", "a")
    place.folder.rename("l", "m")
    assert stat.S_ISLNK(place.folder.stat("m").st_mode)
    place.write("new", b"new")
    place.folder.rename("new", "m")
    assert b"new" == place.read("m")
    assert b"abc" == place.read("a")


def test_rename_keeps_files_and_folders_apart(place: Place) -> None:
    """A file does not replace a folder, nor a folder a file or a folder in use."""
    place.write("a", b"")
    place.folder.mkdir("d")
    place.folder.mkdir("e")
    inside = place.vfs.folder(place.path("e"))
    inside.open("x", "new").close()
    with fails(errno.EISDIR, "a", "d"):
        place.folder.rename("a", "d")
    with fails(errno.ENOTDIR, "d", "a"):
        place.folder.rename("d", "a")
    with fails(errno.ENOTEMPTY, "d", "e"):
        place.folder.rename("d", "e")
    with fails(errno.EINVAL, "e", "y"):
        inside.rename("e", "y", source=place.folder)
    with fails(errno.ENOTEMPTY, "x", "e"):
        place.folder.rename("x", "e", source=inside)
    place.folder.rename("e", "d")
    assert ["x"] == inside.names()
    inside.close()
    assert ["a", "d"] == sorted(place.folder.names())


def test_link_gives_a_second_name(place: Place) -> None:
    """Both names are one file."""
    place.write("a", b"abc")
    place.folder.link("a", "b")
    assert 2 == place.folder.stat("a").st_nlink
    assert place.folder.stat("a").st_ino == place.folder.stat("b").st_ino
    place.folder.unlink("a")
    assert b"abc" == place.read("b")
    assert 1 == place.folder.stat("b").st_nlink


def test_link_never_replaces(place: Place) -> None:
    """A name that is taken is EEXIST, and its file stays."""
    place.write("a", b"abc")
    place.write("b", b"old")
    place.symlink("dangling", "nowhere")
    for name in ("b", "dangling"):
        with fails(errno.EEXIST, "a", name):
            place.folder.link("a", name)
    with fails(errno.ENOENT, "missing", "c"):
        place.folder.link("missing", "c")
    assert b"old" == place.read("b")


def test_link_does_not_follow(place: Place) -> None:
    """The second name of a symlink is that symlink."""
    place.write("a", b"abc")
    place.symlink("l", "a")
    place.folder.link("l", "m")
    assert stat.S_ISLNK(place.folder.stat("m").st_mode)
    assert 1 == place.folder.stat("a").st_nlink


def test_unnamed_file_gets_its_name_when_it_is_ready(place: Place) -> None:
    """An unnamed file is in no list until it is linked, which refuses a taken name."""
    try:
        file = place.folder.open_unnamed(permissions=0o600)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        pytest.skip("no unnamed files here")
    file.write(b"abc")
    assert [] == place.folder.names()
    assert 0 == file.stat().st_nlink
    place.write("taken", b"old")
    with fails(errno.EEXIST):
        place.folder.link(file, "taken")
    place.folder.link(file, "a")
    assert 1 == file.stat().st_nlink
    file.close()
    assert b"abc" == place.read("a")
    assert b"old" == place.read("taken")
    assert 0o600 == stat.S_IMODE(place.folder.stat("a").st_mode)


def test_unnamed_file_that_is_closed_is_gone(place: Place) -> None:
    """Without a name nothing is left."""
    with contextlib.suppress(OSError):
        place.folder.open_unnamed().close()
    assert [] == place.folder.names()


def test_unlinked_file_is_not_linked_again(place: Place) -> None:
    """A file that had its last name taken away cannot get one back."""
    file = place.folder.open("a", "new")
    place.folder.unlink("a")
    with fails(errno.ENOENT):
        place.folder.link(file, "b")
    file.close()


def test_unlink_removes_the_name_alone(place: Place) -> None:
    """A symlink goes and its target stays; a folder is refused."""
    place.write("a", b"abc")
    place.symlink("l", "a")
    place.folder.mkdir("d")
    place.folder.unlink("l")
    assert b"abc" == place.read("a")
    with pytest.raises(OSError, check=lambda e: e.errno in {errno.EISDIR, errno.EPERM}):
        place.folder.unlink("d")
    with fails(errno.ENOENT, "l"):
        place.folder.unlink("l")


def test_folders_are_made_and_removed(place: Place) -> None:
    """A folder is made once, and removed when it is empty."""
    place.folder.mkdir("d", permissions=0o700)
    assert 0o700 == stat.S_IMODE(place.folder.stat("d").st_mode)
    with fails(errno.EEXIST, "d"):
        place.folder.mkdir("d")
    inside = place.vfs.folder(place.path("d"))
    inside.open("a", "new").close()
    with fails(errno.ENOTEMPTY, "d"):
        place.folder.rmdir("d")
    inside.unlink("a")
    inside.close()
    place.folder.rmdir("d")
    with fails(errno.ENOENT, "d"):
        place.folder.rmdir("d")
    place.write("a", b"")
    with fails(errno.ENOTDIR, "a"):
        place.folder.rmdir("a")


def test_removed_folder_takes_nothing_new(place: Place) -> None:
    """An open folder that was removed is empty and stays so."""
    place.folder.mkdir("d")
    inside = place.vfs.folder(place.path("d"))
    place.folder.rmdir("d")
    assert [] == inside.names()
    with fails(errno.ENOENT, "a"):
        inside.open("a", "create")
    with fails(errno.ENOENT, "a"):
        inside.mkdir("a")
    with fails(errno.ENOENT, "a", "b"):
        inside.rename("a", "b", source=place.folder)
    inside.close()


def test_folder_sync_changes_nothing(place: Place) -> None:
    """A folder can be synced, or says nothing where it cannot."""
    place.write("a", b"abc")
    place.folder.sync()
    assert ["a"] == place.folder.names()


@pytest.mark.parametrize(
    "use",
    [
        lambda folder: folder.open("a", "create"),
        lambda folder: folder.link("a", "b"),
        lambda folder: folder.rename("a", "b"),
        lambda folder: folder.unlink("a"),
        lambda folder: folder.mkdir("a"),
        lambda folder: folder.rmdir("a"),
        lambda folder: folder.stat("a"),
        lambda folder: folder.xattrs("a"),
        lambda folder: folder.open_unnamed(),
        lambda folder: folder.names(),
        lambda folder: folder.sync(),
    ],
)
def test_closed_folders_are_bad_descriptors(place: Place, use) -> None:
    """Everything after `close` is EBADF, but closing again is well."""
    place.write("a", b"abc")
    folder = place.vfs.folder(place.root)
    folder.close()
    folder.close()
    with fails(errno.EBADF):
        use(folder)
    assert b"abc" == place.read("a")


def test_resolve_follows_every_symlink(place: Place) -> None:
    """The result has no symlink in it; the last part, or more, may be missing."""
    place.folder.mkdir("d")
    place.symlink("l", "d")
    place.symlink("absolute", place.path("l"))
    place.symlink("dangling", "d/nowhere")
    resolve, path = place.vfs.resolve, place.path
    assert path("d") == resolve(path("l"))
    assert path("d/a") == resolve(path("absolute/a"))
    assert path("d/nowhere") == resolve(path("dangling"))
    assert path("a") == resolve(path("l/../a"))
    assert path("d/b/c") == resolve(path("d/b/c"))
    assert place.root == resolve(path("."))


@pytest.mark.parametrize("name", ["x", "x/a", "d/x/a/b"])
def test_resolve_refuses_a_loop(place: Place, name: str) -> None:
    """Symlinks that go round are ELOOP, anywhere in the path."""
    place.symlink("x", "y")
    place.symlink("y", "x")
    place.folder.mkdir("d")
    place.symlink("d/x", "../x")
    with fails(errno.ELOOP, place.path(name)):
        place.vfs.resolve(place.path(name))


def test_tokens_are_never_the_same(place: Place) -> None:
    """Each token is 16 hexadecimal digits of its own."""
    tokens = [place.vfs.token() for _ in range(1000)]
    assert 1000 == len(set(tokens))
    assert {16} == {len(token) for token in tokens}
    assert set("".join(tokens)) <= set("0123456789abcdef")


def test_promises_are_told_of_a_missing_path(place: Place) -> None:
    """Promises can be asked before the file is made, and name the filesystem."""
    promises = place.vfs.promises(place.path("not/yet/there"))
    assert promises.filesystem
    assert all(isinstance(weakness, str) for weakness in promises.weaknesses)
