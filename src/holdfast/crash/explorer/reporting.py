"""Turns an exploration, or one replayed state, into a report."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from holdfast.crash.endings import ending
from holdfast.crash.explorer.advice import advise
from holdfast.crash.explorer.cases import Outcome, RecoveryFailed
from holdfast.crash.explorer.failures import UnknownState
from holdfast.crash.explorer.findings import Bug, Finding, Violation
from holdfast.crash.explorer.keep import keep_state
from holdfast.crash.explorer.layout import finding_text
from holdfast.crash.explorer.report import Report
from holdfast.crash.explorer.scene import Scene
from holdfast.crash.explorer.wording import headline

if TYPE_CHECKING:
    from holdfast.crash.explorer.cases import Case
    from holdfast.crash.explorer.exploring import Exploration

__all__ = ["replay_report", "report_of"]


def report_of(exploration: Exploration, *, keep: str | None = None) -> Report:
    """Explore, and report; the smallest state of each finding is kept in the folder `keep`.

    Raises:
        CheckFails: The check fails without any crash; nothing was kept.
    """
    exploration.run()
    findings = [_finding(exploration, bug) for bug in exploration.found.bugs_found()]
    if keep is not None:
        findings = [_kept(exploration, finding, keep) for finding in findings]
    return _report(exploration, findings)


def _outcome(exploration: Exploration, case: Case, *, is_recovered: bool) -> Outcome:
    ((_, outcome),) = exploration.bench.run([case])
    if outcome.kind != "holds" or is_recovered or not exploration.options.recovers:
        return outcome
    try:
        exploration.bench.record_recovery(case)
    except RecoveryFailed as failure:
        return Outcome("violated", failure.said)
    return outcome


def _report(
    exploration: Exploration,
    findings: list[Finding],
    *,
    replayed: str | None = None,
    replay_id: str | None = None,
) -> Report:
    recording = exploration.recording
    notes = [*recording.notes, *exploration.bench.notes, *exploration.notes]
    if recording.status:
        ended = f"the program {ending(recording.status)}"
        notes.insert(0, f"{ended}: what it did until then was crashed")
    return Report(
        findings=tuple(findings),
        model=exploration.options.model,
        states=exploration.states,
        tried=exploration.tried,
        bad=exploration.found.states,
        exhaustive=exploration.exhaustive and not exploration.stopped,
        stopped=exploration.stopped,
        seconds=exploration.seconds,
        recorder=recording.recorder,
        notes=tuple(dict.fromkeys(notes)),
        recovered=exploration.recovered,
        recoverable=exploration.recoverable,
        replayed=replayed,
        replay_id=replay_id,
    )


def _finding(exploration: Exploration, bug: Bug) -> Finding:
    case, outcome, recording, parent = bug.violation
    return Finding(
        id=exploration.id_of(case, parent=parent),
        title=headline(outcome),
        model=case.model,
        case=case,
        recording=recording,
        kind=outcome.kind,
        said=outcome.said,
        also=bug.also,
        states=bug.states,
        advice=bug.advice,
        recovery_of=parent,
    )


def _kept(exploration: Exploration, finding: Finding, folder: str) -> Finding:
    text = finding_text(finding)
    kept = _keep(exploration, finding.case, folder=folder, name=finding.id, text=text)
    return finding._replace(kept=kept)


def _keep(exploration: Exploration, case: Case, *, folder: str, name: str, text: str) -> str | None:
    """Keep a state and its text; what was found is worth more, so a failure is but a note."""
    try:
        return keep_state(folder, name, case.paths, text=text)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        exploration.notes.append(f"state {name} is not kept: {where}{error.strerror or error}")
        return None


def replay_report(exploration: Exploration, wanted: str, *, keep: str | None = None) -> Report:
    """Check the one state with this id, and keep it as a folder whatever comes of it.

    Raises:
        UnknownState: There is none; nothing was kept.
        CheckFails: The check fails without any crash; nothing was kept.
    """
    exploration.check_uncrashed()
    parent = wanted.rpartition(".")[0]
    try:
        part = exploration.part_of(parent) if parent else exploration.whole
    except RecoveryFailed:
        part = None
    case = exploration.find(part, wanted) if part is not None else None
    if part is None or case is None:
        raise UnknownState(
            f"{wanted}: no state has this id under the model {exploration.options.model}. Nothing "
            "was checked. Use the options of the run that named it; if the program has changed, "
            "explore it anew."
        )
    outcome = _outcome(exploration, case, is_recovered=part.parent is not None)
    exploration.tried = exploration.states = 1
    findings: list[Finding] = []
    text = f"state {wanted}: the check holds\n"
    violation = Violation(case, outcome, part.recording, part.parent)
    if outcome.kind != "holds":
        exploration.found.add(violation)
        advice = advise(Scene(part.recording, case.state), hung=outcome.kind == "hung")
        findings = [_finding(exploration, Bug(violation, advice, 1, ()))]
        text = finding_text(findings[0])
    folder = keep or tempfile.mkdtemp(prefix="holdfast-replay-")
    kept = _keep(exploration, case, folder=folder, name=wanted, text=text)
    findings = [finding._replace(kept=kept) for finding in findings]
    replayed = os.path.join(folder, wanted) if kept else None
    return _report(exploration, findings, replayed=replayed, replay_id=wanted)
