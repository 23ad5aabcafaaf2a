"""The report as text: within its width, plain, and with no claim for what is missing."""

from __future__ import annotations

import pytest

import holdfast
from holdfast.diagnosis import Finding, doctor
from holdfast.diagnosis.report import duration, size
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.probe import Space


@pytest.fixture(scope="module")
def report():
    return doctor("/", vfs=MemoryVFS())


@pytest.mark.parametrize("columns", [72, 80, 132])
def test_text_keeps_its_width(report, columns) -> None:
    """No line is wider than asked for, nor has it blanks at its end."""
    lines = report.text(columns=columns).splitlines()

    assert max(map(len, lines)) <= columns
    assert lines == [line.rstrip() for line in lines]


def test_text_is_80_columns_wide_by_itself(report) -> None:
    """`str` gives what a pipe gets."""
    assert report.text(columns=80) == str(report)


def test_text_has_no_letter_that_a_plain_terminal_lacks(report) -> None:
    """The text is ASCII where the path is."""
    assert str(report).isascii()


def test_text_begins_with_the_verdict(report) -> None:
    """Folder and filesystem, then the verdict, then why."""
    first, second, third = str(report).splitlines()[:3]

    assert "/ (memory)" == first
    assert "DURABLE: only against process crash" == second
    assert third.startswith("  A sync takes")


def test_text_cannot_steer_a_terminal(report) -> None:
    """A path with control characters is shown without them."""
    text = report._replace(path="/a\x1b[2J\udc80b").text()

    assert "/a?[2J?b (memory)" == text.splitlines()[0]


def test_available_patterns_exist(report) -> None:
    """What the table offers is a public name; what this version lacks is not offered."""
    offered = [pattern for pattern in report.patterns if pattern.available]
    words = " ".join(pattern.use for pattern in offered).replace("(", " ").replace(",", " ")
    names = {word.split(".")[0] for word in words.split()} - {"path", "path)"}

    assert {"open", "write_many", "Document", "edit", "FileLock", "doctor"} <= names
    assert set() == {n for n in names if n.isidentifier()} - set(holdfast.__all__)
    assert {""} == {pattern.use for pattern in report.patterns if not pattern.available}


def test_missing_patterns_are_named_as_missing(report) -> None:
    """Each change that this version has no pattern for stands under that heading."""
    _, heading, below = str(report).partition("Not in this version\n")
    missing = [pattern.change for pattern in report.patterns if not pattern.available]

    assert heading
    assert len(missing) >= 4
    assert [f"  {change}" for change in missing] == below.splitlines()


def test_pattern_that_does_not_fit_says_so(report) -> None:
    """The cost of what does not hold here is not shown."""
    first, *rest = report.patterns
    text = report._replace(patterns=(first._replace(fits=False), *rest)).text()

    assert 1 == text.count("does not fit")


def test_findings_are_printed_with_their_remedy(report) -> None:
    """Level, sentence and remedy stand on one line where they fit."""
    finding = Finding("warning", "a is full.", "Make room.")

    assert "  warning: a is full. Make room.\n" in report._replace(findings=(finding,)).text()
    assert "Nothing was found amiss\n" in report._replace(findings=()).text()


def test_space_is_printed_where_it_is_known(report) -> None:
    """Free bytes, and files where the filesystem counts them."""
    facts = report.facts
    for space, expected in (
        (Space(3 << 30, 1234), "  3.0 GiB free, room for 1,234 files\n"),
        (Space(100, None), "  100 bytes free\n"),
    ):
        assert expected in report._replace(facts=facts._replace(space=space)).text()


@pytest.mark.parametrize(
    ("expected", "us"),
    [
        ("0.0 us", 0.0),
        ("1.8 us", 1.83),
        ("600 us", 599.6),
        ("2.2 ms", 2161.0),
        ("20 ms", 20_000.0),
        ("1.5 s", 1.5e6),
    ],
)
def test_durations_read_well(expected, us) -> None:
    """Two or three digits and a unit."""
    assert expected == duration(us)


@pytest.mark.parametrize(
    ("expected", "count"),
    [("0 bytes", 0), ("1.0 KiB", 1024), ("1.5 MiB", 3 << 19), ("79.8 GiB", 85_684_597_555),
     ("2.0 TiB", 2 << 40)],
)  # fmt: skip
def test_sizes_read_well(expected, count) -> None:
    """One digit after the point, and a binary unit."""
    assert expected == size(count)
