"""Running under strace: nothing of the program is left behind."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest

from holdfast.crash.recorders.strace_tracer import TracedProgram, trace

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="needs strace: install the package of that name"
)

DAEMON = """\
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("daemon", "w").write(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
while not os.path.exists("daemon"):
    time.sleep(0.01)
time.sleep({sleep})
"""


def is_alive(process: int) -> bool:
    """Whether it runs: one that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def run(folder: Path, code: str, *, timeout_s: float) -> bool:
    """Whether the program ended in time."""
    log = folder / "log"
    program = TracedProgram([sys.executable, "-c", code], str(folder), None, timeout_s)
    return trace(program, str(log))


def test_a_program_that_ends_is_waited_for(tmp_path):
    """Its log is there and has its end."""
    assert run(tmp_path, "open('a', 'w').write('x')", timeout_s=30)
    assert (tmp_path / "log").read_text().rstrip().endswith("+++ exited with 0 +++")


@pytest.mark.parametrize("sleep", [0, 60])
def test_i2_what_outlives_its_time_is_killed(tmp_path, sleep):
    """Also a daemon that left its session, whether its parent ended or not."""
    start = time.monotonic()
    assert not run(tmp_path, DAEMON.format(sleep=sleep), timeout_s=2)
    assert time.monotonic() - start < 20
    daemon = int((tmp_path / "daemon").read_text())
    assert not is_alive(daemon)
