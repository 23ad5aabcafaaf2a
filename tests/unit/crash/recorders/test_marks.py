"""Acknowledgements."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from holdfast.crash.recorders import RecordingRefused
from holdfast.crash.recorders.marks import mark_in
from holdfast.vfs.operations import Link, Mark


def test_the_path_that_acknowledges():
    """Whatever follows the colon is the text."""
    assert Mark("a/b c") == mark_in(b"/hf-mark:a/b c")
    assert Mark("") == mark_in(b"/hf-mark:")
    assert None is mark_in(b"/tmp/hf-mark:x")


def test_lines_on_stdout_acknowledge(recorded, marks, capfd):
    """Whole lines of all processes, in order with what happened to files."""
    script = "echo one; echo x > f; printf 'tw'; sh -c 'echo o; echo three >&2'; printf rest"
    recording = recorded.command("sh", "-c", script, ack="stdout")

    assert ["one", "two"] == marks(recording)
    order = [type(o) for o in recording.operations if isinstance(o, Mark | Link)]
    assert [Mark, Link, Mark] == order
    assert ("one\ntwo\nrest", "three\n") == capfd.readouterr()


def test_stdout_counts_only_if_asked_for(recorded, marks):
    """Otherwise it is nobody's promise."""
    assert [] == marks(recorded.command("sh", "-c", "echo one"))


def test_output_to_elsewhere_is_no_acknowledgement(recorded, marks):
    """A pipe between two programs, a file, the null device."""
    script = "echo a | cat > f; echo b > /dev/null; echo c >&2"
    assert [] == marks(recorded.command("sh", "-c", script, ack="stdout"))


def test_much_output_does_not_block(recorded, marks, capfd):
    """More than a pipe holds goes through."""
    code = "print('x' * 999, flush=True)\n" * 300
    assert 300 == len(marks(recorded.command(sys.executable, "-c", code, ack="stdout")))
    assert 300_000 == len(capfd.readouterr().out)


def test_unseen_output_is_refused(recorded):
    """A line that came by another way would be missed."""

    def program():
        reading, writing = os.pipe()
        os.write(writing, b"line\n")
        os.splice(reading, 1, 5)

    with pytest.raises(RecordingRefused, match="stdout"):
        recorded.call(program, ack="stdout")


def test_output_that_is_read_late_is_not_lost(recorded, marks):
    """A stdout of ours that does not block is waited for."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    kept = os.dup(1)
    os.dup2(writing, 1)
    os.close(writing)
    got = []

    def read():
        with open(reading, "rb") as file:
            got.append(file.read())

    reader = threading.Thread(target=read)
    code = "print('x' * 999, flush=True)\n" * 300
    try:
        assert 300 == len(
            marks(
                recorded.command(
                    *(sys.executable, "-c", code),
                    ack="stdout",
                    progress=lambda number: reader.start() if number == 200 else None,
                )
            )
        )
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    reader.join()
    assert 300_000 == len(got[0])
