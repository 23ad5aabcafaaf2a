"""The stores that ours is compared with: each keeps what it was given, from threads too."""

from __future__ import annotations

import threading

import pytest

from benchmarks.peers import missing
from benchmarks.store_peers import OURS, STORES, names_of, operation
from benchmarks.store_peers.shape import VALUE, VALUES, StorePeer, changed, key_of, pair

THREADS, EACH = 4, 5


def _make(name: str, path: object):
    if absent := missing(name):
        pytest.skip(f"{', '.join(absent)} is not installed")
    return STORES[name].make(str(path))


def _values(peer: StorePeer, keys: int) -> list[object]:
    return [peer.get(key_of(number)) for number in range(keys)]


BYTES = [name for name in STORES if not name.endswith("JSON")]


@pytest.mark.parametrize("name", BYTES)
def test_what_was_put_is_got(tmp_path, name):
    """One by one, in a transaction, and changed under a lock: the last value is the one there."""
    peer = _make(name, tmp_path / "store")
    peer.put_many([pair(number, 1) for number in range(20)])
    peer.put(*pair(3, 2))
    peer.update(key_of(4), changed)
    peer.settle()
    found = _values(peer, 20)
    peer.close()

    expected = [VALUES[1]] * 20
    expected[3], expected[4] = VALUES[2], changed(VALUES[1])
    assert expected == found


@pytest.mark.parametrize("name", [n for n in BYTES if not n.startswith("zeroed")])
def test_what_was_put_is_there_after_reopening(tmp_path, name):
    """A peer that kept everything in memory would win every table."""
    peer = _make(name, tmp_path / "store")
    peer.put(*pair(0, 7))
    peer.close()
    again = _make(name, tmp_path / "store")
    found = _values(again, 1)
    again.close()

    assert [VALUES[7]] == found


@pytest.mark.parametrize("name", [n for n, kind in STORES.items() if kind.scans])
def test_scan_reads_a_prefix_and_nothing_else(tmp_path, name):
    """Ten keys without their last digit, a hundred without two; those after them are not read."""
    peer = _make(name, tmp_path / "store")
    peer.put_many([pair(number) for number in range(130)])
    found = [peer.scan(key_of(17)[:-1]), peer.scan(key_of(17)[:-2]), peer.scan(key_of(127)[:-2])]
    peer.close()

    assert [10, 100, 30] == found


@pytest.mark.parametrize("name", [n for n in BYTES if STORES[n].threads])
def test_no_change_of_any_thread_is_lost(tmp_path, name):
    """Four threads change one value at a time: as many changes as there were calls."""
    peer = _make(name, tmp_path / "store")
    peer.put(key_of(0), VALUE)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(EACH):
                peer.update(key_of(0), changed)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = peer.get(key_of(0))
    peer.close()

    assert [] == failed
    turned = THREADS * EACH
    assert VALUE[turned:] + VALUE[:turned] == found


def test_values_differ_and_are_of_one_size():
    """A put of what is there already may write nothing, and a larger one writes more."""
    assert len(VALUES) == len({*VALUES})
    assert {84} == {len(value) for value in VALUES}
    assert {16} == {len(key_of(number)) for number in (0, 9, 10**11)}


def test_ours_and_the_floor_need_nothing_installed():
    """Those two are in every table."""
    assert {OURS, "zeroed floor"} <= {*names_of()}
    assert "put: lmdb" == operation("lmdb")
