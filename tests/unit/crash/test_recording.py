"""The value between the recorders and the explorer."""

from __future__ import annotations

from holdfast.crash.recording import Site


def test_a_site_reads_as_file_and_line() -> None:
    """As editors and terminals make a link of it."""
    assert "mv+0x7bbf" == str(Site("mv+0x7bbf", 0, ""))
    assert "app.py:14" == str(Site("app.py", 14, "save"))
