"""What the protocols carry besides methods."""

from __future__ import annotations

from holdfast.vfs.api import Holder


def test_holder_reads_as_a_sentence_part() -> None:
    """A holder prints as pid, program and host."""
    assert "pid 42 (python app.py) on box" == str(Holder(42, "box", "python app.py"))
