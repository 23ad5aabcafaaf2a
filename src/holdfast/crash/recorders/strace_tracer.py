"""Runs a program under strace, and leaves no process of it behind."""

from __future__ import annotations

import os
import signal
import subprocess
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.crash.recorders.strace_replay import TRACED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdfast.crash.recorders.marks import StandardOutput

__all__ = ["TracedProgram", "trace"]

_STRING_BYTES_MAX: Final = 64 << 20
_KILLING_S: Final = 10.0


class TracedProgram(NamedTuple):
    """What is to be run, and for how long."""

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str] | None
    timeout_s: float


def trace(run: TracedProgram, log: str, *, stdout: StandardOutput | None = None) -> bool:
    """Run the program under strace; False if its time was over."""
    tracer = subprocess.Popen(  # noqa: S603 - the list that the user gave
        _command(run.argv, log),
        stdin=subprocess.DEVNULL,
        stdout=stdout.writing if stdout else None,
        cwd=run.cwd,
        env=run.env,
        start_new_session=True,
    )
    try:
        if stdout is not None:
            stdout.start()
        tracer.wait(run.timeout_s)
    except subprocess.TimeoutExpired:
        return False
    finally:
        _end(tracer)
    return True


def _command(argv: Sequence[str], log: str) -> list[str]:
    return [
        *("strace", "-f", "--seccomp-bpf", "-q", "-y", "-xx", "-s", str(_STRING_BYTES_MAX)),
        *("-e", "trace=" + ",".join(f"?{name}" for name in TRACED)),
        *("-o", log, "--", *argv),
    ]


def _end(tracer: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the program, then strace."""
    deadline = monotonic() + _KILLING_S
    while tracer.poll() is None and monotonic() < deadline:
        for process in _traced_by(tracer.pid):
            _kill(process, tracer.pid)
        try:
            tracer.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    tracer.kill()
    tracer.wait()


def _traced_by(tracer: int) -> Iterator[int]:
    for entry in os.listdir("/proc"):
        if entry.isdecimal() and _tracer_of(int(entry)) == tracer:
            yield int(entry)


def _tracer_of(process: int) -> int:
    try:
        with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as status:
            found = next((line for line in status if line.startswith("TracerPid:")), "TracerPid: 0")
    except OSError:
        return 0
    return int(found.split()[1])


def _kill(process: int, tracer: int) -> None:
    """SIGKILL, through a handle that cannot mean another process that got its number."""
    try:
        handle = os.pidfd_open(process)
    except OSError:
        return
    try:
        if _tracer_of(process) == tracer:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
