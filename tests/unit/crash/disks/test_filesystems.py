"""The filesystems and what they need."""

from __future__ import annotations

import pytest

from holdfast.crash.disks.filesystems import FILESYSTEMS, missing, variant


def test_variant_is_read_as_it_is_written() -> None:
    """The name in tables is what the command line takes."""
    assert "ext4 data=journal" == variant("ext4 data=journal").name
    assert "xfs" == variant("xfs").name


def test_options_are_added_to_those_that_are_always_needed() -> None:
    """An image of xfs has the identity of its base, so `nouuid` stays."""
    assert "nouuid,noatime" == variant("xfs noatime").mount_options
    assert "noauto_da_alloc" == variant("ext4 noauto_da_alloc").mount_options


def test_mount_without_flushes_is_unsafe() -> None:
    """`barrier=0` promises nothing, other options do."""
    assert [True, False, False] == [
        variant(f"ext4 {options}").unsafe for options in ("barrier=0", "data=journal", "")
    ]


def test_unknown_filesystem_is_refused() -> None:
    """The message names those that there are."""
    with pytest.raises(ValueError, match=r"zfs: no filesystem .* ext4, xfs, btrfs"):
        variant("zfs")


def test_missing_tool_is_named_with_its_package(monkeypatch) -> None:
    """Where mkfs is not found, the package that has it is named."""
    monkeypatch.setenv("PATH", "/nonexistent")
    lacks = [text for text in missing(list(FILESYSTEMS)) if text.startswith("mkfs")]

    assert [
        "mkfs.ext4: install the package e2fsprogs",
        "mkfs.xfs: install the package xfsprogs",
        "mkfs.btrfs: install the package btrfs-progs",
    ] == lacks
