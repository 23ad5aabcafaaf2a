"""Interrupted patches: finished, dropped or refused; never left in part."""

from __future__ import annotations

import pytest

from holdfast.errors import BadFrame, ChecksumMismatch, Conflict, Corruption
from holdfast.formats.patch_format import BLOCK_BYTES, EMPTY, HEAD_BYTES, Block, Head, encode
from holdfast.primitives.in_place import InPlaceFile
from holdfast.primitives.in_place_recovery import boot_of
from holdfast.vfs.memory import MemoryVFS

OLD = b"o" * 4996
NEW = b"n" * 4096 + b"o" * 890 + b"n" * 200
"""It changes the first block, and grows by 190 bytes."""
HEAD = Head(7, 11, 0, len(OLD), len(NEW), 2)
BLOCKS = [Block(at, NEW[at : at + BLOCK_BYTES], OLD[at : at + BLOCK_BYTES]) for at in (0, 4096)]
JOURNAL = encode(HEAD, BLOCKS)


def disk(file: bytes = OLD, journal: bytes = JOURNAL) -> MemoryVFS:
    """A file and its journal."""
    made = MemoryVFS()
    made.write_tree({"f": file, "f.journal": journal})
    made.settle()
    return made


def recovered(vfs: MemoryVFS) -> tuple[str | None, object]:
    """What opening the file says of it, and what the file holds then."""
    with InPlaceFile("/f", vfs=vfs) as file:
        outcome = file.recovered.outcome if file.recovered else None
    with InPlaceFile("/f", vfs=vfs) as file:
        assert file.recovered is None
    return outcome, vfs.tree()["f"]


@pytest.mark.parametrize(
    "found",
    [
        OLD,
        NEW,
        NEW[:512] + OLD[512:],
        OLD[:4096] + NEW[4096:],
        OLD[:2000] + NEW[2000:4500] + OLD[4500:],
        OLD + bytes(150),
        OLD + b"garbage",
        NEW + b"appended since",
    ],
)
def test_committed_patch_is_finished(found) -> None:
    """Whatever of it had reached the file."""
    assert ("finished", NEW + found[len(NEW) :]) == recovered(disk(found))


@pytest.mark.parametrize(
    "found",
    [
        b"?" + OLD[1:],
        OLD[:4096] + b"?" + OLD[4097:],
        OLD[:-1],
        b"",
        OLD + b"?" * 300,
    ],
)
def test_file_that_does_not_fit_is_refused(found) -> None:
    """A byte that is neither old nor new, a file that was cut, or that others have made longer."""
    vfs = disk(found)
    before = vfs.tree()
    with pytest.raises(Conflict, match="Nothing was changed") as caught:
        InPlaceFile("/f", vfs=vfs)

    assert "/f" == caught.value.path
    assert before == {name: data for name, data in vfs.tree().items() if name != "f.lock"}


@pytest.mark.parametrize("size", range(HEAD_BYTES, len(JOURNAL), 97))
def test_torn_journal_is_dropped(size) -> None:
    """Of a patch that was not committed nothing is in the file."""
    assert ("dropped", OLD) == recovered(disk(OLD, JOURNAL[:size]))


@pytest.mark.parametrize("at", range(HEAD_BYTES, len(JOURNAL), 101))
def test_damaged_journal_of_a_patch_that_was_begun_is_told(at) -> None:
    """It was whole once, as another block shows: neither finishing nor dropping would be right."""
    vfs = disk(NEW, JOURNAL[:at] + bytes([JOURNAL[at] ^ 1]) + JOURNAL[at + 1 :])
    with pytest.raises(BadFrame, match="holds it in part"):
        InPlaceFile("/f", vfs=vfs)
    assert NEW == vfs.tree()["f"]


@pytest.mark.parametrize("begun", [NEW[:9] + OLD[9:], OLD[:4990] + NEW[4990:], NEW])
def test_block_that_was_begun_shows_that_the_journal_was_whole(begun) -> None:
    """Its first byte, or what it adds to the file; the other block is damaged."""
    bad = JOURNAL[:544] + b"?" + JOURNAL[545:] if begun[:1] == b"o" else JOURNAL[:-1] + b"?"
    with pytest.raises(BadFrame, match="1 of the 2 blocks"):
        InPlaceFile("/f", vfs=disk(begun, bad))


def test_damaged_head_is_told() -> None:
    """Nobody knows what it said."""
    with pytest.raises(ChecksumMismatch):
        InPlaceFile("/f", vfs=disk(OLD, JOURNAL[:30] + b"?" + JOURNAL[31:]))


def test_every_flipped_bit_leaves_old_or_new_or_is_told() -> None:
    """No bit of a head makes a file of a mixture, whatever of the patch is in it."""
    half = NEW[:1000] + OLD[1000:]
    for found in (OLD, half, NEW):
        for at in range(HEAD_BYTES):
            bad = JOURNAL[:at] + bytes([JOURNAL[at] ^ 0x40]) + JOURNAL[at + 1 :]
            vfs = disk(found, bad)
            try:
                _, data = recovered(vfs)
            except Corruption:
                data = vfs.tree()["f"]
                assert found == data
            else:
                assert data in (OLD, NEW)


@pytest.mark.parametrize("journal", [EMPTY, EMPTY.ljust(4096, b"\0"), b"\0" + JOURNAL[1:]])
def test_empty_journal_is_nothing_to_recover(journal) -> None:
    """Nor is one without its first byte, which is made clean."""
    vfs = disk(OLD, journal)

    assert (None, OLD) == recovered(vfs)
    with InPlaceFile("/f", vfs=vfs) as file:
        file.patch([(0, b"!")])
    journal_now = vfs.tree()["f.journal"]
    assert isinstance(journal_now, bytes)
    assert EMPTY == journal_now[:HEAD_BYTES]


def test_patch_without_syncs_is_dropped_after_a_boot() -> None:
    """Nothing was promised, and what is there may fit nothing."""
    vfs = disk()
    here, elsewhere = (encode(HEAD._replace(boot=boot), BLOCKS) for boot in (boot_of(vfs), 5))

    assert ("finished", NEW) == recovered(_with_journal(vfs, here))
    assert ("dropped", b"x" * 5000) == recovered(disk(b"x" * 5000, elsewhere))


def _with_journal(vfs: MemoryVFS, journal: bytes) -> MemoryVFS:
    """The same filesystem, as its boot is its own, with another journal."""
    file = vfs.folder("/").open("f.journal", "write")
    file.write(journal, offset=0)
    file.close()
    return vfs


def test_boot_is_never_zero() -> None:
    """That says that the journal is synced."""

    class Unknown(MemoryVFS):
        def boot(self) -> str:
            return ""

    assert 1 == boot_of(Unknown())
    assert boot_of(MemoryVFS()) not in {0, 1}
