"""`holdfast write`."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import sys
import time

import pytest

from tests.support.command_line import run_program, run_shell, start_program


def names(folder) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_input_replaces_the_file(cli, state) -> None:
    """What arrives on standard input is the whole of the file; nothing is printed."""
    assert (0, "", "") == cli("write", state, stdin=b"new\0bytes")
    assert b"new\0bytes" == state.read_bytes()
    assert ["state.json"] == names(state.parent)


def test_missing_file_and_folders_are_made(cli, tmp_path) -> None:
    """A new file is made, and the folders on the way to it."""
    assert 0 == cli("write", tmp_path / "a/b/new", stdin=b"x").code
    assert b"x" == (tmp_path / "a/b/new").read_bytes()


def test_mode_is_kept_or_set(cli, state) -> None:
    """A replaced file keeps its mode; --mode gives it another."""
    state.chmod(0o604)

    cli("write", state, stdin=b"1")
    assert 0o604 == stat.S_IMODE(state.stat().st_mode)

    cli("write", "--mode", "640", state, stdin=b"2")
    assert 0o640 == stat.S_IMODE(state.stat().st_mode)


def test_empty_input_keeps_the_file(cli, state) -> None:
    """An empty input is refused with 65, and the file keeps its contents."""
    before = state.read_bytes()

    code, out, err = cli("write", state)

    assert (65, "") == (code, out)
    assert "the input was empty. It is untouched." in err
    assert before == state.read_bytes()
    assert ["state.json"] == names(state.parent)


def test_empty_input_can_be_allowed(cli, state) -> None:
    """--allow-empty lets the file be emptied."""
    assert 0 == cli("write", "--allow-empty", state).code
    assert b"" == state.read_bytes()


def test_short_input_is_refused(cli, state) -> None:
    """--min-bytes N refuses less than N bytes, and takes N."""
    assert 65 == cli("write", "--min-bytes", "4", state, stdin=b"123").code
    assert 0 == cli("write", "--min-bytes", "3", state, stdin=b"123").code
    assert b"123" == state.read_bytes()


def test_pipeline_with_a_failed_producer_keeps_the_file(state) -> None:
    """`jq` with a mistake at the head of a pipeline does not empty the file."""
    before = state.read_bytes()

    result = run_shell("false | holdfast write state.json", cwd=state.parent)

    assert 65 == result.code
    assert before == state.read_bytes()


def test_existing_file_is_not_clobbered(cli, state) -> None:
    """-n makes a new file, and refuses an existing one with 73."""
    before = state.read_bytes()

    assert 73 == cli("write", "-n", state, stdin=b"x").code
    assert before == state.read_bytes()
    assert 0 == cli("write", "-n", state.with_name("new"), stdin=b"x").code
    assert ["new", "state.json"] == names(state.parent)


def test_other_checksum_is_refused(cli, state) -> None:
    """--sha256 takes the announced contents and refuses all others with 65."""
    before = state.read_bytes()
    digest = hashlib.sha256(b"right").hexdigest()

    assert 65 == cli("write", "--sha256", digest, state, stdin=b"wrong").code
    assert before == state.read_bytes()
    assert 0 == cli("write", "--sha256", digest.upper(), state, stdin=b"right").code
    assert b"right" == state.read_bytes()


@pytest.mark.parametrize("held", [b"", b"abc", b"x" * 3_000_000])
def test_equal_contents_leave_the_file_untouched(held, cli, state) -> None:
    """--if-changed keeps the very file when it holds the same."""
    state.write_bytes(held)
    inode = state.stat().st_ino

    assert 0 == cli("write", "--allow-empty", "--if-changed", state, stdin=held).code
    assert inode == state.stat().st_ino


@pytest.mark.parametrize("new", [b"abX", b"ab", b"abcd", b"Xbc"])
def test_other_contents_replace_the_file(new, cli, state) -> None:
    """--if-changed replaces a file that differs anywhere, or is longer or shorter."""
    state.write_bytes(b"abc")

    assert 0 == cli("write", "--if-changed", state, stdin=new).code
    assert new == state.read_bytes()


def test_missing_file_counts_as_changed(cli, tmp_path) -> None:
    """--if-changed makes a missing file, also an empty one."""
    assert 0 == cli("write", "--allow-empty", "--if-changed", tmp_path / "new").code
    assert b"" == (tmp_path / "new").read_bytes()


def test_backup_keeps_the_old_contents(cli, state) -> None:
    """--backup NAME keeps what was replaced under that name."""
    before = state.read_bytes()

    cli("write", "--backup", "old", state, stdin=b"new")

    assert before == state.with_name("old").read_bytes()
    assert b"new" == state.read_bytes()


def test_report_names_size_and_syncs(cli, state) -> None:
    """-v reports on standard error what was written and how it was synced."""
    _, out, err = cli("write", "-v", state, stdin=b"x" * 1234)

    assert "" == out
    assert err.startswith(f"wrote {state} 1.2 kB, synced file and folder in ")
    assert "not synced" in cli("write", "-v", "--no-sync", state, stdin=b"x").err
    assert f"{state} is unchanged\n" == cli("write", "-v", "--if-changed", state, stdin=b"x").err


def test_symlink_is_followed(cli, state) -> None:
    """A symlink stays, and the file that it leads to is replaced."""
    link = state.with_name("link")
    link.symlink_to(state)

    cli("write", link, stdin=b"new")

    assert link.is_symlink()
    assert b"new" == state.read_bytes()


def test_folder_and_fifo_are_refused(cli, tmp_path) -> None:
    """What cannot be replaced is refused with 69 and stays."""
    os.mkfifo(tmp_path / "fifo")

    assert [69, 69] == [cli("write", tmp_path / n, stdin=b"x").code for n in ("fifo", ".")]
    assert (tmp_path / "fifo").is_fifo()


@pytest.mark.parametrize(
    "options",
    [
        ("--min-bytes", "-1"),
        ("--min-bytes", "x"),
        ("--mode", "999"),
        ("--mode", "77777"),
        ("--sha256", "ab"),
    ],
)
def test_senseless_options_are_wrong_usage(options, cli, state) -> None:
    """A size, mode or checksum that cannot be is a mistake of usage."""
    before = state.read_bytes()

    assert 2 == cli("write", *options, state, stdin=b"x").code
    assert before == state.read_bytes()


def test_dash_is_wrong_usage(cli) -> None:
    """`-` is no file to replace."""
    assert 2 == cli("write", "-", stdin=b"x").code


@pytest.mark.parametrize(
    ("signum", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)],
)
def test_signal_in_the_middle_leaves_nothing(signum, code, state) -> None:
    """A signal while the input arrives removes the temp and keeps the file; the code tells."""
    before = state.read_bytes()
    program = start_program("write", state)
    assert program.stdin is not None
    program.stdin.write(
        b"x" * 3_000_000
    )  # more than a pipe and one piece hold, so the copying has begun
    program.stdin.flush()

    program.send_signal(signum)
    _, err = program.communicate(timeout=30)

    assert (code, b"") == (program.returncode, err)
    assert before == state.read_bytes()
    assert ["state.json"] == names(state.parent)


def test_signal_at_any_moment_is_told_truly(state) -> None:
    """Wherever a signal falls, the code 143 means the old contents, and 0 the new ones."""
    seen = set()
    for number in range(24):
        state.write_bytes(b"old")
        program = start_program("write", state)
        assert program.stdin is not None
        program.stdin.write(b"new")
        program.stdin.close()
        program.stdin = None
        end_s = time.monotonic() + number * 0.0025  # from before its start to after its end
        while time.monotonic() < end_s:
            pass
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=30)
        seen.add((program.returncode, state.read_bytes()))
        assert ["state.json"] == names(state.parent)

    # Before its handlers are installed, the signal ends the process itself.
    assert set() == seen - {(-signal.SIGTERM, b"old"), (143, b"old"), (0, b"new")}


def test_large_stream_takes_little_memory(tmp_path) -> None:
    """The memory that a stream takes does not grow with it."""
    line = (
        f"head -c 1000000 /dev/zero | holdfast write small; head -c 200000000 /dev/zero |"
        ' /usr/bin/env python3 -c "import os,resource,sys;'
        "pid=os.posix_spawnp(sys.argv[1],sys.argv[1:],os.environ);"
        "_,status,use=os.wait4(pid,0);print(use.ru_maxrss);sys.exit(status)"
        f'" {sys.executable} -m holdfast write --no-sync large'
    )

    result = run_shell(line, cwd=tmp_path)

    assert 0 == result.code, result.err
    assert 200_000_000 == (tmp_path / "large").stat().st_size
    assert 64_000 > int(result.out)  # kilobytes, of which the interpreter has its share


def test_full_disk_keeps_the_file(state) -> None:
    """When no more can be written: exit code 74, the old contents stand, no temp is left."""
    before = state.read_bytes()

    line = "ulimit -f 100; head -c 1000000 /dev/zero | holdfast write state.json"
    code, out, err = run_shell(line, cwd=state.parent)

    assert (74, "") == (code, out)
    assert err.startswith("holdfast write: state.json: File too large. ")
    assert (1, 1) == (err.count("\n"), err.count("The old contents stand."))
    assert before == state.read_bytes()
    assert ["state.json"] == names(state.parent)


def test_permission_is_told(tmp_path) -> None:
    """A folder that may not be written to is exit code 77; root may do everything."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)

    assert 77 == run_program("write", tmp_path / "f", stdin=b"x").code


@pytest.mark.parametrize("name", ["state.json", "../x", "", "..", "sub/x", "real.json"])
def test_backup_has_another_name_in_the_folder(name, cli, state) -> None:
    """--backup with the file's own name, or a path, is a mistake of usage."""
    real = state.rename(state.with_name("real.json"))
    state.symlink_to("real.json")
    before = real.read_bytes()

    code, _, err = cli("write", "--backup", name, state, stdin=b"x")

    assert (2, 1) == (code, err.count("\n"))
    assert before == real.read_bytes()


def test_new_file_has_no_backup(cli, tmp_path) -> None:
    """-n with --backup is a mistake of usage."""
    assert 2 == cli("write", "-n", "--backup", "old", tmp_path / "new", stdin=b"x").code
    assert [] == list(tmp_path.iterdir())


def test_name_is_not_empty(cli) -> None:
    """An empty name is a mistake of usage."""
    assert 2 == cli("write", "", stdin=b"x").code
