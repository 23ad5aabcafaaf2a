"""The fixture `crash` in a project of its own, as a user has it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.command_line import environment
from tests.support.recorder import needs_recorder
from tests.tidy.source import run_bare

PROGRAM = """
import json, os
import pytest

def save(folder, number, sync):
    with open(folder + "/part", "w") as file:
        json.dump(number, file)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    os.replace(folder + "/part", folder + "/state")
    if sync:
        folder = os.open(folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

def holds(folder, acked):
    with open(folder + "/state") as file:
        assert json.load(file) >= max(map(int, acked), default=0), "lost"

def test_good(crash):
    crash.setup(lambda d: save(d, 0, True))
    crash.run(lambda d, ack: (save(d, 1, True), ack(1)))
    assert crash.check(holds).model == "posix"

def test_bad(crash):
    crash.setup(lambda d: save(d, 0, True))
    crash.run(lambda d, ack: (save(d, 1, False), ack(1)))
    crash.check(holds)

@pytest.mark.crash(model="prefix", isolation="process")
def test_marked(crash):
    crash.setup(lambda d: save(d, 0, True))
    crash.run(lambda d, ack: (save(d, 1, False), ack(1)))
    assert crash.check(holds).model == "prefix"

def test_raises(crash):
    crash.run(lambda d, ack: 1 / 0)
"""
UNAVAILABLE = """
import pytest
from holdfast.crash import scenario

def test_unavailable(crash):
    crash._unavailable("the kernel forbids it")
"""


MISTAKES = """
import pytest

def run(crash):
    crash.run(lambda d, ack: open(d + "/file", "w").close())

def test_option(crash):
    run(crash)
    crash.check(lambda d, acked: None, modle="posix")

@pytest.mark.crash(model="foo")
def test_model(crash):
    run(crash)
    crash.check(lambda d, acked: None)

@pytest.mark.crash("posix")
def test_unnamed(crash):
    pass

def test_later(crash):
    async def later(folder, acked):
        assert 0
    run(crash)
    crash.check(later)
"""


def run_pytest(folder, *options, ini="", program=PROGRAM) -> str:
    """Run the tests of a project in a folder, no other plugin loaded; what pytest prints."""
    return run_installed(folder, *options, "-p", "holdfast.pytest_plugin", ini=ini, program=program)


def run_installed(folder, *options, ini="", program=PROGRAM) -> str:
    """The same with what is installed, unless plugins are named."""
    (folder / "test_it.py").write_text(program)
    (folder / "pytest.ini").write_text(f"[pytest]\naddopts = --strict-markers\n{ini}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=environment(
            NO_COLOR="1",
            PYTEST_ADDOPTS="",
            PYTEST_PLUGINS="",
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1" if "holdfast.pytest_plugin" in options else "",
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_fixture_works_in_any_project(tmp_path) -> None:
    """Good programs pass, bad ones fail with the report, settings and marker are obeyed."""
    needs_recorder()
    text = run_installed(tmp_path, ini="crash_model = posix\ncrash_budget_s = 20\n")

    assert "2 failed, 2 passed" in text
    assert {"test_good", "test_marked"} == {
        line.partition("::")[2] for line in text.splitlines() if line.startswith("PASSED")
    }
    assert "BUG 1" in text
    assert "test_it.py:11" in text
    assert "the function raised, without any crash" in text
    assert "pytest_plugin.py" not in text


@pytest.mark.parametrize(
    ("ini", "expected"),
    [("", "1 skipped"), ("crash_unavailable = fail\n", "1 failed")],
)
def test_where_nothing_can_be_recorded_the_user_decides(ini, expected, tmp_path) -> None:
    """A skip with the reason; or a failure, where a silent skip would hide that nothing is run."""
    text = run_pytest(tmp_path, ini=ini, program=UNAVAILABLE)

    assert expected in text
    assert "the kernel forbids it" in text


def test_mistakes_are_told_in_a_line(tmp_path) -> None:
    """An option, a model or a marker that cannot be, and a check that would assert nothing."""
    needs_recorder()
    text = run_pytest(tmp_path, program=MISTAKES)

    assert "3 failed, 1 error" in text
    for line in (
        "crash.check: modle: is no option. Did you mean model?",
        "crash.check: model='foo': choose one of prefix, linux, posix.",
        "@pytest.mark.crash: name its options, such as model='posix'",
        "crash.check: later is a coroutine function, whose body a call does not run",
    ):
        assert line in text.splitlines(), line
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("ini", "words"),
    [
        ("crash_budget_s = soon", "crash_budget_s = soon: is no number of seconds"),
        ("crash_unavailable = never", "crash_unavailable = never: choose skip or fail"),
    ],
)
def test_setting_that_cannot_be_is_told_in_a_line(ini, words, tmp_path) -> None:
    """No test runs with it."""
    text = run_pytest(tmp_path, ini=ini, program=UNAVAILABLE)

    assert "1 error" in text
    assert words in text.splitlines()


def test_fixture_and_marker_are_listed(tmp_path) -> None:
    """`pytest --fixtures` and `--markers` explain them."""
    assert "crash -- " in run_pytest(tmp_path, "--fixtures")
    assert "@pytest.mark.crash(**options)" in run_pytest(tmp_path, "--markers")


def test_loading_the_plugin_loads_nothing_of_the_tester() -> None:
    """A project that does not use the fixture pays for one small module."""
    code = f"sys.path[:0] = {sys.path!r}; import pytest; old = set(sys.modules)\n"
    code += "import holdfast.pytest_plugin; before = old"
    loaded = run_bare(code)

    assert ["holdfast", "holdfast.pytest_plugin"] == loaded
