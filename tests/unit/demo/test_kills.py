"""Writers killed in the middle of their work, and contents that tell whether they are whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.demo.kills import check, kills, payload


@pytest.mark.parametrize("number", [0, 1, 250, 251, 10**11])
def test_whole_contents_give_their_number(number: int) -> None:
    """Whole contents are recognised, and say which they are."""
    assert number == check(payload(number))


def test_torn_contents_are_recognised() -> None:
    """Contents that are cut, mixed, overwritten, longer or empty are no number."""
    old, new = payload(1), payload(2)
    half = len(old) // 2

    torn = [b"", old[:10], old[:-1], old[half:], old[:half] + new[half:], new[:100] + old[100:]]
    torn += [old + b"\0", bytes(len(old)), old[:half] + bytes(len(old) - half)]
    assert [None] * len(torn) == [check(data) for data in torn]


def test_killed_writers_tear_and_lose_nothing(tmp_path: Path) -> None:
    """Two writers killed: nothing is lost or torn, and their leftovers are swept."""
    said: list[str] = []
    rows = list(kills(tmp_path, said.append, rounds=2))

    assert [0, 0, 0] == [row.lost for row in rows]
    assert all(row.tried > 0 for row in rows[:2])
    assert "their writer killed 2 times" in rows[0].what
    assert ["killed.bin"] == [entry.name for entry in tmp_path.iterdir()]
    assert "0 of 2 writers killed, 0 writes" == said[0]
