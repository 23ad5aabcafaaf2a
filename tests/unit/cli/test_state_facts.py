"""What `inspect` says of a journal or store."""

from __future__ import annotations

import os

from holdfast.cli.state_facts import facts_of_state
from holdfast.state.store import Store


def facts(path) -> dict:
    return facts_of_state(str(path), os.listdir(path))


def test_store_is_described(tmp_path) -> None:
    """Identity, commits, checkpoints and locks."""
    with Store(tmp_path / "s") as store:
        store["a"] = 1
        store.checkpoint()
        store["b"] = 2
    seen = facts(tmp_path / "s")["store"]

    assert ("store", "json", 2, 2) == tuple(
        seen[name] for name in ("kind", "codec", "sequence", "durable")
    )
    assert ["checkpoint-a"] == [*seen["checkpoints"]]
    assert (1, 1) == tuple(
        seen["checkpoints"]["checkpoint-a"][n] for n in ("generation", "sequence")
    )
    assert {"commit": None, "checkpoint": None} == seen["locks"]
    assert 0 < seen["log_bytes_since_checkpoint"] <= seen["log_bytes"]
    assert 16 == len(seen["id"])


def test_holder_is_named(tmp_path) -> None:
    """Of the lock that commits take."""
    with Store(tmp_path / "s") as store:
        store["a"] = 1
        with store.transaction() as tx:
            tx["a"] = tx["a"] + 1
            seen = facts(tmp_path / "s")["store"]["locks"]

    assert (os.getpid(), None) == (seen["commit"]["pid"], seen["checkpoint"])


def test_damage_is_told(tmp_path) -> None:
    """Of the identity as the reason why nothing is told; of a checkpoint by its path."""
    with Store(tmp_path / "s") as store:
        store["a"] = 1
        store.checkpoint()
    slot = tmp_path / "s" / "checkpoint-a"
    slot.write_bytes(b"?" + slot.read_bytes()[1:])
    seen = facts(tmp_path / "s")["store"]
    assert ({}, [str(slot)]) == (seen["checkpoints"], seen["damaged_checkpoints"])
    (tmp_path / "s" / "journal").write_bytes(b"")

    assert ["error"] == [*facts(tmp_path / "s")["journal"]]


def test_leftovers_are_listed(tmp_path) -> None:
    """Of the log inside, and an identity that was never finished."""
    with Store(tmp_path / "s") as store:
        store["a"] = 1
    name = f".x.{'0' * 16}.holdfast-tmp"
    (tmp_path / "s" / "log" / name).touch()
    (tmp_path / "s" / "journal.new").touch()

    assert ["journal.new", f"log/{name}"] == facts(tmp_path / "s")["store"]["leftovers"]


def test_other_folder_has_none(tmp_path) -> None:
    """Nothing is said of it here."""
    assert {} == facts(tmp_path)
