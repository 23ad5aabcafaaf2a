"""`line-append`, `stream-write`: lines for people, and a stream that may lose its last second."""

from __future__ import annotations

import functools
import logging
import os
import time
from contextlib import ExitStack
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, Any

from benchmarks.machine import settler
from benchmarks.runner import Contender, Experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from benchmarks.workloads import Setting

    Write = Callable[[Any], object]
    Made = tuple[Write, Callable[[], object]]

__all__ = ["LINE_WRITERS", "line_append", "stream_write"]

_LINE = "a line of a log, as long as most of them are: " + "x" * 53
_NEW = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_RAW = "write + fdatasync"
_BUFFERED = "buffered write"


def _raw(path: str, *, sync: bool = True) -> Made:
    fd = os.open(path, _NEW, 0o666)

    def write(line: str) -> None:
        os.write(fd, line.encode() + b"\n")
        if sync:
            os.fdatasync(fd)

    return write, functools.partial(os.close, fd)


def _line_log(path: str, **options: Any) -> Made:
    from holdfast.primitives.line_log import LineLog

    log = LineLog(path, **options)
    return log.append, log.close


def _logger(handler: logging.Handler, level: int) -> Made:
    logger = logging.Logger(type(handler).__name__)  # noqa: LOG001 - of the registry's tree is none
    logger.addHandler(handler)
    return functools.partial(logger.log, level), handler.close


def _handler(path: str, *, level: int) -> Made:
    from holdfast.primitives.durable_handler import DurableHandler

    return _logger(DurableHandler(path), level)


def _file_handler(path: str) -> Made:
    return _logger(logging.FileHandler(path), logging.INFO)


def _rotating(path: str) -> Made:
    return _logger(RotatingFileHandler(path, maxBytes=1 << 20, backupCount=3), logging.INFO)


LINE_WRITERS: dict[str, Callable[[str], Made]] = {
    _RAW: _raw,
    f"{_RAW}, again": _raw,
    "write, not synced": functools.partial(_raw, sync=False),
    "holdfast.LineLog": _line_log,
    "holdfast.LineLog, 1 s": functools.partial(_line_log, sync=1.0),
    "holdfast.LineLog, never": functools.partial(_line_log, sync="never"),
    "holdfast.DurableHandler, ERROR": functools.partial(_handler, level=logging.ERROR),
    "holdfast.DurableHandler, INFO": functools.partial(_handler, level=logging.INFO),
    "logging.FileHandler": _file_handler,
    "logging.RotatingFileHandler": _rotating,
}


def line_append(setting: Setting) -> Generator[Experiment, None, None]:
    """Lines of 100 bytes, one after the other; which of them are synced is traced."""
    folder = setting.folder("line-append")
    with ExitStack() as stack:
        contenders = _contenders(LINE_WRITERS, folder, stack, _LINE, 20)
        yield Experiment(
            "line-append", setting.place.label, {"time": "µs"}, contenders, _RAW,
            setting.pick(20, 100), setting.pick(3, 15), settler(folder),
        )  # fmt: skip


def _contenders(
    writers: dict[str, Callable[[str], Made]],
    folder: str,
    stack: ExitStack,
    data: object,
    times: int,
) -> list[Contender]:
    found = []
    for number, (name, make) in enumerate(writers.items()):
        write, close = make(os.path.join(folder, str(number)))
        stack.callback(close)
        traced = name if writers is LINE_WRITERS else ""
        found.append(Contender(name, functools.partial(_timed, write, data, times), traced))
    return found


def _timed(write: Write, data: object, times: int) -> dict[str, float]:
    begin = time.perf_counter_ns()
    for _ in range(times):
        write(data)
    return {"time": (time.perf_counter_ns() - begin) / 1e3 / times}


def _opened(path: str, *, buffering: int = -1) -> Made:
    file = open(path, "ab", buffering=buffering)
    return file.write, file.close


def _stream(path: str, **options: Any) -> Made:
    from holdfast.primitives.stream import Stream

    stream = Stream(path, **options)
    return stream.write, stream.close


_STREAMS: dict[str, Callable[[str], Made]] = {
    _BUFFERED: _opened,
    "unbuffered write": functools.partial(_opened, buffering=0),
    "holdfast.Stream": _stream,
    "holdfast.Stream, buffer of 64 KiB": functools.partial(_stream, buffer_bytes=64 << 10),
}


def stream_write(setting: Setting) -> Generator[Experiment, None, None]:
    """Many small writes, then a few large ones; nobody waits for a sync."""
    for name, size, times in (("small", 100, 2000), ("large", 64 << 10, 16)):
        folder = setting.folder(f"stream-write-{name}")
        with ExitStack() as stack:
            contenders = _contenders(_STREAMS, folder, stack, bytes(size), times)
            yield Experiment(
                f"stream-write-{name}", f"{setting.place.label}, {size:,} bytes", {"time": "µs"},
                contenders, _BUFFERED, setting.pick(10, 60), setting.pick(2, 10), settler(folder),
            )  # fmt: skip
