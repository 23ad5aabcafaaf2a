"""Folders of journals and stores, told by looking."""

from __future__ import annotations

import pytest

from holdfast.cli.exits import Failure
from holdfast.cli.states import identity_of, refuse_log_of_state, refuse_state, state_of
from holdfast.primitives.log import Log
from holdfast.state.store import Store
from tests.support.journal_files import commit, opened


@pytest.fixture
def store(tmp_path):
    """A store of one value, with a checkpoint."""
    with Store(tmp_path / "store") as made:
        made["a"] = 1
        made.checkpoint()
    return tmp_path / "store"


def test_store_and_journal_are_told_apart(store, tmp_path) -> None:
    """By the identity; other folders, files and nothing at all are neither."""
    from holdfast.vfs import SYSTEM

    with opened(SYSTEM, str(tmp_path / "journal")) as journal:
        commit(journal, 1)
    with Log(tmp_path / "log") as log:
        log.append(b"one")

    assert "store" == state_of(str(store))
    assert "store" == identity_of(str(store)).kind
    assert "journal" == state_of(str(tmp_path / "journal"))
    for name in ("log", ".", "missing", "store/journal"):
        assert None is state_of(str(tmp_path / name))


@pytest.mark.parametrize("damage", ["cut", "bits", "gone", "later"])
def test_damaged_identity_is_that_of_a_journal(store, damage) -> None:
    """By its magic, or by the log and the checkpoints beside it."""
    path = store / "journal"
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        at = {"cut": 512, "bits": 30, "later": 8}[damage]
        path.write_bytes(data[:100] if damage == "cut" else data[:at] + b"\7" + data[at + 1 :])

    assert "journal" == state_of(str(store))


def test_file_of_that_name_alone_makes_no_journal(tmp_path) -> None:
    """Nor does a folder."""
    (tmp_path / "journal").write_text("Dear diary")
    assert None is state_of(str(tmp_path))
    (tmp_path / "log").mkdir()
    assert None is state_of(str(tmp_path))
    (tmp_path / "journal").unlink()
    (tmp_path / "journal").mkdir()
    assert None is state_of(str(tmp_path))


def test_verbs_of_a_log_refuse_a_store(store) -> None:
    """Its folder, and a change of its log."""
    with pytest.raises(Failure, match="is a store, no log"):
        refuse_state(str(store))
    refuse_state(str(store / "log"))
    with pytest.raises(Failure, match=r"is the log of the store .*store, and is changed by that"):
        refuse_log_of_state(str(store / "log"))
    refuse_log_of_state(str(store))
