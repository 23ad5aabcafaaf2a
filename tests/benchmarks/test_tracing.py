"""Reading guarantees off a trace of system calls."""

from __future__ import annotations

import pytest

from benchmarks.tracing import Calls, label, parse

_TRACE = """\
11 access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)
11 fsync(9</d/earlier>) = 0
11 access("/.benchmarks-mark/begin/good writer", F_OK) = -1 ENOENT (No such file or directory)
11 flock(3</d/.t.tmp>, LOCK_EX|LOCK_NB) = 0
12 fsync(3</d/.t.tmp> <unfinished ...>
12 <... fsync resumed>) = 0
11 renameat(4</d>, ".t.tmp", 4</d>, "t") = 0
11 fsync(4</d>) = 0
11 flock(3</d/t>, LOCK_UN) = 0
11 access("/.benchmarks-mark/end/good writer", F_OK) = -1 ENOENT (No such file or directory)
11 fsync(4</d>) = 0
11 access("/.benchmarks-mark/begin/locker", F_OK) = -1 ENOENT (No such file or directory)
11 fcntl(5</d/lock>, F_GETFD) = 0
11 fcntl(5</d/lock>, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=0}) = 0
11 fcntl(5</d/lock>, F_SETLK, {l_type=F_UNLCK, l_whence=SEEK_SET, l_start=0, l_len=0}) = 0
11 access("/.benchmarks-mark/end/locker", F_OK) = -1 ENOENT (No such file or directory)
11 access("/.benchmarks-mark/begin/floor", F_OK) = -1 ENOENT (No such file or directory)
11 pwritev2(5</d/log>, [{iov_base="DSYNC, ", iov_len=7}], 1, 0, RWF_DSYNC) = 7
11 pwritev2(5</d/log>, [{iov_base="DSYNC, ", iov_len=7}], 1, 7, RWF_NOWAIT) = 7
11 access("/.benchmarks-mark/end/floor", F_OK) = -1 ENOENT (No such file or directory)
"""


def test_steps_are_those_between_the_marks():
    """Calls before, after and between operations are nobody's; an unfinished call counts once."""
    found = parse(_TRACE, "/d")
    assert Calls(("flock", "sync-file", "name", "sync-folder")) == found["good writer"]
    assert Calls(("posix",)) == found["locker"]
    assert Calls(("sync-file",)) == found["floor"]
    assert len(found) == 3


@pytest.mark.parametrize(
    ("expected", "steps"),
    [
        ("file+folder", ("sync-file", "name", "sync-folder")),
        ("file+folder, flock", ("flock", "sync-file", "name", "sync-folder")),
        ("file", ("sync-file", "name")),
        ("late file", ("name", "sync-file")),
        ("file", ("sync-folder", "sync-file", "name")),
        ("no sync", ("name",)),
        ("ofd", ("ofd",)),
        ("nothing", ()),
    ],
)
def test_label_counts_a_sync_only_where_it_helps(expected, steps):
    """The file is synced before the rename, the folder after it, or it does not count."""
    assert expected == label(Calls(steps))


def test_label_without_a_trace_claims_nothing():
    """No strace, no claim."""
    assert label(None) == "not verified"
