"""The tester finds each bad program of the corpus, names the line, and passes its mended twin."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from holdfast.crash.explorer import Finding, Report
from holdfast.crash.recorders import RecordingRefused
from tests.canaries.corpus import NAMES, Canary

ATTEMPTS = 5
# It sees calls, and a store into mapped memory is none; and it makes no call fail.
UNFIT_FOR_STRACE = {"mapped", "failed_sync"}


def summoned(name: str) -> Canary:
    """Load a canary, or skip with what is missing here."""
    canary = Canary(name)
    if canary.missing is not None:
        pytest.skip(f"{name} needs {canary.missing}, which is not on this machine")
    return canary


def kinds(report: Report) -> list[tuple[str, str]]:
    """What was found: the model and the rule of each."""
    return [(finding.model, finding.advice[0].rule) for finding in report.findings]


def names_the_line(canary: Canary, finding: Finding) -> bool:
    """Whether the first advice is about the marked line, or the given call."""
    number = finding.advice[0].call
    calls = [call for call in finding.recording.calls if call.number == number]
    return len(calls) == 1 and canary.is_meant(calls[0])


def test_corpus_is_large_and_in_many_languages():
    """At least 28 programs; Python, C, Node and shell; each model is the strongest for some."""
    canaries = [Canary(name) for name in NAMES]
    assert len(canaries) >= 28
    assert {".c", ".js", ".sh"} <= {c.program.suffix for c in canaries if c.program is not None}
    assert {"prefix", "linux", "posix"} == {canary.model for canary in canaries}


def test_every_canary_is_listed():
    """The page has one line for each, with what its docstring says."""
    page = Path(__file__).with_name("README.md").read_text("utf-8")
    canaries = [Canary(name) for name in NAMES]
    lines = [f"| {canary.model} | {canary.rule} |" for canary in canaries]
    listed = re.findall(r"^\| `(\w+)` \|.*(\| \w+ \| [a-z-]+ \|) [^|]*\|$", page, re.MULTILINE)
    assert list(zip(NAMES, lines, strict=True)) == listed


@pytest.mark.parametrize("name", NAMES)
def test_bad_program_is_found(name, tmp_path: Path):
    """The first finding has the strongest model that shows it and advice that names the line."""
    canary = summoned(name)
    report = canary.run("bad", tmp_path, model=canary.model)
    assert [(canary.model, canary.rule)] == kinds(report)[:1], report.text()
    assert names_the_line(canary, report.findings[0]), report.text()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_mended_twin_is_clean(name, tmp_path: Path):
    """Not one of all states breaks the promise."""
    canary = summoned(name)
    report = canary.run("good", tmp_path, model=canary.twin)
    assert [] == kinds(report), report.text()
    assert report.tried > 1, "nothing was tried"


def by_strace(canary: Canary, twin: str, folder: Path) -> Report:
    """Strace cannot tell which of two calls at the same moment came first, and then refuses."""
    for attempt in range(ATTEMPTS - 1):
        place = folder / f"{twin}-{attempt}"
        place.mkdir()
        try:
            return canary.run(twin, place, model=canary.model, recorder="strace")
        except RecordingRefused:
            continue
    return canary.run(twin, folder, model=canary.model, recorder="strace")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name not in UNFIT_FOR_STRACE])
def test_strace_finds_the_same(name, tmp_path: Path):
    """The fall-back recorder leads to the same first finding, and passes the same twin."""
    canary = summoned(name)
    if shutil.which("strace") is None:
        pytest.skip("strace is not on this machine")
    bad = by_strace(canary, "bad", tmp_path)
    assert [(canary.model, canary.rule)] == kinds(bad)[:1], bad.text()
    good = by_strace(canary, "good", tmp_path)
    assert [] == kinds(good), good.text()
