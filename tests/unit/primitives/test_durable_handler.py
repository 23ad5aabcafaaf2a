"""`DurableHandler`: a drop-in for the handlers of files, whose records survive."""

from __future__ import annotations

import datetime as dt
import logging
import logging.config
import logging.handlers
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.primitives.durable_handler import DurableHandler
from holdfast.vfs import SYSTEM, ManualClock
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

PATIENCE_S = 20.0


@pytest.fixture
def logger():
    """A logger of its own, whose handlers are closed afterwards."""
    made = logging.getLogger("tests.of.the.durable.handler")
    made.propagate = False
    made.setLevel("INFO")
    yield made
    for handler in list(made.handlers):
        made.removeHandler(handler)
        handler.close()


def record(text: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "levelno": level})


def test_records_are_written_as_logging_would_write_them(tmp_path: Path, logger) -> None:
    """I1: the same bytes as `FileHandler`, tracebacks and all."""
    ours, theirs = tmp_path / "ours.log", tmp_path / "theirs.log"
    logger.addHandler(DurableHandler(ours))
    logger.addHandler(logging.FileHandler(theirs, encoding="utf-8"))
    for handler in logger.handlers:
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.info("über %d", 1)
    logger.info("two\nlines\n")
    try:
        raise LookupError("bad")
    except LookupError:
        logger.exception("caught")

    assert theirs.read_bytes() == ours.read_bytes()
    assert b"Traceback" in ours.read_bytes()


def test_each_record_is_one_write(tmp_path: Path) -> None:
    """I1: also one of many lines."""
    trace = Trace(SYSTEM)
    with closing(DurableHandler(tmp_path / "a.log", vfs=trace)) as handler:
        handler.handle(record("a\nb\nc"))

    assert ["write(a.log, 6 bytes at 0)"] == [c.text for c in trace.calls if c.operation == "write"]


def test_old_files_have_the_names_of_the_standard_library(tmp_path: Path, logger) -> None:
    """Numbers: the same files with the same records as `RotatingFileHandler`."""
    ours, theirs = tmp_path / "ours" / "a.log", tmp_path / "theirs" / "a.log"
    theirs.parent.mkdir()
    options = {"maxBytes": 22, "backupCount": 3, "encoding": "utf-8"}
    logger.addHandler(DurableHandler(ours, **options))
    logger.addHandler(logging.handlers.RotatingFileHandler(theirs, **options))
    for number in range(20):
        logger.info("record %d", number)

    expected = {path.name: path.read_text() for path in theirs.parent.iterdir()}
    found = {path.name: path.read_text() for path in ours.parent.iterdir()}
    assert "" == found.pop("a.log.lock")
    assert expected == found


@pytest.mark.parametrize("options", [{"maxBytes": 10}, {"backupCount": 3}, {}])
def test_without_a_limit_and_a_count_nothing_is_rotated(tmp_path: Path, options) -> None:
    """As `RotatingFileHandler` has it: nothing is dropped that nobody gave up."""
    with closing(DurableHandler(tmp_path / "a.log", **options)) as handler:
        for _ in range(9):
            handler.handle(record("record"))

    assert {"a.log", "a.log.lock"} == set(os.listdir(tmp_path))
    assert 9 == len((tmp_path / "a.log").read_text().splitlines())


def test_rotation_by_time_makes_dated_files() -> None:
    """And a process that has slept finds that another one has rotated."""
    noon = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    clock = ManualClock(start_ns=int(noon.timestamp()) * 10**9)
    vfs = MemoryVFS(clock=clock)
    options = {"when": "midnight", "utc": True, "vfs": vfs, "clock": clock}
    with (
        closing(DurableHandler("/a.log", **options)) as one,
        closing(DurableHandler("/a.log", **options)) as two,
    ):
        one.handle(record("monday"))
        clock.advance(86_400)
        two.handle(record("tuesday"))
        one.handle(record("tuesday, too"))
        clock.advance(86_400)
        one.handle(record("wednesday"))
        two.doRollover()
        two.doRollover()

    tree = vfs.tree()
    assert b"monday\n" == tree["a.log.2026-11-23"]
    assert b"tuesday\ntuesday, too\n" == tree["a.log.2026-11-24"]
    assert b"wednesday\n" == tree["a.log.2026-11-25"]
    assert b"" == tree["a.log"]


@pytest.mark.parametrize(
    ("sync", "levels", "expected"),
    [
        ("always", [10, 40], 2),
        ("never", [10, 50], 0),
        (60, [10, 40], 0),
        ({"ERROR": "always", "DEBUG": 60}, [10, 30, 40, 50], 2),
        ({30: "always", "NOTSET": "never"}, [10, 20, 30], 1),
        ({"WARNING": "always"}, [10], 1),
    ],
)
def test_level_decides_what_is_synced(sync, levels, expected) -> None:
    """The highest level that is not above the record's; below the lowest, that one."""
    trace = Trace(MemoryVFS())
    handler = DurableHandler("/a.log", sync=sync, vfs=trace)
    for level in levels:
        handler.handle(record("a", level))
    found = [call.operation for call in trace.calls].count("sync_data")
    handler.close()

    assert expected == found


def test_errors_are_synced_at_once_and_the_rest_when_it_is_closed() -> None:
    """The default; `flush` and `close` make everything durable."""
    trace = Trace(MemoryVFS())

    def syncs() -> int:
        return [call.operation for call in trace.calls].count("sync_data")

    handler = DurableHandler("/a.log", vfs=trace)
    counts = []
    for level in (logging.ERROR, logging.INFO):
        handler.handle(record("a", level))
        counts.append(syncs())
    handler.flush()
    counts.append(syncs())
    handler.handle(record("a"))
    handler.close()
    counts.append(syncs())

    assert [1, 1, 2, 3] == counts


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"mode": "x"}, ValueError),
        ({"when": "D", "maxBytes": 1}, ValueError),
        ({"when": "fortnight"}, ValueError),
        ({"encoding": "utf-16"}, ValueError),
        ({"encoding": "utf-8-sig"}, ValueError),
        ({"encoding": "no such"}, LookupError),
        ({"sync": {}}, ValueError),
        ({"sync": {"LOUD": "always"}}, ValueError),
        ({"sync": {"INFO": "often"}}, ValueError),
        ({"sync": 0}, ValueError),
    ],
)
def test_argument_without_a_meaning_is_refused(tmp_path: Path, options, error) -> None:
    """At once, and nothing is made."""
    with pytest.raises(error):
        DurableHandler(tmp_path / "a.log", **options)

    assert [] == os.listdir(tmp_path)


def test_mode_w_empties_the_file_once(tmp_path: Path) -> None:
    """When it is opened; a rotating handler never does."""
    path = tmp_path / "a.log"
    path.write_text("old\n")
    with closing(DurableHandler(path, "w", maxBytes=100, backupCount=1)) as handler:
        handler.handle(record("kept"))
    assert "old\nkept\n" == path.read_text()
    with closing(DurableHandler(path, "w", delay=True)) as handler:
        assert "old\nkept\n" == path.read_text()
        handler.handle(record("new"))
        handler.handle(record("newer"))

    assert "new\nnewer\n" == path.read_text()


def test_file_is_opened_at_once_unless_delayed(tmp_path: Path) -> None:
    """An error of opening is raised to whoever makes the handler, as `FileHandler` does."""
    DurableHandler(tmp_path / "late.log", delay=True).close()
    DurableHandler(tmp_path / "early.log").close()
    with pytest.raises(OSError):
        DurableHandler(tmp_path)

    assert ["early.log", "early.log.lock"] == sorted(os.listdir(tmp_path))


def test_encoding_and_errors_are_as_given(tmp_path: Path) -> None:
    """What the encoding does not have is escaped, and no record is refused for it."""
    with closing(DurableHandler(tmp_path / "a", encoding="latin-1")) as handler:
        handler.handle(record("ä €"))
    with closing(DurableHandler(tmp_path / "b", errors="replace")) as handler:
        handler.handle(record("\ud800"))

    assert b"\xe4 \\u20ac\n" == (tmp_path / "a").read_bytes()
    assert b"?\n" == (tmp_path / "b").read_bytes()


def test_dict_config_makes_it(tmp_path: Path) -> None:
    """By its dotted name, with the arguments that `RotatingFileHandler` has."""
    name = f"{DurableHandler.__module__}.DurableHandler"
    handler = {
        "class": name,
        "filename": str(tmp_path / "a.log"),
        "mode": "a",
        "maxBytes": 1000,
        "backupCount": 2,
        "encoding": "utf-8",
        "delay": True,
        "errors": "strict",
        "level": "INFO",
        "formatter": "plain",
        "sync": {"WARNING": "always", "NOTSET": 0.5},
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"plain": {"format": "%(levelname)s %(message)s"}},
            "handlers": {"file": handler},
            "loggers": {"configured": {"handlers": ["file"], "level": "DEBUG", "propagate": False}},
        }
    )
    logger = logging.getLogger("configured")
    logger.debug("no")
    logger.warning("yes")
    (made,) = logger.handlers
    logger.removeHandler(made)
    made.close()

    assert "WARNING yes\n" == (tmp_path / "a.log").read_text()
    assert f"<DurableHandler {tmp_path / 'a.log'} (INFO)>" == repr(made)


def test_filter_may_replace_or_drop_a_record(tmp_path: Path, logger) -> None:
    """As with every handler (a replacement from Python 3.12 on)."""
    handler = DurableHandler(tmp_path / "a.log")
    handler.addFilter(lambda record: "drop" not in record.getMessage())
    logger.addHandler(handler)
    logger.info("drop this")
    logger.info("keep this")

    assert "keep this\n" == (tmp_path / "a.log").read_text()


def test_record_after_close_is_written_and_synced(tmp_path: Path) -> None:
    """The end of a program logs last words; as `FileHandler`, it opens the file anew."""
    trace = Trace(SYSTEM)
    handler = DurableHandler(tmp_path / "a.log", vfs=trace)
    handler.handle(record("one"))
    handler.close()
    before = len(trace.calls)
    handler.handle(record("last words"))
    after = [call.operation for call in trace.calls[before:]]
    handler.close()

    assert "one\nlast words\n" == (tmp_path / "a.log").read_text()
    assert "sync_data" in after


def test_error_goes_to_handle_error(tmp_path: Path, capsys) -> None:
    """I2: a record that cannot be formatted, and a disk that is full."""
    vfs = Faulty(MemoryVFS(), Fault("write", 1, effect="ENOSPC"))
    with closing(DurableHandler("/a.log", vfs=vfs)) as handler:
        handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("x",), "levelno": 20}))
        handler.handle(record("does not fit"))
        handler.handle(record("fits"))

    said = capsys.readouterr().err
    assert "not all arguments converted" in said or "%d format" in said
    assert "No space left" in said
    assert 2 == said.count("Logging error")


def test_failed_sync_is_reported_and_the_file_opened_anew(capsys) -> None:
    """I4: the record whose sync failed is reported; the next ones stand."""
    disk = MemoryVFS()
    vfs = Faulty(disk, Fault("sync_data", 1, effect="EIO"))
    with closing(DurableHandler("/a.log", vfs=vfs)) as handler:
        for number in range(3):
            handler.handle(record(f"record {number}", logging.ERROR))
    said = capsys.readouterr().err

    assert 1 == said.count("Logging error")
    assert "Input/output error" in said
    assert b"record 0\nrecord 1\nrecord 2\n" == disk.tree()["a.log"]


@pytest.mark.parametrize("end", ["flush", "close", "next record"])
def test_failed_sync_in_the_background_is_reported(end: str, capsys) -> None:
    """By whatever comes next; and that is done all the same."""
    disk = MemoryVFS()
    vfs = Faulty(disk, Fault("sync_data", 1, effect="EIO"))
    handler = DurableHandler("/a.log", vfs=vfs, sync=60)
    handler.handle(record("one"))
    assert handler._writer is not None
    handler._writer._sync_in_background()
    if end == "next record":
        handler.handle(record("two"))
    else:
        getattr(handler, end)()
    said = capsys.readouterr().err
    handler.close()

    assert 1 == said.count("Logging error")
    assert "an earlier sync failed" in said
    assert (end == "next record") == (b"two" in disk.tree()["a.log"])  # type: ignore[operator]


def test_what_a_crash_left_is_settled_and_told(tmp_path: Path) -> None:
    """Half a record is ended, so that the next begins a line; zeros go beside the file."""
    (tmp_path / "a.log").write_bytes(b"whole\nhalf of a rec")
    (tmp_path / "b.log").write_bytes(b"whole\n" + bytes(20))
    handlers = [DurableHandler(tmp_path / name) for name in ("a.log", "b.log")]
    for handler in handlers:
        handler.handle(record("next"))
        handler.close()

    assert "whole\nhalf of a rec\nnext\n" == (tmp_path / "a.log").read_text()
    assert "whole\nnext\n" == (tmp_path / "b.log").read_text()
    assert bytes(20) + b"\n" == (tmp_path / "b.log.torn").read_bytes()
    assert [1, 1] == [len(handler.recovered) for handler in handlers]


def test_signal_handlers_that_log_wait_for_nothing(tmp_path: Path, logger) -> None:
    """I3: at whatever point they strike; every record is there, and once."""
    logger.addHandler(DurableHandler(tmp_path / "a.log", sync="always"))
    struck: list[int] = []
    stop: list[bool] = []

    def strike(number: int, frame: object) -> None:
        struck.append(number)
        logger.warning("signal %d", len(struck))
        logger.handlers[0].flush()
        if not stop:
            signal.setitimer(signal.ITIMER_PROF, 0.0002)  # never inside itself

    before = signal.signal(signal.SIGPROF, strike)
    signal.setitimer(signal.ITIMER_PROF, 0.0002)
    try:
        for number in range(600):
            logger.error("record %d", number)
    finally:
        stop.append(True)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    logger.handlers[0].close()
    found = (tmp_path / "a.log").read_text().splitlines()

    assert [f"record {n}" for n in range(600)] == [t for t in found if t.startswith("record")]
    assert {f"signal {n + 1}" for n in range(len(struck))} == {t for t in found if "signal" in t}
    assert len(set(found)) == len(found)
    assert struck


def test_record_that_logs_while_it_is_formatted_waits_for_nothing(tmp_path: Path, logger) -> None:
    """I3: both stand, the inner one first."""
    handler = DurableHandler(tmp_path / "a.log")
    logger.addHandler(handler)

    class Talkative:
        has_talked = False

        def __str__(self) -> str:
            if not self.has_talked:
                self.has_talked = True
                logger.info("inner")
            return "outer"

    handler.handle(logging.makeLogRecord({"msg": "%s", "args": (Talkative(),), "levelno": 20}))

    assert "inner\nouter\n" == (tmp_path / "a.log").read_text()


def test_threads_share_writes(tmp_path: Path, logger) -> None:
    """All records of all threads, each whole."""
    logger.addHandler(DurableHandler(tmp_path / "a.log", sync="always"))
    threads = [
        threading.Thread(target=lambda n=n: [logger.error("%d %d", n, i) for i in range(50)])
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    found = (tmp_path / "a.log").read_text().splitlines()

    assert {f"{n} {i}" for n in range(8) for i in range(50)} == set(found)
    assert 400 == len(found)


def test_fork_in_the_midst_of_logging_is_safe(tmp_path: Path, logger) -> None:
    """I3: other threads log while this one forks; each child logs, and ends."""
    logger.addHandler(DurableHandler(tmp_path / "a.log"))
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            logger.error("of a thread")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    codes = []
    for number in range(10):
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            logger.error("of child %d", number)
            os._exit(0)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    stop.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    found = (tmp_path / "a.log").read_text().splitlines()

    assert [0] * 10 == codes
    assert [f"of child {n}" for n in range(10)] == [t for t in found if "child" in t]


PROGRAM = """
import atexit, logging, sys
from holdfast.primitives.durable_handler import DurableHandler

class Late:
    def __del__(self):
        logging.info("at the very end")

late = Late()
atexit.register(lambda: logging.info("at exit"))
logging.basicConfig(level="INFO", format="%(message)s", handlers=[DurableHandler(sys.argv[1])])
atexit.register(lambda: logging.info("at exit, first"))
logging.info("in the program")
sys.exit(3)
"""


def test_end_of_the_interpreter_loses_nothing(tmp_path: Path) -> None:
    """I3: exit functions and destructors log too."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "a.log")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = (tmp_path / "a.log").read_text().splitlines()

    assert (3, "") == (done.returncode, done.stderr)
    assert ["in the program", "at exit, first", "at exit"] == found[:3]
    assert found[3:] in ([], ["at the very end"])


def test_unknown_way_of_errors_is_refused_at_once(tmp_path) -> None:
    """Not with the first letter that the encoding does not have."""
    with pytest.raises(LookupError, match="bogus"):
        DurableHandler(tmp_path / "a.log", errors="bogus")

    assert [] == list(tmp_path.iterdir())
