"""Opening and writing, from logs: where bytes went, and what is refused."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.recorders.errors import RecordingRefused
from holdfast.vfs.operations import Create, Link, Mark, Node, SyncFile, Truncate, Write
from tests.support.strace_logs import EMPTY, ONE, Replayed, operations

OPEN_A = '1 openat(AT_FDCWD</r>, "a", O_RDWR) = 3</r/a>\n'


def after_open(lines: str, flags: str = "O_RDWR"):
    """What is done to the open file `a` (five bytes)."""
    return operations(OPEN_A.replace("O_RDWR", flags) + lines, ONE)


def test_a_new_file_is_an_inode_and_a_name():
    """With the mode that the umask leaves, and the user's own ids."""
    found = operations('1 openat(AT_FDCWD</r>, "n", O_WRONLY|O_CREAT, 0666) = 3</r/n>')
    node = Node("file", 0o644, os.geteuid(), os.getegid())
    assert [Create(2, node), Link(1, "n", 2)] == found


def test_a_folder_with_a_group_of_its_own_gives_it_on():
    """The set-group-id bit of a folder."""
    before = {1: Node("folder", 0o2755, gid=77)}
    found = operations('1 creat("n", 0600) = 3</r/n>', before)
    assert Node("file", 0o600, os.geteuid(), 77) == found[0].node


def test_a_file_without_a_name_gets_one():
    """O_TMPFILE, then a link through /proc/self/fd."""
    found = operations("""
        1 openat(AT_FDCWD</r>, ".", O_RDWR|O_TMPFILE, 0600) = 3</r/#77>(deleted)
        1 write(3</r/#77>(deleted), "x", 1) = 1
        1 linkat(AT_FDCWD</r>, "/proc/self/fd/3", AT_FDCWD</r>, "n", AT_SYMLINK_FOLLOW) = 0
    """)
    assert [Write(2, 0, b"x"), Link(1, "n", 2)] == found[1:]


def test_opening_may_cut_and_may_do_nothing():
    """O_TRUNC of a file that is there; O_CREAT of one; reading; a failure; an outside file."""
    assert [Truncate(2, 0)] == after_open("", "O_WRONLY|O_CREAT|O_TRUNC")
    assert [] == after_open("", "O_RDWR|O_CREAT")
    assert [] == after_open("", "O_RDONLY")
    assert [] == operations('1 open("x", O_RDONLY) = -1 ENOENT (No such file or directory)')
    assert [] == operations('1 open("/tmp/x", O_RDWR|O_CREAT, 0600) = 3</tmp/x>')


def test_openat2_says_how_in_a_structure():
    """Flags and mode."""
    found = operations(
        '1 openat2(AT_FDCWD</r>, "n", {flags=O_WRONLY|O_CREAT, mode=0600, resolve=0}, 24) = 3</r/n>'
    )
    assert 0o600 == found[0].node.mode


def test_the_agreed_path_acknowledges():
    """It fails, as it is meant to, and is no error of the program."""
    it = Replayed('1 open("/hf-mark:saved 1", O_RDONLY) = -1 ENOENT (No such file or directory)')
    assert [Mark("saved 1")] == it.operations
    assert [None] == [call.error for call in it.ledger.calls]


NO_APPEND = (
    "fcntl(3</r/a>, F_SETFL, O_RDWR|O_APPEND) = 0\n"
    '1 pwritev2(3</r/a>, [{iov_base="x", iov_len=1}], 1, 2, RWF_NOAPPEND) = 1'
)
WRITE = '1 write(3</r/a>, "z", 1) = 1'


@pytest.mark.parametrize(
    ("line", "places"),
    [
        ('write(3</r/a>, "xy", 2) = 2', [(0, b"xy"), (2, b"z")]),
        ('write(3</r/a>, "xyz", 3) = 1', [(0, b"x"), (1, b"z")]),
        ('write(3</r/a>, "x", 1) = -1 ENOSPC (No space left on device)', [(0, b"z")]),
        ('read(3</r/a>, "123", 9) = 3', [(3, b"z")]),
        ("lseek(3</r/a>, 0, SEEK_END) = 5", [(5, b"z")]),
        ('dup2(3</r/a>, 9) = 9</r/a>\n1 write(9</r/a>, "x", 1) = 1', [(0, b"x"), (1, b"z")]),
        ("fcntl(5</r/d>, F_DUPFD_CLOEXEC, 0) = 4</r/d>", [(0, b"z")]),
        ('pwrite64(3</r/a>, "xy", 2, 9) = 2', [(9, b"xy"), (0, b"z")]),
        ('pwritev2(3</r/a>, [{iov_base="x", iov_len=1}], 1, -1, 0) = 1', [(0, b"x"), (1, b"z")]),
        ("fcntl(3</r/a>, F_SETFL, O_RDWR|O_APPEND) = 0", [(5, b"z")]),
        (
            NO_APPEND,
            [(2, b"x"), (5, b"z")],
        ),
        ("fcntl(3</r/a>, F_GETFL) = 0x8402 (flags O_RDWR|O_APPEND|O_LARGEFILE)", [(0, b"z")]),
    ],
)
def test_bytes_go_to_where_the_descriptor_stands(line, places):
    """After writes, reads, seeks, duplicates, short writes, and in appending mode."""
    assert [Write(2, *place) for place in places] == after_open(f"1 {line}\n{WRITE}")


def test_an_appending_descriptor_writes_at_the_end():
    """Wherever it stood."""
    assert [Write(2, 5, b"x"), Write(2, 6, b"y")] == after_open(
        '1 write(3</r/a>, "x", 1) = 1\n1 write(3</r/a>, "y", 1) = 1', "O_WRONLY|O_APPEND"
    )


@pytest.mark.parametrize(
    ("flags", "how", "data_only"),
    [
        ("O_WRONLY|O_SYNC", "0", False),
        ("O_WRONLY|O_DSYNC", "0", True),
        ("O_WRONLY", "RWF_DSYNC", True),
        ("O_WRONLY", "RWF_SYNC", False),
        ("O_WRONLY|O_DSYNC", "RWF_SYNC", False),
    ],
)
def test_a_synchronous_write_syncs(flags, how, data_only):
    """Each one is durable when it returned; O_DSYNC and RWF_DSYNC sync no names."""
    line = f'1 pwritev2(3</r/a>, [{{iov_base="x", iov_len=1}}], 1, 0, {how}) = 1'
    assert [Write(2, 0, b"x"), SyncFile(2, data_only)] == after_open(line, flags)


def test_a_synchronous_write_syncs_what_it_wrote():
    """Other data of the file stay unsynced, and a note says so; the last part makes it whole."""
    it = Replayed(
        OPEN_A.replace("O_RDWR", "O_WRONLY|O_DSYNC")
        + """1 openat(AT_FDCWD</r>, "a", O_RDWR) = 4</r/a>
        1 pwrite64(4</r/a>, "x", 1, 4096) = 1
        1 pwrite64(3</r/a>, "y", 1, 0) = 1
        1 pwrite64(3</r/a>, "z", 1, 4096) = 1
        """.replace("        ", ""),
        ONE,
    )
    writes = [Write(2, 4096, b"x"), Write(2, 0, b"y"), Write(2, 4096, b"z")]
    assert [*writes, SyncFile(2, data_only=True)] == it.operations
    assert ["a synchronous write into a, which"] == [note[:33] for note in it.world.notes]


def test_a_copy_through_a_synchronous_descriptor_syncs():
    """As a write of the same bytes does."""
    log = """1 openat(AT_FDCWD</r>, "d/b", O_RDONLY) = 4</r/d/b>
1 sendfile(3</r/a>, 4</r/d/b>, NULL, 1) = 1"""
    found = after_open(log, "O_WRONLY|O_DSYNC")
    assert [Write(2, 0, b"b"), SyncFile(2, data_only=True)] == found


def test_positions_are_shared_with_children():
    """Parent and child of a fork write one after the other; a file that it opens is its own."""
    log = """
        1 openat(AT_FDCWD</r>, "a", O_RDWR) = 3</r/a>
        1 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
        2 write(3</r/a>, "child", 5) = 5
        1 <... clone resumed>, child_tidptr=0x7f) = 2
        1 write(3</r/a>, "p", 1) = 1
        2 openat(AT_FDCWD</r>, "a", O_RDWR) = 4</r/a>
        2 write(4</r/a>, "c", 1) = 1
    """
    it = Replayed(log, ONE)
    assert [Write(2, 0, b"child"), Write(2, 5, b"p"), Write(2, 0, b"c")] == it.operations
    assert [2, 1, 2] == [call.process for call in it.ledger.calls]


def test_truncating_and_allocating():
    """By path and by descriptor, longer and shorter, zeroed, kept in size."""
    assert [Truncate(2, 2)] == operations('1 truncate("a", 2) = 0', ONE)
    assert [Truncate(2, 9)] == after_open("1 ftruncate(3</r/a>, 9) = 0")
    assert [Truncate(2, 9)] == after_open("1 fallocate(3</r/a>, 0, 4, 5) = 0")
    assert [] == after_open("1 fallocate(3</r/a>, FALLOC_FL_KEEP_SIZE, 4, 5) = 0")
    hole = "1 fallocate(3</r/a>, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 1, 9) = 0"
    assert [Write(2, 1, bytes(4))] == after_open(hole)


def test_bytes_are_copied_inside_the_folder():
    """By position and by offset."""
    log = '1 openat(AT_FDCWD</r>, "d/b", O_RDWR) = 4</r/d/b>\n1 '
    by_offset = "copy_file_range(3</r/a>, [1] => [3], 4</r/d/b>, [7] => [9], 2, 0) = 2"
    assert [Write(5, 7, b"23")] == after_open(log + by_offset)
    by_position = "sendfile(4</r/d/b>, 3</r/a>, NULL, 9) = 5\n1 "
    by_position += "sendfile(4</r/d/b>, 3</r/a>, [0] => [2], 2) = 2"
    assert [Write(5, 0, b"12345"), Write(5, 5, b"12")] == after_open(log + by_position)


@pytest.mark.parametrize(
    "line",
    [
        "1 copy_file_range(5</tmp/x>, NULL, 3</r/a>, NULL, 2, 0) = 2",
        "1 splice(5<pipe:[9]>, NULL, 3</r/a>, NULL, 2, 0) = 2",
        "1 fallocate(3</r/a>, FALLOC_FL_COLLAPSE_RANGE, 0, 4096) = 0",
        '1 write(9</r/d/b>, "x", 1) = 1',
    ],
)
def test_what_strace_does_not_tell_is_refused(line):
    """Bytes from elsewhere, moved contents, a descriptor that came out of nothing."""
    with pytest.raises(RecordingRefused, match="The files stand"):
        after_open(line)


@pytest.mark.parametrize(
    "line",
    [
        "ftruncate(3</r/a>, 1099511627776) = 0",
        'pwrite64(3</r/a>, "x", 1, 1099511627776) = 1',
        "fallocate(3</r/a>, 0, 0, 1099511627776) = 0",
    ],
)
def test_a_file_that_is_too_large_is_refused_before_it_is_held(line):
    """Sparse files cost the program nothing."""
    with pytest.raises(RecordingRefused, match="a: the recorded folder holds more than"):
        after_open(f"1 {line}")


def test_a_set_id_program_that_is_written_to_is_refused():
    """Whether its bits go is not told."""
    before = {1: Node("folder", entries=(("a", 2),)), 2: Node("file", 0o4755)}
    with pytest.raises(RecordingRefused, match="set-id"):
        operations(OPEN_A + '1 write(3</r/a>, "x", 1) = 1', before)


def test_an_empty_folder_stays_so():
    """Calls elsewhere are none of the recording."""
    it = Replayed('1 write(1<pipe:[9]>, "x", 1) = 1\n1 unlink("/tmp/x") = 0', EMPTY)
    assert ([], []) == (it.operations, it.texts)
