"""`holdfast store del`."""

from __future__ import annotations

import pytest

from holdfast.state.store import Store


@pytest.fixture
def store(tmp_path):
    """A store of three keys."""
    with Store(tmp_path / "s") as made:
        made.update({"a": 1, "b": 2, "c": 3})
    return tmp_path / "s"


def keys(path) -> list[str]:
    """What is left."""
    with Store(path, read_only=True) as store:
        return list(store)


def test_keys_go_together(cli, store) -> None:
    """In one commit; a key that is named twice goes once."""
    assert (0, "", "") == cli("store", "del", store, "a", "c", "a")
    assert ["b"] == keys(store)
    with Store(store, read_only=True) as found:
        assert 2 == found.sequence


def test_missing_key_is_no_and_nothing_goes(cli, store) -> None:
    """Unless --force."""
    code, out, err = cli("store", "del", store, "a", "x")
    assert (1, "", f"holdfast store del: {store}: there is no 'x'. It is unchanged.\n") == (
        code,
        out,
        err,
    )
    assert ["a", "b", "c"] == keys(store)
    assert (0, "", "") == cli("store", "del", "-f", store, "a", "x")
    assert ["b", "c"] == keys(store)


def test_missing_store_is_told(cli, tmp_path) -> None:
    """And is not made."""
    assert 66 == cli("store", "del", tmp_path / "no", "a").code
    assert not (tmp_path / "no").exists()
