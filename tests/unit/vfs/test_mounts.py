"""The mount table: many filesystems, and lines that nobody expects."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.vfs.mounts import (
    Mount,
    has_fine_stamps,
    mount_of,
    parse_mountinfo,
    promises_of,
    stores_in_place,
    writes_in_place,
)
from tests.support.mounts import ext4, mounted

TABLE = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
24 22 0:21 / /dev/shm rw,nosuid,nodev shared:2 - tmpfs tmpfs rw,size=64k
25 22 254:1 /sub /mnt/with\040space rw,relatime shared:3 master:1 - xfs /dev/vdb rw,attr2
26 22 0:40 / /mnt/nfs rw,relatime - nfs4 host:/export rw,vers=4.2,local_lock=none
27 22 0:41 / /mnt/old rw,relatime - nfs host:/export rw,vers=3,nolock
28 22 0:42 / /mnt/share rw - cifs //host/share rw,vers=3.1.1
29 22 0:43 / / rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
30 22 0:44 / /mnt/fast rw - overlay overlay rw,volatile
31 22 254:2 / /mnt/raw rw - ext4 /dev/vdc rw,nobarrier,data=writeback
32 22 254:3 / /mnt/ext3 rw - ext3 /dev/vdd rw,barrier=0
33 22 0:45 / /mnt/ssh rw - fuse.sshfs host: rw
34 22 254:0 /file /mnt/a\134b\011c\012d rw - ext4 /dev/vda rw
"""
FILESYSTEMS = {
    "/dev/shm/a": "tmpfs",
    "/mnt/with space/a/b": "xfs",
    "/mnt/nfs": "nfs4",
    "/mnt/nfsother": "overlay",
    "/mnt/share/": "cifs",
    "/mnt/a\\b\tc\nd": "ext4",
    "/": "overlay",
    "/home/a": "overlay",
}


@pytest.mark.parametrize("path", FILESYSTEMS)
def test_path_lives_on_the_longest_mount_point(path: str) -> None:
    """The deepest mount counts, the last of equals, and `/mnt/nfsother` is not below `/mnt/nfs`."""
    mount = mount_of(path, parse_mountinfo(TABLE))
    assert mount is not None
    assert FILESYSTEMS[path] == mount.filesystem


def test_lines_are_taken_apart() -> None:
    """Device, root, point, filesystem, and the options of the mount and of its superblock."""
    mounts = parse_mountinfo(TABLE)
    assert 12 == len(mounts)
    options = frozenset({"rw", "relatime", "attr2"})
    assert Mount("254:1", "/sub", "/mnt/with space", "xfs", options) == mounts[2]


def test_network_filesystems_are_known() -> None:
    """NFS, CIFS and whatever runs through FUSE may be seen by other machines."""
    network = {mount.point for mount in parse_mountinfo(TABLE) if mount.is_network}
    assert {"/mnt/nfs", "/mnt/old", "/mnt/share", "/mnt/ssh"} == network


def test_empty_table_names_nothing() -> None:
    """Without a line there is no mount."""
    assert [] == parse_mountinfo("")
    assert mount_of("/a", []) is None


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        " - ",
        "22 1 254:0 / / rw",
        "22 1 254:0 / / rw - ext4",
        "22 1 254:0 / / rw - ext4 /dev/vda",
        "22 1 254:0 / - ext4 /dev/vda rw",
        "\0" * 100,
        "22 1 254:0 / / rw -ext4 /dev/vda rw",
    ],
)
def test_lines_of_another_shape_are_left_out(line: str) -> None:
    """A line that is not understood is passed over, and the next is read."""
    good = "22 1 254:0 / / rw - ext4 /dev/vda rw"
    assert [good.split()[7]] == [m.filesystem for m in parse_mountinfo(f"{line}\n{good}\n")]


@pytest.mark.parametrize("char", ["\u2028", "\x0b", "\x85", "\r", "\udcff"])
def test_only_a_newline_ends_a_line(char: str) -> None:
    """The kernel escapes blanks, tabs, newlines and backslashes; anything else is in the name."""
    mounts = parse_mountinfo(f"22 1 254:0 / /mnt/a{char}b rw - ext4 /dev/vda rw\n")
    assert [f"/mnt/a{char}b"] == [mount.point for mount in mounts]


@given(st.text(), st.text())
def test_any_table_is_parsed(text: str, path: str) -> None:
    """No text makes the parser fail, and a mount that is found is above the path."""
    mounts = parse_mountinfo(text + "\n" + TABLE)
    assert len(mounts) >= 10
    mount = mount_of("/" + path, mounts)
    assert mount is None or ("/" + path).startswith(mount.point)


def test_promises_of_this_place_are_told(tmp_path: Path) -> None:
    """The filesystem of a real path is named, also for a file that is not there yet."""
    promises = promises_of(os.path.realpath(tmp_path / "missing"))
    assert promises.filesystem != "unknown"
    assert promises.folder_sync


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="no tmpfs at /dev/shm")
def test_memory_is_said_to_be_lost_in_a_power_cut() -> None:
    """A sync on tmpfs reaches nothing that lasts, and the promise says so."""
    promises = promises_of("/dev/shm/missing")
    assert "tmpfs" == promises.filesystem
    assert not promises.sync_is_durable
    assert any("memory" in weakness for weakness in promises.weaknesses)


@pytest.mark.parametrize(
    ("path", "kernel", "fine"),
    [
        ("/dev/shm/a", "6.13.0", True),
        ("/dev/shm/a", "6.12.99-generic", False),
        ("/dev/shm/a", "10.1-rc2", True),
        ("/mnt/with space/a", "6.18.4", True),
        ("/mnt/nfs/a", "6.18.4", False),
        ("/mnt/share/a", "6.18.4", False),
        ("/mnt/ssh/a", "6.18.4", False),
        ("/mnt/fast/a", "6.18.4", False),
        ("/dev/shm/a", "unknown", False),
    ],
)
def test_fine_stamps_are_those_of_some_filesystems_of_new_kernels(
    path: str, kernel: str, fine: bool
) -> None:
    """Multigrain stamps came with Linux 6.13, on ext4, xfs, btrfs and tmpfs."""
    assert fine == has_fine_stamps(mount_of(path, parse_mountinfo(TABLE)), kernel)


@pytest.mark.parametrize(
    ("expected", "device"),
    [
        (True, (254, 0)),
        (True, (254, 1)),
        (True, (0, 21)),
        (False, (0, 40)),
        (False, (0, 43)),
        (False, (0, 45)),
        (False, (0, 99)),
        (False, (25, 41)),
    ],
    ids=["ext4", "xfs", "tmpfs", "nfs4", "overlay", "fuse", "not in the table", "looks alike"],
)
def test_stores_are_in_place_where_the_table_says_so(expected, device) -> None:
    """What the table does not name, and every filesystem that is not known for it, is not."""
    assert expected is writes_in_place(os.makedev(*device), parse_mountinfo(TABLE))


def test_device_with_two_filesystems_is_not_trusted() -> None:
    """Should the table name one device twice, both must write in place."""
    table = parse_mountinfo(TABLE + "35 22 254:0 / /mnt/b rw - btrfs /dev/vda rw\n")

    assert writes_in_place(os.makedev(254, 1), table)
    assert not writes_in_place(os.makedev(254, 0), table)


def test_answer_about_a_device_is_kept(tmp_path) -> None:
    """The second answer is the first one, and a device that nobody has is not in place."""
    device = tmp_path.stat().st_dev

    assert stores_in_place(device) is stores_in_place(device)
    assert not stores_in_place(os.makedev(4095, 77))


@pytest.mark.root
@pytest.mark.parametrize("filesystem", ["tmpfs", "ramfs"])
def test_filling_with_zeros_gains_nothing_in_memory(tmp_path: Path, filesystem) -> None:
    """Where nothing is synced, nothing is spared."""
    with mounted(tmp_path, "-t", filesystem, filesystem):
        assert not promises_of(str(tmp_path)).zero_filling


@pytest.mark.root
def test_filling_with_zeros_gains_on_ext4(tmp_path: Path) -> None:
    """A journal need not be written for blocks that are there."""
    with ext4(tmp_path) as place:
        assert promises_of(str(place)).zero_filling
        assert stores_in_place(place.stat().st_dev)
