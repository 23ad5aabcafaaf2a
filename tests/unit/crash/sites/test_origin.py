"""Whose line it is: the program's, the standard library's, or the tester's own."""

from __future__ import annotations

import os

import pytest

import holdfast
from holdfast.crash.recording import Site
from holdfast.crash.sites.origin import SITES_MAX, is_of_program, is_of_recorder, program_sites

OWN = os.path.dirname(os.path.abspath(holdfast.__file__))
PROGRAM = (
    "/home/me/app.py",
    "/home/me/lib/python3.12/site-packages/boltons/fileutils.py",
    "/usr/lib/python3/dist-packages/apt/cache.py",
    "app.py",
    "<string>",
    "<stdin>",
    "/home/me/holdfast/app.py",
)
OTHERS = (
    "/usr/lib/python3.11/pathlib.py",
    "/usr/lib64/python3.13t/json/decoder.py",
    "/opt/x/lib/python311.zip/os.py",
    "/opt/x/lib/python3.11/lib-dynload/x.py",
    "<frozen importlib._bootstrap>",
    f"{OWN}/primitives/replace.py",
    "/venv/lib/python3.12/site-packages/holdfast/state/document.py",
)


@pytest.mark.parametrize("path", PROGRAM)
def test_files_of_the_program_and_its_packages_are_the_program(path):
    """What a package does to the files, the program does."""
    assert is_of_program(path)


@pytest.mark.parametrize("path", OTHERS)
def test_the_standard_library_and_holdfast_are_not(path):
    """Their lines are not for the author to mend."""
    assert not is_of_program(path)


def test_the_program_comes_first_and_alone():
    """Lines of the library between those of the program are left out."""
    sites = [Site(OTHERS[0], 5, "write_text"), Site("a.py", 2, "save"), Site(OTHERS[0], 9, "run")]
    sites.append(Site("a.py", 9, "<module>"))
    assert (sites[1], sites[3]) == program_sites(sites)


def test_the_library_is_named_where_there_is_nothing_else():
    """`python -m zipfile` has no line of its own."""
    sites = [Site(OTHERS[0], 5, "write_text"), Site(OTHERS[4], 9, "run")]
    assert tuple(sites) == program_sites(sites)


def test_what_called_the_recorder_is_not_the_program():
    """A test runner around a recorded function is no part of it."""
    recorder = f"{OWN}/crash/recorders/calls.py"
    assert is_of_recorder(recorder)
    assert not is_of_recorder("/home/me/holdfast/crash/recorders/calls.py")
    sites = [Site("test_a.py", 5, "save"), Site(recorder, 9, "run"), Site("pytest.py", 9, "main")]
    assert (sites[0],) == program_sites(sites)


def test_no_more_than_a_few_lines_are_kept_and_asked_for():
    """A deep stack is not walked to its end."""
    asked = []

    def endless():
        while True:
            asked.append(1)
            yield Site("a.py", len(asked), "f")

    assert SITES_MAX == len(program_sites(endless()))
    assert SITES_MAX == len(asked)
