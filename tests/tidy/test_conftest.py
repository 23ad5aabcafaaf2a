"""The checks that every test gets are able to fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.source import ROOT

LEAKING = """
import threading
import pytest

kept = []

def test_descriptor(tmp_path):
    kept.append(open(tmp_path / "a", "w"))

@pytest.mark.leaks_allowed
def test_descriptor_on_purpose(tmp_path):
    kept.append(open(tmp_path / "a", "w"))

def test_thread(no_thread_left):
    threading.Thread(target=threading.Event().wait, name="holdfast-a", daemon=True).start()

def test_clean(tmp_path, no_thread_left):
    with open(tmp_path / "a", "w"):
        pass
    threading.Thread(target=int, name="holdfast-b").start()
"""

CONFTEST = """
import tests.conftest
from tests.conftest import no_descriptor_left, no_thread_left

tests.conftest.PATIENCE_S = 0.1
"""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to see descriptors")
def test_leaks_fail_the_test_that_leaks(tmp_path: Path) -> None:
    """A descriptor and a thread left behind are errors; on purpose, or cleaned up, they are not."""
    page = tmp_path / "test_leaking.py"
    page.write_text(LEAKING)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    options = ["-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", str(page)]
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert "4 passed, 2 errors" in done.stdout, done.stdout + done.stderr
    assert "test_descriptor " in done.stdout
    assert "test_thread " in done.stdout
