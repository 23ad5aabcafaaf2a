"""Mounts that cannot be made."""

from __future__ import annotations

import errno

import pytest

from holdfast.crash.disks.mounting import mounted, unmount


def test_mount_that_is_refused_says_where(tmp_path) -> None:
    """The error has the kernel's number and the folder, and the body is not run."""
    with (
        pytest.raises(OSError, match=str(tmp_path)) as caught,
        mounted("none", str(tmp_path), kind="no-such-filesystem"),
    ):
        pytest.fail("the body was run")

    assert caught.value.errno in {errno.ENODEV, errno.EPERM}


def test_unmount_of_what_is_not_mounted_is_an_error(tmp_path) -> None:
    """It is not waited for, and not taken for done."""
    with pytest.raises(OSError, match=str(tmp_path)) as caught:
        unmount(str(tmp_path))

    assert caught.value.errno in {errno.EINVAL, errno.EPERM}
