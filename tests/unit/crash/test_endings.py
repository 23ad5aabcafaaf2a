"""How a process ended, in words."""

from __future__ import annotations

import pytest

from holdfast.crash.endings import ending


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0, "exited with 0"),
        (3, "exited with 3"),
        (-9, "was killed by SIGKILL"),
        (-63, "was killed by signal 63"),
    ],
)
def test_end_is_told_in_words(status, expected) -> None:
    """A code as a number, a signal by its name where it has one."""
    assert expected == ending(status)
