"""What an exploration found, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.explorer.layout import Paper, put_findings
from holdfast.crash.explorer.lines import crash_point, lines_of
from holdfast.crash.explorer.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.crash.explorer.findings import Finding
    from holdfast.vfs.micro import Model

__all__ = ["Report"]


class Report(NamedTuple):
    """The findings, and how much was tried.

    `states` is how many states the models gave, `tried` how many different ones of them were
    checked. `exhaustive`: no state that the model allows was left out; else `stopped` (out of time)
    or a sample. `recovered` is in how many states a recovery was recorded and crashed again, of
    `recoverable`. `replayed` is the folder that a replay has left.
    """

    findings: tuple[Finding, ...]
    model: Model
    states: int
    tried: int
    bad: int
    exhaustive: bool
    stopped: bool
    seconds: float
    recorder: str
    notes: tuple[str, ...] = ()
    recovered: int = 0
    recoverable: int = 0
    replayed: str | None = None
    replay_id: str | None = None

    @property
    def exit_code(self) -> int:
        """0 if nothing was found, 1 if something was, 2 if nothing was tried."""
        if self.findings:
            return 1
        return 0 if self.tried else 2

    def text(self, *, color: bool = False, width: int = 100, program: str = "") -> str:
        """Return the report for people.

        Args:
            color: with the escape sequences of terminals.
            width: no line is longer, where words can be broken; that of a replay is never broken.
            program: what to put behind the command of a replay, quoted for a shell.
        """
        paper = Paper(color=color, width=width)
        put_findings(paper, self.findings, program=program)
        for line, style in _summary(self):
            paper.put(line, style, hang="  ")
        return paper.text

    def as_json(self) -> dict[str, object]:
        """Return the report for programs: numbers, texts, lists and objects alone.

        `exit_code`, `model`, `states`, `tried`, `bad`, `exhaustive`, `stopped`, `seconds`,
        `recorder`, `recovered`, `recoverable`, `replayed`, `replay_id` and `notes` as above;
        `findings` is a list of objects: `id`, `title`, `model`, `kind`, `said`, `also`, `acked`,
        `states`, `at` (how many operations were done), `crash` (where it struck, in words),
        `inside_call`, `calls`, `advice`, `recovery_of`, `kept`.

        Each of `calls` has `number`, `text`, `lost` (empty, or what did not survive),
        `acknowledgement`, `error` and `sites` (`path`, `line`, `function`). Each of `advice` has
        `rule`, `call` (its number, or null), `do` and `use`.
        """
        facts = {
            name: getattr(self, name) for name in self._fields if name not in {"findings", "notes"}
        }
        return {
            "exit_code": self.exit_code,
            **facts,
            "notes": list(self.notes),
            "findings": [_finding(finding) for finding in self.findings],
        }


def _finding(finding: Finding) -> dict[str, object]:
    scene = finding.scene
    return {
        "id": finding.id,
        "title": finding.title,
        "model": finding.model,
        "kind": finding.kind,
        "said": finding.said,
        "also": list(finding.also),
        "acked": list(finding.acked),
        "states": finding.states,
        "at": scene.at,
        "crash": crash_point(scene),
        "inside_call": scene.is_inside,
        "calls": [
            {
                "number": line.call.number,
                "text": line.call.text,
                "lost": line.lost,
                "acknowledgement": line.is_mark,
                "error": line.call.error,
                "sites": [site._asdict() for site in line.call.sites],
            }
            for line in lines_of(scene)
        ],
        "advice": [
            {"rule": one.rule, "call": one.call, "do": one.do, "use": one.use}
            for one in finding.advice
        ],
        "recovery_of": finding.recovery_of,
        "kept": finding.kept,
    }


_UNTRIED: dict[Model, str] = {
    "prefix": "power cuts (--model linux)",
    "linux": "the weaker --model posix",
}


def _summary(report: Report) -> Iterator[tuple[str, str]]:
    if report.replay_id is not None:
        if report.replayed is not None:
            yield f"state {report.replay_id} is in {report.replayed}", ""
        if not report.findings:
            yield "CLEAN  the check holds for it now", "good"
    elif report.findings:
        bugs = plural(len(report.findings), "bug")
        bad = f"{report.bad:,} of {report.tried:,} states tried are bad"
        yield f"{bugs}: {bad} ({_how(report)})", "bad"
    elif not report.tried:
        yield f"NOTHING WAS TRIED: raise --budget ({_how(report)})", "bad"
    else:
        clean = "CLEAN" if report.exhaustive else "CLEAN SO FAR"
        yield f"{clean}  0 of {report.tried:,} states tried are bad ({_how(report)})", "good"
        if report.model in _UNTRIED:
            yield f"  not tried: {_UNTRIED[report.model]}", ""
    if report.recoverable:
        yield (
            (
                f"crashed again during the recovery of {report.recovered:,} of "
                f"{report.recoverable:,} states"
            ),
            "",
        )
    for note in report.notes:
        yield f"note: {note}", ""


def _how(report: Report) -> str:
    if report.stopped:
        coverage = "stopped by the time budget: a part of the states that it allows"
    elif report.exhaustive:
        coverage = "exhaustive: every state that it allows"
    else:
        coverage = "sampled: fewest losses first, then at random"
    return f"model {report.model}, {coverage}; {report.seconds:.1f} s"
