"""Real processes: killed in the middle of writes, while others read and sweep."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.primitives.replace import write_bytes
from holdfast.primitives.replacing import replacing
from holdfast.primitives.sweep import sweep
from holdfast.primitives.write_many import write_many
from holdfast.primitives.writer import open as hold_open
from tests.support.budget import scaled
from tests.support.leftovers import temporary

WRITERS = 3
SIZES = (1, 4096, 100_000)


def contents(number: int) -> bytes:
    """A file that says itself whether it is whole."""
    return bytes([number % 251]) * SIZES[number % len(SIZES)]


def is_whole(data: bytes) -> bool:
    return len(data) in SIZES and data == data[:1] * len(data)


def by_bytes(path: Path, number: int) -> None:
    write_bytes(path, contents(number), sync="never")


def by_stream(path: Path, number: int) -> None:
    data = contents(number)
    with hold_open(path, "wb", sync="never") as file:
        for at in range(0, len(data), 10_000):
            file.write(data[at : at + 10_000])
            file.flush()


def by_path(path: Path, number: int) -> None:
    with replacing(path, sync="never") as inside:
        inside.write_bytes(contents(number))


def by_many(path: Path, number: int) -> None:
    others = {path.with_name(f"other{n}"): b"x" for n in range(3)}
    write_many({path: contents(number), **others}, sync="never")


def in_a_child(work: Callable[[], None]) -> int:
    """Fork; the child works and exits with 0, or with 1 after an exception."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def end(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def writes_for_ever(write: Callable[[Path, int], None], path: Path) -> Callable[[], None]:
    def work() -> None:
        for number in range(1_000_000):
            write(path, number)

    return work


@pytest.mark.parametrize("write", [by_bytes, by_stream, by_path, by_many])
def test_killed_writers_tear_nothing_and_their_leftovers_are_swept(tmp_path, write) -> None:
    """SIGKILL at random, in mid-write: every read is whole, then a sweep leaves the files alone."""
    path = tmp_path / "a"
    write_bytes(path, contents(0))
    dice = random.Random(7)
    reads = 0
    for _ in range(scaled(8)):
        pids = [in_a_child(writes_for_ever(write, path)) for _ in range(WRITERS)]
        until = time.monotonic() + dice.uniform(0.01, 0.05)
        while time.monotonic() < until:
            assert is_whole(path.read_bytes())
            reads += 1
        codes = [end(pid) for pid in pids]
        assert [-signal.SIGKILL] * WRITERS == codes, "a writer failed before it was killed"
        assert is_whole(path.read_bytes())

    sweep(tmp_path)
    assert [] == temporary(tmp_path)
    assert is_whole(path.read_bytes())
    assert reads > 0


@pytest.mark.parametrize("write", [by_bytes, by_stream, by_path, by_many])
def test_living_writers_are_never_swept(tmp_path, write) -> None:
    """Sweepers run without a pause beside writers of another process, and no write ever fails."""
    path = tmp_path / "a"

    def writes() -> None:
        for number in range(scaled(150)):
            write(path, number)

    pids = [in_a_child(writes) for _ in range(2)]
    codes: list[int] = []
    while len(codes) < len(pids):
        sweep(tmp_path)
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            codes.append(os.waitstatus_to_exitcode(status))

    assert [0, 0] == codes
    assert is_whole(path.read_bytes())
    assert [] == temporary(tmp_path)


def test_one_of_many_creators_wins(tmp_path) -> None:
    """Processes that create one name at once: one succeeds, and its contents are there."""
    for round_number in range(scaled(5)):
        path = tmp_path / str(round_number)

        def creates(path: Path = path) -> None:
            with hold_open(path, "xb", sync="never") as file:
                file.write(b"%d" % os.getpid())

        pids = [in_a_child(creates) for _ in range(4)]
        codes = {pid: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids}
        winners = [pid for pid, code in codes.items() if code == 0]

        assert 1 == len(winners)
        assert b"%d" % winners[0] == path.read_bytes()
    assert [] == temporary(tmp_path)
