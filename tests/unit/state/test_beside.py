"""Names beside a document, up to the longest that a folder takes."""

from __future__ import annotations

from pathlib import Path

from holdfast import Document


def test_long_names_have_a_lock_too(tmp_path: Path) -> None:
    """A name of 255 bytes gets a lock with a hashed name, its own."""
    names = ["ä" * 125 + ".json", "ä" * 124 + "bb.json"]
    for name in names:
        Document(tmp_path / name, default={}).update(lambda state: state.update(n=1))

    assert 4 == len(list(tmp_path.iterdir()))
    assert all('"n": 1' in (tmp_path / name).read_text() for name in names)
