"""The registry: line logs, and the handler of `logging` on them.

A log is not old or new: it grows. What holds of its lines, by what was acknowledged:

    lost          a line is missing that was durable before, or stands out of order
    doubled       a line stands there more often than it was appended
    not durable   the operation had returned, and a line of it is missing
    torn          what was no line is neither in the log nor kept beside it
    unusable      what survived cannot be appended to, or a new line does not stand on its own
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Any

from holdfast.errors import HandlePoisoned
from holdfast.primitives.durable_handler import DurableHandler
from holdfast.primitives.line_log import LineLog
from holdfast.vfs.clock import ManualClock
from holdfast.vfs.fault import Fault, Faulty, Stopped
from tests.crash.places import Place
from tests.crash.promises import RECOVERING, RETURNED, Operation

LOG = "app.jsonl"
PADDING = "old " * 20
FIRST, SECOND, THIRD = (f'{{"{name}":"{PADDING}"}}' for name in ("first", "second", "third"))
NEW = ('{"n":1}', '{"n":2}', '{"n":3}')
LONG = '{"long":"' + "long " * 300 + '"}'
HALF = b'{"half": "of a li'
UNENDED = b'{"whole":"but without its newline"}'
OTHER = b"of somebody else"

BEFORE = {LOG: f"{FIRST}\n{SECOND}\n{THIRD}\n".encode(), "other": OTHER}
ROTATED = {
    LOG: f"{THIRD}\n".encode(),
    f"{LOG}.1": f"{SECOND}\n".encode(),
    f"{LOG}.2": f"{FIRST}\n".encode(),
    "other": OTHER,
}
SMALL = 100
"""The size at which the logs of these operations are rotated: a line of theirs fits, two do not."""


class Anything(tuple[bytes | str | None, ...]):
    """What a file of a log may hold: that is for `Lines` to say."""

    __slots__ = ()

    def __contains__(self, value: object) -> bool:
        return value is None or isinstance(value, bytes)


class Lines:
    """What holds of the lines of a log.

    `old` were durable before, the first `droppable` of which a rotation may drop; `new` are
    appended in this order; with `together`, a crash may keep any of them.
    """

    def __init__(
        self,
        new: Sequence[str] = NEW[:1],
        *,
        old: Sequence[str] = (FIRST, SECOND, THIRD),
        droppable: int = 0,
        together: bool = False,
        keeps: bytes = b"",
        name: str = LOG,
        by_date: bool = False,
    ) -> None:
        self.by_date = by_date
        self.new, self.old, self.droppable, self.together = new, old, droppable, together
        self.keeps, self.name = keeps, name

    def __call__(self, at: Place, acked: Sequence[str], again: bool) -> None:
        """Look at the lines of a state.

        Raises:
            AssertionError: something does not hold.
        """
        found = self._dated(at) if self.by_date else self._read(at)
        text = "".join(self._letter(line) for line in found).replace("?", "")
        old, done = self._letters(self.old), (RETURNED in acked) + again
        at_most = 1 + (RECOVERING in acked) + again
        gone = next((n for n in range(self.droppable + 1) if text.startswith(old[n:])), None)
        assert gone is not None, f"lost: of {old} there is {text}"
        rest = text[len(old) - gone :]
        new = self._letters(self.new)
        doubled = [letter for letter in new if rest.count(letter) > at_most]
        assert [] == doubled, f"doubled: {doubled} in {rest}"
        part = "".join(f"{letter}?" for letter in new)
        assert re.fullmatch(f"({part})*", rest), f"lost: {rest} is out of order"
        if not self.together:
            assert re.fullmatch(self._prefixes(new), rest), f"lost: {rest} has a gap"
        assert rest.count(new) >= done, f"not durable: {rest} for {done} times {new}"
        self._kept(at)

    def _read(self, at: Place) -> list[str]:
        with LineLog(at.path(self.name), vfs=at.vfs) as log:
            return [record.text for record in log.read()]

    def _dated(self, at: Place) -> list[str]:
        """The lines of the files with a date, which are not read with the log.

        The date is that of the last change, which a crashed folder that was built anew has not: so
        the file with the old lines comes first.
        """
        files = {name: value for name, value in at.tree().items() if isinstance(value, bytes)}
        names = (name for name in files if re.match(rf"{re.escape(self.name)}\.\d{{4}}-", name))
        dated = sorted(names, key=lambda name: (self.old[0].encode() not in files[name], name))
        data = b"".join(files.get(name, b"") for name in (*dated, self.name))
        return data.decode("utf-8", "surrogateescape").split("\n")

    def _letter(self, line: str) -> str:
        known = (*self.old, *self.new)
        return chr(ord("a") + known.index(line)) if line in known else "?"

    def _letters(self, lines: Sequence[str]) -> str:
        return "".join(map(self._letter, lines))

    @staticmethod
    def _prefixes(new: str) -> str:
        """Each time as far as it came; in order."""
        return "(" + "".join(f"({letter}" for letter in new) + ")?" * len(new) + ")*"

    def _kept(self, at: Place) -> None:
        tree = at.tree()
        kept = [value for name, value in tree.items() if name.startswith(self.name)]
        somewhere = any(isinstance(value, bytes) and self.keeps in value for value in kept)
        assert somewhere or not self.keeps, f"torn: {self.keeps!r} is nowhere"


def logged(
    name: str, run: Callable[[Place], object], lines: Lines | None = None, **more: Any
) -> Operation:
    """An operation on a log, with the usual one before it."""
    before = more.pop("before", BEFORE)
    loosely = {name: Anything() for name in before if name != "other"}
    usual: dict[str, Any] = {"before": before, "loosely": loosely, "beside": (f"{LOG}*",)}
    return Operation(name, run, {}, **{**usual, **more}, holds=lines or Lines())


def append(at: Place, lines: Sequence[str] = NEW[:1], name: str = LOG, **options: Any) -> None:
    """Append lines, one after the other; the last is the last line of the log then."""
    with LineLog(at.path(name), vfs=at.vfs, **options) as log:
        for line in lines:
            log.append(line)
        _stands(log, lines[-1])


def _stands(log: LineLog, line: str) -> None:
    last = [record.text for record in log.read()][-1:]
    assert [line] == last, f"the last line is {last}"


def append_many(at: Place) -> None:
    with LineLog(at.path(LOG), vfs=at.vfs) as log:
        log.append_many(NEW)
        _stands(log, NEW[-1])


def append_in_time(at: Place) -> None:
    with LineLog(at.path(LOG), vfs=at.vfs, sync=60) as log:
        log.append(NEW[0])
        log.append(NEW[1])
        log.barrier()


def append_and_close(at: Place) -> None:
    with LineLog(at.path(LOG), vfs=at.vfs, sync=60) as log:
        log.append(NEW[0])


def append_and_make_sure(at: Place) -> None:
    with LineLog(at.path(LOG), vfs=at.vfs, sync="never") as log:
        log.append(NEW[0])
        log.barrier()


def aappend(at: Place) -> None:
    async def run() -> None:
        with LineLog(at.path(LOG), vfs=at.vfs) as log:
            await log.aappend(NEW[0])

    asyncio.run(run())


def rotate(at: Place) -> None:
    with LineLog(at.path(LOG), vfs=at.vfs, keep=5) as log:
        log.rotate()
        log.append(NEW[0])


def killed(at: Place, nth: int, do: Callable[[LineLog], object]) -> None:
    """Another process is killed in place of a sync of the folder."""
    vfs = Faulty(at.memory or at.vfs, Fault("sync_folder", nth, effect="stop"))
    log = LineLog(at.path(LOG), vfs=vfs)
    with suppress(Stopped):
        do(log)
    with suppress(Stopped):
        log.close()


def rotate_after_a_killed_one(at: Place) -> None:
    """The other had moved the oldest two, and not synced the last move; ours stays open."""
    with LineLog(at.path(LOG), vfs=at.vfs, max_bytes=SMALL + 5, keep=5) as log:
        log.append(NEW[0])
        killed(at, 4, LineLog.rotate)
        log.append(NEW[1])


def append_after_a_killed_maker(at: Place) -> None:
    """The other had made the log, and not synced its name."""
    killed(at, 2, LineLog.rotate)
    append(at)


def append_after_a_failed_sync(at: Place) -> None:
    """The first lines end where a block does, and their sync fails; then the log is opened anew."""
    vfs = Faulty(at.memory or at.vfs, Fault("sync_data", 1, effect="EIO"))
    log = LineLog(at.path(LOG), vfs=vfs)
    size = len(at.tree().get(LOG) or b"")
    with suppress(OSError, HandlePoisoned):
        log.append("x" * ((-size - 1) % 512 or 512))
    log.close()
    append(at)


def append_after_a_rename(at: Place) -> None:
    """Somebody (logrotate) renames the log in between, and does not sync that."""
    with LineLog(at.path(LOG), vfs=at.vfs) as log:
        log.append(NEW[0])
        with closing((at.memory or at.vfs).folder(at.top)) as folder:
            numbers = [n for n in range(9, 0, -1) if f"{LOG}.{n}" in folder.names()]
            for number in (*numbers, 0):
                folder.sync()
                old = f"{LOG}.{number}" if number else LOG
                folder.rename(old, f"{LOG}.{number + 1}")
        log.append(NEW[1])


def handler(at: Place, lines: Sequence[str] = NEW[:1], **options: Any) -> None:
    """Log by a handler; what it cannot do it reports, and here that is an error."""
    with closing(_Strict(at.path(LOG), vfs=at.vfs, **options)) as made:
        for line in lines:
            made.handle(logging.makeLogRecord({"msg": line, "levelno": logging.ERROR}))


def levels(at: Place) -> None:
    """The first record is not synced by itself; the second takes it along."""
    with closing(_Strict(at.path(LOG), vfs=at.vfs)) as made:
        for line, level in zip(NEW, (logging.INFO, logging.ERROR), strict=False):
            made.handle(logging.makeLogRecord({"msg": line, "levelno": level}))


class _Strict(DurableHandler):
    """Raises what others would only print."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        raise  # noqa: PLE0704


def tomorrow() -> ManualClock:
    """A day after anything that the disk knows."""
    clock = ManualClock(start_ns=4_000_000_000_000_000_000)
    clock.advance(86_400)
    return clock


def a_day_later(at: Place) -> None:
    handler(at, when="midnight", utc=True, clock=tomorrow())


FULL: dict[str, Any] = {"max_bytes": SMALL, "keep": 5}
IN_FILES: dict[str, Any] = {"before": ROTATED}
TORN: dict[str, Any] = {"before": {**BEFORE, LOG: BEFORE[LOG] + HALF}}
WHOLE: dict[str, Any] = {"before": {**BEFORE, LOG: BEFORE[LOG] + UNENDED}}

OPERATIONS = (
    logged("LineLog.append", append),
    logged("LineLog.append, long line", partial(append, lines=[LONG]), Lines([LONG])),
    logged("LineLog.append, new file", append, Lines(old=()), before={"other": OTHER}),
    logged(
        "LineLog.append, new folder",
        partial(append, name=f"x/{LOG}"),
        Lines(old=(), name=f"x/{LOG}"),
        before={"other": OTHER},
        beside=("x", f"x/{LOG}*"),
    ),
    logged("LineLog.append, torn end", append, Lines(keeps=HALF), **TORN),
    logged(
        "LineLog.append, end without newline",
        append,
        Lines(keeps=UNENDED),
        **WHOLE,
    ),
    logged("LineLog.append_many", append_many, Lines(NEW, together=True)),
    logged("LineLog.append and barrier", append_in_time, Lines(NEW[:2], together=True)),
    logged("LineLog.append and close", append_and_close),
    logged('LineLog.append, sync="never"', partial(append, sync="never"), model="prefix"),
    logged(
        'LineLog.append, sync="never", and barrier',
        append_and_make_sure,
        Lines(old=()),
        before={"other": OTHER},
    ),
    logged("LineLog.append, rotation", partial(append, **FULL), **IN_FILES),
    logged(
        "LineLog.append, rotation, keep=2",
        partial(append, max_bytes=SMALL, keep=2),
        Lines(droppable=2),
        **IN_FILES,
    ),
    logged("LineLog.rotate", rotate, **IN_FILES),
    logged("LineLog.aappend", aappend),
    logged("DurableHandler", handler),
    logged("DurableHandler, levels", levels, Lines(NEW[:2], together=True)),
    logged(
        "DurableHandler, rotation",
        partial(handler, maxBytes=SMALL, backupCount=5),
        **IN_FILES,
    ),
    logged("DurableHandler, rotation by time", a_day_later, Lines(by_date=True)),
    logged("line log, a rotation cut short", rotate_after_a_killed_one, Lines(NEW[:2]), **IN_FILES),
    logged(
        "line log, made by who was killed",
        append_after_a_killed_maker,
        Lines(old=()),
        before={"other": OTHER},
    ),
    logged("line log, renamed meanwhile", append_after_a_rename, Lines(NEW[:2])),
    logged("line log, a sync that failed", append_after_a_failed_sync),
)
