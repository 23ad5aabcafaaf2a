"""`LineLog`: what its users see."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from holdfast.errors import Closed, DecodeError, PromiseUnavailable
from holdfast.primitives.line_log import LineLog, LineRecord
from holdfast.primitives.line_log_batches import Interrupting
from holdfast.vfs import SYSTEM
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace

PATIENCE_S = 20.0


def test_records_are_appended_and_read(tmp_path: Path) -> None:
    """Text as it is, mappings as JSON; each with its line and its file."""
    path = tmp_path / "x" / "app.jsonl"
    with LineLog(path) as log:
        log.append({"n": 1})
        log.append_many(["two", {"n": 3}])
        log.append_many([])
        found = list(log.read())

    assert '{"n":1}\ntwo\n{"n":3}\n' == path.read_text()
    assert [LineRecord(1, '{"n":1}', str(path)), LineRecord(2, "two", str(path))] == found[:2]
    assert {"n": 3} == found[2].value


def test_nothing_is_made_before_the_first_append(tmp_path: Path) -> None:
    """Opening is lazy, and reading a log that is missing gives nothing."""
    with LineLog(tmp_path / "x" / "app.log") as log:
        assert [] == list(log.read())
        assert log.check().ok
        log.barrier()

    assert [] == list(tmp_path.iterdir())


def test_one_bad_record_of_many_appends_none(tmp_path: Path) -> None:
    """All are checked first."""
    with LineLog(tmp_path / "app.log") as log:
        with pytest.raises(ValueError, match="line break"):
            log.append_many(["good", "b\nad"])

        assert [] == list(log.read())


@pytest.mark.parametrize(
    "options",
    [
        {"sync": "sometimes"},
        {"sync": 0},
        {"sync": -1.0},
        {"sync": True},
        {"sync": float("nan")},
        {"sync": float("inf")},
        {"max_bytes": 0},
        {"keep": 0},
        {"keep": 1.5},
    ],
)
def test_option_without_a_meaning_is_refused(options) -> None:
    """At once, before anything is done."""
    with pytest.raises(ValueError, match=next(iter(options))):
        LineLog("app.log", **options)


def test_sync_of_one_append_is_checked(tmp_path: Path) -> None:
    """And nothing is appended."""
    with LineLog(tmp_path / "app.log") as log:
        with pytest.raises(ValueError, match="sync="):
            log.append("a", sync="later")  # type: ignore[arg-type]
        assert not (tmp_path / "app.log").exists()


def test_mode_of_new_files_is_as_the_umask_says(tmp_path: Path, umask) -> None:
    """`permissions` less the umask; an old file keeps its own."""
    umask(0o027)
    LineLog(tmp_path / "a").append("x")
    with LineLog(tmp_path / "b", permissions=0o600) as log:
        log.append("x")

    assert [0o640, 0o600] == [(tmp_path / n).stat().st_mode & 0o777 for n in ("a", "b")]


def test_symlink_is_followed(tmp_path: Path) -> None:
    """The log, its lock and its old files lie where the symlink leads to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "app.log")
    with LineLog(tmp_path / "link") as log:
        log.append("one")
        log.rotate()
        log.append("two")
        assert ["one", "two"] == [record.text for record in log.read()]

    assert ["app.log", "app.log.1", "app.log.lock"] == sorted(os.listdir(tmp_path / "real"))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A FIFO is not opened for ever, and stays what it is."""
    os.mkfifo(tmp_path / "fifo")
    with LineLog(tmp_path / "fifo") as log, pytest.raises((PromiseUnavailable, OSError)):
        log.append("x")
    with LineLog(tmp_path) as log, pytest.raises(OSError):
        log.append("x")


def test_rotation_keeps_so_many(tmp_path: Path) -> None:
    """No file grows beyond `max_bytes` but by one longer record; the oldest go."""
    with LineLog(tmp_path / "app.log", max_bytes=20, keep=2) as log:
        for number in range(10):
            log.append(f"line {number}")
        log.append("a line that is longer than a file")
        log.append("last")
        found = [record.text for record in log.read()]

    assert ["line 8", "line 9", "a line that is longer than a file", "last"] == found
    assert ["app.log", "app.log.1", "app.log.2", "app.log.lock"] == sorted(os.listdir(tmp_path))


def test_many_records_are_spread_over_files(tmp_path: Path) -> None:
    """A batch is parted at its lines, where a file is full."""
    with LineLog(tmp_path / "app.log", max_bytes=20) as log:
        log.append_many([f"line {number}" for number in range(9)])

        assert [f"line {number}" for number in range(9)] == [r.text for r in log.read()]
    assert 4 == len(list(tmp_path.glob("app.log.[0-9]")))
    assert all(len(path.read_bytes()) <= 20 for path in tmp_path.iterdir())


def test_empty_log_is_not_rotated(tmp_path: Path) -> None:
    """It would drive out an old one for nothing."""
    with LineLog(tmp_path / "app.log") as log:
        log.rotate()
        log.rotate()
        log.append("a")
        log.rotate()
        log.rotate()

    assert ["app.log", "app.log.1", "app.log.lock"] == sorted(os.listdir(tmp_path))


@pytest.mark.parametrize(
    ("name", "end", "text", "torn"),
    [
        ("app.log", b"half", "half", None),
        ("app.log", b"ha\0f", None, b"ha\0f\n"),
        ("app.log", bytes(5000), None, bytes(5000) + b"\n"),
        ("app.log", b"\xff", None, b"\xff\n"),
        ("app.jsonl", b'{"n": 1}', '{"n": 1}', None),
        ("app.jsonl", b'{"n": 1', None, b'{"n": 1\n'),
        ("app.jsonl", b"12", None, b"12\n"),
    ],
)
def test_end_that_is_no_line_is_settled_and_reported(tmp_path, name, end, text, torn) -> None:
    """I2: a whole record gets its newline; anything else is kept beside the log."""
    path = tmp_path / name
    path.write_bytes(b"before\n" + end)
    told = []
    with LineLog(path, on_torn=told.append) as log:
        assert ["torn"] == [finding.kind for finding in log.check().findings]
        log.append("after")
        found = [record.text for record in log.read()]
        (report,) = log.recovered
        kinds = [finding.kind for finding in log.check().findings]

    moved_to = None if torn is None else f"{path}.torn"
    assert ["before", *([] if text is None else [text]), "after"] == found
    assert (str(path), 7, len(end), moved_to) == tuple(report)
    assert [report] == told
    assert (["leftover"] if torn else []) == kinds
    assert torn is None or torn == Path(f"{path}.torn").read_bytes()


def test_another_writer_that_was_killed_is_healed_between_appends(tmp_path: Path) -> None:
    """Also when the log is open already: each append looks at the end."""
    path = tmp_path / "app.log"
    with LineLog(path) as log:
        log.append("one")
        with path.open("ab") as file:
            file.write(b"half\0")
        log.append("two")

    assert "one\ntwo\n" == path.read_text()
    assert [8] == [torn.offset + torn.size_bytes - 1 for torn in log.recovered]


def test_log_that_was_removed_or_renamed_is_made_again(tmp_path: Path) -> None:
    """By anybody, at any time; with its folder too."""
    folder = tmp_path / "x"
    with LineLog(folder / "app.log") as log:
        log.append("one")
        (folder / "app.log").unlink()
        log.append("two")
        folder.rename(tmp_path / "y")
        log.append("three")

    assert "two\n" == (tmp_path / "y" / "app.log").read_text()
    assert "three\n" == (folder / "app.log").read_text()


def test_lines_in_time_are_synced_in_time(no_thread_left) -> None:
    """A number of seconds: nobody appends again, and it is synced all the same."""
    synced = threading.Event()

    class Watching(Trace):
        def around(self, call, do):
            result = super().around(call, do)
            if call.operation == "sync_data":
                synced.set()
            return result

    log = LineLog("/app.log", sync=0.01, vfs=Watching(MemoryVFS()))
    log.append("one")

    assert synced.wait(PATIENCE_S)
    log.close()


@pytest.mark.parametrize(("sync", "expected"), [("always", 3), ("never", 0), (60.0, 1)])
def test_syncs_are_as_many_as_asked_for(sync, expected) -> None:
    """Each append; none; one when it is closed."""
    trace = Trace(MemoryVFS())
    with LineLog("/app.log", sync=sync, vfs=trace) as log:
        for number in range(3):
            log.append(f"line {number}")

    assert expected == [call.operation for call in trace.calls].count("sync_data")
    assert (sync == "never") == ("sync_folder" not in {call.operation for call in trace.calls})


def test_close_ends_everything(tmp_path: Path) -> None:
    """Idempotent; afterwards `Closed`, and reading still works."""
    log = LineLog(tmp_path / "app.log")
    log.append("one")
    log.close()
    log.close()
    for call in (lambda: log.append("two"), log.barrier, log.rotate):
        with pytest.raises(Closed):
            call()

    assert ["one"] == [record.text for record in log.read()]
    assert "closed" in repr(log)


def test_values_are_parsed_and_a_bad_line_is_an_error(tmp_path: Path) -> None:
    """With its path and number; `read` goes on behind it."""
    path = tmp_path / "app.jsonl"
    path.write_text('{"n": 1}\n[2]\nno\n{"n": 3}\n')
    log = LineLog(path)
    values = log.values()

    assert [{"n": 1}, [2]] == [next(values), next(values)]
    with pytest.raises(DecodeError, match="line 3 is not JSON"):
        next(values)
    assert 4 == len(list(log.read()))


def test_follower_gets_what_is_there_and_what_comes(tmp_path: Path) -> None:
    """Until nothing has come for a while."""
    with LineLog(tmp_path / "app.log") as log:
        log.append("one")
        lines = log.follow(timeout_s=0.2)
        assert "one" == next(lines).text
        log.append("two")
        assert "two" == next(lines).text

        assert [] == list(lines)


def test_follower_of_new_lines_waits_for_a_log_that_is_missing(tmp_path: Path) -> None:
    """`only_new` skips what is there at the start."""
    with LineLog(tmp_path / "app.log") as log:
        new = log.follow(timeout_s=PATIENCE_S, only_new=True)
        thread = threading.Timer(0.05, log.append, args=["one"])
        thread.start()
        assert "one" == next(new).text
        thread.join()
        log.append("two")
        late = log.follow(timeout_s=0.1, only_new=True)

        assert [] == list(late)
        assert "two" == next(new).text
        assert isinstance(new, Generator)
        new.close()


def test_close_ends_a_follower(tmp_path: Path) -> None:
    """In another thread, within a moment."""
    log = LineLog(tmp_path / "app.log")
    threading.Timer(0.05, log.close).start()

    assert [] == list(log.follow())


def test_asyncio_twins_do_the_same(tmp_path: Path) -> None:
    """Appending, following, checking: none blocks the loop."""

    async def run() -> list[str]:
        log = LineLog(tmp_path / "app.log")
        await asyncio.gather(*(log.aappend(f"line {number}") for number in range(5)))
        await log.aappend_many(["six", "seven"])
        await log.abarrier()
        found = []
        async for record in log.afollow(timeout_s=0.2):
            found.append(record.text)
            if record.text == "seven":
                await log.arotate()
                await log.aappend("after the rotation")
        assert (await log.acheck()).ok
        new = log.afollow(only_new=True)
        waiting = asyncio.ensure_future(anext(new))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await log.aclose()
        return found

    found = asyncio.run(run())

    assert {f"line {number}" for number in range(5)} == set(found[:5])
    assert ["six", "seven", "after the rotation"] == found[5:]


def test_threads_append_side_by_side(tmp_path: Path) -> None:
    """Each line once and whole, each thread's in its order; syncs are shared."""
    trace = Trace(SYSTEM)
    log = LineLog(tmp_path / "app.log", vfs=trace, max_bytes=2000)

    def work(name: int) -> None:
        for number in range(50):
            log.append(f"{name} {number}")

    threads = [threading.Thread(target=work, args=[name]) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    found = [tuple(map(int, record.text.split())) for record in log.read()]

    assert 400 == len(set(found)) == len(found)
    assert all([n for t, n in found if t == name] == list(range(50)) for name in range(8))
    assert [call.operation for call in trace.calls].count("sync_data") <= 400


def test_signal_handler_inside_an_append_is_refused(tmp_path: Path) -> None:
    """It would wait for itself; the append that it has interrupted goes on."""
    errors = []

    def handler(torn: object) -> None:  # called in the midst of an append, as a handler is
        for call in (lambda: log.append("inside"), log.barrier):
            try:
                call()
            except Interrupting as error:
                errors.append(str(error))
        log.close()

    (tmp_path / "app.log").write_bytes(b"half")
    log = LineLog(tmp_path / "app.log", on_torn=handler)
    log.append("one")

    assert "half\none\n" == (tmp_path / "app.log").read_text()
    assert 2 == len(errors)
    assert "Nothing was done" in errors[0]
    with pytest.raises(Closed):  # `close` was done when the append was over
        log.append("two")


def test_no_lock_is_made_beside_what_is_no_file(tmp_path) -> None:
    """It is refused, and nothing is left there; to be read or checked it is refused as well."""
    (tmp_path / "folder.log").mkdir()
    log = LineLog(tmp_path / "folder.log")
    for do in (lambda: log.append("a"), log.rotate, log.check, lambda: list(log.read())):
        with pytest.raises(PromiseUnavailable, match="no regular file"):
            do()
    log.close()

    assert ["folder.log"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("records", ["text", {"a": 1}])
def test_single_record_is_not_taken_apart(records, tmp_path) -> None:
    """A text has letters and a mapping has keys: none of them is a record."""
    with LineLog(tmp_path / "a.log") as log:
        with pytest.raises(TypeError, match="in a list"):
            log.append_many(records)

        assert [] == list(log.read())
