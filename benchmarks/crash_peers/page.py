"""The page about all peers, made of a run."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from typing import TYPE_CHECKING, Any

from benchmarks.crash_peers.programs.sqlite import MODES, SYNCHRONOUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Final

    from benchmarks.crash_peers.measuring import Result, Verdict

__all__ = ["lost_cuts", "matrix", "page", "row"]

_TITLES: Final = {
    "files": "A file, by hand",
    "writers": "Libraries that replace a file",
    "ours": "holdfast",
    "stores": "Small stores",
    "queues": "persist-queue",
    "logs": "logging",
    "sqlite": "sqlite3",
}
_REMARKS: Final = {
    "ours": "`sync='never'` says what it gives up, and does: atomic for readers, not for a crash.\n"
    "`write_many` promises each file on its own.",
    "stores": "`shelve` used `{dbm}` here, which is what there is without a database library.\n"
    "`diskcache` calls itself a cache: it sets `synchronous=NORMAL` and syncs no files of its own.",
    "logs": "Logging promises nothing about crashes. A torn last line does not count as damage;\n"
    "NUL bytes, a missing file and lines that are gone while later ones are there do.",
    "sqlite": "Not whole: it reads as damaged, or as a state that was never saved.\n"
    "Python opens with DELETE and FULL unless told otherwise.",
}
_CAUSES: Final = {"prefix": "a kill", "linux": "a power cut", "posix": "a power cut (POSIX)"}
_MENDED: Final = {
    "sync-before-rename": "a sync of the file before the rename",
    "sync-folder": "a sync of the folder",
    "sync-file": "a sync of the file",
    "truncate-then-write": "a temporary file and a rename, instead of emptying the file",
    "torn-write": "a temporary file and a rename, or a checksum that the reader minds",
    "not-atomic": "one step that makes all of it valid at once, such as a rename or a log",
}
_LOST_CUT: Final = """\
The smallest state of {names} lost a cut of a file and kept the growth after it.
The model takes sizes for independent of each other; whether one of the three does so was not tried.
"""
_CUT = re.compile(r"f?truncate(?:64)?\(('.*'), 0\)")
_LIBRARY = re.compile(r".*/(?:site-packages|lib/python[0-9.]+)/")

_HEAD = """\
# What writers and stores lose in a crash

The crash tester on libraries and recipes that are in use, and on holdfast.
This page is made by a run, with the peers of the dependency group `bench`:
`python -m benchmarks.crash_peers --write docs/reference/crash-peers.md`

Run on {system}, Python {python}, SQLite {sqlite}: {count} programs, {states:,} states checked.

## How to read it

Each program holds state 0 durably. It saves states 1 and 2, of 6,002 characters each,
and acknowledges each when the call that saves it has returned.
Its calls are recorded, and every state that a crash at any point may leave is opened as the next
start would. Two promises are checked:

| column | holds if, in every state |
| --- | --- |
| **whole** | what is there is a state that was saved, old or new; never damaged, never none |
| **kept** | it is the one that was acknowledged last, or a newer one |

"no: a kill" means that `kill -9` at the wrong moment does it.
"no: a power cut" means that the model `linux` allows it: what ext4, xfs and btrfs together may do
([what a crash may leave](../explanation/crash-model.md)). Not each of them does it on each day.
*states* counts the different ones that were checked; a number with `~` is a sample of more
(those that lose least first, then at random), so a "yes" beside it is "none was found".

Not every peer promises what is checked here: what it loses may be what it chose.
"""


def page(results: Sequence[Result]) -> str:
    """Return the whole page."""
    return "\n".join(_lines(results)).rstrip() + "\n"


def _lines(results: Sequence[Result]) -> Iterator[str]:
    states = sum(result.whole.states + result.kept.states for result in results)
    yield _HEAD.format(
        system=f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        count=len(results),
        states=states,
    )
    yield "## Tables\n"
    for program, title in _TITLES.items():
        group = [result for result in results if result.peer.program == program]
        if group:
            yield f"### {title}\n"
            yield from matrix(group) if program == "sqlite" else _table(group)
            yield ""
            yield from lost_cuts(group)
            if program in _REMARKS:
                yield _REMARKS[program].format(dbm=_dbm()) + "\n"
    yield "## The smallest sequences\n"
    yield _SEQUENCES_HEAD
    for result in results:
        yield from _sequences(result)


def lost_cuts(group: Iterable[Result]) -> Iterator[str]:
    """Yield a remark on those that are damaged only because a cut is lost and a growth is not."""
    names = [
        f"`{result.peer.name}`"
        for result in group
        if result.whole.finding is not None and _has_lost_cut(result.whole.finding["calls"])
    ]
    if names:
        yield _LOST_CUT.format(names=" and ".join(names))


def _has_lost_cut(calls: Sequence[dict[str, Any]]) -> bool:
    """Whether a file was emptied, in vain, and grew again, and that survived."""
    for number, call in enumerate(calls):
        cut = _CUT.match(call["text"])
        if cut and call["lost"]:
            return any(
                "write" in later["text"]
                and cut[1] in later["text"]
                and "the size of" not in (later["lost"] or "")
                for later in calls[number + 1 :]
            )
    return False


_SEQUENCES_HEAD = """\
One for each "no": calls on the files, the line of the program or library in brackets,
what was lost and where the crash struck. Where one change mends both, one is shown.
Lines of this project's programs are in `benchmarks/crash_peers/programs`.
"""


def _table(results: Iterable[Result]) -> Iterator[str]:
    yield "| name | how | version | whole | kept | states |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for result in results:
        yield row(result)


def row(result: Result) -> str:
    """Return the line of a table; all but its last cell is the verdict."""
    peer = result.peer
    verdicts = f"{_cell(result.whole)} | {_cell(result.kept)}"
    version = f"{peer.package} {peer.version}" if peer.package else ""
    return f"| `{peer.name}` | {peer.how} | {version} | {verdicts} | {_states(result)} |"


def matrix(results: Iterable[Result]) -> Iterator[str]:
    """Yield the table of journal modes and synchronous settings, as far as there are results."""
    found = {result.peer.variant: result for result in results}
    yield "| journal mode | " + " | ".join(SYNCHRONOUS) + " | states |"
    yield "| --- |" + " --- |" * (len(SYNCHRONOUS) + 1)
    for mode in MODES:
        row_of = [found.get(f"{mode}-{synchronous}") for synchronous in SYNCHRONOUS]
        if any(row_of):
            cells = " | ".join("" if result is None else database_cell(result) for result in row_of)
            states = sum(result.whole.states for result in row_of if result is not None)
            yield f"| {mode} | {cells} | ~{states:,} |"


def database_cell(result: Result) -> str:
    """Return the verdict on one combination, in a word."""
    if result.whole.model is not None:
        return f"not whole: {_CAUSES[result.whole.model]}"
    if result.kept.model is not None:
        return f"not kept: {_CAUSES[result.kept.model]}"
    return "**both hold**"


def _cell(verdict: Verdict) -> str:
    return "yes" if verdict.model is None else f"no: {_CAUSES[verdict.model]}"


def _states(result: Result) -> str:
    return f"{'' if result.whole.exhaustive else '~'}{result.whole.states:,}"


def _dbm() -> str:
    import dbm

    return dbm._defaultmod.__name__ if dbm._defaultmod else "dbm.dumb"


def _sequences(result: Result) -> Iterator[str]:
    for promise, verdict in (("whole", result.whole), ("kept", result.kept)):
        if verdict.finding is None:
            continue
        if promise == "kept" and result.whole.finding is not None and _same(result):
            continue
        heading = "not whole" if promise == "whole" else "not kept"
        how = f"`{result.peer.name}`, {heading}: {_CAUSES[verdict.finding['model']]}"
        yield f"{how}, {verdict.bad:,} of {verdict.states:,} states\n"
        yield "```text"
        yield from _calls(verdict.finding)
        yield "```\n"


def _same(result: Result) -> bool:
    """Whether what breaks the one promise is what breaks the other: one change mends both."""
    whole, kept = result.whole.finding, result.kept.finding
    return whole is not None and kept is not None and _rules(whole) == _rules(kept)


def _rules(finding: dict[str, Any]) -> list[str]:
    return [advice["rule"] for advice in finding["advice"]]


def _calls(finding: dict[str, Any]) -> Iterator[str]:
    skipped = 0
    calls = finding["calls"]
    for number, call in enumerate(calls):
        ends = {number - 1, number, number + 1} & {0, len(calls) - 1}
        if not ends and not call["lost"] and not call["acknowledgement"]:
            skipped += 1
            continue
        yield from _more(skipped)
        skipped = 0
        lost = f"   LOST: {call['lost']}" if call["lost"] else ""
        yield f"#{call['number']} {call['text']}{_place(call['sites'])}{lost}"
    yield from _more(skipped)
    yield f">> CRASH {_without_places(finding['crash'])}"
    yield f"   {finding['said'].splitlines()[0]}"
    yield f"   missing: {_MENDED.get(rule := finding['advice'][0]['rule'], rule)}"


def _more(skipped: int) -> Iterator[str]:
    if skipped:
        yield f"   ... {skipped} more that {'is' if skipped == 1 else 'are'} whole"


def _place(sites: list[dict[str, Any]]) -> str:
    if not sites:
        return ""
    name, line = sites[0]["path"], sites[0]["line"]
    short = _LIBRARY.sub("", name)
    return f"  [{short if short != name else os.path.basename(name)}:{line}]"


def _without_places(crash: str) -> str:
    return re.sub(r" \([^()]*:[0-9]+( < [^()]*)?\)", "", crash)
