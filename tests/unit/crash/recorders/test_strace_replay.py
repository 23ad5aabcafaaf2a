"""Whole logs: threads, current folders, mappings, ends, and what is refused."""

from __future__ import annotations

import pytest

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.vfs.operations import MakeFolder, Mark, Node, Truncate, Unlink, Write
from tests.support.strace_logs import ONE, Replayed, operations

OPEN = '1 openat(AT_FDCWD</r>, "a", O_RDWR) = 3</r/a>\n'
MAPPED = "1 mmap(NULL, 4096, {}, MAP_SHARED, 3</r/a>, 0) = 0x7f00\n"


def test_current_folders_are_those_of_processes():
    """Threads share one, forks take theirs along."""
    log = """
        1 chdir("d") = 0
        1 fork() = 2
        2 chdir("..") = 0
        1 unlink("b") = 0
        2 unlink("a") = 0
        1 clone3({flags=CLONE_FS|CLONE_FILES|CLONE_THREAD}, 88) = 3
        3 fchdir(9</r>) = 0
        1 unlink("s") = 0
    """
    it = Replayed(log, ONE)
    assert [Unlink(3, "b"), Unlink(1, "a"), Unlink(1, "s")] == it.operations
    assert [(1, 1), (2, 2), (1, 1)] == [(call.process, call.thread) for call in it.ledger.calls]


def test_the_umask_is_followed():
    """As a process changes it."""
    found = operations('1 umask(077) = 022\n1 mkdir("n", 0777) = 0', ONE)
    assert isinstance(found[0], MakeFolder)
    assert 0o700 == found[0].node.mode


def test_lines_on_stdout_acknowledge_where_they_are_asked_to():
    """By the name of the pipe, wherever it was duplicated to."""
    log = '1 write(1<pipe:[5]>, "one", 3) = 3\n1 write(9<pipe:[6]>, "two", 3) = 3'
    assert [Mark("one")] == Replayed(log, ONE, stdout=b"pipe:[5]").operations
    assert [] == Replayed(log, ONE).operations


@pytest.mark.parametrize("rights", ["PROT_READ|PROT_WRITE", "PROT_WRITE"])
def test_a_file_that_is_mapped_to_be_written_is_refused(rights):
    """Stores are no calls."""
    with pytest.raises(RecordingRefused, match="a: was mapped to be written"):
        operations(OPEN + MAPPED.format(rights), ONE)


def test_a_mapping_that_becomes_writable_is_refused():
    """The right may come later."""
    log = OPEN + MAPPED.format("PROT_READ")
    assert [] == operations(log, ONE)
    with pytest.raises(RecordingRefused, match="a: was mapped to be written"):
        operations(f"{log}1 mprotect(0x8000, 4096, PROT_READ|PROT_WRITE) = 0", ONE)


@pytest.mark.parametrize(
    "line",
    [
        MAPPED.format("PROT_READ|PROT_WRITE").replace("MAP_SHARED", "MAP_PRIVATE"),
        MAPPED.format("PROT_READ|PROT_WRITE").replace("/r/a", "/tmp/x"),
        "1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0) = 0x7f00",
        "1 mprotect(0x7f00, 4096, PROT_READ|PROT_WRITE) = 0",
    ],
)
def test_mappings_that_change_no_recorded_file_are_none_of_it(line):
    """Private ones, other files, plain memory."""
    assert [] == operations(OPEN + line, ONE)


def test_stores_into_files_that_may_be_are_taken_from_the_end():
    """The index of an sqlite3 log is made anew after a crash."""
    before = {1: Node("folder", entries=(("x-shm", 2),)), 2: Node("file", data=b"1234")}
    log = OPEN + MAPPED.format("PROT_READ|PROT_WRITE")
    it = Replayed(log.replace("/r/a", "/r/x-shm").replace('"a"', '"x-shm"'), before)
    it.ledger.begin("end", (1, 1), ())
    it.replay.finish({1: before[1], 2: Node("file", data=b"12xy")})
    assert [Write(2, 0, b"12xy"), Truncate(2, 4)] == it.operations
    assert ["stores into x-shm are seen at the end alone"] == list(it.world.notes)


@pytest.mark.parametrize(
    "line", ["io_uring_setup(8, {}) = 4", "io_submit(0x7f, 1, [{}]) = 1", 'chroot("/tmp") = 0']
)
def test_calls_that_hide_what_is_done_are_refused(line):
    """And only if they were carried out."""
    with pytest.raises(RecordingRefused, match="is not told by strace"):
        operations(f"1 {line}", ONE)
    failed = line.rpartition("=")[0] + "= -1 ENOSYS (Function not implemented)"
    assert [] == operations(f"1 {failed}", ONE)


def test_cloning_a_file_is_refused():
    """What is in it then is not told; other requests are none of it."""
    with pytest.raises(RecordingRefused, match="ioctl FICLONE"):
        operations(f"{OPEN}1 ioctl(3</r/a>, FICLONE, 9</r/d/b>) = 0", ONE)
    assert [] == operations(f"{OPEN}1 ioctl(3</r/a>, TCGETS, 0x7f) = 0", ONE)


@pytest.mark.parametrize(
    ("end", "status", "ended"),
    [
        ("1 +++ exited with 7 +++", 7, True),
        ("1 +++ killed by SIGSEGV +++", -11, True),
        ("1 +++ killed by SIGKILL +++", -9, False),
        ("2 +++ exited with 1 +++", 0, False),
    ],
)
def test_the_status_is_that_of_the_first_process(end, status, ended):
    """Its code, or minus its signal."""
    it = Replayed(f'1 execve("/bin/x", ["x"], 0x7f /* 3 vars */) = 0\n{end}', ONE)
    assert (status, ended) == (it.replay.exit_status(), it.replay.ended)
    assert it.replay.started


def test_a_program_that_could_not_be_executed_is_told():
    """The first error of execve."""
    it = Replayed('1 execve("/x", ["x"], 0x7f /* 3 vars */) = -1 ENOEXEC (Exec format error)', ONE)
    assert (False, "ENOEXEC") == (it.replay.started, it.replay.start_error)


def test_notification_that_the_program_sets_up_is_refused():
    """It would hide calls from strace; a filter without it is none of it."""
    line = "1 seccomp(SECCOMP_SET_MODE_FILTER, {}, {{len=9, filter=0x7f}}) = 5"
    with pytest.raises(RecordingRefused, match="hides them from strace"):
        operations(line.format("SECCOMP_FILTER_FLAG_NEW_LISTENER|0x20"), ONE)
    assert [] == operations(line.format("SECCOMP_FILTER_FLAG_TSYNC"), ONE)
