"""`check_journal`: reads all of a journal or store, changes nothing, and says what is damaged."""

from __future__ import annotations

from random import Random

import pytest

from holdfast.errors import HoldfastError, UnknownFormat
from holdfast.formats.journal_format import INCOMPLETE, Identity, encode_identity
from holdfast.state.journal_check import check_journal
from holdfast.state.store import Store
from holdfast.vfs.interpose import Interposed
from holdfast.vfs.memory import MemoryVFS
from tests.support.journal_files import (
    Files,
    append_raw,
    commit,
    entries,
    flipped,
    journal_files,
    opened,
    placed,
    segments,
    short_segments,
    store_files,
)

LEFT = ".00000000000000000009.checkpoint.0123456789abcdef.holdfast-tmp"
A, B, IDENTITY = "j/checkpoint-a", "j/checkpoint-b", "j/journal"


def checked(files: Files):
    """The report on these files, which are as they were afterwards."""
    vfs = placed(files)
    before = vfs.tree()
    report = check_journal("/j", vfs=vfs)
    assert before == vfs.tree()
    return report


def kinds(files: Files) -> list[str]:
    """What is found in them."""
    return [finding.kind for finding in checked(files).findings]


def test_whole_journal_is_ok() -> None:
    """How many records are in the log, and the size of all files."""
    files = journal_files()
    report = checked(files)

    assert ("journal", 30, ()) == (report.kind, report.records, report.findings)
    size = sum(len(data) for name, data in files.items() if not name.endswith("lock"))
    assert size == report.size_bytes


def test_journal_that_is_being_made_is_ok() -> None:
    """An identity alone; and a log that has no segment yet."""
    files = {IDENTITY: journal_files()[IDENTITY]}
    assert [] == kinds(files)
    vfs = placed(files)
    vfs.folder("/j").mkdir("log")
    assert check_journal("/j", vfs=vfs).ok


@pytest.mark.parametrize(
    "files", [{}, {"j/journal.new": b""}, {"j/journal.new": bytes(512), "j/" + LEFT: b"x"}]
)
def test_journal_that_a_crash_has_left_half_made_is_ok(files: Files) -> None:
    """There is none yet: reading says that it is empty, and the next commit makes it."""
    vfs = placed({"j": None} | files)  # type: ignore[arg-type]
    with opened(vfs) as journal:
        assert {"leftover"} >= {finding.kind for finding in journal.check().findings}
        assert journal.check().ok
        commit(journal, 1)
        journal.checkpoint()
        assert (1, ()) == (journal.check().records, journal.check().findings)


@pytest.mark.parametrize("name", ["letter.txt", "checkpoint-a", "log"])
def test_missing_identity_beside_something_is_damage(name: str) -> None:
    """A half made journal has nothing else."""
    vfs = placed({f"j/{name}": None if name == "log" else b""})  # type: ignore[dict-item]
    assert not check_journal("/j", vfs=vfs).ok


def test_journal_that_is_made_during_the_check_is_ok() -> None:
    """Between the look at the identity and the one at the names."""
    vfs = placed({"j": None})  # type: ignore[dict-item]
    made: list[int] = []

    class Meddling(Interposed):
        def around(self, call, do):
            try:
                return do()
            finally:
                if call.operation == "stat" and call.name.endswith("journal") and not made:
                    made.append(1)
                    with opened(vfs) as journal:
                        commit(journal, 3)

    report = check_journal("/j", vfs=Meddling(vfs))
    assert report.ok, report
    assert made


def test_living_writer_is_no_finding() -> None:
    """Open handles, an unsynced commit, and checkpoints meanwhile."""
    vfs = MemoryVFS()
    with opened(vfs, checkpoint_bytes=None) as journal:
        for _ in range(4):
            commit(journal, 3)
            journal.commit(lambda _: b"unsynced", sync=False)
            journal.checkpoint()
            assert () == check_journal("/j", vfs=vfs).findings


def test_slot_that_is_being_written_is_no_finding() -> None:
    """Whoever writes it holds the lock of the identity."""
    files = journal_files()
    files[B] = flipped(files[B], 520)
    vfs = placed(files)
    identity = vfs.folder("/j").open("journal", "write")
    assert identity.lock()
    assert () == check_journal("/j", vfs=vfs).findings
    identity.unlock()

    assert 1 == len(check_journal("/j", vfs=vfs).findings)


@pytest.mark.parametrize("at", [3, 9, 17, 40, 600, 511])
def test_damaged_identity_is_damage(at) -> None:
    """Wherever it is; what is beside it is still read."""
    files = journal_files()
    if at == 600:
        del files[IDENTITY]
    else:
        files[IDENTITY] = flipped(files[IDENTITY], at)
    report = checked(files)

    assert ["damage"] == [finding.kind for finding in report.findings]
    assert ("/j/journal", "journal", 30) == (
        report.findings[0].path,
        report.kind,
        report.records,
    )


def test_later_format_is_refused() -> None:
    """It is not called damage."""
    files = journal_files()
    block = bytearray(encode_identity(Identity(7, "journal", "", 0)))
    block[8] = 2
    from zlib import crc32

    files[IDENTITY] = bytes(block[:508]) + crc32(block[:508]).to_bytes(4, "little")
    with pytest.raises(UnknownFormat):
        checked(files)


@pytest.mark.parametrize("at", [5, 17, 30, 513, 520])
@pytest.mark.parametrize("slot", [A, B])
def test_torn_slot_is_a_note_where_the_log_has_what_it_held(slot, at) -> None:
    """Head or body: the other checkpoint, or the log alone, gives the state."""
    files = journal_files()
    files[slot] = flipped(files[slot], at)
    report = checked(files)

    assert (True, ["torn"]) == (report.ok, [finding.kind for finding in report.findings])
    assert f"/{slot}" == report.findings[0].path
    assert "a crash has torn it" in report.findings[0].message


def test_both_slots_may_be_torn_while_the_log_is_whole() -> None:
    """Then it has every commit."""
    files = journal_files()
    for slot in (A, B):
        files[slot] = flipped(files[slot], 5)

    assert ["torn", "torn"] == kinds(files)
    assert "The log has every commit" in checked(files).findings[0].message


def test_slot_that_a_state_depends_on_is_damage() -> None:
    """Where the log begins after the other checkpoint; and where it is gone."""
    files = short_segments(journal_files())
    for name in segments(files)[:12]:
        del files[name]
    assert [] == kinds(files)
    files[B] = flipped(files[B], 520)
    report = checked(files)

    assert ["damage", "damage"] == [finding.kind for finding in report.findings]
    assert "begins with commit 13, and checkpoint-a ends with 8" in report.findings[1].message


def test_kept_checkpoint_that_is_damaged_is_damage() -> None:
    """It had its name only when it was whole, so no crash has left it."""
    files = journal_files(keep=2)
    name = "j/00000000000000000008.checkpoint"
    files[name] = flipped(files[name], 513)

    assert ["damage"] == kinds(files)


def test_log_that_is_gone_is_damage() -> None:
    """The checkpoint says that there was one."""
    files = {name: data for name, data in journal_files().items() if "/log/" not in name}
    report = checked(files)

    assert (False, 0) == (report.ok, report.records)
    assert "the log is gone" in report.findings[0].message


def test_log_that_ends_before_the_checkpoint_is_damage() -> None:
    """An older log was put beside a newer checkpoint."""
    files = short_segments(journal_files())
    for name in segments(files)[12:]:
        del files[name]
    report = checked(files)

    assert ["damage"] == [finding.kind for finding in report.findings]
    assert "commits up to 16 were durable" in report.findings[0].message
    assert "ends after 12" in report.findings[0].message


def test_damaged_log_is_damage() -> None:
    """As `check_log` finds it."""
    files = short_segments(journal_files())
    files[segments(files)[20]] = flipped(files[segments(files)[20]], 555)

    assert ["damage"] == kinds(files)


def test_store_is_told_by_its_identity_and_its_entries_are_decoded() -> None:
    """An entry that no store writes is damage; a checkpoint too."""
    files = store_files(a=1, b="two")
    assert ("store", True) == (checked(files).kind, checked(files).ok)
    vfs = placed(files)
    append_raw(vfs, b"no entry")
    report = check_journal("/j", vfs=vfs)

    assert (["damage"], 4) == ([finding.kind for finding in report.findings], report.records)
    assert "commit 4" in report.findings[0].message


def test_leftovers_are_told() -> None:
    """Of writers that were killed."""
    files = journal_files()
    files[f"j/.checkpoint-a.{'0' * 16}.holdfast-tmp"] = b"half"

    assert ["leftover"] == kinds(files)


def test_journal_that_a_repair_has_not_finished_is_told_so() -> None:
    """With what to do."""
    report = checked({IDENTITY: INCOMPLETE})

    assert not report.ok
    assert "a repair is writing it, or was killed" in report.findings[0].message


@pytest.mark.parametrize("seed", range(120))
def test_what_is_called_ok_can_be_opened(seed) -> None:
    """Bits, cuts and missing files anywhere: ok means a state, and one that there was."""
    rng = Random(seed)
    files = rotten(rng)
    try:
        report = checked(files)
    except UnknownFormat:
        return  # no verdict
    try:
        with opened(placed(files), read_only=True) as journal:
            state = list(journal.state)
    except HoldfastError:
        state = None

    assert state is None or state == entries(len(state))
    if report.ok:
        assert state is not None, str(report)


def rotten(rng: Random) -> Files:
    """A journal to which something happened."""
    files = journal_files(keep=rng.choice((0, 0, 2)))
    if rng.random() < 0.5:
        files = short_segments(files)
    used = {name: len(data.rstrip(b"\0")) + 64 for name, data in files.items()}
    for _ in range(rng.choice((1, 1, 2, 4))):
        name = rng.choice([name for name in files if not name.endswith("lock")])
        how = rng.random()
        if how < 0.1:
            del files[name]
        elif how < 0.2:
            files[name] = files[name][: rng.randrange(used[name])]
        elif files[name]:
            at = rng.randrange(min(used[name], len(files[name])))
            files[name] = flipped(files[name], at)
    return files


def test_store_of_any_codec_can_be_checked() -> None:
    """Its values are not looked into."""

    class Odd:
        name = "odd"

        def encode(self, value: object, /) -> bytes:
            return repr(value).encode()

        def decode(self, data: bytes, /) -> object:
            return data

    vfs = MemoryVFS()
    with Store("/j", codec=Odd(), vfs=vfs) as store:
        store["a"] = 1

    assert () == check_journal("/j", vfs=vfs).findings
