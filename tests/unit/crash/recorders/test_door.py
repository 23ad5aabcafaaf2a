"""The door: which recorder is taken."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import traceback
from struct import pack

import pytest

from holdfast.crash.recorders import RecorderUnavailable, RecordingRefused, kernel, record_command

COMMAND = ("sh", "-c", "echo x > f; mv f g")


FORBIDDING = (  # what a container's profile does: seccomp(2) fails with EPERM
    (0x20, 0, 0, 0),
    (0x15, 0, 1, {"x86_64": 317}.get(os.uname().machine, 277)),
    (0x06, 0, 0, 0x00050001),
    (0x06, 0, 0, 0x7FFF0000),
)


def forbid_seccomp() -> None:
    """Let this process and its children be without seccomp."""
    code = b"".join(pack("=HBBI", *instruction) for instruction in FORBIDDING)
    held = ctypes.create_string_buffer(code)
    program = pack("@HP", len(FORBIDDING), ctypes.addressof(held))
    kernel._control_process(38)
    kernel.syscall(FORBIDDING[1][3], 1, 0, program)


def in_a_container(function) -> None:
    """Run a function in a child that may not use seccomp; it must end well."""
    if (child := os.fork()) == 0:
        try:
            forbid_seccomp()
            function()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.usefixtures("recorded")
def test_strace_is_taken_where_seccomp_is_forbidden(tmp_path):
    """With a word in the notes."""

    def program():
        recording = record_command(COMMAND, root=str(tmp_path))
        assert "strace" == recording.recorder
        assert recording.notes[-1].endswith("So strace was used.")
        assert "the container forbids it" in recording.notes[-1]

    in_a_container(program)


@pytest.mark.usefixtures("recorded")
def test_seccomp_that_is_forbidden_is_unavailable(tmp_path):
    """Asked for by name, it is an error, and nothing was run."""

    def program():
        with pytest.raises(RecorderUnavailable, match="the container forbids it"):
            record_command(COMMAND, root=str(tmp_path), recorder="seccomp")

    in_a_container(program)
    assert [] == os.listdir(tmp_path)


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_both_recorders_see_the_same(recorded):
    """Operation by operation."""
    one = recorded.command(*COMMAND)
    (recorded.folder / "g").unlink()
    other = recorded.command(*COMMAND, recorder="strace")
    assert one.operations == other.operations
    assert ["seccomp", "strace"] == [one.recorder, other.recorder]


@pytest.mark.usefixtures("recorded")
def test_where_neither_recorder_works_both_reasons_are_told(tmp_path, monkeypatch):
    """What forbids the one, what is missing for the other, and what to do."""
    monkeypatch.setenv("PATH", "/nowhere")

    def program():
        with pytest.raises(RecorderUnavailable) as caught:
            record_command(COMMAND, root=str(tmp_path))
        assert str(caught.value).startswith("seccomp recorder: the container forbids it. strace re")
        assert "strace is not installed. Nothing was run. Allow" in str(caught.value)

    in_a_container(program)


@pytest.mark.parametrize("recorder", ["auto", "seccomp", "strace"])
def test_a_recorded_program_records_nothing(recorded, tmp_path_factory, recorder):
    """By strace neither, which would not see the calls that the outer recorder carries out."""
    inner = str(tmp_path_factory.mktemp("inner"))

    def program():
        with pytest.raises(RecorderUnavailable, match="itself under another recorder"):
            record_command(COMMAND, root=inner, recorder=recorder)

    assert () == recorded.call(program).calls
    assert [] == os.listdir(inner)


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("recorder", "word"),
    [("seccomp", "watches calls by seccomp notification"), ("strace", None)],
)
def test_a_recorder_under_strace_is_told(tmp_path, tmp_path_factory, capfd, recorder, word):
    """Notification hides calls from strace: refused. To trace what is traced cannot be done."""
    script = (
        "import sys; from holdfast.crash.recorders import record_command\n"
        f"record_command(['true'], root=sys.argv[1], recorder={recorder!r})"
    )
    inner = str(tmp_path_factory.mktemp("inner"))
    command = (sys.executable, "-c", script, inner)
    if word is None:
        record_command(command, root=str(tmp_path), recorder="strace")
        assert "traces this one already" in capfd.readouterr().err
    else:
        with pytest.raises(RecordingRefused, match=word):
            record_command(command, root=str(tmp_path), recorder="strace")
