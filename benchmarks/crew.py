"""Worker processes that stay for an experiment, so that starting them is in no figure."""

from __future__ import annotations

import multiprocessing
import signal
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from typing import Self

    Go = Callable[[], int]

__all__ = ["Crew", "sleep_until"]

_HEAD_START_NS = 5_000_000
_PATIENCE_S = 120.0


class Crew:
    """`size` processes, started afresh (not forked), that run one task at the same time."""

    def __init__(self, size: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection[Any, Any]] = []
        self._processes = []
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: Ctrl-C is for the parent
        try:
            for _ in range(size):
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(theirs,), daemon=True)
                process.start()
                theirs.close()
                self._pipes.append(ours)
                self._processes.append(process)
        finally:
            signal.signal(signal.SIGINT, before)

    def run(self, task: Callable[..., Any], *args: object) -> list[Any]:
        """Run `task(index, go, *args)` in each; `go()`, called when ready, is the common start."""
        for index, pipe in enumerate(self._pipes):
            pipe.send((task, index, args))
        self._receive("ready")
        start_ns = time.monotonic_ns() + _HEAD_START_NS
        for pipe in self._pipes:
            pipe.send(start_ns)
        return self._receive("done")

    def _receive(self, expected: str) -> list[Any]:
        answers = []
        for pipe in self._pipes:
            if not pipe.poll(_PATIENCE_S):
                raise TimeoutError(f"a worker said nothing for {_PATIENCE_S} s")
            kind, answer = pipe.recv()
            if kind != expected:
                raise RuntimeError(f"a worker failed: {answer}")
            answers.append(answer)
        return answers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(1.0)
            if process.is_alive():
                process.terminate()
                process.join()


def sleep_until(moment_ns: int) -> None:
    """Sleep until a moment of `time.monotonic_ns`, which all processes share."""
    left_ns = moment_ns - time.monotonic_ns()
    if left_ns > 0:
        time.sleep(left_ns / 1e9)


def _serve(pipe: Connection[Any, Any]) -> None:
    try:
        _serve_tasks(pipe)
    except (EOFError, OSError):
        return  # the parent has gone, or wants no more


def _serve_tasks(pipe: Connection[Any, Any]) -> None:
    def go() -> int:
        pipe.send(("ready", None))
        start_ns: int = pipe.recv()
        sleep_until(start_ns)
        return start_ns

    while True:
        task, index, args = pipe.recv()
        try:
            answer = ("done", task(index, go, *args))
        except EOFError:
            raise
        except Exception as error:
            answer = ("failed", f"{type(error).__name__}: {error}")
        pipe.send(answer)
