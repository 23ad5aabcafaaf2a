"""The exploration itself: models from the strongest to the weakest, each different state once."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.endings import ending
from holdfast.crash.explorer.cases import Case, Outcome, RecoveryFailed
from holdfast.crash.explorer.failures import CheckFails
from holdfast.crash.explorer.findings import MODELS, Collector, Violation
from holdfast.crash.explorer.replay import state_id
from holdfast.crash.explorer.trees import paths_of
from holdfast.errors import HoldfastError
from holdfast.vfs.operations import Mark
from holdfast.vfs.states import CrashOptions, CrashState, crash_states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.crash.explorer.cases import Bench
    from holdfast.crash.explorer.trees import Paths
    from holdfast.crash.recording import Recording
    from holdfast.vfs.micro import Model

    Progress = Callable[[int, int | None, int, float], object]

__all__ = ["Exploration", "Options", "Part"]

_PROGRESS_S = 0.1
_RECOVERIES_MAX = 64
_HEALTHY_MAX = 4096
_HEALTHY_BYTES_MAX = 256 << 20
_SHARE_OF_A_MODEL = 0.75  # of the time that is left, so that the weaker ones are tried as well
_SHARE_S = 1.0  # that each recovery gets at least


class Options(NamedTuple):
    """What to try, and for how long. `states` go to `crash_states` as they are."""

    model: Model
    states: CrashOptions
    budget_s: float
    seed: int
    recovers: bool = False
    progress: Progress | None = None

    @property
    def settings(self) -> tuple[object, ...]:
        """What changes which states there are; the bounds do not."""
        bounds = {"limit", "seed"}
        return tuple(sorted((k, v) for k, v in self.states.items() if k not in bounds))


class Part(NamedTuple):
    """A recording that is explored: the program's own, or that of one recovery."""

    recording: Recording
    acked: tuple[str, ...] = ()
    parent: str | None = None


class Exploration:
    """Explores one recording on a bench."""

    def __init__(self, recording: Recording, bench: Bench, options: Options) -> None:
        self.recording = recording
        self.bench = bench
        self.options = options
        self.found = Collector()
        self.states = self.tried = self.recovered = self.recoverable = 0
        self.exhaustive = True
        self.stopped = False
        self._began_s = self._told_s = time.monotonic()
        self._deadline_s = self._began_s + options.budget_s
        self._seen: set[int] = set()
        self._healthy: dict[int, Case] = {}
        self._healthy_bytes = 0
        self.notes: list[str] = []

    @property
    def whole(self) -> Part:
        """The program's own recording."""
        return Part(self.recording)

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.monotonic() - self._began_s

    def run(self) -> None:
        """Try everything that the options ask for.

        Raises:
            CheckFails: The check fails without any crash.
        """
        self.check_uncrashed()
        last_s = self._deadline_s
        if self.options.recovers:  # half of the time is for what comes behind it
            self._deadline_s -= self.options.budget_s / 2
        self._explore(self.whole)
        self._deadline_s = last_s
        if self.options.recovers:
            self._recover_and_crash()
        self._tell(last=True)

    def check_uncrashed(self) -> None:
        """Check what the program left, with all that it acknowledged.

        Raises:
            CheckFails: Something else than `holds` came back.
        """
        marks = tuple(o.text for o in self.recording.operations if isinstance(o, Mark))
        after = self.recording.after
        state = CrashState(after, len(self.recording.operations), (), marks)
        case = Case("prefix", state, paths_of(after), marks)
        ((_, outcome),) = self.bench.run([case])
        if outcome.kind != "holds":
            raise _check_fails(outcome, self.recording.status)

    def cases(self, part: Part, model: Model) -> Iterator[Case]:
        """Give each state that the model allows, whether it was seen before or not."""
        recording, ordinals = part.recording, Counter[int]()
        options: CrashOptions = {**self.options.states, "model": model}
        states = crash_states(recording.before, recording.operations, **options)
        for state in states:
            ordinal = 0
            if not state.dropped:
                ordinal = ordinals[state.at]
                ordinals[state.at] += 1
            acked = (*part.acked, *state.marks)
            yield Case(model, state, paths_of(state.tree), acked, ordinal)
        self.exhaustive &= states.exhaustive

    def id_of(self, case: Case, *, parent: str | None = None) -> str:
        """Name a state."""
        return state_id(case, settings=self.options.settings, parent=parent)

    def models(self) -> tuple[Model, ...]:
        """The models up to the one that was asked for."""
        return MODELS[: MODELS.index(self.options.model) + 1]

    # One recording.

    def _explore(self, part: Part) -> None:
        models, last_s = self.models(), self._deadline_s
        for model in models:
            now_s = time.monotonic()
            share = 1.0 if model == models[-1] else _SHARE_OF_A_MODEL
            self._deadline_s = now_s + (last_s - now_s) * share
            with closing(self.bench.run(self._new_cases(part, model))) as outcomes:
                for case, outcome in outcomes:
                    self._take(part, case, outcome)
        self._deadline_s = last_s

    def _take(self, part: Part, case: Case, outcome: Outcome) -> None:
        self.tried += 1
        if outcome.kind != "holds":
            self.found.add(Violation(case, outcome, part.recording, part.parent))
        elif part.parent is None and self.options.recovers:
            self._offer(case)
        self._tell()

    def _new_cases(self, part: Part, model: Model) -> Iterator[Case]:
        for case in self.cases(part, model):
            if time.monotonic() >= self._deadline_s:
                self.stopped = True
                return
            self.states += 1
            if (look := _look(case.paths, case.acked)) not in self._seen:
                self._seen.add(look)
                yield case

    def _tell(self, *, last: bool = False) -> None:
        progress, now_s = self.options.progress, time.monotonic()
        if progress is not None and (last or now_s - self._told_s >= _PROGRESS_S):
            self._told_s = now_s
            progress(self.tried, None, self.found.bugs, self.seconds)

    # A crash during the recovery.

    def _offer(self, case: Case) -> None:
        """Note a healthy state; of two with the same tree, the one that promises more."""
        look = _look(case.paths)
        known = self._healthy.get(look)
        if known is not None:
            if len(known.acked) < len(case.acked):
                self._healthy[look] = case
            return
        size_bytes = sum(len(item.node.data) for item in case.paths.values())
        is_room = self._healthy_bytes + size_bytes <= _HEALTHY_BYTES_MAX
        if not self._healthy or (is_room and len(self._healthy) < _HEALTHY_MAX):
            self._healthy[look] = case
            self._healthy_bytes += size_bytes
        else:
            self.exhaustive = False

    def _recover_and_crash(self) -> None:
        chosen = [*self._healthy.values()]
        self.recoverable = len(chosen)
        if self.recoverable > _RECOVERIES_MAX:
            chosen = Random(self.options.seed).sample(chosen, _RECOVERIES_MAX)
            self.exhaustive = False
        last_s = self._deadline_s
        for number, case in enumerate(chosen):
            left_s = last_s - time.monotonic()
            if left_s <= 0:
                self.stopped = True
                return
            share_s = max(left_s / (len(chosen) - number), _SHARE_S)
            self._deadline_s = min(last_s, time.monotonic() + share_s)
            try:
                self._crash_recovery(case)
            except HoldfastError as error:
                self.notes.append(f"no recovery could be recorded: {error}")
                self.exhaustive = False
                return
            self.recovered += 1

    def _crash_recovery(self, case: Case) -> None:
        try:
            recording = self.bench.record_recovery(case)
        except RecoveryFailed as failure:
            outcome = Outcome("violated", failure.said)
            self.found.add(Violation(case, outcome, self.recording, None))
            return
        self._explore(Part(recording, case.acked, self.id_of(case)))

    def part_of(self, parent: str) -> Part | None:
        """Record the recovery of the state with this id once more, for a replay."""
        case = self.find(self.whole, parent)
        if case is None:
            return None
        return Part(self.bench.record_recovery(case), case.acked, parent)

    def find(self, part: Part, wanted: str) -> Case | None:
        """Return the state with this id."""
        for model in self.models():
            for case in self.cases(part, model):
                if self.id_of(case, parent=part.parent) == wanted:
                    return case
        return None


def _look(paths: Paths, acked: tuple[str, ...] = ()) -> int:
    """A number that differs for what differs: 64 bits, so that no contents need to be kept."""
    return hash((acked, tuple(paths.items())))


def _check_fails(outcome: Outcome, status: int) -> CheckFails:
    ended = "" if status == 0 else f" The program itself {ending(status)}."
    return CheckFails(
        f"the check fails without any crash: {outcome.said}.{ended} No crash was tried. Mend the "
        "check, or the program, until it holds for what the program leaves when all goes well.",
        kind=outcome.kind,
        said=outcome.said,
    )
