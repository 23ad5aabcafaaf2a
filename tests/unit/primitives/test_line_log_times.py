"""Rotation by time: the moments and the names of the standard library."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import closing
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path

import pytest

from holdfast.primitives.line_log_rotation import Watched
from holdfast.primitives.line_log_times import TimeRotation, When
from holdfast.vfs import ManualClock
from holdfast.vfs.memory import MemoryVFS

START = dt.datetime(2026, 11, 23, 19, 30, 15, tzinfo=dt.UTC)
DAY_S = 86_400


def clock_at(moment: dt.datetime) -> ManualClock:
    return ManualClock(start_ns=int(moment.timestamp()) * 1_000_000_000)


class Bench:
    """A log in memory whose clock is moved by hand."""

    def __init__(self, when: str, interval: int = 1, keep: int = 0, **more: object) -> None:
        self.clock = clock_at(START)
        self.vfs = MemoryVFS(clock=self.clock)
        chosen = When(when, interval, keep, more.get("utc", True), more.get("at_time"))  # type: ignore[arg-type]
        self.rotation = TimeRotation("/a.log", chosen, clock=self.clock)

    def write(self) -> None:
        with (
            closing(self.vfs.folder("/")) as folder,
            closing(folder.open("a.log", "create")) as file,
        ):
            file.write(b"x")
            self.rotation.opened(file.stat())

    def rotate(self) -> None:
        with closing(self.vfs.folder("/")) as folder:
            self.rotation.rotate(folder, "a.log", Watched())

    def names(self) -> list[str]:
        return sorted(self.vfs.tree())


@pytest.mark.parametrize(
    ("when", "interval", "after_s", "name"),
    [
        ("S", 1, 1, "a.log.2026-11-23_19-30-15"),
        ("M", 5, 300, "a.log.2026-11-23_19-30"),
        ("h", 1, 3600, "a.log.2026-11-23_19"),
        ("D", 1, DAY_S, "a.log.2026-11-23"),
        ("midnight", 1, 16_185, "a.log.2026-11-23"),
        ("W0", 1, 16_185, "a.log.2026-11-17"),
        ("W2", 1, 16_185 + 2 * DAY_S, "a.log.2026-11-19"),
    ],
)
def test_log_is_due_at_the_end_of_its_term(when, interval, after_s, name) -> None:
    """Not a second earlier; it is named for the beginning of the term."""
    bench = Bench(when, interval)
    bench.write()
    bench.clock.advance(after_s - 1)
    assert not bench.rotation.is_due(1, 1)
    bench.clock.advance(1)
    assert bench.rotation.is_due(1, 1)
    bench.rotate()

    assert [name] == bench.names()


@pytest.mark.parametrize("when", ["S", "M", "H", "D", "MIDNIGHT", "W0", "W6"])
@pytest.mark.parametrize("utc", [True, False])
def test_moments_and_names_are_those_of_the_standard_library(tmp_path: Path, when, utc) -> None:
    """I1: asked for the same file at the same time, in the zone of this machine too."""
    path = tmp_path / "a.log"
    path.write_text("x")
    theirs = TimedRotatingFileHandler(path, when, delay=True, utc=utc, encoding="utf-8")
    theirs.close()
    bench = Bench(when, utc=utc)
    bench.rotation.opened(path.stat())
    before = bench.rotation.is_due(1, 1)
    bench.clock.advance(theirs.rolloverAt - bench.clock.now_ns() / 1e9)

    assert not before
    assert bench.rotation.is_due(1, 1)
    start = time.gmtime if utc else time.localtime
    expected = time.strftime(theirs.suffix, start(theirs.rolloverAt - theirs.interval))
    assert expected == bench.rotation._date()


def test_time_of_day_is_kept() -> None:
    """`atTime` for midnight."""
    bench = Bench("midnight", at_time=dt.time(20, 0))
    bench.write()
    bench.clock.advance(29 * 60 + 44)
    assert not bench.rotation.is_due(1, 1)
    bench.clock.advance(1)

    assert bench.rotation.is_due(1, 1)


def test_day_of_25_hours_ends_at_midnight(monkeypatch) -> None:
    """The clock on the wall decides, not a number of seconds."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        zone = dt.timezone(dt.timedelta(hours=2))
        bench = Bench("midnight", utc=False)
        day = dt.datetime(2026, 10, 25, 0, 0, 1, tzinfo=zone)
        bench.clock = bench.rotation._clock = bench.vfs.core.clock = clock_at(day)
        for hours in (25, 24):
            bench.write()
            bench.clock.advance(hours * 3600 - 2)
            assert not bench.rotation.is_due(1, 1)
            bench.clock.advance(1)
            assert bench.rotation.is_due(1, 1)
            bench.rotate()
            bench.clock.advance(1)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert ["a.log.2026-10-25", "a.log.2026-10-26"] == bench.names()


def test_so_many_stay() -> None:
    """The oldest go by their date; other names are left alone."""
    bench = Bench("D", keep=2)
    others = ["a.log.2026", "a.log.2026-01-01x.y.z", "a.log.lock", "b.log.2020-01-01"]
    bench.vfs.write_tree({f"/{name}": b"" for name in others})
    for _ in range(4):
        bench.write()
        bench.clock.advance(DAY_S)
        assert bench.rotation.is_due(1, 1)
        bench.rotate()

    assert sorted([*others, "a.log.2026-11-25", "a.log.2026-11-26"]) == bench.names()


def test_name_that_is_taken_is_left() -> None:
    """I3: two files of one day have both of their lines."""
    bench = Bench("D", keep=9)
    for _ in range(3):
        bench.write()
        bench.rotate()

    date = "a.log.2026-11-23"
    assert [date, f"{date}.1", f"{date}.2"] == bench.names()


def test_empty_log_begins_a_new_term() -> None:
    """It is not rotated, and not looked at again with each record."""
    bench = Bench("D")
    bench.clock.advance(3 * DAY_S)

    assert not bench.rotation.is_due(0, 1)
    assert not bench.rotation.is_due(1, 1)


def test_unknown_when_is_refused() -> None:
    """As the standard library refuses it."""
    with pytest.raises(ValueError, match="Invalid rollover interval"):
        Bench("fortnight")
