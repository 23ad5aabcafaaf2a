"""`Journal` as its users meet it: one state, however many objects, threads and tasks share it."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any, cast

import pytest

from holdfast.errors import Closed, Corruption, Truncated, UnknownFormat
from holdfast.state.journal import Journal
from holdfast.vfs import SYSTEM
from holdfast.vfs.memory import MemoryVFS
from tests.support.machines import PATH, add, apply, dump, journal_on, load, put

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def disk() -> MemoryVFS:
    """An empty one."""
    return MemoryVFS()


def test_commits_are_there_for_every_object(disk) -> None:
    """Each sees those of the others at once, in one order; also whoever opens it later."""
    journals = [journal_on(disk) for _ in range(3)]
    expected: list[bytes] = []
    for number in range(9):
        entry = b"%d" % number
        assert number + 1 == journals[number % 3].commit(put(entry))
        expected.append(entry)
        for journal in journals:
            assert expected == journal.state
            assert number + 1 == journal.sequence
    for journal in journals:
        journal.close()
    with journal_on(disk) as journal:
        assert expected == journal.state


def test_nothing_is_made_before_the_first_commit(disk) -> None:
    """Reading makes nothing; a commit makes the folder with its parents."""
    path = f"/deep/down{PATH}"
    with journal_on(disk, path) as journal:
        assert [] == journal.state == journal.read(list)
        assert 0 == journal.sequence
        assert [] == list(journal.entries())
        assert {} == disk.tree()
        add(journal, b"a")
    assert f"deep/down{PATH}/journal" in disk.tree()
    assert path == journal.path


def test_state_may_be_anything(disk) -> None:
    """A number that is replaced by each commit, and falsy at times."""
    given = {
        "initial": lambda: 3,
        "apply": lambda state, entry: state + int(entry),
        "dump": lambda state: b"%d" % state,
        "load": int,
    }
    with journal_on(disk, **given) as journal:
        for step in (-3, 7, -7):
            journal.commit(put(b"%d" % step))
        assert 0 == journal.state
        journal.checkpoint()
        add(journal, b"12")
    with journal_on(disk, **given) as journal:
        assert 12 == journal.state


@pytest.mark.parametrize("pieces", [False, True])
@pytest.mark.parametrize("copied", [False, True])
def test_checkpoint_is_what_dump_gave(disk, pieces, copied) -> None:
    """In one piece or several; of a copy, where one is made."""
    seen: list[object] = []

    def dumped(state: list[bytes]):
        seen.append(state)
        data = dump(state)
        return iter([data[:5], data[5:]]) if pieces else data

    with journal_on(disk, dump=dumped, copy=list if copied else None) as journal:
        add(journal, b"a", b"b" * 300_000, b"c")
        assert 3 == journal.checkpoint()
        assert copied != (seen[0] is journal.state)
        add(journal, b"d")
    with journal_on(disk) as journal:
        assert [b"a", b"b" * 300_000, b"c", b"d"] == journal.state


def test_earlier_states_can_be_read_while_they_are_kept(disk) -> None:
    """From the entries that are left, or from a checkpoint that is kept."""
    journal = journal_on(disk, keep=1)
    add(journal, b"a", b"b", b"c")
    assert [[], [b"a"], [b"a", b"b"]] == [journal.state_at(n) for n in range(3)]
    assert [b"a"] == asyncio.run(journal.astate_at(1))
    kept = journal.state_at(2)
    add(journal, b"d")
    assert [b"a", b"b"] == kept, "it is nobody else's"
    for wrong in (-1, 5):
        with pytest.raises(ValueError, match="the last commit is 4"):
            journal.state_at(wrong)
    journal.close()


def test_states_that_are_no_longer_kept_are_told(disk) -> None:
    """The error says where the log begins."""
    with journal_on(disk) as journal:
        for number in range(5):
            add(journal, b"%d" % number * (1 << 20))
            journal.checkpoint()
        with pytest.raises(Truncated, match="the state of commit 1 is no longer kept"):
            journal.state_at(1)
        assert 5 == len(journal.state_at(5))


def test_close_ends_who_follows(disk) -> None:
    """Threads and tasks, also one that begins afterwards; not if it is refused."""
    journal = journal_on(disk)
    seen, begun = list[bytes](), threading.Event()

    def follow() -> None:
        for _, data in journal.follow():
            seen.append(data)
            begun.set()

    thread = threading.Thread(target=follow)
    thread.start()

    async def afollow() -> list[bytes]:
        return [record.data async for record in journal.afollow()]

    def refused(_: object) -> bytes:
        with pytest.raises(RuntimeError, match="already"):
            journal.close()
        return b"a"

    journal.commit(refused)
    assert begun.wait(20)
    assert thread.is_alive()
    journal.close()
    thread.join(20)
    assert not thread.is_alive()
    assert [b"a"] == seen == asyncio.run(asyncio.wait_for(afollow(), 20))


def test_entries_and_follow_show_what_was_committed(disk) -> None:
    """With their sequences, from any of them on."""
    with journal_on(disk) as journal:
        add(journal, b"a", b"b", b"c")
        assert [(1, b"a"), (2, b"b"), (3, b"c")] == list(journal.entries())
        assert [(3, b"c")] == list(journal.entries(3))
        assert [(2, b"b"), (3, b"c")] == list(journal.follow(2, timeout_s=0.01))

        async def followed() -> list[object]:
            return [record async for record in journal.afollow(3, timeout_s=0.01)]

        assert [(3, b"c")] == asyncio.run(followed())


def test_twins_for_asyncio_do_the_same(disk) -> None:
    """Commits of many tasks, a read, a checkpoint, a barrier and the end."""

    async def main() -> None:
        async with journal_on(disk) as journal:
            jobs = (journal.acommit(put(b"%d" % number)) for number in range(20))
            assert set(range(1, 21)) == set(await asyncio.gather(*jobs))
            assert 20 == await journal.aread(len)
            assert 20 == await journal.acheckpoint()
            assert 20 == await journal.abarrier()
        with pytest.raises(Closed):
            await journal.acommit(put(b"x"))
        await journal.aclose()

    asyncio.run(main())
    with journal_on(disk) as journal:
        assert 20 == len(journal.state)


def test_threads_that_count_never_lose_a_step(tmp_path: Path) -> None:
    """Six threads on two objects read, add one and write, two hundred times each."""
    given = {
        "initial": lambda: 0,
        "apply": lambda _, entry: int(entry),
        "dump": lambda state: b"%d" % state,
        "load": int,
        "sync": "never",
        "checkpoint_bytes": 2000,
    }
    journals = [journal_on(SYSTEM, tmp_path / "counter.jrn", **given) for _ in range(2)]

    def work(journal) -> None:
        for _ in range(200):
            journal.commit(lambda state: b"%d" % (state + 1))

    threads = [threading.Thread(target=work, args=[journals[n % 2]]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert 1200 == journals[0].state == journals[1].state
    for journal in journals:
        journal.close()
    with journal_on(SYSTEM, tmp_path / "counter.jrn", **given) as journal:
        assert 1200 == journal.state == journal.sequence


def test_arguments_out_of_range_are_refused(disk) -> None:
    """Nothing is made."""
    for wrong in ({"keep": -1}, {"checkpoint_bytes": 0}, {"max_unsynced_bytes": -1}, {"sync": "x"}):
        with pytest.raises(ValueError, match="must be"):
            journal_on(disk, **wrong)
    assert {} == disk.tree()


def test_folder_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    """Whatever is asked of it; it is left as it is."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    journal = journal_on(SYSTEM, tmp_path / "notes")
    for act in (lambda: journal.state, lambda: add(journal, b"a")):
        with pytest.raises(UnknownFormat, match=r"a\.txt"):
            act()
    journal.close()
    assert ["a.txt"] == os.listdir(tmp_path / "notes")


def test_damaged_entry_is_damage(disk) -> None:
    """Nothing is shown of what comes after it, and nothing is written."""
    with journal_on(disk) as journal:
        add(journal, *(b"%d" % number * 50 for number in range(9)))
    (name,) = (name for name in disk.tree() if name.endswith(".segment"))
    data = bytearray(disk.tree()[name])
    data[data.index(b"4" * 50)] ^= 1
    broken = MemoryVFS()
    broken.write_tree({**disk.tree(), name: bytes(data)})
    for read_only in (False, True):
        journal = journal_on(broken, read_only=read_only)
        with pytest.raises(Corruption):
            journal.read(list)
        journal.close()
    with pytest.raises(Corruption):
        add(journal_on(broken), b"x")


def test_closed_journal_refuses_and_says_so(disk) -> None:
    """Closing twice is once; the text of the object tells."""
    journal = journal_on(disk)
    add(journal, b"a")
    assert f"<holdfast.Journal {PATH!r}>" == repr(journal)
    journal.close()
    journal.close()
    assert f"<holdfast.Journal {PATH!r} closed>" == repr(journal)
    for act in (lambda: journal.state, lambda: add(journal, b"b"), journal.checkpoint,
                journal.barrier, lambda: journal.state_at(1)):  # fmt: skip
        with pytest.raises(Closed):
            act()
    assert ([], [], []) == (disk.open_files, disk.open_folders, disk.held_locks)


def test_first_opening_after_a_kill_tells_what_it_did(disk) -> None:
    """A torn entry is dropped; nothing that was told is."""
    journal = journal_on(disk)
    assert journal.recovered is None
    add(journal, b"a")
    crashed = MemoryVFS()
    tree = disk.tree()
    (name,) = (name for name in tree if name.endswith(".segment"))
    data = bytearray(tree[name])
    at = data.index(b"a\0") + 8
    data[at : at + 9] = b"half of a"
    del tree["state.jrn/log/lock"]
    crashed.write_tree({**tree, name: bytes(data)})
    with journal_on(crashed) as after:
        assert 2 == add(after, b"b")
        assert after.recovered is not None
        assert [b"a", b"b"] == after.state


def test_power_cut_takes_nothing_that_was_told(disk) -> None:
    """Whatever else the disk has kept."""
    told: list[tuple[int, int]] = []
    journal = journal_on(disk, checkpoint_bytes=None)
    for number in range(8):
        add(journal, b"%d" % number * 40)
        if number == 4:
            journal.checkpoint()
        told.append((len(disk.core.operations), number + 1))
    for at, count in told:
        for seed in range(4):
            with journal_on(disk.crash(at=at, seed=seed)) as left:
                assert [b"%d" % n * 40 for n in range(count)] == left.state


def test_rules_are_those_that_were_given(disk) -> None:
    """`apply` and `load` are called with the bytes of the entries and of the checkpoint."""
    applied: list[bytes] = []
    loaded: list[bytes] = []

    def noted(state: list[bytes], entry: bytes) -> None:
        applied.append(entry)
        apply(state, entry)

    def loading(data: bytes) -> list[bytes]:
        loaded.append(data)
        return load(data)

    with journal_on(disk) as journal:
        add(journal, b"a", b"b")
        journal.checkpoint()
        add(journal, b"c")
    with journal_on(disk, apply=noted, load=loading) as journal:
        assert [b"a", b"b", b"c"] == journal.state
    assert ([b"c"], [dump([b"a", b"b"])]) == (applied, loaded)


def test_dump_that_returns_text_is_told(disk) -> None:
    """The likeliest mistake; no commit is lost by it."""
    rules: dict[str, Any] = {"initial": list, "apply": list.append, "load": list}
    with Journal("/text", dump=cast("Any", lambda _: "[]"), vfs=disk, **rules) as journal:
        journal.commit(lambda _: b"one")
        with pytest.raises(TypeError, match="`dump` returned text, and a checkpoint is bytes"):
            journal.checkpoint()
        assert [b"one"] == journal.state
