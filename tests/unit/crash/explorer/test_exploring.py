"""The exploration: each different state once, recoveries, budget."""

from __future__ import annotations

import hashlib

from holdfast.crash.explorer.cases import HOLDS, Outcome, RecoveryFailed
from holdfast.crash.explorer.exploring import Exploration, Options
from holdfast.errors import HoldfastError
from holdfast.vfs.micro import Model
from holdfast.vfs.operations import Node, Write
from tests.support import recordings


class Bench:
    """Writes down what it is given, and says what it is told to."""

    notes: list[str] = []

    def __init__(self, outcome=lambda case: HOLDS, recovery=None) -> None:
        self.cases, self.recoveries = [], []
        self._outcome, self._recovery = outcome, recovery

    def run(self, cases):
        for case in cases:
            self.cases.append(case)
            yield case, self._outcome(case)

    def record_recovery(self, case):
        self.recoveries.append(case)
        if self._recovery is None:
            raise RecoveryFailed("it did not work")
        return self._recovery

    def close(self) -> None: ...


def explored(recording, bench, *, model: Model = "posix", budget_s=10.0, recovers=False):
    exploration = Exploration(recording, bench, Options(model, {}, budget_s, 0, recovers))
    exploration.run()
    return exploration


def test_uncrashed_folder_is_checked_first() -> None:
    """With all that was acknowledged."""
    bench = Bench()
    explored(recordings.replace(), bench)

    first = bench.cases[0]
    assert recordings.NEW == first.paths["state"].node.data
    assert ("saved",) == first.acked


def test_no_state_is_checked_twice() -> None:
    """Of all models together."""
    bench = Bench()
    exploration = explored(recordings.replace(file_sync=False), bench)
    keys = [(case.acked, tuple(case.paths.items())) for case in bench.cases[1:]]

    assert len(keys) == len(set(keys)) == exploration.tried
    assert exploration.states > exploration.tried


def test_models_go_from_the_strongest_to_the_weakest() -> None:
    """So the first that shows a bug is its label."""
    bench = Bench()
    explored(recordings.replace(file_sync=False), bench)
    models = [case.model for case in bench.cases[1:]]

    assert models == sorted(models, key=["prefix", "linux", "posix"].index)


def test_prefix_alone_tries_no_power_cut() -> None:
    """Nothing is ever lost there."""
    bench = Bench()
    explored(recordings.replace(file_sync=False), bench, model="prefix")

    assert not any(case.state.dropped for case in bench.cases)


def test_budget_of_nothing_stops_at_once() -> None:
    """And is said to have stopped."""
    assert explored(recordings.replace(), Bench(), budget_s=0.0).stopped


def test_each_model_gets_a_share_of_the_time() -> None:
    """A slow check leaves no model untried, however many states there are of the first."""
    big = recordings.replace(file_sync=False, data=b"x" * 4096 * 300)

    def slow(case):
        hashlib.pbkdf2_hmac("sha1", b"", b"", 20_000)
        return HOLDS

    bench = Bench(slow)
    exploration = explored(big, bench, model="linux", budget_s=0.5)

    assert exploration.stopped
    assert 300 > sum(case.model == "prefix" for case in bench.cases)
    assert {"prefix", "linux"} == {case.model for case in bench.cases}


def test_states_to_recover_from_take_bounded_memory() -> None:
    """What has no room is not recovered from, and the report is not exhaustive."""
    bench = Bench(recovery=recordings.record([]))
    large = {**recordings.STATE, 2: Node("file", data=bytes(100 << 20))}
    steps = [("write", 3, [Write(2, at * 4096, b"1" * 4096)]) for at in range(5)]
    exploration = explored(recordings.record(steps, large), bench, model="prefix", recovers=True)

    assert 2 == exploration.recoverable == len(bench.recoveries)
    assert not exploration.exhaustive


def test_recovery_of_each_tree_is_recorded_once() -> None:
    """From the state that had acknowledged most."""
    bench = Bench(recovery=recordings.record([]))
    exploration = explored(recordings.replace(), bench, recovers=True)
    trees = [tuple(case.paths.items()) for case in bench.recoveries]

    assert len(trees) == len(set(trees)) == exploration.recovered == exploration.recoverable
    renamed = [c for c in bench.recoveries if c.paths["state"].node.data == recordings.NEW]
    assert [("saved",)] == [case.acked for case in renamed]


def test_bad_states_are_not_recovered() -> None:
    """They are findings already."""
    bench = Bench(
        lambda case: Outcome("violated", "bad") if case.state.at == 2 else HOLDS,
        recovery=recordings.record([]),
    )
    explored(recordings.replace(), bench, recovers=True)

    assert bench.recoveries
    assert all(case.state.at != 2 for case in bench.recoveries)


def test_recovery_that_fails_is_a_finding() -> None:
    """The state is good for the check, and no program can start from it."""
    exploration = explored(recordings.replace(), Bench(), recovers=True)
    said = {bug.violation.outcome.said for bug in exploration.found.bugs_found()}

    assert {"it did not work"} == said


def test_recovery_that_cannot_be_recorded_costs_no_finding() -> None:
    """What was found before is reported, with a note."""

    class Forbidden(Bench):
        def record_recovery(self, case):
            raise HoldfastError("the kernel forbids it")

    exploration = explored(recordings.replace(), Forbidden(), recovers=True)

    assert ["no recovery could be recorded: the kernel forbids it"] == exploration.notes
    assert not exploration.exhaustive
