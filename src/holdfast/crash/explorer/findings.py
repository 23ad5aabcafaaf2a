"""From thousands of bad states to a few bugs, each with its smallest counterexample.

Two bad states show one bug if the check says the same of both (digits apart) and what one of them
lost, the other lost too, by the line of the program; where nothing was lost, if the crash struck in
the same function. Bugs that one change of the program mends are
then told as one. The smallest state of the strongest model stands for them.

States are taken in the order in which they are enumerated, whichever was checked first, so two runs
of one deterministic program that come to their end give the same report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.explorer.advice import Advice, advise
from holdfast.crash.explorer.replay import order_of
from holdfast.crash.explorer.scene import Scene
from holdfast.crash.explorer.wording import function_key, headline, normalised, site_key

if TYPE_CHECKING:
    from holdfast.crash.explorer.cases import Case, Outcome, OutcomeKind
    from holdfast.crash.recording import Recording
    from holdfast.vfs.micro import Model
    from holdfast.vfs.states import CrashState

__all__ = ["MODELS", "Bug", "Collector", "Finding", "Violation"]

MODELS: tuple[Model, ...] = ("prefix", "linux", "posix")
"""The strongest first: what the first one shows, the others show too."""

_ALSO_TOLD = 5


class Violation(NamedTuple):
    """A bad state. `parent` is the id of the state whose recovery this one is in."""

    case: Case
    outcome: Outcome
    recording: Recording
    parent: str | None


class Bug(NamedTuple):
    """Bad states that one change mends: the smallest of them, and what the check said elsewhere."""

    violation: Violation
    advice: tuple[Advice, ...]
    states: int
    also: tuple[str, ...]


class Finding(NamedTuple):
    """One bug.

    `model` is the strongest that shows it: `prefix` (a kill alone does it), `linux` or `posix`.
    `case` is its smallest state, `recording` the one that the state belongs to. `said` is what the
    check said there and `kind` how it ended; `also` what it said elsewhere. `acked` had been
    acknowledged. `states` says how many show it. `advice` is how to mend it, the most important
    first. `recovery_of` is the id of the state in whose recovery it happened. `kept` is the folder
    that holds the state.
    """

    id: str
    title: str
    model: Model
    case: Case
    recording: Recording
    kind: OutcomeKind
    said: str
    also: tuple[str, ...]
    states: int
    advice: tuple[Advice, ...]
    recovery_of: str | None
    kept: str | None = None

    @property
    def state(self) -> CrashState:
        """The smallest state that shows it."""
        return self.case.state

    @property
    def acked(self) -> tuple[str, ...]:
        """What the program had acknowledged."""
        return self.case.acked

    @property
    def scene(self) -> Scene:
        """Facts about the state."""
        return Scene(self.recording, self.case.state)


class _Group:
    """Bad states that say the same and lost the same."""

    def __init__(self, violation: Violation, scene: Scene, lost: frozenset[str]) -> None:
        self.lost = lost
        self.states = 1
        self.violation, self.scene = violation, scene
        self.rank = _rank(violation, scene)

    def add(self, violation: Violation, scene: Scene) -> None:
        self.states += 1
        rank = _rank(violation, scene)
        if rank < self.rank:
            self.rank, self.violation, self.scene = rank, violation, scene


class _Rank(NamedTuple):
    """What makes one bad state stand for others. No two states have the same."""

    model: int
    size: tuple[int, int, int]
    losses: tuple[str, ...]
    ordinal: int
    parent: str


def _rank(violation: Violation, scene: Scene) -> _Rank:
    case = violation.case
    model, losses = MODELS.index(case.model), order_of(case.state)
    return _Rank(model, scene.rank, losses, case.ordinal, violation.parent or "")


class Collector:
    """Takes bad states and gives findings."""

    def __init__(self) -> None:
        self.states = 0
        self._groups: dict[tuple[object, ...], list[_Group]] = {}

    @property
    def bugs(self) -> int:
        """How many different ones there may be, so far."""
        return sum(map(len, self._groups.values()))

    def add(self, violation: Violation) -> None:
        """Take one more bad state."""
        self.states += 1
        scene = Scene(violation.recording, violation.case.state)
        calls = violation.recording.calls
        lost = frozenset(site_key(calls[number]) for number in scene.lost_calls)
        where = "" if lost else _where(scene)
        key = (
            *(where, violation.outcome.kind, normalised(violation.outcome.said)),
            violation.parent is not None,
        )
        groups = self._groups.setdefault(key, [])
        for group in groups:
            if group.lost <= lost:
                group.add(violation, scene)
                return
        groups.append(_Group(violation, scene, lost))

    def bugs_found(self) -> list[Bug]:
        """Return the bugs, what is easiest to meet first."""
        bugs: dict[object, list[_Group]] = {}
        for groups in self._groups.values():
            for group in groups:
                key = (group.violation.parent is not None, advise(group.scene)[0].key)
                bugs.setdefault(key, []).append(group)
        told = [sorted(groups, key=lambda group: group.rank) for groups in bugs.values()]
        return [_bug(groups) for groups in sorted(told, key=lambda groups: groups[0].rank)]


def _bug(groups: list[_Group]) -> Bug:
    words = [headline(group.violation.outcome) for group in groups]
    told = {normalised(word): word for word in reversed(words)}
    del told[normalised(words[0])]
    also = tuple(reversed(told.values()))[:_ALSO_TOLD]
    states = sum(group.states for group in groups)
    first = groups[0].violation
    advice = advise(groups[0].scene, hung=first.outcome.kind == "hung")
    return Bug(first, advice, states, also)


def _where(scene: Scene) -> str:
    if not scene.at:
        return "before the first call"
    return f"in {function_key(scene.call(scene.at - 1))}"
