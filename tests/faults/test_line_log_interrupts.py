"""An interrupt after any call leaves line logs and streams that everybody can go on with."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from holdfast.primitives.line_log import LineLog
from holdfast.primitives.stream import Stream
from tests.support.interrupts import interrupted

pytestmark = [
    pytest.mark.leaks_allowed,  # an interrupt between the opening of a file and its being noted
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # in a generator
    pytest.mark.timeout(60),
]
EVENTS_MAX = 3000


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: syncs are many, and the disk is not the subject."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path))
    yield folder
    shutil.rmtree(folder)


def at_each_event(act: Callable[[int], Callable[[], object]], after: Callable[[], object]) -> int:
    """Act, with an interrupt at the first event, at the second, and so on; how many there were."""
    for nth in count(1):
        is_over = not interrupted(act(nth), nth=nth)
        after()
        if is_over:
            return nth - 1
        assert nth < EVENTS_MAX
    raise AssertionError


LOG_ACTS: dict[str, Callable[[LineLog], object]] = {
    "append": lambda log: log.append("new"),
    "append_many": lambda log: log.append_many(["new", "newer"]),
    "barrier": LineLog.barrier,
    "rotate": LineLog.rotate,
    "close": LineLog.close,
}


@pytest.mark.parametrize("name", LOG_ACTS)
@pytest.mark.parametrize("sync", ["always", 60.0])
def test_log_goes_on_after_an_interrupt_anywhere(name: str, sync, quick_folder: Path) -> None:
    """The same object appends, and another one; what was told is there; nobody waits for a lock."""
    path = quick_folder / "a.log"
    log = other = LineLog(path)

    def begin(nth: int) -> Callable[[], object]:
        nonlocal log, other
        shutil.rmtree(quick_folder)
        log, other = LineLog(path, sync=sync), LineLog(path, sync="never")
        log.append("old")
        return lambda: LOG_ACTS[name](log)

    def go_on() -> None:
        other.append("other")
        if name != "close":
            log.append("again")
            log.barrier()
        log.close()
        other.close()
        texts = [record.text for record in other.read() if not record.text.startswith("new")]
        assert ["old", "other", "again"][: 2 + (name != "close")] == texts

    assert at_each_event(begin, go_on) > 10


STREAM_ACTS: dict[str, Callable[[Stream], object]] = {
    "write": lambda stream: stream.write(b"new"),
    "flush": Stream.flush,
    "sync": Stream.sync,
}


@pytest.mark.parametrize("name", STREAM_ACTS)
@pytest.mark.parametrize("buffer_bytes", [0, 100])
@pytest.mark.parametrize("first", [b"", b"old"], ids=["first use", "in use"])
def test_stream_goes_on_after_an_interrupt_anywhere(
    name: str, buffer_bytes: int, first: bytes, quick_folder: Path, no_thread_left
) -> None:
    """What was told is there once, the window is right, and no thread is left."""
    path = quick_folder / "s"
    stream: Stream | None = None

    def begin(nth: int) -> Callable[[], object]:
        nonlocal stream
        path.unlink(missing_ok=True)
        stream = made = Stream(path, sync_every_s=60, buffer_bytes=buffer_bytes)
        if first:
            made.write(first)
        return lambda: STREAM_ACTS[name](made)

    def go_on() -> None:
        assert stream is not None
        stream.write(b"more")
        stream.sync()
        assert (0, stream.written) == (stream.unsynced_bytes, stream.durable)
        stream.close()
        found = path.read_bytes()
        assert first + b"more" == found.replace(b"new", b"")
        assert stream.durable == len(found)

    assert at_each_event(begin, go_on) > 1
