"""The report as text: readable in 80 to 100 columns, in colour if that is wanted."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from holdfast.crash.explorer.lines import crash_point, lines_of
from holdfast.crash.explorer.wording import MODEL_WORDS, place, plain, plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.crash.explorer.findings import Finding
    from holdfast.crash.explorer.lines import Line

__all__ = ["Paper", "finding_text", "put_findings"]

_COLORS = {"bad": "1;31", "good": "1;32", "lost": "31", "fix": "32", "dim": "2", "bold": "1"}
_SAID_LINES = 8
_KINDS = {
    "violated": "the check says",
    "crashed": "the check crashed",
    "hung": "the check hung",
    "exited": "the check left",
}


class Paper:
    """Collects lines, wrapped and coloured."""

    def __init__(self, *, color: bool = False, width: int = 100) -> None:
        self.lines: list[str] = []
        self.width = max(width, 40)
        self._color = color

    def paint(self, text: str, style: str) -> str:
        """Put a text into a colour, if there are colours."""
        return f"\x1b[{_COLORS[style]}m{text}\x1b[0m" if self._color and style else text

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines) + "\n"

    def put(self, text: str, style: str = "", *, indent: str = "", hang: str = "") -> None:
        """Write a paragraph."""
        wrapped = textwrap.wrap(
            plain(text),
            self.width,
            initial_indent=indent,
            subsequent_indent=hang or indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        self.lines += [self.paint(line, style) for line in wrapped or [""]]


def put_findings(paper: Paper, findings: Iterable[Finding], *, program: str) -> None:
    """Lay the findings out, each with the command that replays it."""
    for number, finding in enumerate(findings, 1):
        _finding(paper, finding, f"BUG {number}")
        _replay_line(paper, finding, program)
        paper.put("")


def _finding(paper: Paper, finding: Finding, name: str) -> None:
    scene = finding.scene
    paper.put(f"{name}  {finding.title}", "bad", hang="       ")
    lost = len(finding.state.dropped)
    smallest = f"{plural(lost, 'thing')} lost in the smallest" if lost else "nothing lost"
    paper.put(f"{MODEL_WORDS[finding.model]}", indent="  ")
    paper.put(f"{plural(finding.states, 'bad state')}, {smallest}", indent="  ")
    if finding.recovery_of is not None:
        paper.put(f"a crash during the recovery of state {finding.recovery_of}", indent="  ")
    paper.put("")
    _story(paper, lines_of(scene))
    paper.put(f">> CRASH {crash_point(scene)}", "bold", indent="  ", hang="     ")
    _said(paper, finding)
    for advice in finding.advice:
        paper.put(f"fix: {advice.do}", "fix", indent="  ", hang="       ")
        if advice.use:
            paper.put(f"({advice.use})", "dim", indent="       ")


def _story(paper: Paper, lines: list[Line]) -> None:
    if not lines:
        return
    digits = max(len(str(line.call.number)) for line in lines) + 1
    rows = [(_mark(line), _text(line), plain(place(line.call))) for line in lines]
    widest = max(len(text) for _, text, _ in rows)
    sites = max(len(where) for _, _, where in rows)
    room = max(paper.width - digits - sites - 14, 24)
    for line, (mark, text, where) in zip(lines, rows, strict=True):
        left = f"  {mark:>{digits}} {_cut(text, room):<{min(widest, room)}}  {where:<{sites}}"
        end = "  LOST" if line.lost else ""
        detail = f": {plain(line.lost)}"
        fits = len(left) + len(end) + len(detail) <= paper.width
        whole = left + end + (detail if line.lost and fits else "")
        paper.lines.append(paper.paint(whole.rstrip(), "lost" if line.lost else ""))
        if line.lost and not fits:
            paper.put(line.lost, "lost", indent=" " * (digits + 5))


def _mark(line: Line) -> str:
    return "--" if line.is_mark else f"#{line.call.number}"


def _text(line: Line) -> str:
    return plain(line.call.text + (f" = {line.call.error}" if line.call.error else ""))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _said(paper: Paper, finding: Finding) -> None:
    lines = finding.said.splitlines() or [""]
    told = [*lines[:_SAID_LINES], "..."] if len(lines) > _SAID_LINES else lines
    paper.put(f"{_KINDS[finding.kind]}: {told[0]}", indent="  ", hang="     ")
    for line in told[1:]:
        paper.put(line, indent="     ")
    if finding.also:
        paper.put(f"elsewhere: {'; '.join(finding.also)}", "dim", indent="  ", hang="     ")
    if finding.acked:
        paper.put(f"acknowledged: {_acked(finding.acked)}", indent="  ", hang="     ")
    else:
        paper.put("acknowledged: nothing", indent="  ")


def _acked(acked: tuple[str, ...]) -> str:
    told = [repr(text) if not text.isprintable() or " " in text else text for text in acked]
    more = f"{len(told) - 10} before, " if len(told) > 10 else ""
    return more + ", ".join(told[-10:])


def _replay_line(paper: Paper, finding: Finding, program: str) -> None:
    command = f"holdfast crash --replay {finding.id}" + (f" {program}" if program else " ...")
    paper.lines.append(f"  replay: {command}")  # whole, at any width: it is there to be pasted
    if finding.kept:
        paper.put(f"kept: {finding.kept}", indent="  ", hang="        ")


def finding_text(finding: Finding, *, width: int = 100) -> str:
    """Lay one finding out, for the text beside a kept state."""
    paper = Paper(width=width)
    _finding(paper, finding, f"STATE {finding.id}")
    return paper.text
