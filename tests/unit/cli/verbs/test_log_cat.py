"""`holdfast log cat`."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest

from holdfast.primitives.log import Log
from tests.support.command_line import PROGRAM, environment, run_shell

RECORDS = [b"one", b"", b"a\nb", b"\xff\x00", "ü".encode()]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of five records."""
    with Log(tmp_path / "log") as made:
        made.append_many(RECORDS)
    return tmp_path / "log"


def raw(*words: object) -> bytes:
    import subprocess

    done = subprocess.run(
        [*PROGRAM, "log", "cat", *map(str, words)],
        capture_output=True,
        check=True,
        env=environment(),
        timeout=60,
    )
    return done.stdout


def test_records_are_printed_as_they_are(log) -> None:
    """Byte for byte, and a newline each."""
    assert b"".join(record + b"\n" for record in RECORDS) == raw(log)


def test_null_ends_each_record(log) -> None:
    """As `xargs -0` wants it."""
    assert b"".join(record + b"\0" for record in RECORDS) == raw("--null", log)


def test_sequences_are_printed_before_the_records(log) -> None:
    """With a tab between."""
    assert b"1\tone\n2\t\n" == raw("--sequence", "--to", 2, log)


def test_range_is_from_and_to(cli, log) -> None:
    """Both are printed themselves."""
    assert "\na\nb\n" == cli("log", "cat", "--from", 2, "--to", 3, log).out
    assert (0, "", "") == cli("log", "cat", "--from", 6, log)


@pytest.mark.parametrize("form", ["--json", "--jsonl"])
def test_json_tells_text_from_bytes(cli, log, form) -> None:
    """What is no UTF-8 is in base 64, and says so."""
    out = cli("log", "cat", form, log).out
    found = json.loads(out) if form == "--json" else [json.loads(x) for x in out.splitlines()]

    assert {"sequence": 1, "data": "one"} == found[0]
    assert "base64" == found[3]["encoding"]
    assert [1, 2, 3, 4, 5] == [record["sequence"] for record in found]
    assert RECORDS == [
        b64decode(record["data"]) if "encoding" in record else record["data"].encode()
        for record in found
    ]


def test_two_forms_are_wrong_usage(cli, log) -> None:
    """One of them would be ignored."""
    assert 2 == cli("log", "cat", "--null", "--jsonl", log).code


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5"])
def test_what_is_no_sequence_is_wrong_usage(cli, log, text) -> None:
    """They count from 1."""
    assert 2 == cli("log", "cat", "--from", text, log).code


def test_missing_log_and_other_folders_are_told(cli, tmp_path) -> None:
    """66 for nothing and for a file, 65 for a folder that is no log."""
    (tmp_path / "file").touch()

    assert 66 == cli("log", "cat", tmp_path / "no").code
    assert 66 == cli("log", "cat", tmp_path / "file").code
    assert 65 == cli("log", "cat", tmp_path).code


def test_dropped_records_are_told(cli, tmp_path) -> None:
    """--from that is gone is 66."""
    with Log(tmp_path / "log", segment_bytes=1024) as made:
        for _ in range(5):
            made.append(b"x" * 600)
        made.drop_before(4)

    assert 66 == cli("log", "cat", "--from", 1, tmp_path / "log").code
    assert 2 == cli("log", "cat", tmp_path / "log").out.count("\n")


def test_damage_is_told_behind_what_is_good(cli, tmp_path) -> None:
    """The records before it are printed; the exit code is 65."""
    with Log(tmp_path / "log") as made:
        for record in (b"first", b"second", b"third"):
            made.append(record)
    (segment,) = (tmp_path / "log").glob("*.segment")
    data = segment.read_bytes()
    segment.write_bytes(data.replace(b"second", b"sEcond"))
    code, out, err = cli("log", "cat", tmp_path / "log")

    assert (65, "first\n") == (code, out)
    assert err


def test_reader_that_has_seen_enough_ends_it(tmp_path) -> None:
    """A broken pipe ends it silently."""
    with Log(tmp_path / "log") as made:
        made.append_many([b"x" * 100] * 50_000)

    assert (0, "x" * 100 + "\n", "") == run_shell("holdfast log cat log | head -1", cwd=tmp_path)
