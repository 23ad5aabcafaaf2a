"""A child that must not outlive its parent."""

from __future__ import annotations

import os
import select
import subprocess
import sys

PROGRAM = """
import os, subprocess, sys
from holdfast.crash.parent import die_with_parent
if sys.argv[1] == "child":
    die_with_parent()
    os.write(1, b"ready")
    sys.stdin.read()
else:
    command = [sys.executable, "-c", os.environ["PROGRAM"], "child"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE)
    sys.stdin.read(1)
    os._exit(0)
"""


def test_child_is_killed_when_its_parent_ends() -> None:
    """The child holds standard output open; it closes when the parent has gone without a word."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PROGRAM": PROGRAM},
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    with parent.stdin, parent.stdout:
        assert b"ready" == os.read(parent.stdout.fileno(), 5)
        parent.stdin.write(b"x")
        parent.stdin.flush()
        closed, _, _ = select.select([parent.stdout], [], [], 30)
        assert closed
        assert b"" == os.read(parent.stdout.fileno(), 5)
    parent.wait()
