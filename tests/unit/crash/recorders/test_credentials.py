"""Calls are carried out as the user that the program is by then."""

from __future__ import annotations

import os
import tempfile

import pytest


def test_umask_of_each_process(recorded):
    """A umask that changes is followed, process by process."""

    def program():
        if os.fork() == 0:
            os.umask(0o077)
            os.mkdir("inner")
            os._exit(0)
        os.wait()
        os.umask(0)
        os.mkdir("outer")

    nodes = recorded.call(program).after
    modes = {name: nodes[inode].mode for name, inode in nodes[1].entries}
    assert {"inner": 0o700, "outer": 0o777} == modes


@pytest.mark.root
def test_program_that_gives_up_its_rights(recorded):
    """It may do no more under the recorder than without, and owns what it makes."""
    (recorded.folder / "public").mkdir()
    (recorded.folder / "public").chmod(0o777)
    recorded.folder.chmod(0o755)

    def program():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        with pytest.raises(PermissionError):
            os.mkdir("denied")
        os.mkdir("public/mine")

    recording = recorded.call(program)
    assert "EACCES" == recording.calls[0].error
    made = next(node for node in recording.after.values() if node.uid == 65534)
    assert (65534, "folder") == (made.gid, made.kind)


@pytest.mark.root
def test_recorder_keeps_its_own_rights(recorded):
    """A child that gives up its rights does not take those of its parent along."""

    def program():
        if os.fork() == 0:
            os.setuid(65534)
            os._exit(0)
        os.wait()
        os.mkdir("mine", 0o700)

    recorded.folder.chmod(0o755)
    assert 0 == recorded.call(program).after[2].uid


@pytest.mark.root
@pytest.mark.usefixtures("recorded")
def test_recording_without_privileges():
    """A user without any rights records as well."""
    from holdfast.crash.recorders import record_call

    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, 65534, 65534)
        if (child := os.fork()) == 0:
            _record_as_nobody(record_call, folder)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _record_as_nobody(record, folder):
    """In the child: give up all rights, record, and exit with 0 if all is well."""
    status = 1
    try:
        for change in (os.setgroups, os.setgid, os.setuid):
            change([] if change is os.setgroups else 65534)  # type: ignore[operator]
        path = f"{folder}/f"
        recording = record(lambda: open(path, "w").write("x"), root=folder, cwd="/")
        status = int(len(recording.operations) != 3)
    finally:
        os._exit(status)
