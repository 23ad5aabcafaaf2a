"""Compiled programs: return addresses on the stack, and what is no program of machine code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.crash.sites import SiteFinder
from holdfast.crash.sites.native import follows_a_call, is_interpreter, stack_pointer
from tests.support.stopped import stopped

SOURCE = """\
#include <stdio.h>
#include <unistd.h>
#include <sys/syscall.h>
static int wait_there(void) {
    char byte;
    dprintf(1, "%ld\\n", (long)syscall(SYS_gettid));
    return read(0, &byte, 1) != 1;                  /* innermost */
}
int save(int n) {
    int bad = wait_there() + n;                     /* caller */
    return bad;
}
int main(int count, char **words) {
    (void)words;
    return save(count);                             /* main */
}
"""

compiled = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("gcc") is None, reason="needs Linux and a C compiler"
)


def program(folder: Path, *flags: str) -> Path:
    """Compile the program."""
    (folder / "save.c").write_text(SOURCE)
    command = ["gcc", *flags, "save.c", "-o", "program"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "program"


def sites_of(path: Path):
    """What is found of it while it waits."""
    finder = SiteFinder()
    with stopped([path]) as it:
        found = finder.sites(it.pid, it.tid, it.instruction_pointer())
    finder.close()
    return found


def line(mark: str) -> int:
    """The line of the source with this comment."""
    return [f"/* {mark} */" in text for text in SOURCE.splitlines()].index(True) + 1


@compiled
@pytest.mark.skipif(shutil.which("addr2line") is None, reason="needs addr2line of binutils")
@pytest.mark.parametrize("flags", [("-O0",), ("-O2",), ("-O1", "-no-pie")], ids=" ".join)
def test_lines_of_a_c_program_are_named(tmp_path, flags):
    """Innermost first, inlined functions too, whatever the place that it is loaded at."""
    found = sites_of(program(tmp_path, "-g", *flags))
    expected = [(line("innermost"), "wait_there"), (line("caller"), "save"), (line("main"), "main")]
    assert expected == [(site.line, site.function) for site in found]
    assert {"save.c"} == {Path(site.path).name for site in found}


@compiled
def test_a_program_whose_file_is_gone_still_has_sites(tmp_path):
    """Installers replace programs that run."""
    path = program(tmp_path, "-O1")
    finder = SiteFinder()
    with stopped([path]) as it:
        path.unlink()
        found = finder.sites(it.pid, it.tid, it.instruction_pointer())
    finder.close()
    assert found
    assert found[0].path.startswith("program+0x")


@compiled
def test_a_stripped_program_has_addresses(tmp_path):
    """Without debug information, what a debugger understands."""
    found = sites_of(program(tmp_path, "-O1", "-s"))
    assert found
    assert all(site.path.startswith("program+0x") and not site.line for site in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0x0 0x7f 0x1 0x0 0x0 0x0 0x7ffd10 0x7f20\n", 0x7FFD10),
        ("-1 0x7ffd10 0x7f20\n", 0x7FFD10),
        ("running\n", 0),
    ],
)
def test_the_stack_pointer_is_the_last_word_but_one(text, expected):
    """In a system call, stopped elsewhere, and running."""
    assert expected == stack_pointer(text)


@pytest.mark.parametrize(
    ("code", "machine", "expected"),
    [
        ("9090e8fcffffff", "x86_64", True),
        ("90909090ffd0", "x86_64", True),
        ("9090909041ffd4", "x86_64", True),
        ("90ff1578563412", "x86_64", True),
        ("9090909090ff5010", "x86_64", True),
        ("90909090909090", "x86_64", False),
        ("909090909090c3", "x86_64", False),
        ("00000000000094", "aarch64", True),
        ("00000000003fd6", "aarch64", True),
        ("000000c0035fd6", "aarch64", False),
    ],
)
def test_calls_are_told_from_other_instructions(code, machine, expected):
    """Direct, through a register and through memory; `nop` and `ret` are none."""
    assert expected is follows_a_call(bytes.fromhex(code).rjust(7, b"\x90")[-7:], machine=machine)


def test_programs_that_run_texts_are_known():
    """With a version or without; a name that only begins alike is another program."""
    known = ("/bin/sh", "/usr/bin/node", "/usr/bin/python3.10", "/x/perl5.36.0", "/usr/bin/java")
    assert all(is_interpreter(path) for path in (*known, "/usr/bin/python3.13t", "/bin/bash"))
    assert not any(is_interpreter(path) for path in ("/bin/cp", "/x/shred", "/x/nodes", "/x/git"))
