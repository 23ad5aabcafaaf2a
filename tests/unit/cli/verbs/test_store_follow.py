"""`holdfast store follow`."""

from __future__ import annotations

import json
import signal

from holdfast.primitives.log import Log
from holdfast.state.store import Store
from tests.support.command_line import LIMIT_S, start_program


def test_commits_are_printed_from_one_on(cli, tmp_path) -> None:
    """A transaction is one; without --from, only what comes."""
    with Store(tmp_path / "s") as store:
        store["a"] = 1
        with store.transaction() as tx:
            tx["b"] = [2]
            del tx["a"]
        words = ("store", "follow", "--timeout", "0.01")
        lines = cli(*words, "--from", "1", tmp_path / "s").out.splitlines()

        assert [
            {"sequence": 1, "changed": {"a": 1}, "deleted": []},
            {"sequence": 2, "changed": {"b": [2]}, "deleted": ["a"]},
        ] == [json.loads(line) for line in lines]
        assert (0, "", "") == cli(*words, tmp_path / "s")


def test_bytes_are_in_base_64(cli, tmp_path) -> None:
    """Called so."""
    with Store(tmp_path / "s", codec="bytes") as store:
        store["a"] = b"\xff"
    out = cli("store", "follow", "--timeout", "0", "--from", "1", tmp_path / "s").out

    assert {"a": {"base64": "/w=="}} == json.loads(out)["changed"]


def test_store_that_is_not_there_yet_is_waited_for(tmp_path) -> None:
    """Every commit of it is printed as it comes, until a signal ends it."""
    program = start_program("store", "follow", tmp_path / "s")
    assert program.stdout is not None
    assert program.stderr is not None
    assert b"is not there yet, and is waited for" in program.stderr.readline()
    with Store(tmp_path / "s") as store:
        for number in (1, 2, 3):
            store["n"] = number
            expected = {"sequence": number, "changed": {"n": number}, "deleted": []}
            assert expected == json.loads(program.stdout.readline())
        program.send_signal(signal.SIGTERM)
        out, err = program.communicate(timeout=LIMIT_S)

    assert (143, b"", b"") == (program.returncode, out, err)


def test_what_is_no_store_is_not_waited_for(cli, tmp_path) -> None:
    """65; what did not come in time is 66."""
    with Log(tmp_path / "log") as log:
        log.append(b"one")

    assert 65 == cli("store", "follow", tmp_path / "log").code
    assert 66 == cli("store", "follow", "--timeout", "0", tmp_path / "no").code


def test_commit_that_is_no_longer_kept_is_66(cli, tmp_path) -> None:
    """A checkpoint has taken its place."""
    with Store(tmp_path / "s", checkpoint_bytes=None) as store:
        for _ in range(5):
            store["a"] = "x" * (1 << 20)
        store["a"] = 1
        store.checkpoint()

    code, out, err = cli("store", "follow", "--timeout", "0", "--from", "1", tmp_path / "s")
    assert (66, "") == (code, out)
    assert "dropped" in err
