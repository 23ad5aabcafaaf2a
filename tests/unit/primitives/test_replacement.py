"""The sequence: order, outcomes, attributes."""

from __future__ import annotations

import errno
import os
import stat
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import CommittedNotDurable
from holdfast.primitives import replace
from holdfast.primitives.replace import (
    write_bytes,
)
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support.attributes import ACL_ACCESS, ACL_DEFAULT, SYNCING, access_list, mode_of
from tests.support.leftovers import temporary
from tests.support.users import as_user, shared_folder


def grant(path: Path) -> None:
    """Give a file an access list, or skip the test where there are none."""
    try:
        os.setxattr(path, ACL_ACCESS, access_list(1234, mask=6))
    except OSError as error:
        pytest.skip(f"no access lists here: {error}")


class TestOrder:
    def test_write_sync_close_rename_and_sync_of_the_folder_in_this_order(self) -> None:
        """The calls that make it durable come in the one order that does."""
        vfs = Trace(MemoryVFS())
        write_bytes("/a", b"old", vfs=vfs)
        vfs.clear()
        write_bytes("/a", b"new", vfs=vfs)

        expected = ["open", "write", "sync", "close", "rename", "close", "sync_folder"]
        assert expected == [o for o in vfs.operations if o in SYNCING]

    def test_never_syncs_nothing(self) -> None:
        """`sync="never"` makes no sync, and still replaces by a rename."""
        vfs = Trace(MemoryVFS())
        write_bytes("/new/folder/a", b"a", sync="never", vfs=vfs)

        assert not {"sync", "sync_folder"} & set(vfs.operations)
        assert "rename" in vfs.operations

    def test_lock_is_held_until_after_the_rename(self) -> None:
        """The temp is locked at every call from its making to the rename."""
        inner = MemoryVFS()
        vfs = Trace(inner)
        held = []
        vfs.subscribe(lambda call: held.append((call.operation, bool(inner.held_locks))))
        write_bytes("/a", b"a", vfs=vfs)

        between = dict(held[[o for o, _ in held].index("write") :])
        assert between["write"]
        assert between["sync"]
        assert between["rename"]

    @pytest.mark.parametrize("failing", ["sync", "write", "close", "rename"])
    def test_failed_step_is_never_tried_again(self, failing: str) -> None:
        """After a failure the same temp is neither synced nor renamed again."""
        vfs = Trace(Faulty(MemoryVFS(), Fault(failing, 1, effect="EIO")))
        with pytest.raises(OSError) as caught:
            write_bytes("/a", b"a", vfs=vfs)

        assert errno.EIO == caught.value.errno
        assert 1 == vfs.operations.count(failing) or failing == "close"
        assert 1 >= vfs.operations.count("sync")


class TestOutcomes:
    def test_contents_are_replaced(self, tmp_path) -> None:
        """Afterwards the file has the new contents and nothing else is there."""
        write_bytes(tmp_path / "a", b"old")
        write_bytes(tmp_path / "a", memoryview(b"new"))

        assert b"new" == (tmp_path / "a").read_bytes()
        assert ["a"] == os.listdir(tmp_path)

    def test_failure_before_the_rename_says_that_the_old_contents_stand(self) -> None:
        """A plain `OSError` with its errno: the old contents, no temp, and a note that says so."""
        disk = MemoryVFS()
        disk.write_tree({"a": b"old"})
        with pytest.raises(OSError) as caught:
            write_bytes("/a", b"new", vfs=Faulty(disk, Fault("sync", 1, effect="EIO")))

        assert errno.EIO == caught.value.errno
        assert "/a: not written. The old contents stand." in caught.value.__notes__[0]
        assert {"a": b"old"} == disk.tree()

    def test_failure_after_the_rename_says_that_the_new_contents_are_in_place(
        self,
    ) -> None:
        """A failed sync of the folder is `CommittedNotDurable`, and the file is new."""
        disk = MemoryVFS()
        disk.write_tree({"a": b"old"})
        with pytest.raises(CommittedNotDurable) as caught:
            write_bytes("/a", b"new", vfs=Faulty(disk, Fault("sync_folder", 1, effect="EIO")))

        assert (errno.EIO, "/a") == (caught.value.errno, caught.value.path)
        assert not hasattr(caught.value, "__notes__")
        assert {"a": b"new"} == disk.tree()

    def test_lost_reply_of_a_rename_is_no_failure(self) -> None:
        """A rename that says ENOENT although it was done (NFS) is recognised by the inode."""

        class LostReply(Trace):
            def do_rename(self, folder, names, source) -> None:
                super().do_rename(folder, names, source)
                raise FileNotFoundError(errno.ENOENT, "lost", names[0])

        disk = MemoryVFS()
        write_bytes("/a", b"new", vfs=LostReply(disk))

        assert {"a": b"new"} == disk.tree()

    def test_temp_that_cannot_be_removed_is_named(self) -> None:
        """When the clean-up fails as well, a note names the temp and says who removes it."""
        disk = MemoryVFS()
        faults = [Fault("sync", 1, effect="EIO"), Fault("unlink", 1, effect="EIO")]
        with pytest.raises(OSError) as caught:
            write_bytes("/a", b"new", vfs=Faulty(disk, *faults))

        (left,) = disk.tree()
        assert f"{left}: could not be removed" in caught.value.__notes__[1]

    @pytest.mark.parametrize("effect", ["short 1", "short 3"])
    def test_short_writes_are_continued(self, effect: str) -> None:
        """A write that takes only a part is followed by one for the rest."""
        disk = MemoryVFS()
        write_bytes("/a", b"0123456789", vfs=Faulty(disk, Fault("write", 1, effect=effect)))

        assert {"a": b"0123456789"} == disk.tree()

    def test_full_disk_changes_nothing(self) -> None:
        """ENOSPC, after a short write at that: the old contents, and no temp."""
        disk = MemoryVFS(capacity_bytes=10)
        disk.write_tree({"a": b"old"})
        with pytest.raises(OSError) as caught:
            write_bytes("/a", b"0123456789", vfs=disk)

        assert errno.ENOSPC == caught.value.errno
        assert "Free some space" in caught.value.__notes__[0]
        assert {"a": b"old"} == disk.tree()

    def test_file_size_limit_changes_nothing(self, tmp_path) -> None:
        """EFBIG under RLIMIT_FSIZE: the old contents, and no temp."""
        (tmp_path / "a").write_bytes(b"old")
        program = (
            "import resource, signal, sys, errno\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "from holdfast.primitives.replace import write_bytes\n"
            "try: write_bytes(sys.argv[1], bytes(5000))\n"
            "except OSError as error: sys.exit(error.errno != errno.EFBIG)\n"
            "sys.exit(2)\n"
        )
        source = str(Path(replace.__file__).parents[2])
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "a")],
            env={**os.environ, "PYTHONPATH": source}, check=False, timeout=60,
        )  # fmt: skip

        assert 0 == done.returncode
        assert b"old" == (tmp_path / "a").read_bytes()
        assert [] == temporary(tmp_path)

    def test_wrong_options_are_refused_before_anything_is_done(self, tmp_path) -> None:
        """A meaningless option is a `ValueError` that names it."""
        wrong: Any = "text"
        options: dict[str, Any]
        for options in (
            {"sync": "sometimes"}, {"permissions": 0o10000}, {"permissions": -1},
            {"backup": "b/a"}, {"backup": ""}, {"backup": ".."}, {"backup": "a"},
        ):  # fmt: skip
            with pytest.raises(ValueError, match=next(iter(options))):
                write_bytes(tmp_path / "a", b"a", **options)
        with pytest.raises(TypeError, match="write_text"):
            write_bytes(tmp_path / "a", wrong)

        assert [] == os.listdir(tmp_path)


class TestAttributes:
    @pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
    def test_new_file_gets_what_the_umask_gives(self, tmp_path, umask, mask, mode) -> None:
        """0666 less the umask, as the built-in `open` gives."""
        umask(mask)
        write_bytes(tmp_path / "a", b"a")

        assert mode == mode_of(tmp_path / "a")

    def test_permissions_of_a_new_file_are_exact(self, tmp_path, umask) -> None:
        """A wish is not cut by the umask."""
        umask(0o077)
        write_bytes(tmp_path / "a", b"a", permissions=0o664)

        assert 0o664 == mode_of(tmp_path / "a")

    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o444, 0o4755])
    def test_replaced_file_keeps_its_mode(self, tmp_path, mode) -> None:
        """Whatever it is, set-ID bits included."""
        (tmp_path / "a").touch()
        (tmp_path / "a").chmod(mode)
        write_bytes(tmp_path / "a", b"a")

        assert mode == mode_of(tmp_path / "a")

    def test_permissions_of_a_replaced_file_are_a_wish(self, tmp_path) -> None:
        """An explicit mode wins over the old one."""
        (tmp_path / "a").touch(0o600)
        write_bytes(tmp_path / "a", b"a", permissions=0o640)

        assert 0o640 == mode_of(tmp_path / "a")

    def test_temp_is_private_until_it_has_the_attributes(self, tmp_path) -> None:
        """While a private file is written anew nobody else can read the temp."""
        (tmp_path / "a").touch(0o600)
        modes = []
        vfs = Trace(SYSTEM)
        vfs.subscribe(
            lambda call: modes.extend(
                mode_of(tmp_path / n) for n in temporary(tmp_path) if call.operation == "write"
            )
        )
        write_bytes(tmp_path / "a", b"a", vfs=vfs)

        assert [0o600] == modes

    def test_replaced_file_keeps_extended_attributes(self, tmp_path) -> None:
        """User attributes come along."""
        path = tmp_path / "a"
        path.touch()
        try:
            os.setxattr(path, "user.colour", b"green")
        except OSError as error:
            pytest.skip(f"no extended attributes here: {error}")
        write_bytes(path, b"a")

        assert b"green" == os.getxattr(path, "user.colour")

    def test_replaced_file_keeps_its_access_list(self, tmp_path) -> None:
        """The access list comes along, and the mode that shows its mask."""
        path = tmp_path / "a"
        path.touch()
        wanted = access_list(1234, mask=6)
        try:
            os.setxattr(path, ACL_ACCESS, wanted)
        except OSError as error:
            pytest.skip(f"no access lists here: {error}")
        write_bytes(path, b"a")

        assert wanted == os.getxattr(path, ACL_ACCESS)
        assert 0o660 == mode_of(path)

    def test_new_file_gets_the_default_access_list(self, tmp_path) -> None:
        """As for the built-in `open`: the kernel applies the folder's default list."""
        try:
            os.setxattr(tmp_path, ACL_DEFAULT, access_list(1234, mask=6))
        except OSError as error:
            pytest.skip(f"no access lists here: {error}")
        write_bytes(tmp_path / "ours", b"a")
        (tmp_path / "plain").touch()

        assert os.getxattr(tmp_path / "plain", ACL_ACCESS) == os.getxattr(
            tmp_path / "ours", ACL_ACCESS
        )

    def test_replaced_file_does_not_gain_the_default_access_list(self, tmp_path) -> None:
        """A file without a list stays without, although its folder gives one to new files."""
        path = tmp_path / "a"
        path.touch(0o640)
        try:
            os.setxattr(tmp_path, ACL_DEFAULT, access_list(1234, mask=6))
        except OSError as error:
            pytest.skip(f"no access lists here: {error}")
        write_bytes(path, b"a")

        assert ACL_ACCESS not in os.listxattr(path)
        assert 0o640 == mode_of(path)

    @pytest.mark.root
    def test_replaced_file_keeps_its_owner(self, tmp_path) -> None:
        """Root replaces somebody's file, and it stays theirs, set-ID bits included."""
        path = tmp_path / "a"
        path.touch()
        os.chown(path, 1234, 2345)
        path.chmod(0o4750)
        write_bytes(path, b"a")

        info = path.stat()
        assert (1234, 2345, 0o4750) == (info.st_uid, info.st_gid, mode_of(path))

    def test_hard_links_keep_the_old_contents(self, tmp_path) -> None:
        """The policy: the name gets a new inode, the other names keep the old file."""
        (tmp_path / "a").write_bytes(b"old")
        os.link(tmp_path / "a", tmp_path / "other")
        write_bytes(tmp_path / "a", b"new")

        assert b"new" == (tmp_path / "a").read_bytes()
        assert b"old" == (tmp_path / "other").read_bytes()


@pytest.mark.root
def test_group_that_cannot_be_kept_opens_the_file_to_no_other() -> None:
    """Written by a user who is not in its group: their own group gets what all others have."""
    with shared_folder() as folder:
        path = folder / "a"
        path.write_bytes(b"old")
        os.chown(path, 1001, 4242)
        path.chmod(0o2640)
        told = as_user(1001, 100, lambda: write_bytes(path, b"new"))
        info = path.stat()

        assert "None" == told
        assert (1001, 100, 0o600) == (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode))
        assert b"new" == path.read_bytes()


@pytest.mark.root
def test_access_list_without_its_group_opens_the_file_to_no_other() -> None:
    """The entry of the file's group is narrowed; the named user and the mask stay."""
    with shared_folder() as folder:
        path = folder / "a"
        path.write_bytes(b"old")
        os.chown(path, 1001, 4242)
        grant(path)
        assert "None" == as_user(1001, 100, lambda: write_bytes(path, b"new"))
        entries = struct.iter_unpack("<HHI", os.getxattr(path, ACL_ACCESS)[4:])
        left = {tag: rights for tag, rights, _ in entries}

        assert {1: 6, 2: 6, 4: 0, 16: 6, 32: 0} == left
        assert "PermissionError" == as_user(1002, 100, path.read_bytes)
        assert "b'new'" == as_user(1234, 100, path.read_bytes)


def test_exact_mode_leaves_the_access_list_out(tmp_path) -> None:
    """`permissions` is for the owner, group and others alone: nobody else is let in, ever."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    grant(path)
    os.setxattr(path, "user.note", b"kept")
    write_bytes(path, b"new", permissions=0o600)

    assert ["user.note"] == os.listxattr(path)
    assert 0o600 == mode_of(path)


@pytest.mark.parametrize("operation", ["open", "write", "sync", "rename"])
def test_error_names_the_file_as_the_caller_did(tmp_path, operation) -> None:
    """Not the temporary file."""
    vfs = Faulty(SYSTEM, Fault(operation, 1, effect="EACCES"))
    with pytest.raises(PermissionError) as caught:
        write_bytes(tmp_path / "." / "a", b"new", vfs=vfs)

    assert (str(tmp_path / "a"), None) == (caught.value.filename, caught.value.filename2)
    assert 1 == len(caught.value.__notes__)
