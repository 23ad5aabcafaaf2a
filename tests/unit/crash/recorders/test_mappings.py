"""Which files a process has mapped."""

from __future__ import annotations

import mmap
import os

import pytest

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.crash.recorders.mappings import Mapping, parse_mappings, shared_mappings
from holdfast.crash.recorders.tree import identity

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
    assert Mapping(0x7F00, 0x7F10, 0x2000, (device, 1234), True, 7, b"/d/a b") == found[0]
    assert "/proc/7/map_files/7f00-7f10" == found[0].through
    assert [True, False] == [mapping.writable for mapping in found]


def test_any_name_of_a_file_is_read():
    """Line ends are escaped by the kernel; other signs that end a line somewhere are not."""
    name = b"/d/a\nb\x0cc\xe2\x80\xa8d \xff"
    text = f"7f00-7f10 rw-s 0 fe:01 1 {os.fsdecode(name)}".replace("\n", "\\012")
    assert [name] == [mapping.path for mapping in parse_mappings(text, 7)]


def test_part_of_the_file_between_two_addresses():
    """Cut to the mapping."""
    mapping = next(parse_mappings(TEXT, 7))
    assert (0x2008, 0x2010) == mapping.part(0x7F08, 0x8000)


def test_own_mappings(tmp_path):
    """A file that is mapped is found by its inode."""
    with open(tmp_path / "f", "w+b") as file:
        file.truncate(4096)
        with mmap.mmap(file.fileno(), 4096):
            found = [mapping.identity() for mapping in shared_mappings(os.getpid())]
            assert identity(os.fstat(file.fileno())) in found


def test_file_says_itself_which_it_is(tmp_path):
    """The device that is shown may be another one (btrfs): its inode number has to be right."""
    (tmp_path / "f").write_bytes(bytes(4096))
    known = identity(os.stat(tmp_path / "f"))
    path = os.fsencode(tmp_path / "f")
    shown = Mapping(0, 4096, 0, (known[0] + 1, known[1]), True, 2**30, path)
    assert 7 == shown.find({known: 7}.get)
    assert None is shown._replace(shown=(known[0] + 1, known[1] + 1)).find({known: 7}.get)
    assert None is shown._replace(path=path + b" (deleted)").find({known: 7}.get)


def test_file_is_opened_to_be_read(tmp_path):
    """By its path, where following the mapping is forbidden; another file is not taken for it."""
    (tmp_path / "f").write_bytes(b"abc")
    number = os.stat(tmp_path / "f").st_ino
    mapping = Mapping(0, 4096, 0, (0, number), True, 2**30, os.fsencode(tmp_path / "f"))
    own = mapping.open()
    assert b"abc" == os.read(own, 9)
    os.close(own)
    with pytest.raises(RecordingRefused, match="/f: process 1073741824 has it mapped"):
        mapping._replace(shown=(0, number + 1)).open()


def test_mapping_of_a_file_that_was_open_to_be_read(tmp_path):
    """It can never be written, and `msync` of it syncs nothing; the others can be made writable."""
    (tmp_path / "f").write_bytes(bytes(4096))
    for flags, expected in ((os.O_RDONLY, [False]), (os.O_RDWR, [True])):
        file = os.open(tmp_path / "f", flags)
        with mmap.mmap(file, 4096, prot=mmap.PROT_READ):
            known = identity(os.fstat(file))
            found = [m for m in shared_mappings(os.getpid()) if m.identity() == known]
            assert [False] == [mapping.writable for mapping in found]
            assert expected == [mapping.may_be_written() for mapping in found]
        os.close(file)


def test_process_that_is_gone():
    """It has none."""
    assert [] == shared_mappings(2**30)
