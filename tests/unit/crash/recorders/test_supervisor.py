"""Programs of many kinds: one order, nothing missed, or refused."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from holdfast.crash.recorders import CallFault, RecordingRefused, record_call
from holdfast.vfs.operations import Rename, Write


def save(name: str, text: str) -> None:
    """Replace a file, as threads do at the same time."""
    temporary = f"{name}.{threading.get_native_id()}"
    with open(temporary, "w") as file:
        file.write(text)
    os.replace(temporary, name)


def test_threads(recorded):
    """The calls of many threads are one list that gives what they left."""

    def program():
        def work(number):
            for turn in range(20):
                save(f"f{number % 3}", f"{number} {turn}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    recording = recorded.call(program)
    assert 120 == sum(isinstance(o, Rename) for o in recording.operations)
    assert 6 == len({call.thread for call in recording.calls})


def test_forks(recorded):
    """The calls of many processes are one list, each with its process."""

    def program():
        children = []
        for number in range(4):
            if (child := os.fork()) == 0:
                file = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                for turn in range(20):
                    os.write(file, b"%d %d\n" % (number, turn))
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)

    recording = recorded.call(program)
    assert 80 == sum(isinstance(o, Write) for o in recording.operations)
    assert 4 == len({call.process for call in recording.calls})


def test_programs_that_run_programs(recorded):
    """A shell and what it starts: everything is seen, through exec and pipes."""
    script = (
        "mkdir d; seq 1000 > d/n; cp d/n m; mv m o; sed -i s/1/2/ o; tar cf t.tar d; "
        "tar xf t.tar; install -m 600 o p; truncate -s 3 p; dd if=o of=q bs=7 count=3 2>&-; "
        "ln -s q l; ln q k; sort -r o | head -2 >> q; rm -r d; sync q"
    )
    recording = recorded.command("sh", "-c", script)
    names = [name for name, _ in recording.after[1].entries]
    assert ["k", "l", "o", "p", "q", "t.tar"] == names


def test_signals_do_not_repeat_calls(recorded):
    """A signal that arrives in a call does not make it happen twice."""

    def program():
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        file = os.open("f", os.O_WRONLY | os.O_CREAT)
        for _ in range(500):
            assert 7 == os.write(file, b"1234567")
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert 3500 == os.fstat(file).st_size

    assert 500 == sum(isinstance(o, Write) for o in recorded.call(program).operations)


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_compiled_program(recorded, tmp_path_factory):
    """A static program in C, without any library to hook, is seen as well."""
    folder = tmp_path_factory.mktemp("c")
    (folder / "p.c").write_text(
        '#include <stdio.h>\n#include <unistd.h>\nint main(void) { FILE *f = fopen("t", "w");'
        'fputs("hello", f); fflush(f); fsync(fileno(f)); fclose(f); return rename("t", "f"); }'
    )
    built = subprocess.run(["cc", "-static", "-o", folder / "p", folder / "p.c"], check=False)
    if built.returncode:
        subprocess.run(["cc", "-o", folder / "p", folder / "p.c"], check=True)

    texts = [call.text for call in recorded.command(str(folder / "p")).calls]
    assert "openat('t', O_WRONLY|O_CREAT|O_TRUNC)" == texts[0]
    assert ["write('t', 5 bytes)", "fsync('t')", "rename('t', 'f')"] == texts[1:]


def test_sites_are_lines_of_the_program(recorded, tmp_path_factory):
    """Each call names the line that it came from."""
    script = tmp_path_factory.mktemp("script") / "app.py"
    script.write_text("import os\n\n\nos.mkdir('d')\n")

    call = recorded.command(sys.executable, str(script)).calls[0]
    assert [(str(script), 4)] == [(site.path, site.line) for site in call.sites][:1]


def test_io_uring_is_not_there(recorded):
    """A program is told that the kernel has none."""

    def program():
        call = ctypes.CDLL(None, use_errno=True).syscall
        assert -1 == call(425, 8, ctypes.create_string_buffer(120))
        assert 38 == ctypes.get_errno()

    recorded.call(program)


@pytest.mark.parametrize(
    ("number", "arguments", "word"),
    [
        (426, (0, 1, 0, 0, 0, 0), "io_uring"),
        ({"x86_64": 209}.get(os.uname().machine, 2), (0, 0, 0), "io_submit"),
        ({"x86_64": 161}.get(os.uname().machine, 51), (b"/",), "root folder"),
        ({"x86_64": 165}.get(os.uname().machine, 40), (b"a", b"b", b"c", 0, 0), "mounts"),
    ],
)
def test_what_cannot_be_followed_is_refused(recorded, number, arguments, word):
    """The program ends, and the message says what it did."""
    left = recorded.folder / "not reached"

    def program():
        ctypes.CDLL(None).syscall(number, *arguments)
        left.touch()

    with pytest.raises(RecordingRefused, match=word):
        recorded.call(program)
    assert not left.exists()


def test_limited_file_size_is_refused(recorded):
    """The limit of the program would not hold for the recorder; asking for it is harmless."""
    import resource

    recorded.call(lambda: resource.getrlimit(resource.RLIMIT_FSIZE))
    with pytest.raises(RecordingRefused, match="limits the size of files"):
        recorded.call(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)))


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="x86_64 alone runs 32-bit calls")
def test_calls_of_32_bit_programs_are_refused(recorded):
    """The numbers of another convention mean other calls."""

    def program():
        import mmap

        # mov eax, 20 (getpid); int 0x80; ret
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
        address = ctypes.addressof(ctypes.c_char.from_buffer(code))
        ctypes.CFUNCTYPE(ctypes.c_int)(address)()

    with pytest.raises(RecordingRefused, match="32-bit"):
        recorded.call(program)


def test_somebody_else_writing_is_refused(recorded):
    """What the recorder has not seen makes the recording worthless, by path."""
    other = subprocess.Popen(["sh", "-c", "read x; echo other > g"], cwd=recorded.folder, stdin=-1)
    reading, writing = os.pipe()

    def program():
        open("f", "w").close()
        os.read(reading, 1)

    def step(calls):
        if calls and other.poll() is None:
            other.communicate(b"\n")
            os.write(writing, b"x")

    with pytest.raises(RecordingRefused, match="g: is there, and was not recorded"):
        recorded.call(program, progress=step)
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("do", ["ENOSPC", "short:2", "kill"])
def test_faults(recorded, do):
    """The second write fails, is cut short, or is where the process dies."""

    def program():
        file = os.open("f", os.O_WRONLY | os.O_CREAT)
        for piece in (b"one", b"two", b"three"):
            try:
                written = os.write(file, piece)
            except OSError:
                written = 0
            if written < len(piece):
                break

    recording = record_call(program, root=str(recorded.folder), faults=[CallFault("write", 2, do)])
    expected = {"ENOSPC": b"one", "short:2": b"onetw", "kill": b"one"}[do]
    assert expected == (recorded.folder / "f").read_bytes()
    assert {"kill": -9}.get(do, 0) == recording.status
    assert {"ENOSPC": "ENOSPC", "kill": "SIGKILL"}.get(do) == recording.calls[-1].error


def test_fault_that_no_call_met_is_noted(recorded):
    """A plan that did not come true is not silent."""
    recording = recorded.call(lambda: None, faults=[CallFault("rename", 3, "EIO")])
    assert ("no call met the fault at rename number 3",) == recording.notes


def test_progress_is_told(recorded):
    """The number of calls so far."""
    heard = []
    recorded.call(lambda: Path("f").write_text("x"), progress=heard.append)
    assert 2 == heard[-1]
