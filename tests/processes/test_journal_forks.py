"""One journal through forks and sudden ends, in the middle of commits, reads and blocks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.state.hold import Hold
from holdfast.vfs import SYSTEM, VFS
from holdfast.vfs.interpose import Interposed
from tests.support.machines import add, machine_on

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]


def in_child(act: Callable[[], object]) -> int:
    """Act in a forked child that ends without any ceremony; return its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("sync", ["always", "never", 0.01])
def test_child_and_parent_go_on_after_a_fork_in_mid_use(tmp_path: Path, sync) -> None:
    """Other threads commit, read and write checkpoints while this one forks."""
    machine = machine_on(
        SYSTEM, str(tmp_path / "state.jrn"), sync=sync, checkpoint_bytes=2000, segment_bytes=4096
    )
    told: list[bytes] = []
    stop = threading.Event()

    def work(name: bytes) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            data = b"%s %d" % (name, number)
            add(machine, data)
            told.append(data)
            machine.refresh()

    def child(number: int) -> None:
        before = machine.read(len)
        for each in range(5):
            add(machine, b"child %d %d" % (number, each))
        assert machine.read(len) >= before + 5
        machine.barrier()
        machine.close()

    threads = [threading.Thread(target=work, args=[b"t%d" % n]) for n in range(3)]
    for thread in threads:
        thread.start()
    codes = [in_child(lambda n=number: child(n)) for number in range(10)]
    stop.set()
    for thread in threads:
        thread.join()

    assert [0] * 10 == codes
    state = machine.read(list)
    assert sorted(state) == sorted(
        [*told, *(b"child %d %d" % (n, e) for n in range(10) for e in range(5))]
    )
    machine.close()
    with_another = machine_on(SYSTEM, str(tmp_path / "state.jrn"))
    assert state == with_another.refresh()
    with_another.close()


def test_child_of_a_thread_in_a_block_holds_nothing(tmp_path: Path) -> None:
    """It leaves the block without a word, cannot commit in it, and commits by itself later."""
    path = str(tmp_path / "state.jrn")
    machine = machine_on(SYSTEM, path)
    add(machine, b"a")
    hold = Hold(machine).__enter__()

    def child() -> None:
        with pytest.raises(RuntimeError, match="another process"):
            hold.commit(b"of the child")
        hold.__exit__(None, None, None)
        assert [b"a"] == machine_on(SYSTEM, path, read_only=True).refresh()
        os.close(ready)

    end, ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            child()
            add(machine, b"child")
            code = 0
        finally:
            os._exit(code)
    os.close(ready)
    assert b"" == os.read(end, 1), "the child is through with the block"
    os.close(end)
    assert 2 == hold.commit(b"b")
    assert [b"a", b"b"] == hold.state
    hold.__exit__(None, None, None)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert [b"a", b"b", b"child"] == machine.refresh()
    machine.close()


def test_fork_leaves_no_lock_behind_when_the_parent_dies(tmp_path: Path) -> None:
    """A child that lives on without a word holds none of its parent's locks."""
    script = (
        "import os, sys, threading\n"
        "from holdfast.state.machine import Machine\n"
        "from holdfast.vfs import SYSTEM\n"
        "from tests.support.machines import machine_on, add\n"
        "machine = machine_on(SYSTEM, sys.argv[1], checkpoint_bytes=1)\n"
        "def work():\n"
        "    while True:\n"
        "        add(machine, b'x')\n"
        "for _ in range(3):\n"
        "    threading.Thread(target=work, daemon=True).start()\n"
        "while machine.sequence() < 20: pass\n"
        "if os.fork():\n"
        "    os._exit(0)\n"
        "sys.stdout.write('child\\n'); sys.stdout.flush()\n"
        "sys.stdin.read()\n"
    )
    path = str(tmp_path / "state.jrn")
    command = [sys.executable, "-W", "ignore", "-c", script, path]
    root = Path(__file__).resolve().parents[2]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=root) as process:
        assert process.stdout is not None
        assert b"child\n" == process.stdout.readline()
        machine = machine_on(SYSTEM, path)
        before = add(machine, b"mine")
        assert before == machine.write_checkpoint()
        machine.close()
        assert process.stdin is not None
        process.stdin.close()


def test_end_without_close_loses_nothing_told(tmp_path: Path) -> None:
    """A program that just ends, by its last line or by os._exit, is like one that was killed."""
    root = Path(__file__).resolve().parents[2]
    for number, end in enumerate(["", "import os; os._exit(0)"]):
        for sync in ('"always"', '"never"', "60.0"):
            path = str(tmp_path / f"{number} {sync[1:4]}.jrn")
            script = (
                "import sys\nfrom holdfast.vfs import SYSTEM\n"
                "from tests.support.machines import machine_on, add\n"
                f"machine = machine_on(SYSTEM, sys.argv[1], sync={sync})\n"
                "add(machine, b'one', b'two')\nmachine.write_checkpoint()\nadd(machine, b'three')\n"
                f"{end}\n"
            )
            done = subprocess.run(
                [sys.executable, "-c", script, path],
                cwd=root, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert ("", 0) == (done.stderr, done.returncode)
            machine = machine_on(SYSTEM, path)
            assert [b"one", b"two", b"three"] == machine.refresh()
            assert 4 == add(machine, b"four")
            assert machine.recovered is None
            machine.close()


class ForkAt(Interposed):
    """Forks at the first rename; what the child does then is its end."""

    def __init__(self, inner: VFS, child: Callable[[], None]) -> None:
        super().__init__(inner)
        self.child: Callable[[], None] | None = child
        self.pid = 0

    def around(self, call, do):
        child = self.child
        if call.operation == "rename" and child is not None:
            self.child = None
            self.pid = os.fork()
            if not self.pid:
                try:
                    child()
                finally:
                    os._exit(1)
        return super().around(call, do)


def test_fork_while_a_journal_is_made_leaves_the_child_no_lock(tmp_path: Path) -> None:
    """The file that its parent has locked, and closes, is open in the child as well."""
    path = str(tmp_path / "state.jrn")
    made, told = os.pipe()

    def child() -> None:
        threading.Timer(20, os._exit, [2]).start()
        assert b"." == os.read(made, 1)
        machine = machine_on(SYSTEM, path)
        os._exit(0 if 2 == add(machine, b"child") == machine.write_checkpoint() else 3)

    disk = ForkAt(SYSTEM, child)
    machine = machine_on(disk, path)
    add(machine, b"a")
    os.write(told, b".")
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(disk.pid, 0)[1])
    assert [b"a", b"child"] == machine.refresh()
    machine.close()
    os.close(made)
    os.close(told)
