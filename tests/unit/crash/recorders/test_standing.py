"""Where the recorder stands: followed here with threads of our own, in a thread of its own."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable

import pytest

from holdfast.crash.recorders.kernel import own_working_folder
from holdfast.crash.recorders.standing import Standing


def apart(work: Callable[[], object]) -> None:
    """Run it in a thread whose current folder is its own."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            own_working_folder()
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert [] == failures


@pytest.fixture
def folders(tmp_path):
    """Two programs that stand in two folders, and go where they are told."""
    children = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        children.append(
            subprocess.Popen(
                ["sh", "-c", 'echo; while read to; do cd "$to"; echo; done'],
                cwd=tmp_path / name,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert "\n" == children[-1].stdout.readline()
    yield children
    for child in children:
        child.stdin.close()
        child.stdout.close()
        child.wait()


def go(child: subprocess.Popen[str], folder: str) -> None:
    """Let a program go to another folder."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{folder}\n")
    child.stdin.flush()
    assert "\n" == child.stdout.readline()


def test_each_is_followed(folders):
    """To and fro; who was followed last is not asked again."""
    one, other = folders

    def work():
        standing = Standing()
        for child, name in ((one, "one"), (one, "one"), (other, "other"), (one, "one")):
            standing.follow(child.pid)
            assert name == os.path.basename(os.getcwd())
        go(one, "../other")
        standing.follow(one.pid)
        assert "one" == os.path.basename(os.getcwd()), "it did not say that it moves"

    apart(work)


@pytest.mark.parametrize("mover", [0, 1])
def test_while_anybody_moves_nothing_is_kept(folders, mover):
    """They may share a current folder; after the next call of who moved, what is there is kept."""
    one = folders[0]

    def work():
        standing = Standing()
        standing.follow(one.pid)
        standing.moves(folders[mover].pid)
        for name in ("other", "one", "other"):
            go(one, f"../{name}")
            standing.follow(one.pid)
            assert name == os.path.basename(os.getcwd())
        go(one, "../one")
        standing.settle(folders[mover].pid)
        standing.follow(one.pid)
        assert "one" == os.path.basename(os.getcwd())

    apart(work)


def test_a_number_that_is_given_again_is_another(folders):
    """Who has left is asked anew."""
    one = folders[0]

    def work():
        standing = Standing()
        standing.follow(one.pid)
        go(one, "../other")
        standing.leave(folders[1].pid)
        standing.follow(one.pid)
        assert "one" == os.path.basename(os.getcwd())
        standing.leave(one.pid)
        standing.follow(one.pid)
        assert "other" == os.path.basename(os.getcwd())

    apart(work)


def test_who_is_gone_cannot_be_followed(folders):
    """And the next is asked again, whoever it is."""
    one, other = folders

    def work():
        standing = Standing()
        standing.follow(one.pid)
        with pytest.raises(OSError, match=r"No such|not permitted"):
            standing.follow(2**22 + 1)
        os.chdir("/")
        standing.follow(one.pid)
        assert "one" == os.path.basename(os.getcwd())
        standing.follow(other.pid)

    apart(work)
