"""The line that tells how far it is."""

from __future__ import annotations

import io

from holdfast.crash.progress import Progress, columns


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_first_half_second_is_silent() -> None:
    """What is quick shows nothing; later there is one line that is rewritten."""
    stream, clock = Terminal(), Clock()
    progress = Progress(stream=stream, budget_s=10, clock=clock)
    progress.recording(1)
    clock.now = 0.4
    progress.exploring(5, bugs=0, seconds=0.4)
    assert "" == stream.getvalue()

    clock.now = 5.0
    progress.exploring(1234, bugs=1, seconds=5.0)

    assert "[##########..........] 1,234 states tried, 1 bug so far" in stream.getvalue()
    assert "\n" not in stream.getvalue()


def test_line_is_taken_away() -> None:
    """At the end the terminal is as before."""
    stream, clock = Terminal(), Clock()
    progress = Progress(stream=stream, clock=clock)
    clock.now = 1.0
    progress.recording(7)
    progress.end()

    assert "recording: 7 calls" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_what_follows_begins_at_the_margin(monkeypatch) -> None:
    """As many blanks as there are columns end on the next line, if this one was left open."""
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    progress = Progress(stream=stream, clock=Clock())
    progress.end()
    progress.end()

    assert "\x1b[K" + " " * 60 + "\r\x1b[K" == stream.getvalue()


def test_how_many_were_tried_is_known_without_a_terminal() -> None:
    """For the message of one who is interrupted."""
    progress = Progress(stream=io.StringIO(), clock=Clock())
    progress.exploring(7, bugs=0, seconds=0.1)

    assert 7 == progress.tried


def test_line_is_not_rewritten_all_the_time() -> None:
    """Ten times a second is enough."""
    stream, clock = Terminal(), Clock()
    progress = Progress(stream=stream, clock=clock)
    clock.now = 1.0
    for calls in range(100):
        progress.recording(calls)

    assert 1 == stream.getvalue().count("recording")


def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    """A log file gets no progress."""
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream=stream, clock=clock)
    clock.now = 9.0
    progress.recording(1)
    progress.end()

    assert "" == stream.getvalue()


def test_width_of_a_report_is_bounded(monkeypatch) -> None:
    """A very wide terminal does not make very long lines."""
    monkeypatch.setenv("COLUMNS", "400")
    assert 120 == columns()

    monkeypatch.setenv("COLUMNS", "80")
    assert 80 == columns()
