"""`holdfast lock`, beside flock(1)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from holdfast import FileLock
from tests.support.command_line import (
    environment,
    run_program,
    run_shell,
    start_program,
    wait_for_waiter,
)

needs_flock = pytest.mark.skipif(shutil.which("flock") is None, reason="flock(1) is not installed")


@contextmanager
def held(path, *options):
    """Somebody holds the lock of the file by `holdfast lock`, until the block ends."""
    program = start_program("lock", *options, path, "--", "sh", "-c", "echo held; cat")
    assert program.stdout is not None
    assert b"held\n" == program.stdout.readline()
    yield program
    program.communicate(timeout=30)
    assert 0 == program.returncode


@contextmanager
def held_by_flock(path, *options):
    """Somebody holds the lock of the file by flock(1), until the block ends."""
    other = subprocess.Popen(
        ["flock", *options, path, "sh", "-c", "echo held; cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    assert b"held\n" == other.stdout.readline()
    yield other
    other.communicate(timeout=30)


@pytest.fixture
def lock(tmp_path):
    """The path of a lock file that is not there yet."""
    return tmp_path / "l"


@pytest.mark.parametrize(
    "argv", [("--", "sh", "-c", "exit 3"), ("sh", "-c", "exit 3"), ("-c", "exit 3")]
)
def test_code_of_the_command_is_passed_on(argv, cli, lock) -> None:
    """CMD runs, in each form of flock(1), and its code is passed on; the file is made."""
    assert 3 == cli("lock", lock, *argv).code
    assert lock.exists()


def test_output_of_the_command_is_its_own(cli, lock) -> None:
    """CMD prints where this process prints."""
    assert (0, "hi\n", "") == cli("lock", lock, "--", "echo", "hi")


def test_signal_of_the_command_is_told(cli, lock) -> None:
    """A CMD that a signal ends is 128 + n."""
    assert 137 == cli("lock", lock, "--", "sh", "-c", "kill -9 $$").code


def test_command_that_cannot_run(cli, lock) -> None:
    """A CMD that is not there is 127, one that cannot be run 126; the lock is free again."""
    assert 127 == cli("lock", lock, "--", "no-such-command").code
    assert 126 == cli("lock", lock, "--", "/etc").code
    assert 0 == cli("lock", "-n", lock, "--", "true").code


@needs_flock
def test_flock_excludes_us(cli, lock) -> None:
    """While flock(1) holds it, -n and -w end with 75, or what -E says, and CMD does not run."""
    with held_by_flock(lock):
        code, out, err = cli("lock", "-n", lock, "echo", "ran")
        assert (75, "") == (code, out)
        assert f"{lock} is held by pid" in err
        assert [75, 9] == [
            cli("lock", "-w", "0.05", *e, lock, "true").code for e in ((), ("-E", "9"))
        ]
        assert 75 == cli("lock", "-s", "-n", lock, "true").code


@needs_flock
def test_we_exclude_flock(lock) -> None:
    """While we hold the file, flock(1) does not get it; afterwards it does."""
    with held(lock):
        assert 1 == subprocess.run(["flock", "-n", lock, "true"], check=False).returncode
        assert 1 == subprocess.run(["flock", "-sn", lock, "true"], check=False).returncode
    assert 0 == subprocess.run(["flock", "-n", lock, "true"], check=False).returncode


@needs_flock
def test_shared_locks_are_shared_with_flock(cli, lock) -> None:
    """Shared holders of both kinds hold together, and exclude an exclusive one."""
    with held_by_flock(lock, "-s"):
        assert 0 == cli("lock", "-s", "-n", lock, "true").code
        assert 75 == cli("lock", "-x", "-n", lock, "true").code
    with held(lock, "-s"):
        assert 0 == subprocess.run(["flock", "-sn", lock, "true"], check=False).returncode
        assert 1 == subprocess.run(["flock", "-n", lock, "true"], check=False).returncode


@needs_flock
def test_folder_is_locked_as_by_flock(cli, tmp_path) -> None:
    """A folder can be locked, and flock(1) sees it."""
    assert 1 == cli("lock", tmp_path, "--", "flock", "-n", tmp_path, "true").code
    assert 0 == cli("lock", "-n", tmp_path, "--", "true").code


def test_file_without_write_permission_is_locked(cli, lock) -> None:
    """A lock needs no permission to write."""
    lock.touch(0o444)

    assert 0 == cli("lock", lock, "--", "true").code


def test_waiting_ends_when_the_lock_is_free(lock) -> None:
    """Without -n and -w the command waits, and runs as soon as the lock is free."""
    with held(lock):
        waiting = start_program("lock", "-v", lock, "--", "echo", "mine")
        wait_for_waiter(lock)
    out, err = waiting.communicate(timeout=30)

    assert (0, b"mine\n") == (waiting.returncode, out)
    assert b"is locked after" in err


def test_wait_that_is_won_in_time(lock) -> None:
    """-w SECS gets a lock that becomes free in time."""
    with held(lock):
        waiting = start_program("lock", "-w", "30", lock, "--", "echo", "mine")
        wait_for_waiter(lock)

    assert b"mine\n" == waiting.communicate(timeout=30)[0]


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_ends_the_wait(signum, code, lock) -> None:
    """A signal while waiting ends with 128 + n; CMD does not run."""
    with held(lock):
        waiting = start_program("lock", lock, "--", "echo", "ran")
        wait_for_waiter(lock)
        waiting.send_signal(signum)
        assert (b"", b"") == waiting.communicate(timeout=30)
        assert code == waiting.returncode


def test_signal_is_passed_on_to_the_command(lock) -> None:
    """SIGTERM goes to CMD; the lock is held until CMD has ended, and its code is passed on."""
    script = (
        "import signal, sys, subprocess\n"
        "def end(*_):\n"
        f"    busy = subprocess.call(['flock', '-n', {str(lock)!r}, 'true'])\n"
        "    print('held' if busy else 'free')\n"
        "    sys.exit(7)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    program = start_program("lock", lock, "--", sys.executable, "-c", script)
    assert program.stdout is not None
    assert b"ready\n" == program.stdout.readline()

    program.send_signal(signal.SIGTERM)
    out, _ = program.communicate(timeout=30)

    assert (7, b"held\n") == (program.returncode, out)


def leave_in_background(lock, *options):
    """Run, under the lock, a command that leaves a process behind; return that process's id."""
    line = f"holdfast lock {' '.join(options)} {lock} -- sh -c 'sleep 60 >&- 2>&- <&- & echo $!'"
    result = run_shell(line, cwd=lock.parent)
    assert 0 == result.code, result.err
    return int(result.out)


@pytest.mark.parametrize(("options", "code"), [((), 75), (("-o",), 0)])
def test_what_is_left_behind_holds_the_lock_unless_closed(options, code, cli, lock) -> None:
    """A process that CMD leaves behind holds the lock on; with -o it does not."""
    pid = leave_in_background(lock, *options)
    try:
        assert code == cli("lock", "-n", lock, "--", "true").code
    finally:
        os.kill(pid, signal.SIGKILL)


@needs_flock
def test_no_fork_becomes_the_command(lock) -> None:
    """-F replaces the process by CMD, which holds the lock."""
    program = start_program("lock", "-F", lock, "--", "sh", "-c", "echo $$; read x")
    assert program.stdout is not None
    assert program.pid == int(program.stdout.readline())
    assert 1 == subprocess.run(["flock", "-n", lock, "true"], check=False).returncode

    program.communicate(b"\n", timeout=30)


def test_no_fork_of_a_missing_command(lock) -> None:
    """-F with a CMD that is not there is 127."""
    program = start_program("lock", "-F", lock, "--", "no-such-command")
    program.communicate(timeout=30)

    assert 127 == program.returncode


@pytest.mark.parametrize(
    "words",
    [(), ("-F", "-o", "L", "--", "true"), ("L",), ("L", "--"), ("L", "-n", "true"),
     ("-c", "true", "L", "--", "true"), ("--who", "L", "--", "true"), ("-", "--", "true")],
)  # fmt: skip
def test_mistakes_are_wrong_usage(words, cli, lock) -> None:
    """What cannot be meant is exit code 2."""
    assert 2 == cli("lock", *(str(lock) if word == "L" else word for word in words)).code


def test_missing_folder_is_told(cli, tmp_path) -> None:
    """A lock file whose folder is missing is exit code 66."""
    assert 66 == cli("lock", tmp_path / "no/l", "--", "true").code


def test_holder_is_named(cli, lock) -> None:
    """--who prints pid, program and host of the holder, tab-separated or as JSON."""
    with held(lock) as program:
        pid, command, host = cli("lock", "--who", lock).out.rstrip("\n").split("\t")
        holder = json.loads(cli("lock", "--who", "--json", lock).out)["holder"]

    assert str(program.pid) == pid
    assert "lock" in command
    assert {"pid": program.pid, "program": command, "host": host} == holder


def test_nobody_holds_it(cli, lock) -> None:
    """--who of a free lock is exit code 1, of a missing file 66."""
    assert 66 == cli("lock", "--who", lock).code
    lock.touch()
    assert (1, "", f"holdfast lock: nobody holds {lock}\n") == cli("lock", "--who", lock)
    assert (1, "", "") == cli("lock", "--who", "-q", lock)
    assert {"path": str(lock), "holder": None} == json.loads(
        cli("lock", "--who", "--json", lock).out
    )


def test_who_of_a_document_names_the_lock_that_it_is_changed_under(cli, state) -> None:
    """--who without --of would be answered "nobody" while a writer is at work."""
    assert f"holdfast lock: nobody holds {state}\n" == cli("lock", "--who", state).err
    with FileLock(f"{state}.lock") as lock:
        done = cli("lock", "--who", state)
    lock.close()

    assert (1, "") == (done.code, done.out)
    assert done.err == (
        f"holdfast lock: nobody holds {state}. As a document it is changed under {state}.lock: "
        "ask for that with --of.\n"
    )
    assert "" == cli("lock", "--who", "-q", state).err


def test_lock_of_a_document_is_the_library_s(cli, state) -> None:
    """--of takes the lock that documents are changed under: `set` waits for it."""
    assert 1 == cli("lock", "--who", "--of", state).code
    with FileLock(f"{state}.lock") as lock:
        assert 75 == cli("lock", "-n", "--of", state, "--", "true").code
        assert str(os.getpid()) in cli("lock", "--who", "--of", state).out
    lock.close()
    inner = [sys.executable, "-m", "holdfast", "set", "-w", "0", str(state), "n=2"]
    done = subprocess.run(
        [sys.executable, "-m", "holdfast", "lock", "--of", state, "--", *inner],
        env=environment(), check=False, capture_output=True,
    )  # fmt: skip
    assert 75 == done.returncode
    assert 1 == json.loads(state.read_text())["n"]
    assert ["state.json", "state.json.lock"] == sorted(os.listdir(state.parent))


def test_dashes_of_the_command_are_its_own(cli, lock) -> None:
    """A `--` behind the first word of CMD belongs to CMD, as with flock(1)."""
    assert (0, "a -- b\n", "") == cli("lock", lock, "echo", "a", "--", "b")
    assert (0, "a -- b\n", "") == cli("lock", "--", lock, "--", "echo", "a", "--", "b")


@needs_flock
def test_long_names_are_those_of_flock(cli, lock) -> None:
    """--nb and --timeout are understood as flock(1) understands them."""
    for options in (("--nb",), ("--timeout", "0.01"), ("--timeout=0.01",)):
        assert 0 == cli("lock", *options, lock, "true").code
        assert 0 == subprocess.run(["flock", *options, lock, "true"], check=False).returncode
        with held(lock):
            assert 75 == cli("lock", *options, lock, "true").code


@pytest.mark.parametrize("options", [(), ("-F",)])
def test_command_has_the_default_signals(options, lock) -> None:
    """Python ignores SIGPIPE and SIGXFSZ; CMD does not inherit that."""
    command = ("grep", "SigIgn", "/proc/self/status")

    ignored = int(run_program("lock", *options, lock, "--", *command).out.split()[1], 16)

    assert 0 == ignored & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)
