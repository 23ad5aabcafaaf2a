"""Durations, failures on order and lines of words, as people write them."""

from __future__ import annotations

import pytest

from holdfast.crash.values import duration, fault, quoted, words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(30, "30"), (30, "30s"), (0.5, "500ms"), (120, "2m"), (3600, "1h"), (1.5, "1.5s")],
)
def test_duration_is_read(seconds, text) -> None:
    """A number has a unit, or means seconds."""
    assert seconds == duration(text)


@pytest.mark.parametrize("text", ["", "s", "-1s", "0", "3 days", "3d", "inf", "nan", "1e999"])
def test_what_is_no_duration_is_refused(text) -> None:
    """Nothing, nonsense and forever are no durations."""
    with pytest.raises(ValueError, match="is no duration"):
        duration(text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (("fsync", 2, "EIO"), "fsync:EIO:2"),
        (("rename", 1, "kill"), "rename:kill"),
        (("write", 3, "short:10"), "write:short:10:3"),
        (("write", 1, "short:10"), "write:short:10"),
    ],
)
def test_fault_is_read(expected, text) -> None:
    """The call, what happens to it, and which of them it is."""
    assert expected == fault(text)


@pytest.mark.parametrize("text", ["", "fsync", ":EIO", "fsync:EIO:x", "fsync:EIO:1:2", "a:b:-1"])
def test_what_is_no_fault_is_refused(text) -> None:
    """A part that is missing, left over or no number is told."""
    with pytest.raises(ValueError, match="is no fault"):
        fault(text)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("app.py", "app.py"),
        ("a b", "'a b'"),
        ("ä", "'ä'"),
        ("a\nb'\\", r"$'a\x0ab\x27\x5c'"),
        ("\udcff", r"$'\xff'"),
    ],
)
def test_word_is_quoted_for_a_shell_on_one_line(word, expected) -> None:
    """What does not print is an escape."""
    assert expected == quoted(word)


def test_words_are_split_as_a_shell_would() -> None:
    """Quotes hold words together, and nothing is expanded."""
    assert ["a", "b c", "$HOME"] == words("a 'b c' $HOME")


@pytest.mark.parametrize("text", ["", "  ", "a 'b"])
def test_a_line_without_words_is_refused(text) -> None:
    """An empty line, or an open quote, is no command."""
    with pytest.raises(ValueError, match=r"no command|No closing"):
        words(text)
