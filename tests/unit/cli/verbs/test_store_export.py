"""`holdfast store export`."""

from __future__ import annotations

import json

from holdfast.state.store import Store


def test_all_is_printed_as_lines(cli, tmp_path) -> None:
    """In order, and as it can be imported."""
    with Store(tmp_path / "s") as store:
        store.update({"b": "\u00e9\n", "a": {"n": 2}})
    code, out, err = cli("store", "export", tmp_path / "s")

    assert (0, "") == (code, err)
    assert [{"key": "a", "value": {"n": 2}}, {"key": "b", "value": "\u00e9\n"}] == [
        json.loads(line) for line in out.splitlines()
    ]


def test_much_is_printed(cli, tmp_path) -> None:
    """In pieces, whole."""
    with Store(tmp_path / "s") as store:
        store.update({str(number): "x" * 1000 for number in range(200)})

    assert 200 == len(cli("store", "export", tmp_path / "s").out.splitlines())


def test_missing_store_is_told(cli, tmp_path) -> None:
    """66, and nothing is made."""
    assert (66, "") == cli("store", "export", tmp_path / "no")[:2]
