"""`holdfast store import`."""

from __future__ import annotations

import json
import signal

import pytest

from holdfast.state.store import Store
from tests.support.command_line import LIMIT_S, start_program

LINES = b'{"key": "a", "value": 1}\n\n{"key": "b", "value": [2]}\n{"key": "c", "value": "x"}\n'


def values(path):
    """What the store holds."""
    with Store(path, read_only=True) as store:
        return dict(store)


def test_lines_are_put(cli, tmp_path) -> None:
    """The store is made; how many is printed, also as JSON, or not."""
    assert (0, "3\n", "") == cli("store", "import", tmp_path / "s", stdin=LINES)
    assert {"a": 1, "b": [2], "c": "x"} == values(tmp_path / "s")
    with Store(tmp_path / "s", read_only=True) as store:
        assert 1 == store.sequence
    words = ("store", "import", "--json", "--batch", "2")
    assert {"lines": 3} == json.loads(cli(*words, tmp_path / "s", stdin=LINES).out)
    assert (0, "", "") == cli("store", "import", "-q", tmp_path / "s", stdin=LINES)
    with Store(tmp_path / "s", read_only=True) as store:
        assert 4 == store.sequence


def test_other_keys_go_with_replace(cli, tmp_path) -> None:
    """At the end."""
    with Store(tmp_path / "s") as store:
        store.update({"a": 0, "old": 1})
    assert 0 == cli("store", "import", tmp_path / "s", stdin=LINES).code
    assert "old" in values(tmp_path / "s")
    assert 0 == cli("store", "import", "--replace", tmp_path / "s", stdin=LINES).code

    assert {"a": 1, "b": [2], "c": "x"} == values(tmp_path / "s")


def test_line_that_is_none_is_65(cli, tmp_path) -> None:
    """Those before it are in the store; its number is told."""
    code, out, err = cli("store", "import", tmp_path / "s", stdin=LINES + b'{"value": 1}\n')

    assert (65, "") == (code, out)
    assert "line 5" in err
    assert {"a": 1, "b": [2], "c": "x"} == values(tmp_path / "s")


def test_export_of_another_store_is_taken(cli, tmp_path) -> None:
    """Bytes too."""
    with Store(tmp_path / "old", codec="bytes") as store:
        store["a"] = b"\xff\0"
    exported = cli("store", "export", tmp_path / "old").out.encode()
    words = ("store", "import", "--codec", "bytes")
    assert (0, "1\n", "") == cli(*words, tmp_path / "new", stdin=exported)

    with Store(tmp_path / "new", codec="bytes", read_only=True) as store:
        assert {"a": b"\xff\0"} == dict(store)


def test_wrong_batch_is_wrong_usage(cli, tmp_path) -> None:
    """It counts from 1."""
    assert 2 == cli("store", "import", "--batch", "0", tmp_path / "s").code


def test_signal_leaves_whole_batches(tmp_path) -> None:
    """What was read up to a batch is in; it says so."""
    program = start_program("store", "import", "--batch", "2", tmp_path / "s")
    assert program.stdin is not None
    program.stdin.write(b'{"key": "a", "value": 1}\n{"key": "b", "value": 2}\n')
    program.stdin.write(b'{"key": "c", "value": 3}\n')
    program.stdin.flush()
    with Store(tmp_path / "s") as store:
        for commit in store.follow(1, timeout_s=LIMIT_S):
            assert {"a": 1, "b": 2} == commit.changed
            break
    program.send_signal(signal.SIGTERM)
    out, err = program.communicate(timeout=LIMIT_S)

    assert (143, b"") == (program.returncode, out)
    assert b"stopped" in err
    assert {"a": 1, "b": 2} == values(tmp_path / "s")


@pytest.mark.parametrize("stdin", [b"", b"\n\n"])
def test_empty_input_empties_no_store(cli, tmp_path, stdin) -> None:
    """It is what a failed command at the head of a pipeline leaves; unless it is meant."""
    assert 0 == cli("store", "import", tmp_path / "s", stdin=LINES).code
    words = ("store", "import", "--replace", tmp_path / "s")
    code, out, err = cli(*words, stdin=stdin)
    assert (65, "") == (code, out)
    assert "s: the input was empty. Nothing was changed." in err
    assert 3 == len(values(tmp_path / "s"))

    assert (0, "0\n", "") == cli("store", "import", tmp_path / "s", stdin=stdin)
    assert (0, "0\n", "") == cli(*words, "--allow-empty", stdin=stdin)
    assert {} == values(tmp_path / "s")


def test_refused_empty_input_makes_no_store(cli, tmp_path) -> None:
    """Not even an empty one."""
    assert 65 == cli("store", "import", "--replace", tmp_path / "s").code
    assert not (tmp_path / "s").exists()
