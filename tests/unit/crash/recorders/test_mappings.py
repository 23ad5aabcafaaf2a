"""Which files a process has mapped."""

from __future__ import annotations

import mmap
import os

from holdfast.crash.recorders.mappings import Mapping, parse_mappings, shared_mappings

TEXT = """\
7f00-7f10 rw-s 00002000 fe:01 1234                       /d/a b
7f10-7f20 r--s 00000000 fe:01 1235                       /d/c
7f20-7f30 rw-p 00000000 fe:01 1236                       /d/e
7f30-7f40 rw-s 00000000 00:00 0
"""


def test_lines_are_read():
    """Private and anonymous mappings are left out."""
    found = list(parse_mappings(TEXT, 7))
    device = os.makedev(0xFE, 1)
    through = "/proc/7/map_files/7f00-7f10"
    assert Mapping(0x7F00, 0x7F10, 0x2000, (device, 1234), True, through) == found[0]
    assert [True, False] == [mapping.writable for mapping in found]


def test_part_of_the_file_between_two_addresses():
    """Cut to the mapping."""
    mapping = next(parse_mappings(TEXT, 7))
    assert (0x2008, 0x2010) == mapping.part(0x7F08, 0x8000)


def test_own_mappings(tmp_path):
    """A file that is mapped is found by its inode."""
    with open(tmp_path / "f", "w+b") as file:
        file.truncate(4096)
        with mmap.mmap(file.fileno(), 4096):
            inodes = [mapping.identity[1] for mapping in shared_mappings(os.getpid())]
            assert os.fstat(file.fileno()).st_ino in inodes


def test_process_that_is_gone():
    """It has none."""
    assert [] == shared_mappings(2**30)
