"""Cuts the power of real filesystems: records each block write, and mounts what a crash may leave.

A FUSE server of our own serves one file, a loop device stands on that file, and ext4, xfs or btrfs
is mounted from it. All writes and flushes are recorded with their data; then any subset of the
writes that no flush covers is left out, the image is mounted, and what the filesystem recovers is
looked at. Needs root, /dev/fuse and loop devices; `python -m holdfast.crash.disks` says what is
missing.
"""

from __future__ import annotations
