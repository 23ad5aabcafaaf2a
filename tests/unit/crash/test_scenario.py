"""The three steps of a crash test, without pytest's part in it."""

from __future__ import annotations

import json
import os
import sys

import pytest

import holdfast
from holdfast.crash import CallFault
from holdfast.crash.scenario import Scenario
from tests.support.recorder import needs_recorder


class Failed(Exception):
    """The test would have failed."""


class Skipped(Exception):
    """The test would have been skipped."""


def fail(text):
    raise Failed(text)


def skip(text):
    raise Skipped(text)


@pytest.fixture
def scenario(tmp_path) -> Scenario:
    """A scenario whose checks are quick."""
    needs_recorder()
    defaults = {"budget_s": 20.0, "isolation": "process"}
    return Scenario(str(tmp_path), defaults=defaults, fail=fail, unavailable=skip)


def careless(folder, number) -> None:
    """Replace the state, and sync nothing."""
    with open(f"{folder}/part", "w") as file:
        json.dump(number, file)
    os.replace(f"{folder}/part", f"{folder}/state")


def careful(folder, number) -> None:
    """Replace the state."""
    holdfast.write_text(f"{folder}/state", json.dumps(number))


def holds(folder, acked) -> None:
    """The state parses, and is no older than what was acknowledged."""
    with open(f"{folder}/state") as file:
        assert json.load(file) >= max(map(int, acked), default=0), "an acknowledged write is lost"


def test_careless_program_fails_the_test_with_the_report(scenario) -> None:
    """The report names the line, how to mend it and how to replay it."""
    scenario.setup(lambda d: careless(d, 0))
    scenario.run(lambda d, ack: (careless(d, 1), ack(1)))
    with pytest.raises(Failed) as caught:
        scenario.check(holds)
    text = str(caught.value)

    assert "an acknowledged write is lost" in text
    assert "test_scenario.py:" in text
    assert "fix: sync the folder '.'" in text
    assert "replay: crash.check(..., replay='" in text
    assert "holdfast crash --replay" not in text


def test_careful_program_passes(scenario) -> None:
    """Each check has a report of its own, with the options of that check."""
    scenario.setup(lambda d: careful(d, 0))
    scenario.run(lambda d, ack: (careful(d, 1), ack(1)))

    report = scenario.check(holds)
    assert (True, 0, "linux") == (report.exhaustive, report.bad, report.model)
    assert "prefix" == scenario.check(holds, model="prefix").model


def test_program_starts_in_the_folder(scenario) -> None:
    """It may write to its current folder, or to the one that it is given."""
    recording = scenario.run(lambda d, ack: open("here", "w").close())

    assert ["here"] == os.listdir(scenario.folder)
    assert 0 == recording.status


def test_what_the_function_changes_in_memory_is_lost(scenario) -> None:
    """It runs in a child."""
    seen: list[int] = []
    scenario.run(lambda d, ack: (seen.append(1), careful(d, 1)))

    assert [] == seen


def test_command_is_run_too(scenario) -> None:
    """Any language; its lines may acknowledge."""
    recording = scenario.run(["sh", "-c", "echo 1 > state; echo 1"], ack="stdout")

    assert any("stdout" in call.text for call in recording.calls)
    with pytest.raises(Failed, match="BUG 1"):
        scenario.check(lambda d, acked: holds(d, acked) if acked else None)


def test_function_that_raises_is_told_with_its_traceback(scenario, capfd) -> None:
    """Once, and without the lines of the tester."""
    with pytest.raises(Failed) as caught:
        scenario.run(lambda d, ack: 1 / 0)

    assert "the function raised, without any crash" in str(caught.value)
    assert "ZeroDivisionError" in str(caught.value)
    assert "scenario.py" not in str(caught.value).replace("test_scenario.py", "")
    assert ("", "") == capfd.readouterr()


def test_check_without_time_for_any_state_fails(scenario) -> None:
    """Nothing was tried, so nothing holds."""
    scenario.run(lambda d, ack: careful(d, 1))

    with pytest.raises(Failed, match="nothing was tried: raise budget_s"):
        scenario.check(lambda *_: None, budget_s=1e-9)


@pytest.mark.parametrize("code", [None, 0])
def test_function_that_exits_well_passes(code, scenario) -> None:
    """As a program that ends by `sys.exit()` does."""
    recording = scenario.run(lambda d, ack: (careful(d, 1), ack(1), sys.exit(code)))

    assert 0 == recording.status
    assert 0 == scenario.check(lambda d, acked: acked and holds(d, acked)).bad


@pytest.mark.parametrize("code", [3, "no", ["no"]])
def test_function_that_exits_badly_fails(code, scenario) -> None:
    """Any other code is a failure."""
    with pytest.raises(Failed, match="SystemExit"):
        scenario.run(lambda d, ack: (careful(d, 1), sys.exit(code)))


@pytest.mark.parametrize(
    ("command", "words"), [("exit 3", "exited with 3"), ("kill -9 $$", "killed by SIGKILL")]
)
def test_command_that_fails_is_told(command, words, scenario) -> None:
    """A program that fails by itself is no crash test."""
    with pytest.raises(Failed, match=words):
        scenario.run(["sh", "-c", f"echo > file; {command}"])


async def later(folder, acked=()) -> None:
    raise AssertionError("never")


def lazy(folder, acked=()):
    yield careless(folder, 1)


@pytest.mark.parametrize(("function", "kind"), [(later, "coroutine"), (lazy, "generator")])
def test_function_that_runs_nothing_is_told_at_each_step(function, kind, scenario) -> None:
    """A check that asserts nothing would pass; so would a recovery that does nothing."""
    words = rf"is a {kind} function, whose body a call does not run"
    with pytest.raises(Failed, match=rf"^crash\.setup: \w+ {words}$"):
        scenario.setup(function)
    with pytest.raises(Failed, match=rf"^crash\.setup: the function returned a {kind}, and"):
        scenario.setup(lambda _: function(scenario.folder))
    with pytest.raises(Failed, match=rf"^crash\.run: \w+ {words}$"):
        scenario.run(function)
    scenario.run(lambda d, ack: careful(d, 1))
    with pytest.raises(Failed, match=rf"^crash\.check: \w+ {words}$"):
        scenario.check(function)
    with pytest.raises(Failed, match=rf"the check returned a {kind}, and nothing of it was run"):
        scenario.check(lambda d, acked: function(d))
    with pytest.raises(Failed, match=rf"^crash\.check\(recover=\.\.\.\): \w+ {words}$"):
        scenario.check(holds, recover=function)


def test_program_that_runs_nothing_is_told(scenario) -> None:
    """Behind a lambda it is seen by what it returns."""
    with pytest.raises(Failed, match="TypeError: the function returned a coroutine, and nothing"):
        scenario.run(lambda d, ack: later(d))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"modle": "posix"}, r"crash\.check: modle: is no option\. Did you mean model\?"),
        ({"model": "foo"}, r"crash\.check: model='foo': choose one of prefix, linux, posix\."),
        ({"limit": 0}, r"crash\.check: limit=0: "),
    ],
)
def test_option_that_cannot_be_is_told_in_a_line(options, words, scenario) -> None:
    """Nothing is checked with it."""
    scenario.run(lambda d, ack: careful(d, 1))
    with pytest.raises(Failed, match=f"^{words}"):
        scenario.check(holds, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": 3}, r"crash\.run: timeout: is no option\. Did you mean timeout_s\?"),
        ({"ack": "yes"}, r"crash\.run: ack='yes': choose one of path, stdout\."),
        ({"faults": [CallFault("renam", 1, "EIO")]}, r"crash\.run: 'renam' is no call"),
        ({"faults": [CallFault("rename", 9, "EIO")]}, r"crash\.run: no call met the fault at re"),
    ],
)
def test_option_of_a_run_that_cannot_be_is_told_in_a_line(options, words, scenario) -> None:
    """Also a fault that the program does not come to."""
    with pytest.raises(Failed, match=f"^{words}"):
        scenario.run(lambda d, ack: careful(d, 1), **options)


def test_failure_may_be_expected(scenario) -> None:
    """With faults on order, or on request, the program may fail."""
    scenario.setup(lambda d: careful(d, 0))
    recording = scenario.run(lambda d, ack: careless(d, 1), faults=[CallFault("rename", 1, "EIO")])

    assert 1 == recording.status
    scenario.check(holds)


def test_any_exit_is_accepted_on_request(scenario) -> None:
    """What a failing program did can be crashed."""
    assert 3 == scenario.run(["sh", "-c", "echo > file; exit 3"], any_exit=True).status


def test_program_that_writes_nothing_is_told(scenario) -> None:
    """An acknowledgement alone is nothing to crash."""
    with pytest.raises(Failed, match="nothing was changed in"):
        scenario.run(lambda d, ack: ack(1))


def test_steps_out_of_order_are_told(scenario) -> None:
    """Check without run, run twice, setup behind run."""
    with pytest.raises(Failed, match=r"call crash\.run first"):
        scenario.check(holds)
    scenario.run(lambda d, ack: careful(d, 1))
    with pytest.raises(Failed, match="called already"):
        scenario.run(lambda d, ack: careful(d, 2))
    with pytest.raises(Failed, match="comes before"):
        scenario.setup(lambda d: careful(d, 0))


def test_check_that_always_fails_is_told(scenario) -> None:
    """It is no finding."""
    scenario.run(lambda d, ack: careful(d, 1))
    with pytest.raises(Failed, match=r"crash\.check: the check fails without any crash: KeyError"):
        scenario.check(lambda d, acked: {}["no"])


def test_program_that_cannot_be_started_is_told(scenario) -> None:
    """The recorder's own words."""
    with pytest.raises(Failed, match=r"crash\.run: no-such-program-of-anybody: cannot be executed"):
        scenario.run(["no-such-program-of-anybody"])


def test_finding_is_replayed(scenario) -> None:
    """Its id leads to the one state, which is kept beside the folder."""
    scenario.setup(lambda d: careless(d, 0))
    scenario.run(lambda d, ack: (careless(d, 1), ack(1)))
    with pytest.raises(Failed) as caught:
        scenario.check(holds)
    name = str(caught.value).partition("replay='")[2].partition("'")[0]
    with pytest.raises(Failed, match=f"state {name} is in"):
        scenario.check(holds, replay=name)
