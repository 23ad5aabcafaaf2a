"""What the workloads of stores ask for, and what is read off the killed ones."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import pytest

from benchmarks.peers import missing
from benchmarks.store_peers import OURS, STORES
from benchmarks.store_peers.shape import VALUE, key_of, pair
from benchmarks.workloads import store_reopen
from benchmarks.workloads.store import grown
from benchmarks.workloads.store_checkpoint import Scene, Waits, one_of_three
from benchmarks.workloads.store_memory import HOLDERS
from benchmarks.workloads.store_reopen import HOWS, left_behind, reopened
from benchmarks.workloads.ycsb import MIXES, requests, zipfian

KEYS = 200


class _Noted:
    """A store that keeps names of calls and the keys that it was asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.keys = {key_of(number) for number in range(KEYS)}

    def put(self, key, value):
        self.calls.append("insert" if key not in self.keys else "put")
        self.keys.add(key)

    def get(self, key):
        self.calls.append("get")
        assert key in self.keys

    def update(self, key, change):
        self.calls.append("update")
        assert key in self.keys

    def scan(self, prefix):
        self.calls.append("scan")
        assert len(prefix) in {14, 15}
        return 0

    def put_many(self, pairs): ...
    def settle(self): ...
    def close(self): ...


def _shares(letter: str) -> dict[str, float]:
    noted = _Noted()
    step = requests(MIXES[letter], noted, itertools.count(KEYS), KEYS, seed=1)
    for _ in range(6_000):
        step()
    return {call: count / 6_000 for call, count in Counter(noted.calls).items()}


@pytest.mark.parametrize(
    ("letter", "expected"),
    [
        ("a", {"get": 0.5, "put": 0.5}),
        ("b", {"get": 0.95, "put": 0.05}),
        ("c", {"get": 1.0}),
        ("d", {"get": 0.95, "insert": 0.05}),
        ("e", {"scan": 0.95, "insert": 0.05}),
        ("f", {"get": 0.5, "update": 0.5}),
    ],
)
def test_each_mix_asks_for_its_shares(letter, expected):
    """Within three in a hundred, and never for a key that is not there; inserts are of new keys."""
    assert expected == pytest.approx(_shares(letter), abs=0.03)


def test_the_most_popular_key_is_asked_for_most():
    """The first of 200 about twice as often as the second; the ten first have half of all."""
    ranks = zipfian(KEYS)
    chance = random.Random(1)
    found = Counter(ranks(chance) for _ in range(20_000))

    assert 1.6 < found[0] / found[1] < 2.5
    assert 0.4 < sum(found[rank] for rank in range(10)) / 20_000 < 0.6
    assert {*found} <= {*range(KEYS)}


@pytest.mark.parametrize("name", ["sqlite3, one connection", "lmdb", OURS])
@pytest.mark.parametrize("how", [how for how, made in HOWS.items() if made.batch > 1])
def test_killed_store_is_opened_and_has_its_last_value(tmp_path, how, name):
    """What is timed is an opening that finds all keys; another value would be an error."""
    if missing(name):
        pytest.skip(f"{name} is not installed")
    path = left_behind(how, name, str(tmp_path / "store"), KEYS)
    found = reopened(how, name, path, KEYS)
    peer = STORES[name].make(path)
    last = peer.get(key_of(KEYS - 1))
    peer.close()

    assert VALUE == last
    assert found["time"] * KEYS == pytest.approx(found["open to first get"] * 1e3)


def test_opening_that_misses_a_value_is_no_figure(tmp_path):
    """A recovery that lost the last batch must not look fast."""
    path = left_behind("batches", "sqlite3, one connection", str(tmp_path / "store"), KEYS)

    with pytest.raises(RuntimeError, match="exit code 1"):
        reopened("batches", "sqlite3, one connection", path, KEYS + 1)


def test_filling_that_was_not_killed_is_no_crash(tmp_path):
    """One that ends by itself has closed its store."""
    with pytest.raises(RuntimeError, match="should have been killed"):
        left_behind("batches", "no such store", str(tmp_path / "store"), KEYS)


def test_raw_reads_read_every_file(tmp_path):
    """The floor of an opening is every byte of the folder, in pieces."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(bytes(300_000))

    assert 300_000 == store_reopen.read_all(str(tmp_path))


def test_store_has_grown_when_it_was_rewritten(tmp_path):
    """Twelve turns over the keys, and the values of the last one."""
    name = "sqlite3, one connection"
    peer = grown(name, STORES[name].make(str(tmp_path / "store")), 10)
    found = [peer.get(key_of(number)) for number in range(10)]
    peer.close()

    assert [pair(0, 12)[1]] * 10 == found


@pytest.mark.parametrize("index", range(3))
def test_each_of_the_three_has_its_figure(tmp_path, index):
    """Writer and reader stop when the third one says that it is over."""
    scene = Scene(OURS, str(tmp_path / "store"), 100, idle=False)
    peer = STORES[OURS].make(scene.path)
    peer.put_many([pair(number) for number in range(100)])
    peer.close()
    if index < 2:
        (tmp_path / "store.over").touch()
    found = one_of_three(index, lambda: 0, scene)

    assert (found.worst if isinstance(found, Waits) else found) > 0
    assert (index < 2) == isinstance(found, Waits)
    assert (tmp_path / "store.over").exists()


def test_every_holder_holds_every_key(tmp_path):
    """What the memory is counted of has as many keys as the dict beside it."""
    found = []
    for hold in HOLDERS.values():
        held: Any = hold(str(tmp_path / "store"), 2_000)
        found.append(len(held))
        if not isinstance(held, dict):
            held.close()

    assert [2_000] * len(HOLDERS) == found
