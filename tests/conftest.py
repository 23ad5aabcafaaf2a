"""Profiles, markers and the check for leaks that every test gets."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A shared machine may be slow at any moment: time is the subject of `make bench`, not of these.
_QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("fast", max_examples=25, derandomize=True, **_QUIET)
settings.register_profile("default", max_examples=100, derandomize=True, **_QUIET)
settings.register_profile("long", max_examples=5000, print_blob=True, **_QUIET)
settings.load_profile(os.environ.get("HOLDFAST_PROFILE", "default"))

DESCRIPTORS = Path("/proc/self/fd")
PATIENCE_S = 5.0

# Started by nohup, or in the background by a shell, this process and all its children would ignore
# these.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason in the summary, what needs root when there is none."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason="needs root: run `sudo make test`"))


def pytest_collection_finish() -> None:
    """Take the tests themselves out of the sight of every collection and of every fork."""
    gc.collect()
    gc.freeze()


def open_below(folder: Path) -> list[str]:
    """What this process holds open in the folder, deleted files too (Linux)."""
    found = []
    for entry in DESCRIPTORS.iterdir() if DESCRIPTORS.is_dir() else ():
        try:
            target = os.readlink(entry)
        except OSError:  # the descriptor of this very listing
            continue
        if target == str(folder) or target.startswith(f"{folder}/"):
            found.append(f"{entry.name} -> {target}")
    return sorted(found)


def settle() -> None:
    """Let go of what a caught exception holds, and wait for lock threads to find no work."""
    gc.collect()
    for thread in threading.enumerate():
        if thread.name.startswith("holdfast-lock"):
            thread.join(5)


@pytest.fixture(autouse=True)
def no_descriptor_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves anything open below its `tmp_path`."""
    if "tmp_path" not in request.fixturenames:
        yield
        return
    folder: Path = request.getfixturevalue("tmp_path").resolve()
    yield
    if request.node.get_closest_marker("leaks_allowed") is None:
        left = open_below(folder)
        if left:
            settle()
            left = open_below(folder)
        assert [] == left, "left open: " + ", ".join(left)


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """Fail a test after which a thread of holdfast that it started still runs."""
    before = set(threading.enumerate())
    yield
    ours = [t for t in threading.enumerate() if t.name.startswith("holdfast")]
    for thread in set(ours) - before:
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), f"still running: {thread.name}"
