"""How a recording ends: the program fails, hangs, is killed, cannot be started, is interrupted."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from holdfast.crash.recorders import (
    ProgramNotStarted,
    ProgramTimedOut,
    RecordingRefused,
    record_call,
    record_command,
)


def processes_with(word: str) -> list[str]:
    """Return the processes whose command line or environment has the word."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and word.encode() in (process / "environ").read_bytes():
                found.append(process.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("script", "status"), [("exit 3", 3), ("kill -TERM $$", -15), ("kill -KILL $$", -9)]
)
def test_status(recorded, script, status):
    """A program that fails by itself is no error of the recording."""
    assert status == recorded.command("sh", "-c", script, status=status).status


def test_exception_in_a_function(recorded, capfd):
    """It is a traceback and status 1, as from the interpreter."""

    def program():
        raise ValueError("mine")

    assert 1 == record_call(program, root=str(recorded.folder)).status
    assert "ValueError: mine" in capfd.readouterr().err


def test_function_that_exits(recorded):
    """`sys.exit` gives the status."""
    assert 4 == record_call(lambda: sys.exit(4), root=str(recorded.folder)).status


def test_program_that_cannot_be_started(recorded):
    """It is told apart from one that ran and failed."""
    (recorded.folder / "text").write_text("no program")
    with pytest.raises(ProgramNotStarted, match="No such file"):
        record_command(["/no/such/program"], root=str(recorded.folder))
    with pytest.raises(ProgramNotStarted, match="Permission denied"):
        record_command(["./text"], root=str(recorded.folder))


def test_folder_that_is_not_there(tmp_path):
    """Nothing is run, and the error is that of the system."""
    with pytest.raises(FileNotFoundError):
        record_command(["true"], root=str(tmp_path / "gone"))


def test_hanging_program_is_killed_with_its_children(recorded):
    """The time is over: an error of its own, and nobody is left."""
    environment = dict(os.environ, HANGS="hanging-for-a-test")
    script = "sleep 100 & (setsid sleep 100 &) ; echo x > f; wait"
    with pytest.raises(ProgramTimedOut, match=r"still ran after 0.7 s"):
        record_command(
            ["sh", "-c", script], root=str(recorded.folder), timeout_s=0.7, env=environment
        )
    assert "x\n" == (recorded.folder / "f").read_text()
    assert [] == processes_with("hanging-for-a-test")


def test_program_that_ignores_signals_is_killed(recorded):
    """SIGKILL is what is sent."""
    with pytest.raises(ProgramTimedOut):
        recorded.command("sh", "-c", "trap '' TERM INT HUP; sleep 100 & wait", timeout_s=0.5)


def test_children_that_outlive_the_program(recorded):
    """They are recorded until the time is over, and then killed, with a note."""
    environment = dict(os.environ, LEFT="left-for-a-test")
    script = "(sleep 0.1; echo late > f; sleep 100) & exit 0"
    recording = record_command(
        ["sh", "-c", script], root=str(recorded.folder), timeout_s=1.0, env=environment
    )
    assert b"late\n" == recording.after[2].data
    assert "still ran" in recording.notes[0]
    assert [] == processes_with("left-for-a-test")


def test_children_that_end_in_time(recorded):
    """A program that goes to the background is recorded to its end."""
    recording = recorded.command("sh", "-c", "(sleep 0.2; echo late > f) & exit 0")
    assert b"late\n" == recording.after[2].data
    assert () == recording.notes


def test_interrupt_ends_everything(recorded):
    """A KeyboardInterrupt in the caller leaves no process behind."""
    environment = dict(os.environ, INTERRUPTED="interrupted-test")
    main = threading.get_ident()

    def interrupt():
        for _ in range(100):
            if (recorded.folder / "f").exists():
                break
            time.sleep(0.02)
        signal.pthread_kill(main, signal.SIGINT)

    helper = threading.Thread(target=interrupt)
    helper.start()
    with pytest.raises(KeyboardInterrupt):
        record_command(
            ["sh", "-c", "echo x > f; sleep 100"], root=str(recorded.folder), env=environment
        )
    helper.join()
    assert [] == processes_with("interrupted-test")


def test_refused_program_is_gone(recorded):
    """A refusal ends every process of the program."""
    environment = dict(os.environ, REFUSED="refused-for-a-test")
    script = "sleep 100 & unshare -r true; chroot / true 2>/dev/null || true; wait"
    code = f"import os; os.spawnlp(os.P_NOWAIT, 'sh', 'sh', '-c', {script!r}); os.chroot('/')"
    with pytest.raises(RecordingRefused):
        record_command([sys.executable, "-c", code], root=str(recorded.folder), env=environment)
    assert [] == processes_with("refused-for-a-test")


def test_no_descriptor_is_left(recorded):
    """Whatever the end, everything is closed."""
    before = len(os.listdir("/proc/self/fd"))
    recorded.command("sh", "-c", "echo x > f; rm f", ack="stdout")
    with pytest.raises(ProgramTimedOut):
        recorded.command("sleep", "9", timeout_s=0.1)
    with pytest.raises(ProgramNotStarted):
        recorded.command("/no/such/program")
    assert before == len(os.listdir("/proc/self/fd"))


def test_the_caller_keeps_its_folder_and_umask(recorded):
    """Neither the folders nor the umask of the program rub off."""
    folder, mask = os.getcwd(), os.umask(0o022)
    os.umask(mask)
    recorded.command("sh", "-c", "umask 0; mkdir d; cd d; echo x > f")
    assert folder == os.getcwd()
    assert mask == os.umask(mask)


def test_standard_input_is_empty(recorded):
    """A program that reads it does not wait."""
    recorded.command("sh", "-c", "cat > f", timeout_s=10)
    assert "" == (recorded.folder / "f").read_text()


def test_environment_and_folder(recorded):
    """`env` is the whole environment, `cwd` where the program starts."""
    (recorded.folder / "d").mkdir()
    recorded.command(
        "/bin/sh", "-c", 'echo "$A-$HOME" > f', env={"A": "1"}, cwd=str(recorded.folder / "d")
    )
    assert "1-\n" == (recorded.folder / "d" / "f").read_text()


def test_two_recordings_at_the_same_time(recorded, tmp_path_factory):
    """Recordings in two threads do not disturb each other."""
    folders = [str(tmp_path_factory.mktemp("two")) for _ in range(2)]
    found = {}

    def run(folder):
        found[folder] = record_command(
            ["sh", "-c", "for i in 1 2 3; do echo $i > f; done"], root=folder
        )

    threads = [threading.Thread(target=run, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [b"3\n", b"3\n"] == [found[folder].after[2].data for folder in folders]


def test_program_that_stops_its_parents_ends_all_the_same(recorded):
    """What watches over it is woken before it is waited for."""

    def program():
        os.kill(os.getppid(), signal.SIGSTOP)
        os.close(os.open("f", os.O_WRONLY | os.O_CREAT))

    with pytest.raises(ProgramTimedOut, match="--timeout, timeout_s"):
        recorded.call(program, timeout_s=1)


def test_ten_thousand_calls_leave_no_descriptor(recorded):
    """Nor do many children and files: the peak while it runs is bounded."""
    counts = []

    def look(number):
        if number % 100 == 0:
            counts.append(len(os.listdir("/proc/self/fd")))

    def program():
        for _ in range(2000):
            file = os.open("t", os.O_WRONLY | os.O_CREAT)
            os.write(file, b"x")
            os.close(file)
            os.rename("t", "s")
            os.unlink("s")
        for number in range(50):
            if (child := os.fork()) == 0:
                os.mkdir(str(number))
                os._exit(0)
            os.waitpid(child, 0)

    before = len(os.listdir("/proc/self/fd"))
    recording = recorded.call(program, progress=look)
    assert 8050 == len(recording.calls)
    assert before + 100 > max(counts)
    assert before == len(os.listdir("/proc/self/fd"))


def test_paths_that_cannot_be_read_back_are_refused(recorded):
    """Each was short enough where the program stood; all together no call takes them."""

    def program():
        for _ in range(20):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)

    with pytest.raises(RecordingRefused, match=r"too long.*more than 4,095 bytes"):
        recorded.call(program)


@pytest.mark.parametrize("collects", [True, False])
def test_garbage_collection_is_as_it_was(recorded, collects):
    """It rests while a program is recorded, and no longer."""
    before = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        recorded.call(int)
        assert collects == gc.isenabled()
    finally:
        (gc.enable if before else gc.disable)()
