"""docs/reference/journal-format.md against the code: layouts, bounds, names, writing, verdicts."""

from __future__ import annotations

import re
from pathlib import Path
from zlib import crc32

import pytest

from holdfast.formats import journal_format
from holdfast.formats.journal_format import (
    SLOTS,
    CheckpointHead,
    Identity,
    checkpoint_name,
    encode_head,
    encode_identity,
)
from holdfast.state.checkpoint_writing import PACE_BYTES
from holdfast.state.journal_place import NEW_IDENTITY
from holdfast.vfs.trace import Trace
from tests.support.checkpoints import LARGE, WHOSE, empty_disk, of, place_of, written

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "reference/journal-format.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d+) \| (\d+) \| (\w+) \|", re.MULTILINE)
IDENTITY = Identity(0x1122334455667788, "store", "json", 1234)
HEAD = CheckpointHead(IDENTITY.id, 3, 4712, 4715, 99, 0xDEADBEEF, 1234)


def section(title: str) -> str:
    """The text of a section."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def fields(title: str, block: bytes) -> dict[str, bytes]:
    """What a block holds at the places that the table of a section names; they are all of it."""
    rows = ROW.findall(section(title))
    edges = [(int(at), int(at) + int(size)) for at, size, _ in rows]
    assert [0, *(end for _, end in edges)] == [*(start for start, _ in edges), len(block)]
    return {name: block[int(at) : int(at) + int(size)] for at, size, name in rows}


def numbers(found: dict[str, bytes], *names: str) -> list[int]:
    """Fields as numbers."""
    return [int.from_bytes(found[name], "little") for name in names]


def magic(title: str) -> bytes:
    """The magic as the page spells it."""
    match = re.search(r"`(89(?: [0-9A-F]{2}){7})`", section(title))
    assert match
    return bytes.fromhex(match[1])


def test_identity_is_laid_out_as_the_page_says() -> None:
    """Each field stands at its place, and together they are the whole file."""
    title = "Layout of the identity"
    block = encode_identity(IDENTITY)
    found = fields(title, block)

    assert magic(title) == found["magic"]
    assert [1, 1, 0] == numbers(found, "version", "checksum", "flags")
    assert [IDENTITY.id, 1234] == numbers(found, "id", "created_ns")
    assert [5, 4] == numbers(found, "kind_bytes", "codec_bytes")
    assert (b"store".ljust(31, b"\0"), b"json".ljust(63, b"\0")) == (found["kind"], found["codec"])
    assert not any(found["reserved"])
    assert [crc32(block[:508])] == numbers(found, "crc")


def test_head_is_laid_out_as_the_page_says() -> None:
    """The same for a checkpoint."""
    title = "Layout of a checkpoint"
    block = encode_head(HEAD)
    found = fields(title, block)

    assert magic(title) == found["magic"]
    assert [1, 1, 0] == numbers(found, "version", "checksum", "flags")
    assert [*HEAD] == numbers(found, *HEAD._fields)
    assert not any(found["zero"] + found["reserved"])
    assert [crc32(block[:508])] == numbers(found, "crc")


def test_names_are_those_of_the_page() -> None:
    """The listing has every name, and they are the ones that the code makes."""
    listing = section("Files and names")
    names = re.findall(r"^  ([\w.-]+)/?(?:  |$)", listing, re.MULTILINE)

    expected = [journal_format.IDENTITY, journal_format.LOG, *SLOTS, checkpoint_name(4712)]
    assert expected == names
    assert f"`{NEW_IDENTITY}`" in listing


def test_bounds_are_the_true_ones() -> None:
    """The page's limits are those of the code."""
    limits, writing = section("Limits"), section("Writing")

    assert f"| {journal_format.SLOT_BODY_BYTES:,} bytes |" in limits
    kind, codec = journal_format.MAX_KIND_BYTES, journal_format.MAX_CODEC_BYTES
    assert f"| kind, codec | {kind}, {codec} bytes |" in limits
    assert f"from 1 to {kind} |" in section("Layout of the identity")
    assert f"from 0 to {codec} |" in section("Layout of the identity")
    assert f"{journal_format.SLOT_BYTES:,} bytes" in writing
    assert f"after each {PACE_BYTES >> 10} KiB" in writing
    rules = section("A checkpoint is valid if and only if")
    assert f"at most {journal_format.SLOT_BODY_BYTES:,}" in rules


def syncs(text: str) -> int:
    """How many syncs a list of steps has."""
    return text.lower().count("**sync**")


@pytest.mark.parametrize(("kind", "body"), [("In a slot,", b"small"), ("In a file,", LARGE)])
def test_checkpoint_costs_the_syncs_of_the_page(kind, body) -> None:
    """Those of its steps; the paced ones are one step."""
    steps = section("Writing").split(f"**{kind}**")[1].split("\n**")[0]
    traced = Trace(empty_disk())
    checkpoints = of(traced)
    for number in (1, 2):
        written(checkpoints, body, number)
    traced.clear()
    written(checkpoints, body, 3)
    waited = [call for call in traced.operations if call in {"sync", "sync_data", "sync_folder"}]
    paced = len(LARGE) // PACE_BYTES - 1 if body is LARGE else 0

    assert syncs(steps) == len(waited) - paced


def test_making_costs_the_syncs_of_the_page() -> None:
    """The folder and the one above it, the identity, and once more both folders for its name."""
    steps = section("Writing").split("**A journal is made:**")[1].split("\n**A commit")[0]
    traced = Trace(empty_disk())
    place_of(traced, "/new.jrn").open(create=True)
    waited = [call for call in traced.operations if call in {"sync", "sync_folder"}]

    assert 3 == syncs(steps)
    assert ["sync_folder"] * 2 + ["sync"] + ["sync_folder"] * 2 == waited


STATES = {
    "no folder, or an empty one": {"state.jrn": None},
    "`journal.new` alone": {f"state.jrn/{NEW_IDENTITY}": b"\x89HF"},
    "an identity alone": {"state.jrn/journal": encode_identity(WHOSE)},
    "no identity beside a log or a checkpoint": {"state.jrn/log/lock": b""},
}


@pytest.mark.parametrize("state", STATES)
def test_state_after_a_crash_has_the_verdict_of_the_page(state) -> None:
    """Of a place: there is none yet, there is one, or it is damaged."""
    row = re.search(rf"^\| {re.escape(state)} \|[^|]+\| (.+) \|$", PAGE, re.MULTILINE)
    assert row, state
    disk = empty_disk()
    disk.write_tree(STATES[state])
    place = place_of(disk)
    try:
        verdict = "an empty journal" if place.open(create=False) else "there is no journal yet"
    except Exception as error:
        verdict = f"damaged: `{type(error).__name__}`"

    assert row[1].startswith(verdict)


def test_checkpoints_after_a_crash_have_the_verdicts_of_the_page() -> None:
    """Two whole ones: the newer; one that is not valid, or empty: passed over."""
    disk = empty_disk()
    for number in (1, 2):
        written(of(disk), b"x", number)
    two = of(disk).load(b"".join)
    file = disk.folder("/state.jrn").open(SLOTS[1], "write")
    file.write(b"y", offset=512)
    torn = of(disk).load(b"".join)
    file.write(bytes(512), offset=0)
    empty = of(disk).load(b"".join)
    table = section("After a crash")

    assert [2, 1, 1] == [one.head.sequence for one in (two, torn, empty) if one.head]
    assert [0, 1, 0] == [len(one.skipped) for one in (two, torn, empty)]
    assert "| two valid checkpoints | the older slot is a spare | the newer one counts |" in table
    for state in ("a slot that is not valid", "a slot that is empty"):
        assert re.search(rf"^\| {state} \|[^|]+\| passed over", table, re.MULTILINE)


def test_other_pages_lead_here() -> None:
    """The start page and the page of files have a link."""
    assert "reference/journal-format.md" in (DOCS / "index.md").read_text("utf-8")
    assert "journal-format.md" in (DOCS / "reference/files.md").read_text("utf-8")
