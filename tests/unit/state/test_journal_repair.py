"""`repair_journal`: a new journal with a state that there was; the old one is untouched."""

from __future__ import annotations

import stat
from random import Random

import pytest

from holdfast.errors import CommittedNotDurable, Corruption, HoldfastError, UnknownFormat
from holdfast.formats.journal_format import CheckpointHead, encode_head
from holdfast.primitives.check_report import RepairReport
from holdfast.primitives.log import Log
from holdfast.state.journal_check import check_journal
from holdfast.state.journal_repair import repair_journal
from holdfast.state.store import Store
from holdfast.vfs.fault import Faulty, Stopped, each_fault
from holdfast.vfs.memory import MemoryVFS
from tests.support.journal_files import (
    Files,
    append_raw,
    commit,
    entries,
    entry,
    flipped,
    journal_files,
    opened,
    placed,
    segments,
    short_segments,
    store_files,
)
from tests.unit.state.test_journal_check import rotten

A, B, IDENTITY = "j/checkpoint-a", "j/checkpoint-b", "j/journal"


def repaired(files: Files, **options: str) -> tuple[RepairReport, MemoryVFS]:
    """The report, and the filesystem with the new journal in `/new`, which is whole."""
    vfs = placed(files)
    before = vfs.tree()
    report = repair_journal("/j", "/new", vfs=vfs, **options)
    assert before == {name: x for name, x in vfs.tree().items() if not name.startswith("new")}
    assert () == check_journal("/new", vfs=vfs).findings
    return report, vfs


def state_of(vfs: MemoryVFS) -> list[bytes]:
    """The state of the new journal, which can be gone on with."""
    with opened(vfs, "/new") as journal:
        state = list(journal.state)
        sequence = journal.sequence
        assert sequence + 1 == journal.commit(lambda _: b"more")
    with opened(vfs.crash(), "/new") as journal:
        assert [*state, b"more"] == journal.state
    return state


def test_whole_journal_is_copied() -> None:
    """The newest checkpoint, and the commits since; the same id."""
    report, vfs = repaired(journal_files())

    assert ("/j", "/new", 14, ()) == report[:4]
    assert ("the state is that after commit 30: of checkpoint-b, and 14 entries that follow",) == (
        report.notes
    )
    assert entries(30) == state_of(vfs)


def test_journal_without_checkpoints_is_replayed() -> None:
    """From the first commit on."""
    report, vfs = repaired(journal_files(checkpoints=()))

    assert (30, ()) == (report.records, report.lost)
    assert entries(30) == state_of(vfs)


@pytest.mark.parametrize("slots", [[B], [A, B], [A]])
def test_damaged_checkpoints_cost_nothing_while_the_log_has_what_they_held(slots) -> None:
    """An older one is taken, or none."""
    files = journal_files()
    for slot in slots:
        files[slot] = flipped(files[slot], 514)
    report, vfs = repaired(files)

    assert () == report.lost
    assert entries(30) == state_of(vfs)


def test_what_follows_a_gap_is_saved_beside() -> None:
    """The state ends before it; how many are missing is told, and where the others are."""
    files = short_segments(journal_files())
    for number in (20, 21):
        name = segments(files)[number]
        files[name] = files[name][:530]
    report, vfs = repaired(files)

    assert [(20, 2)] == [(loss.after_sequence, loss.records) for loss in report.lost]
    assert "8 entries behind a loss are in /new/rest" in report.notes[-1]
    assert entries(20) == state_of(vfs)
    rest = [*Log("/new/rest", vfs=vfs).read()]
    assert [(number, entry(number)) for number in range(23, 31)] == rest


def test_gap_before_the_checkpoint_costs_nothing() -> None:
    """What is missing there is in it."""
    files = short_segments(journal_files())
    for name in segments(files)[3:9]:
        del files[name]
    report, vfs = repaired(files)

    assert (14, ()) == (report.records, report.lost)
    assert entries(30) == state_of(vfs)


def test_gap_that_a_checkpoint_ends_in_is_told_from_there_on() -> None:
    """The part that it holds is not lost."""
    files = short_segments(journal_files())
    for name in segments(files)[13:19]:
        del files[name]
    report, vfs = repaired(files)

    assert [(16, 3)] == [(loss.after_sequence, loss.records) for loss in report.lost]
    assert entries(16) == state_of(vfs)
    assert 11 == len([*Log("/new/rest", vfs=vfs).read()])


def test_log_that_goes_on_after_a_damaged_checkpoint_is_saved_beside() -> None:
    """The older checkpoint is the newest state that there is."""
    files = short_segments(journal_files())
    for name in segments(files)[:12]:
        del files[name]
    files[B] = flipped(files[B], 520)
    report, vfs = repaired(files)

    assert [(8, 4)] == [(loss.after_sequence, loss.records) for loss in report.lost]
    assert "a checkpoint that is damaged" in report.lost[0].reason
    assert entries(8) == state_of(vfs)
    assert 18 == len([*Log("/new/rest", vfs=vfs).read()])


def test_log_that_is_gone_leaves_the_checkpoint() -> None:
    """Commits go on after it; so they do if there is nothing at all."""
    files = {name: data for name, data in journal_files().items() if "/log/" not in name}
    report, vfs = repaired(files)
    assert [16] == [loss.after_sequence for loss in report.lost]
    assert entries(16) == state_of(vfs)

    report, vfs = repaired({IDENTITY: files[IDENTITY]})
    assert () == report.lost
    assert [] == state_of(vfs)
    report, vfs = repaired({IDENTITY: files[IDENTITY], A: flipped(files[A], 5)})
    assert [0] == [loss.after_sequence for loss in report.lost]


def mixed(files: Files, *, sequence: int, through: int) -> Files:
    """The same, where the newest checkpoint was copied while others committed."""
    found = files[B]
    head = CheckpointHead(
        int.from_bytes(found[16:24], "little"),
        generation=9,
        sequence=sequence,
        through=through,
        body_bytes=int.from_bytes(found[48:56], "little"),
        body_crc=int.from_bytes(found[56:60], "little"),
        created_ns=0,
    )
    return {**files, B: encode_head(head) + found[512:]}


def test_checkpoint_that_the_log_does_not_reach_is_passed_over() -> None:
    """An older one, or the log alone, gives a state that there was."""
    files = mixed(journal_files(), sequence=16, through=31)
    report, vfs = repaired(files)
    assert entries(30) == state_of(vfs)
    assert "checkpoint-a" in report.notes[0]
    files[A] = flipped(files[A], 3)
    report, vfs = repaired(files)
    assert "from the first on" in report.notes[0]
    assert entries(30) == state_of(vfs)


def test_checkpoint_that_the_log_does_not_reach_is_better_than_nothing() -> None:
    """It is taken if there is nothing else, and the report says what may be wrong."""
    files = mixed(short_segments(journal_files()), sequence=16, through=31)
    for name in segments(files)[:14]:
        del files[name]
    del files[A]
    report, vfs = repaired(files)

    assert [(30, 1)] == [(loss.after_sequence, loss.records) for loss in report.lost]
    assert "some keys have what they wrote" in report.lost[0].reason
    assert entries(30) == state_of(vfs)


# ------------------------------------------------------------ the identity


@pytest.mark.parametrize("at", [None, 5, 20, 70])
def test_identity_of_a_store_is_made_anew(at) -> None:
    """If all that there is decodes; it keeps the id that the checkpoints state."""
    files = store_files(a=1, b={"c": [2]})
    if at is None:
        del files[IDENTITY]
    else:
        files[IDENTITY] = flipped(files[IDENTITY], at)
    report, vfs = repaired(files)

    assert "made anew: a store of the codec 'json'" in report.notes[0]
    with Store("/new", vfs=vfs) as store:
        assert {"a": 1, "b": {"c": [2]}, "last": 1} == dict(store)
    first = [vfs.folder(path).open("checkpoint-a", "read") for path in ("/j", "/new")]
    assert 1 == len({file.read(8, offset=16) for file in first})


def test_identity_of_something_else_must_be_told() -> None:
    """Nothing is made; told, it is."""
    files = journal_files()
    del files[IDENTITY]
    with pytest.raises(Corruption, match="Say its kind and its codec"):
        repaired(files)
    report, vfs = repaired(files, kind="journal")
    assert "made anew: a journal" in report.notes[0]
    assert entries(30) == state_of(vfs)

    files = store_files(codec="bytes", a=b"\xff")
    del files[IDENTITY]
    with pytest.raises(Corruption, match="Say its kind"):
        repaired(files)
    _, vfs = repaired(files, kind="store", codec="bytes")
    with Store("/new", codec="bytes", vfs=vfs) as store:
        assert b"\xff" == store["a"]


def test_identity_that_is_whole_stands() -> None:
    """Whatever is told."""
    report, vfs = repaired(store_files(a=1), kind="journal", codec="text")

    assert () == report.lost
    with Store("/new", vfs=vfs) as store:
        assert {"a": 1, "last": 1} == dict(store)


def test_entry_that_no_store_writes_ends_the_state() -> None:
    """It and what follows are saved beside."""
    vfs = placed(store_files(a=1))
    append_raw(vfs, b"no entry", b"another")
    report = repair_journal("/j", "/new", vfs=vfs)

    assert [(2, 1)] == [(loss.after_sequence, loss.records) for loss in report.lost]
    with Store("/new", vfs=vfs) as store:
        assert {"a": 1, "last": 1} == dict(store)
    assert [b"no entry", b"another"] == [r.data for r in Log("/new/rest", vfs=vfs).read()]


# ------------------------------------------------------------ crashes and failures


def test_what_is_there_is_not_touched() -> None:
    """A folder that has something in it, or the journal itself."""
    vfs = placed(journal_files() | {"new/mine": b"x"})
    before = vfs.tree()
    for to in ("/new", "/j"):
        with pytest.raises(FileExistsError):
            repair_journal("/j", to, vfs=vfs)
    assert before == vfs.tree()


def test_privacy_is_kept(tmp_path) -> None:
    """The new files are as private as the old ones."""
    from holdfast.vfs import SYSTEM

    with Store(tmp_path / "j", permissions=0o600) as store:
        store["a"] = 1
        store.checkpoint()
    (tmp_path / "j").chmod(0o710)
    for without_log in (False, True):
        if without_log:
            for path in (tmp_path / "j" / "log").iterdir():
                path.unlink()
        new = tmp_path / f"new{without_log}"
        repair_journal(str(tmp_path / "j"), str(new), vfs=SYSTEM)
        files = [path for path in new.rglob("*") if path.is_file()]
        assert 3 == len(files)
        assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files}
        assert 0o710 == stat.S_IMODE(new.stat().st_mode)


def with_gap() -> Files:
    """A journal of which both logs are made."""
    files = short_segments(journal_files(commits=7, checkpoints=(2,)))
    del files[segments(files)[4]]
    return files


def _refused_or_whole(vfs: MemoryVFS) -> None:
    try:
        report = check_journal("/new", vfs=vfs)
    except FileNotFoundError:
        return
    if not vfs.folder("/new", readable=True).names():
        return
    try:
        with opened(vfs, "/new", read_only=True) as journal:
            assert (entries(4), True) == (journal.state, report.ok)
    except HoldfastError:
        assert not report.ok


def test_failure_leaves_nothing() -> None:
    """Whatever call fails, or is the last: no new journal, a refused one, or a whole one."""
    count = 0
    for fault in each_fault("EIO", "ENOSPC", "short 9", "stop"):
        vfs = placed(with_gap())
        before = vfs.tree()
        try:
            repair_journal("/j", "/new", vfs=Faulty(vfs, fault))
        except CommittedNotDurable:
            assert check_journal("/new", vfs=vfs).ok
        except (OSError, Corruption):  # an identity that cannot be read tells nothing
            assert before == vfs.tree(), fault
        except Stopped:
            _refused_or_whole(vfs)
        else:
            assert fault.effect != "stop" or not fault.fired or check_journal("/new", vfs=vfs).ok
        assert before == {name: x for name, x in vfs.tree().items() if not name.startswith("new")}
        count += fault.fired
    assert count > 200


def test_every_crash_leaves_all_or_a_refused_journal() -> None:
    """In every state that a power cut leaves, it is whole, refused, empty or not there."""
    vfs = placed(with_gap())
    before = len(vfs.core.operations)
    repair_journal("/j", "/new", vfs=vfs)
    states = 0
    for at in range(before, len(vfs.core.operations) + 1):
        for number, state in enumerate(vfs.crash_states(at=at)):
            if number >= 12:
                break
            states += 1
            _refused_or_whole(state)
    assert states > 60
    assert check_journal("/new", vfs=vfs.crash()).ok


@pytest.mark.parametrize("seed", range(120))
def test_whatever_has_rotten_the_state_is_one_that_there_was(seed) -> None:
    """Bits, cuts and missing files anywhere: a prefix, whole and open for more; losses are told."""
    files = rotten(Random(seed))
    try:
        report, vfs = repaired(files, kind="journal")
    except UnknownFormat:
        return
    state = state_of(vfs)

    assert entries(len(state)) == state
    if len(state) < 30 and not report.lost:
        last = [name for name in segments(files) if "0000000030." in name]
        assert not last, "only a missing last segment cannot be told"


def test_commits_are_kept_together() -> None:
    """A journal that was repaired, damaged and repaired again has the same state."""
    vfs = placed(journal_files())
    repair_journal("/j", "/new", vfs=vfs)
    with opened(vfs, "/new") as journal:
        commit(journal, 5)
    repair_journal("/new", "/again", vfs=vfs)
    with opened(vfs, "/again") as journal:
        assert entries(35) == journal.state
