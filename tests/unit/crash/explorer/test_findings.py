"""Many bad states, few bugs."""

from __future__ import annotations

from holdfast.crash.explorer.cases import Case, Outcome
from holdfast.crash.explorer.findings import Collector, Violation
from holdfast.crash.explorer.trees import paths_of
from holdfast.vfs.micro import Model
from holdfast.vfs.states import crash_states
from tests.support import recordings


def collect(recording, said, *, model: Model = "posix") -> Collector:
    """Every state is bad; `said` makes the words of each."""
    found = Collector()
    states = crash_states(recording.before, recording.operations, model=model)
    for number, state in enumerate(states):
        case = Case(model, state, paths_of(state.tree), state.marks)
        found.add(Violation(case, Outcome("violated", said(number, state)), recording, None))
    return found


def test_what_loses_more_is_the_same_bug() -> None:
    """States that lose the rename and more are counted with the one that loses it alone."""
    recording = recordings.replace(folder_sync=False)
    found = collect(recording, lambda n, s: "lost" if s.dropped else f"fine {n}")
    (bug,) = [bug for bug in found.bugs_found() if bug.violation.outcome.said == "lost"][:1]

    assert 1 == len(bug.violation.case.state.dropped)


def test_smallest_state_stands_for_the_bug() -> None:
    """Fewest losses, then fewest tears, then the earliest crash."""
    recording = recordings.replace(file_sync=False, data=b"x" * 9000)
    found = collect(recording, lambda _, state: "bad" if state.dropped else "good")
    for bug in found.bugs_found():
        lost = len(bug.violation.case.state.dropped)
        assert lost == bool(lost)


def test_strongest_model_is_the_label() -> None:
    """A bug that a kill shows is told as that, whatever else shows it."""
    recording = recordings.in_place(sync=True)
    found = Collector()
    models: tuple[Model, ...] = ("posix", "prefix")
    for model in models:
        for state in crash_states(recording.before, recording.operations, model=model):
            case = Case(model, state, paths_of(state.tree), state.marks)
            if not state.dropped and state.tree[2].data == b"":
                found.add(Violation(case, Outcome("violated", "empty"), recording, None))
    (bug,) = found.bugs_found()

    assert "prefix" == bug.violation.case.model
    assert 2 == bug.states


def test_other_words_of_one_bug_are_told() -> None:
    """One missing sync makes empty, cut and zeroed files."""
    recording = recordings.replace(file_sync=False)
    words = ["Expecting value", "Unterminated string", "Extra data"]
    found = Collector()
    for number, state in enumerate(crash_states(recording.before, recording.operations)):
        if state.dropped and state.at == 4 and state.tree.get(3):
            case = Case("posix", state, paths_of(state.tree), ())
            said = Outcome("violated", words[number % 3])
            found.add(Violation(case, said, recording, None))
    bugs = found.bugs_found()

    assert found.states == sum(bug.states for bug in bugs)
    assert any(bug.also for bug in bugs)
