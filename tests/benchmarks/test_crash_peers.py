"""The page about what others lose is what the tester finds: its verdicts, and the known answers."""

from __future__ import annotations

import re

import pytest

from benchmarks.crash_peers.measuring import Peer, Result, Verdict, measure, peers
from benchmarks.crash_peers.page import database_cell, lost_cuts, row
from benchmarks.crash_peers.programs.sqlite import SYNCHRONOUS
from tests.tidy.source import ROOT

PAGE = (ROOT / "docs/reference/crash-peers.md").read_text("utf-8")
FLAGS = re.MULTILINE | re.DOTALL
PEERS = {peer.name: peer for peer in peers()}

# By the report of whoever measured first, on real filesystems or with another tester.
KNOWN = {
    "writers/atomicwrites": ("yes", "yes"),
    "writers/boltons": ("yes", "no: a power cut"),
    "stores/lmdb": ("yes", "yes"),
    "stores/lmdb-writemap": ("yes", "yes"),
    "stores/tinydb": ("no: a kill", "no: a kill"),
    "stores/shelve": ("no: a kill", "no: a kill"),
    "ours/write_bytes": ("yes", "yes"),
    "ours/document": ("yes", "yes"),
    "ours/write_many": ("yes", "yes"),
}
KNOWN_DATABASES = {
    "DELETE-FULL": "not kept: a power cut",
    "DELETE-EXTRA": "**both hold**",
    "DELETE-NORMAL": "not kept: a power cut",
    "PERSIST-NORMAL": "**both hold**",
    "WAL-FULL": "**both hold**",
    "WAL-NORMAL": "not kept: a power cut",
}
QUICK = (
    *("files/in-place", "files/rename", "files/rename-file-synced", "files/rename-both-synced"),
    *("writers/atomicwrites", "writers/boltons", "stores/tinydb", "stores/lmdb"),
    *("ours/write_bytes", "ours/document", "logs/file"),
)


def measured(peer: Peer) -> Result:
    """Measure a peer, or skip where it is not installed."""
    if peer.version is None:
        pytest.skip(f"{peer.package} is not installed: it is in the dependency group bench")
    return measure(peer)


def verdicts(line: str) -> tuple[str, str]:
    """The two verdicts in a line of a table."""
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    return cells[3], cells[4]


def line_of(name: str) -> str:
    """The line of a peer on the page."""
    return next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` "))


def database_on_page(variant: str) -> str:
    """The cell of a combination of journal mode and synchronous setting."""
    mode, synchronous = variant.split("-")
    cells = re.findall(rf"^\| {mode} \|(.*)\|", PAGE, re.MULTILINE)[0].split("|")
    return cells[SYNCHRONOUS.index(synchronous)].strip()


def test_every_peer_is_on_the_page():
    """None was left out because it was not installed."""
    missing = [name for name in PEERS if not name.startswith("sqlite/") and name not in PAGE]
    assert [] == missing
    assert "" not in {database_on_page(p.variant) for p in PEERS.values() if p.program == "sqlite"}


@pytest.mark.parametrize("name", KNOWN)
def test_page_agrees_with_what_is_known(name):
    """What was found before, by other means, is found again."""
    assert KNOWN[name] == verdicts(line_of(name))


@pytest.mark.parametrize("variant", KNOWN_DATABASES)
def test_page_agrees_with_what_is_known_of_sqlite(variant):
    """The settings whose promises are known."""
    assert KNOWN_DATABASES[variant] == database_on_page(variant)


@pytest.mark.parametrize("name", QUICK)
def test_page_says_what_a_run_finds(name):
    """A new run comes to the verdicts that stand on the page."""
    assert verdicts(line_of(name)) == verdicts(row(measured(PEERS[name])))


@pytest.mark.slow
@pytest.mark.parametrize("variant", KNOWN_DATABASES)
def test_page_says_what_a_run_finds_of_sqlite(variant):
    """A new run comes to the cell that stands on the page."""
    result = measured(PEERS[f"sqlite/{variant}"])
    assert database_on_page(variant) == database_cell(result)


def damaged(*calls: tuple[str, str]) -> Result:
    """A result whose smallest state lost this of these calls."""
    finding = {"calls": [{"text": text, "lost": lost} for text, lost in calls]}
    verdict = Verdict("linux", finding, 2, 1, exhaustive=True, stopped=False)
    return Result(PEERS["sqlite/TRUNCATE-NORMAL"], verdict, verdict)


def test_remark_on_a_lost_cut_is_made_where_a_state_shows_it():
    """And only if the file grew again, and that survived."""
    cut = ("ftruncate('j', 0)", "the size of 0")
    assert "`sqlite/TRUNCATE-NORMAL`" in "".join(
        lost_cuts([damaged(cut, ("pwrite64('j', 512 bytes)", "bytes 0..511"))])
    )
    for calls in [
        (cut,),
        (("ftruncate('j', 0)", ""), ("pwrite64('j', 512 bytes)", "bytes 0..511")),
        (cut, ("pwrite64('j', 512 bytes)", "the size of 512")),
        (cut, ("pwrite64('other', 512 bytes)", "")),
    ]:
        assert [] == list(lost_cuts([damaged(*calls)]))


def test_page_makes_the_remark_of_its_own_sequences():
    """It names what its sequences show, and nothing else."""
    shown = {
        name
        for name, calls in re.findall(r"^`(\S+)`, not whole.*?```text\n(.*?)```", PAGE, FLAGS)
        if re.search(r"truncate\(.*, 0\).*LOST", calls)
    }
    (remark,) = re.findall(r"^The smallest state of (.*) lost a cut", PAGE, re.MULTILINE) or ("",)
    assert shown == set(re.findall(r"`(\S+)`", remark))
