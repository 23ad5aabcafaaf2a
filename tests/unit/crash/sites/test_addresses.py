"""The answers of addr2line, and its absence."""

from __future__ import annotations

import os
import sys

import pytest

from holdfast.crash.recording import Site
from holdfast.crash.sites.addresses import LineTable, parse_lines

ANSWER = """\
0x0000000000001206
wait_there
/src/save.c:7
save
/src/save.c:10 (discriminator 3)
0x00000000000010a9
outer
??:0
0x00000000000010d1
??
??:?
"""


def test_functions_lines_and_what_is_unknown_are_told_apart():
    """Inlined functions before the one around them; a function without a line; neither."""
    expected = {
        0x1206: (Site("/src/save.c", 7, "wait_there"), Site("/src/save.c", 10, "save")),
        0x10A9: (Site("", 0, "outer"),),
        0x10D1: (Site("", 0, ""),),
    }
    assert expected == parse_lines(ANSWER)


@pytest.mark.parametrize("text", ["", "\n\n", "a\nb\nc", "0x12\nf", "0x12\n0x13\nf\nx:1\nx"])
def test_other_answers_are_read_as_far_as_they_go(text):
    """Nothing, and answers that are cut off."""
    assert all(isinstance(site, Site) for found in parse_lines(text).values() for site in found)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux: /proc/PID/exe")
def test_without_the_tool_there_are_addresses(monkeypatch):
    """A machine without binutils still gets a place that a debugger understands."""
    monkeypatch.setenv("PATH", "/nowhere")
    table = LineTable(os.getpid(), "/usr/bin/program", start=0x10000)
    assert (Site("program+0x1234", 0, ""),) == table.sites([0x11234])
