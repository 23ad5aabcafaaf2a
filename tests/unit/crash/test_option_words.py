"""What is wrong with options that were given by name."""

from __future__ import annotations

import pytest

from holdfast.crash.option_words import complaint_about, complaint_about_names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model", ""),
        ("modle", "modle: is no option. Did you mean model?"),
        ("xyzzy", "xyzzy: is no option. There are limit, model."),
    ],
)
def test_unknown_name_is_told(name, expected) -> None:
    """With the one that was probably meant, or all that there are."""
    assert expected == complaint_about_names([name], ["model", "limit"])


@pytest.mark.parametrize(
    ("name", "good", "bad", "words"),
    [
        ("model", "posix", "ext4", "model='ext4': choose one of prefix, linux, posix."),
        ("isolation", "fork", "exec", "isolation='exec': choose one of fork, process."),
        ("ack", "stdout", "yes", "ack='yes': choose one of path, stdout."),
        ("block_bytes", 512, 100, "block_bytes=100: choose one of 512, 4096."),
        ("budget_s", 0.5, "5", "budget_s='5': is no number of seconds."),
        ("timeout_s", 1, 0, "timeout_s=0: is no number of seconds."),
        ("limit", 1, 0, "limit=0: is no number of combinations, 1 or more."),
        ("keep", "d", None, ""),
    ],
)
def test_value_that_cannot_be_is_told(name, good, bad, words) -> None:
    """In one line, with what there is to choose."""
    assert "" == complaint_about({name: good})
    assert words == complaint_about({name: bad})
