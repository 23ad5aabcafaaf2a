"""Starting a program under the filter; `test_seccomp` shows how it ends."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.recorders import RecorderUnavailable, record_call
from holdfast.crash.recorders.kernel import native_architecture
from holdfast.crash.recorders.launch import Program, launch


def test_program_waits_until_it_is_let_go(recorded):
    """And is gone, having done nothing, if it is not."""
    made = recorded.folder / "made"
    program = Program(None, made.touch, str(recorded.folder), None)
    launched = launch(program, native_architecture())
    launched.meet()
    assert os.path.exists(f"/proc/{launched.process}")
    launched.end()
    launched.end()
    assert not os.path.exists(f"/proc/{launched.process}")
    assert not made.exists()


def test_recorder_within_a_recorder_is_unavailable(recorded, tmp_path_factory):
    """The kernel allows one listener; the message says so."""
    inner = str(tmp_path_factory.mktemp("inner"))

    def program():
        with pytest.raises(RecorderUnavailable, match="another recorder"):
            record_call(int, root=inner)

    recorded.call(program)
