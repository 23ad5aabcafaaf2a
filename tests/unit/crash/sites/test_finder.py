"""Running programs, stopped in a call: their lines, in each version of Python that is here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.crash.recording import Site
from holdfast.crash.sites import SiteFinder
from holdfast.crash.sites.finder import FAILURES_MAX, PROCESSES_MAX
from tests.support.stopped import PATIENCE_S, VERSIONS, interpreter, line_of, script, stopped

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/syscall").exists(), reason="needs Linux's /proc/PID/syscall"
)

DESCRIPTORS = Path("/proc/self/fd")


@pytest.fixture
def finder() -> Iterator[SiteFinder]:
    """A finder that leaves no descriptor open."""
    finder = SiteFinder()
    yield finder
    finder.close()


def found(finder: SiteFinder, it) -> tuple[Site, ...]:
    """Where the program stands."""
    return finder.sites(it.pid, it.tid, it.instruction_pointer())


def awaited(finder: SiteFinder, process: int, line: int) -> list[int]:
    """The lines of a main thread that is on its way to a call, once it stands there."""
    end = time.monotonic() + PATIENCE_S
    lines: list[int] = []
    while time.monotonic() < end and lines != [line]:
        lines = [site.line for site in finder.sites(process, process, 0)]
    return lines


@pytest.mark.parametrize("version", VERSIONS)
def test_lines_of_a_python_program_are_named_innermost_first(tmp_path, finder, version):
    """Methods, generators, C functions between, names beyond ASCII; then the next call's line."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    path = script(
        tmp_path / "π",
        """
        class Store:
            def save(self, _):
                announce()
                os.read(0, 1)  # first
                announce()
                os.read(0, 1)  # second
        def größe():
            yield from map(Store().save, [1])  # generator
        list(größe())  # module
        """,
    )
    outer = [
        (path, line_of(path, "generator"), "größe"),
        (path, line_of(path, "module"), "<module>"),
    ]
    with stopped([python, path]) as it:
        first, again = found(finder, it), found(finder, it)
        it.go_on()
        second = found(finder, it)
    expected = [(path, line_of(path, "first"), "Store.save"), *outer]
    assert [tuple(map(str, e)) for e in expected] == [tuple(map(str, s)) for s in first]
    assert again == first
    assert line_of(path, "second") == second[0].line


@pytest.mark.parametrize("version", VERSIONS)
def test_each_thread_has_its_own_lines(tmp_path, finder, version):
    """A thread beside the main one, both inside calls."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    path = script(
        tmp_path,
        """
        def beside():
            announce()
            os.read(0, 1)  # beside
        thread = threading.Thread(target=beside)
        thread.start()
        thread.join()  # main
        """,
    )
    with stopped([python, path]) as it:
        (site,) = found(finder, it)
        main = awaited(finder, it.pid, line_of(path, "main"))
        nobody = finder.sites(it.pid, 2**22 + 1, 0)
    assert (line_of(path, "beside"), "beside") == (site.line, site.function)
    assert [line_of(path, "main")] == main
    assert () == nobody


def test_the_line_of_the_program_is_named_and_not_that_of_the_library(tmp_path, finder):
    """`write_text` of pathlib blocks in a pipe: the report names who called it."""
    path = script(
        tmp_path,
        """
        import pathlib
        os.mkfifo("pipe")
        announce()
        pathlib.Path("pipe").read_text()  # here
        """,
    )
    with stopped([sys.executable, path], cwd=tmp_path) as it:
        lines = awaited(finder, it.pid, line_of(path, "here"))
    assert [line_of(path, "here")] == lines


def test_a_forked_child_has_its_own_lines(tmp_path, finder):
    """The child of a fork is another process with the same program."""
    path = script(
        tmp_path,
        """
        if os.fork() == 0:
            announce()
            os.read(0, 1)  # child
            os._exit(0)
        os.wait()  # parent
        """,
    )
    with stopped([sys.executable, path]) as it:
        child = it.tid
        lines = awaited(finder, child, line_of(path, "child"))
        parent = awaited(finder, it.pid, line_of(path, "parent"))
        os.kill(child, 9)
    assert [line_of(path, "child")] == lines
    assert [line_of(path, "parent")] == parent


def test_another_program_in_the_same_process_is_noticed(tmp_path, finder):
    """After an exec nothing of the program before is said."""
    after = script(tmp_path, "announce()\nos.read(0, 1)  # after", "after.py")
    before = script(
        tmp_path,
        f"""
        announce()
        os.read(0, 1)  # before
        os.execv(sys.executable, [sys.executable, {str(after)!r}])
        """,
    )
    with stopped([sys.executable, before]) as it:
        first = found(finder, it)
        it.go_on()
        it.instruction_pointer()
        by_memory = finder.sites(it.pid, it.tid, 0)
        second = found(finder, it)
    assert second == by_memory
    assert [(str(before), line_of(before, "before"))] == [site[:2] for site in first]
    assert [(str(after), line_of(after, "after"))] == [site[:2] for site in second]


def test_a_shell_that_becomes_a_python_program_is_noticed(tmp_path, finder):
    """A program without lines is not taken to stay one."""
    path = script(tmp_path, "announce()\nos.read(0, 1)  # here")
    text = f"echo $$; read x; exec {sys.executable} {path}"
    with stopped(["sh", "-c", text]) as it:
        assert () == found(finder, it)
        it.go_on(b"\n")
        sites = found(finder, it)
    assert [(str(path), line_of(path, "here"))] == [site[:2] for site in sites]


def test_a_file_that_is_only_called_like_an_interpreter_is_passed_over(tmp_path, finder):
    """Names are no proof: what is mapped may be anything."""
    path = script(
        tmp_path,
        """
        import mmap
        with open("libpython3.99.so", "w+b") as file:
            file.truncate(4096)
            fake = mmap.mmap(file.fileno(), 4096)
        announce()
        os.read(0, 1)  # here
        """,
    )
    with stopped([sys.executable, path], cwd=tmp_path) as it:
        sites = found(finder, it)
    assert [line_of(path, "here")] == [site.line for site in sites]


def test_what_is_forgotten_is_learnt_again(tmp_path, finder):
    """A recorder that saw an exec says so."""
    path = script(tmp_path, "announce()\nos.read(0, 1)")
    with stopped([sys.executable, path]) as it:
        first = found(finder, it)
        finder.forget(it.pid)
        finder.forget(it.pid)
        assert first == found(finder, it) != ()


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_other_interpreters_have_no_lines(finder):
    """What runs texts that are not Python is not guessed at."""
    code = "const fs = require('fs'); fs.writeSync(1, process.pid + '\\n');"
    code += "fs.readSync(0, Buffer.alloc(1))"
    with stopped(["node", "-e", code]) as it:
        assert () == found(finder, it)


def test_a_process_that_is_gone_has_no_lines(finder):
    """Neither before it was looked at nor after."""
    with stopped(["sh", "-c", "echo $$; read x"]) as it:
        pid = it.pid
        found(finder, it)
    assert () == finder.sites(pid, pid, 0)
    assert () == finder.sites(2**31 - 1, 1, 0)
    assert () == finder.sites(-1, -1, -1)


def test_nothing_stays_open(tmp_path):
    """Many processes leave no more than a bounded number of descriptors, and none at the end."""
    before = len(list(DESCRIPTORS.iterdir()))
    finder = SiteFinder()
    children = [subprocess.Popen(["sleep", "60"]) for _ in range(PROCESSES_MAX + 3)]
    try:
        for child in children:
            finder.sites(child.pid, child.pid, 0)
        assert len(list(DESCRIPTORS.iterdir())) <= before + PROCESSES_MAX
    finally:
        for child in children:
            child.kill()
            child.wait()
    finder.close()
    assert before == len(list(DESCRIPTORS.iterdir()))


def test_a_call_is_answered_quickly(tmp_path, finder):
    """A thousand answers in a second, on a slow machine (twenty times the usual time)."""
    path = script(tmp_path, "def a(n):\n    if n: a(n - 1)\n    announce(); os.read(0, 1)\na(6)")
    with stopped([sys.executable, path]) as it:
        pointer = it.instruction_pointer()
        assert 8 == len(finder.sites(it.pid, it.tid, pointer))
        start = time.perf_counter()
        for _ in range(1000):
            finder.sites(it.pid, it.tid, pointer)
        assert time.perf_counter() - start < 1


def test_a_process_that_cannot_be_looked_into_is_asked_once(tmp_path, finder):
    """Its maps are long: they are not read again at each call."""
    path = script(tmp_path, "announce()\nos.read(0, 1)")
    with stopped([sys.executable, path]) as it:
        at = it.instruction_pointer()
        os.kill(it.pid, 0)
        process = finder._look_at(it.pid, at)
        process.give_up()
        assert () == finder.sites(it.pid, it.tid, at)
        assert process is finder._processes[it.pid]


def test_a_look_that_fails_is_repeated_a_few_times_only(tmp_path, finder):
    """Threads that change underway give no lines now and then; a lying process never does."""
    looks = []
    fresh = finder._look_at

    def look_at(*place):
        looks.append(fresh(*place))
        looks[-1]._memory.close()
        return looks[-1]

    finder._look_at = look_at
    path = script(tmp_path, "announce()\nos.read(0, 1)")
    with stopped([sys.executable, path]) as it:
        at = it.instruction_pointer()
        for _ in range(FAILURES_MAX + 3):
            assert () == finder.sites(it.pid, it.tid, at)
    assert FAILURES_MAX + 1 == len(looks)


def test_a_process_that_is_no_ones_business_costs_one_failure(finder):
    """One that is gone before it was looked at is remembered until it is forgotten."""
    child = subprocess.Popen(["true"])
    child.wait()
    assert () == finder.sites(child.pid, child.pid, 4096)
    process = finder._processes[child.pid]
    assert () == finder.sites(child.pid, child.pid, 8192)
    assert process is finder._processes[child.pid]
    finder.forget(child.pid)
    assert {} == finder._processes
