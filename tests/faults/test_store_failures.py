"""Stores on a disk that fails, is full or was switched off, and programs that are interrupted."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import Corruption, HandlePoisoned
from holdfast.formats.store_format import encode_changes
from holdfast.state.machine import _Job
from holdfast.state.store import Store
from holdfast.state.store_table import Table
from holdfast.vfs import SYSTEM
from holdfast.vfs.fault import Fault, Faulty, each_fault
from holdfast.vfs.memory import MemoryVFS
from tests.crash.places import Rebooted
from tests.support.interrupts import interrupted
from tests.support.store_bytes import EXPECTED, opened, read, written

# ------------------------------------------------------------ failed syncs


PUT = """
import sys
from holdfast.errors import HandlePoisoned
from holdfast.state.store import Store
store = Store(sys.argv[1])
store["process"] = 1
print("put", flush=True)
for line in sys.stdin:
    for act in (lambda: store.update("process", lambda n: n + 1), lambda: store["process"]):
        try:
            print(act(), flush=True)
        except HandlePoisoned:
            print("poisoned", flush=True)
"""


@pytest.mark.filterwarnings("ignore:.*no checkpoint could be written")
def test_all_refuse_after_a_failed_sync_and_a_new_store_serves_what_is_there(
    tmp_path: Path,
) -> None:
    """Stores of this process and of another refuse to write, and to show what may be gone."""
    path, pipe = tmp_path / "s", subprocess.PIPE
    command = [sys.executable, "-c", PUT, str(path)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert "put\n" == process.stdout.readline()
        other = Store[int](path)
        other["other"] = 1
        failing = Faulty(SYSTEM, Fault("sync_data", 1, effect="EIO", on="*.segment*"))
        store = Store[int](path, vfs=failing)
        with pytest.raises(OSError, match="Input/output error"):
            store["perhaps"] = 1
        for old in (store, other):
            with pytest.raises(HandlePoisoned):
                old["never"] = 1
            with pytest.raises(HandlePoisoned):
                old.update("never", lambda n: n, default=1)
            with pytest.raises(HandlePoisoned), old.transaction() as tx:
                tx["never"] = 1
            with pytest.raises(HandlePoisoned):
                old.barrier()
        process.stdin.write("again\n")
        process.stdin.flush()
        assert "poisoned\n" == process.stdout.readline()
        process.stdin.close()
    with Store[int](path) as anew:
        assert {"process": 1, "other": 1} == {k: anew[k] for k in ("process", "other")}
        anew["new"] = 1
        assert "never" not in anew
        assert anew.check().ok
        for old in (store, other):
            with pytest.raises(HandlePoisoned):
                old["never"] = 1
    for old in (store, other):
        with suppress(HandlePoisoned, OSError):
            old.close()


@pytest.mark.parametrize("effect", ["EIO", "ENOSPC", "EDQUOT"])
def test_failure_in_a_checkpoint_hurts_no_commit(effect: str) -> None:
    """Any call of it: everything is there, for this store and the next one; no temp is left."""
    outcomes: Counter[bool] = Counter()
    for fault in each_fault(effect):
        disk = written()
        faulty = Faulty(disk)
        with opened(faulty) as store:
            store["new"] = 1
            faulty.faults = (fault,)
            try:
                store.checkpoint()
                outcomes[True] += 1
            except OSError:
                outcomes[False] += 1
            faulty.faults = ()
            poisoned = False
            try:
                store["newer"] = 1
            except HandlePoisoned:
                poisoned = True
            with suppress(HandlePoisoned):
                store.close()
        found = read(disk)
        assert {**EXPECTED, "new": 1} | ({} if poisoned else {"newer": 1}) == found, str(fault)
        assert [] == [name for name in disk.tree() if "holdfast-tmp" in name], str(fault)

    assert outcomes[False] > 5


# ------------------------------------------------------------ a full disk


def test_disk_that_is_full_at_any_byte() -> None:
    """What returned is there; what raised is not, in part or in whole; with room it goes on."""
    acknowledged: Counter[int] = Counter()
    for capacity in range(0, 16_000, 97):
        disk = MemoryVFS(capacity_bytes=capacity)
        disk.place = disk.place._replace(zero_filling=False)
        told: dict[str, str] = {}
        with opened(disk) as store:
            for number in range(9):
                key, value = f"k{number}", "v" * 100 * number
                changes = {key: value, f"{key}!": value}
                if (error := failure_of(lambda changes=changes: store.update(changes))) is None:  # type: ignore[misc]
                    told |= changes
                    continue
                assert errno.ENOSPC == error.errno
                assert not told or error.__notes__
                break
            assert told == read(disk, read_only=True)
            with suppress(OSError):
                store.checkpoint()
            disk.core.capacity_bytes = None
            store["with room"] = told["with room"] = ""
            assert store.checkpoint()
            assert told == dict(store) == read(disk)
        acknowledged[len(told)] += 1
        assert [] == [name for name in disk.tree() if "holdfast-tmp" in name]

    assert len(acknowledged) > 4


def failure_of(act: Callable[[], object]) -> OSError | None:
    try:
        act()
    except OSError as error:
        return error
    return None


def test_disk_that_stays_full_has_the_state_read_anew_once() -> None:
    """Later failures are undone, whatever was to be written; a transaction goes on after one."""
    disk = MemoryVFS()
    failing = Faulty(disk)
    store = Store[Any]("/s", vfs=failing, sync="never")
    store.update(a=1, b=[2], c=3)
    acts: list[Callable[[], object]] = [
        lambda: store.update(a=5),
        lambda: store.update("a", lambda n: n + 1),
        lambda: store.update({"x": 5, "a": 6, "b": 7}),
        store.popitem,
        store.clear,
    ]
    replica = store._machine.replica
    failing.faults = (Fault("write", 1, effect="ENOSPC", on="*.segment*", repeat=True),)
    for number, act in enumerate([acts[0], *acts]):
        assert isinstance(failure_of(act), OSError)
        assert (number > 0) is replica.is_loaded
        assert ["a", "b", "c"] == list(store)
        assert {"a": 1, "b": [2], "c": 3} == dict(store)
    with store.transaction() as tx:
        assert 1 == tx["a"]
        with pytest.raises(OSError, match="No space left"):
            tx._changes()._hold.commit(encode_changes([("a", b"9")]))
        assert (True, 1) == (replica.is_loaded, tx["a"])
        failing.faults = ()
        tx["a"] += 1
    assert {"a": 2, "b": [2], "c": 3} == dict(store) == read(disk)


def test_group_that_does_not_fit_is_undone_as_a_whole() -> None:
    """Also where a commit of it has seen the keys in order, with those of another."""
    failing = Faulty(MemoryVFS())
    store = Store[Any]("/s", vfs=failing, sync="never")
    store.update(b=2, c=3)
    failing.faults = (Fault("write", 1, effect="ENOSPC", on="*.segment*", repeat=True),)
    firsts: list[str | None] = []

    def first(table: Table) -> None:
        firsts.append(table.first())

    put = encode_changes([("a", b"1"), ("c", None)])
    for _ in range(2):
        assert isinstance(failure_of(lambda: commit_group(store, lambda _: put, first)), OSError)
        assert ["b", "c"] == list(store)
    assert ["a", "a"] == firsts
    assert store._machine.replica.is_loaded


def commit_group(store: Store[Any], *decisions: Callable[[Table], bytes | None]) -> None:
    """Commit as threads that come together do."""
    machine = store._machine
    machine._commit_group([_Job(decide, asks=False) for decide in decisions])


def test_interrupted_function_of_an_update_leaves_the_state_in_memory() -> None:
    """It has touched nothing: there is nothing to be read anew."""
    store = Store[Any]("/s", vfs=MemoryVFS())
    store["a"] = 1

    def interrupt(_: int) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.update("a", interrupt)
    assert store._machine.replica.is_loaded
    assert {"a": 1} == dict(store)


LIMITED = """
import resource, sys
from holdfast.state.store import Store
store = Store(sys.argv[1], checkpoint_bytes=1 << 16)
told = {"first": "1"}
store.update(told)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_001, resource.RLIM_INFINITY))
errors = 0
for number in range(3000):
    try:
        store[f"k{number % 7}"] = "v" * (number % 900)
        told[f"k{number % 7}"] = "v" * (number % 900)
    except OSError as error:
        assert error.errno == 27, error
        errors += 1
        if errors == 3:
            break
assert errors == 3
assert told == dict(store)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
store["more"] = told["more"] = "more"
store.checkpoint()
store.close()
with Store(sys.argv[1]) as other:
    assert told == dict(other)
    assert other.check().ok
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_limit_of_the_file_size(tmp_path: Path) -> None:
    """EFBIG for the log and for checkpoints by themselves: nothing is lost, and it goes on."""
    command = [sys.executable, "-W", "ignore", "-c", LIMITED, str(tmp_path / "s")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ("", 0) == (done.stderr, done.returncode)


# ------------------------------------------------------------ another boot


def test_store_of_another_boot_is_read_from_the_disk(tmp_path: Path) -> None:
    """The hints of the boot before are of no use, and do no harm."""
    with Store[int](tmp_path / "s", sync="never") as store:
        store.update({"a": 1, "b": 2})
        store.checkpoint()
        store["a"] = 3
        store.barrier()
        for read_only in (True, False):
            with Store[int](tmp_path / "s", read_only=read_only, vfs=Rebooted(SYSTEM)) as other:
                assert {"a": 3, "b": 2} == dict(other)
                assert other.recovered is None


def test_log_that_lost_what_was_durable_is_refused_on_the_same_boot() -> None:
    """The hint knows how far it was durable: a file that was cut since is damage, not a tail."""
    disk = written()
    with opened(disk) as store:
        store["new"] = 1
    folder = disk.folder("/s/log")
    for name in folder.names():
        if name.endswith(".segment"):
            file = folder.open(name, "write")
            file.truncate(600)
            file.close()
    folder.close()
    with opened(disk) as store, pytest.raises(Corruption):
        dict(store)


# ------------------------------------------------------------ interrupts


def put(store: Store[Any]) -> None:
    store["a"] = 2


def update(store: Store[Any]) -> None:
    store.update("a", lambda old: 2)


def transaction(store: Store[Any]) -> None:
    with store.transaction() as tx:
        tx["a"] = tx["a"] + 1
        tx["b"] = 2


def get(store: Store[Any]) -> None:
    store.get("a")


def checkpoint(store: Store[Any]) -> None:
    store.checkpoint()


def close(store: Store[Any]) -> None:
    store.close()


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: syncs are many, and the disk is not the subject."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.leaks_allowed  # an interrupt between the opening of a file and its being noted
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("act", [put, update, transaction, get, checkpoint, close])
@pytest.mark.timeout(120)
def test_after_an_interrupt_anywhere_everybody_goes_on(
    act: Callable[[Store[Any]], None], quick_folder: Path
) -> None:
    """The same object and another one work on, nothing told is lost, nothing is half done."""
    last = nth = 0
    for nth in range(1, 4000):
        path = quick_folder / f"{nth}"
        store, other = Store[Any](path), Store[Any](path)
        store.update({"a": 1, "told": nth})
        is_over = not interrupted(lambda store=store: act(store), nth=nth)
        other["other"] = nth
        if act is not close:
            store["again"] = nth
            assert nth == other["again"]
        found = dict(other)
        assert (nth, nth) == (found["told"], found["other"]), f"event {nth}"
        assert found["a"] in ((1, 2) if act is not get else (1,))
        assert ("b" in found) is (act is transaction and found["a"] == 2)
        if act is not close:
            assert found == dict(store)
            store.checkpoint()
        store.close()
        other.close()
        assert found == read_again(path)
        shutil.rmtree(path)
        if is_over:
            break
        last = nth

    assert 3 < last == nth - 1


def read_again(path: Path) -> dict[str, Any]:
    with Store[Any](path) as store:
        return dict(store)
