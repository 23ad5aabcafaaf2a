"""Maps of processes: names with blanks, deleted files, lines of another shape."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.crash.sites.mappings import Mapping, Ranges, parse_maps

TABLE = """\
55d0c0000000-55d0c0001000 r--p 00000000 fe:00 1234                       /opt/a b/python3
55d0c0001000-55d0c0002000 r-xp 00001000 fe:00 1234                       /opt/a b/python3
7f0000000000-7f0000001000 rw-s 00000000 00:01 99                         /memfd:x (deleted)
7f0000002000-7f0000003000 rw-p 00000000 00:00 0
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
7f0000004000-7f0000005000 r-xp 00000000 fe:00 7                          /two\\012lines
not a mapping
"""


def test_each_line_becomes_a_mapping():
    """Paths with blanks and line ends, deleted files and memory without one."""
    found = list(parse_maps(TABLE))
    assert Mapping(0x55D0C0000000, 0x55D0C0001000, "r--p", 0, "/opt/a b/python3") == found[0]
    assert Mapping(0x55D0C0001000, 0x55D0C0002000, "r-xp", 0x1000, "/opt/a b/python3") == found[1]
    paths = ["/memfd:x", "", "[stack]", "[vsyscall]", "/two\nlines"]
    assert paths == [mapping.path for mapping in found[2:]]
    assert [1, 5, 6] == [at for at, mapping in enumerate(found) if mapping.is_executable]


@given(st.text(max_size=200))
def test_any_text_is_parsed(text):
    """A line of another shape is left out."""
    assert all(mapping.end >= 0 for mapping in parse_maps(text))


def test_an_address_is_inside_or_outside_of_ranges():
    """A range has its start, and not its end."""
    ranges = Ranges([(30, 40), (10, 20)])
    assert [10, 19, 30, 39] == [n for n in range(50) if n in ranges and n in {10, 19, 30, 39}]
    assert {n for n in range(50) if n not in ranges} == {*range(10), *range(20, 30), *range(40, 50)}
    assert 20 == ranges.end_of(15)
    assert 0 == ranges.end_of(25)
    assert 0 not in Ranges([])
