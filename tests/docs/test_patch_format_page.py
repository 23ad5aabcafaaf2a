"""docs/reference/patch-format.md and the code say the same of the journal of a patch."""

from __future__ import annotations

import re
from pathlib import Path
from zlib import crc32

import pytest

from holdfast.errors import HoldfastError
from holdfast.formats.patch_format import (
    EMPTY,
    ENTRY_BYTES,
    HEAD_BYTES,
    MAX_BLOCKS,
    Block,
    Head,
    decode_head,
    encode,
)
from holdfast.primitives.in_place import InPlaceFile
from holdfast.primitives.in_place_journal import KEPT_BYTES, STEP_BYTES
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "reference/patch-format.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d+) \| (\d+) \| (\w+) \|", re.MULTILINE)
OLD = b"o" * 600
NEW = b"o" * 511 + b"ab" + b"o" * 87
HEAD = Head(0x1122334455667788, 1234, 0, 600, 600, 1)
BLOCK = Block(0, NEW, OLD)
JOURNAL = encode(HEAD, [BLOCK])


def section(title: str) -> str:
    """The text of a section."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def fields(title: str, block: bytes) -> dict[str, bytes]:
    """What a block holds at the places that the table of a section names; they are all of it."""
    rows = ROW.findall(section(title))
    edges = [(int(at), int(at) + int(size)) for at, size, _ in rows]
    assert [0, *(end for _, end in edges)] == [*(start for start, _ in edges), len(block)]
    return {name: block[int(at) : int(at) + int(size)] for at, size, name in rows}


def number(field: bytes) -> int:
    """A field as a number."""
    return int.from_bytes(field, "little")


def test_head_is_laid_out_as_the_page_says() -> None:
    """Each field stands at its place, and together they are the first 512 bytes."""
    found = fields("Layout of the head", JOURNAL[:HEAD_BYTES])
    match = re.search(r"`(89(?: [0-9A-F]{2}){7})`", section("Layout of the head"))

    assert match
    assert bytes.fromhex(match[1]) == found["magic"]
    assert [1, 1, 0] == [number(found[name]) for name in ("version", "checksum", "flags")]
    assert [*HEAD] == [number(found[name]) for name in Head._fields]
    assert not any(found["zero"] + found["reserved"])
    assert crc32(JOURNAL[:508]) == number(found["crc"])


def test_entry_is_laid_out_as_the_page_says() -> None:
    """The place, and the checksum of entry and block; then the blocks as they become and were."""
    blocks = [Block(0, b"n" * 4096, b"o" * 4096), Block(4096, b"n" * 904, b"o" * 700)]
    journal = encode(HEAD._replace(old_size=4796, new_size=5000, blocks=2), blocks)
    table, rest = journal[HEAD_BYTES:][: 2 * ENTRY_BYTES], journal[HEAD_BYTES + 2 * ENTRY_BYTES :]
    found = fields("Layout of an entry", table[ENTRY_BYTES:])

    assert 4096 == number(found["offset"])
    bare = found["offset"] + bytes(8)
    both = blocks[1].new + blocks[1].old
    assert crc32(both, crc32(bare, HEAD.id & 0xFFFFFFFF)) == number(found["crc"])
    assert not any(found["zero"])
    assert blocks[0].new + blocks[0].old == rest[:8192]
    assert both == rest[8192:]


def test_empty_heads_are_those_of_the_page() -> None:
    """Its first byte is 0, or there is nothing behind the magic."""
    magic = JOURNAL[:8]

    assert b"\0" + magic[1:] + bytes(504) == EMPTY
    for empty in (EMPTY, b"\0" + JOURNAL[1:HEAD_BYTES], magic + bytes(504)):
        assert decode_head(empty, path="p") is None


def test_bounds_are_the_true_ones() -> None:
    """The page's limits are those of the code."""
    assert f"from 1 to {MAX_BLOCKS:,}" in section("Layout of the head")
    assert f"| {MAX_BLOCKS:,}, that is {MAX_BLOCKS * 4096 >> 20} MiB |" in section("Limits")
    assert f"with {STEP_BYTES:,} bytes" in section("Files and names")
    assert f"multiples of {STEP_BYTES:,} bytes" in section("Writing")
    assert f"more than {KEPT_BYTES >> 20} MiB" in section("Writing")


def disk(*, file: bytes = OLD, journal: bytes | None = None) -> MemoryVFS:
    """A file, and perhaps a journal beside it."""
    made = MemoryVFS()
    made.write_tree({"f": file} if journal is None else {"f": file, "f.journal": journal})
    made.settle()
    return made


def syncs(text: str) -> int:
    """How many syncs a list of steps has."""
    return text.lower().count("**sync**")


def test_patch_costs_the_syncs_of_the_page() -> None:
    """The first of a handle syncs the folder as well; the making, the new journal."""
    steps = section("Writing").split("**A patch**")[1].split("\nWithout")[0]
    making = section("Writing").split("**A journal is made**")[1].split("\n\n")[0]
    traced = Trace(disk())
    waited: list[list[str]] = []
    with InPlaceFile("/f", vfs=traced) as file:
        for value in (b"1", b"2"):
            traced.clear()
            file.patch([(1, value)])
            waited.append([call for call in traced.operations if call.startswith("sync")])

    assert ["sync", "sync_folder", *["sync_data"] * 3] == waited[0]
    assert ["sync_data"] * 3 == waited[1]
    assert len(waited[0]) == syncs(making) + syncs(steps)


def test_finishing_costs_the_syncs_of_the_page() -> None:
    """The folder and the journal again, the file, and the emptied journal."""
    steps = PAGE.split("**A patch is finished:**")[1].split("\n")[0]
    traced = Trace(disk(file=BEGUN, journal=JOURNAL))
    InPlaceFile("/f", vfs=traced).close()
    waited = [call for call in traced.operations if call.startswith("sync")]

    assert ["sync_folder", *["sync_data"] * 3] == waited
    assert "and so is the folder" in steps
    assert len(waited) == syncs(steps) + 2  # "**synced**, and so is the folder"


TORN = JOURNAL[:-1]
BEGUN = NEW[:512] + OLD[512:]
TWO = encode(
    HEAD._replace(old_size=5000, new_size=5000, blocks=2),
    [Block(0, b"n" * 4096, b"o" * 4096), Block(4096, b"n" * 904, b"o" * 904)],
)
STATES = {
    "no journal, or no patch in it": (OLD, EMPTY),
    "a torn patch, and every byte is old": (OLD, TORN),
    "a valid patch, and every byte is old or new": (BEGUN, JOURNAL),
    "a valid patch, and a byte is neither": (b"x" * 600, JOURNAL),
    "a torn patch, and a byte is new and not old": (b"n" * 9 + b"o" * 4991, TWO[:-1]),
    "a head whose checksum differs": (OLD, JOURNAL[:20] + b"?" + JOURNAL[21:]),
    "a `boot` that is not this run": (OLD, encode(HEAD._replace(boot=7), [BLOCK])),
}


@pytest.mark.parametrize("state", STATES)
def test_state_after_a_crash_has_the_verdict_of_the_page(state) -> None:
    """Each row of the table, as opening the file finds it."""
    row = re.search(rf"^\| {re.escape(state)} \|[^|]+\| (.+) \|$", PAGE, re.MULTILINE)
    assert row, state
    file, journal = STATES[state]
    try:
        with InPlaceFile("/f", vfs=disk(file=file, journal=journal)) as opened:
            verdict = opened.recovered.outcome if opened.recovered else "nothing to do"
    except HoldfastError as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        verdict = "`Conflict`" if "Conflict" in kinds else f"damaged: `{kinds[1]}`"

    assert row[1].startswith(verdict)


def test_other_pages_lead_here() -> None:
    """The start page and the page of files have a link."""
    assert "reference/patch-format.md" in (DOCS / "index.md").read_text("utf-8")
    assert "patch-format.md" in (DOCS / "reference/files.md").read_text("utf-8")
