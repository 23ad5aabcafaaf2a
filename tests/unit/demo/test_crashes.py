"""The power cut at every point, in memory."""

from __future__ import annotations

from holdfast.demo.crashes import crashes


def test_only_the_way_without_holdfast_loses() -> None:
    """All states are tried: a replacement and an edit lose nothing, writing in place does."""
    said: list[str] = []
    replaced, edited, in_place = crashes(said.append)

    assert ["all there are"] * 2 == [replaced.note, edited.note]
    assert [0, 0] == [replaced.lost, edited.lost]
    assert replaced.ours
    assert edited.ours
    assert min(replaced.tried, edited.tried) > 10
    assert in_place.lost > 0
    assert not in_place.ours
    assert 3 == len(said)
