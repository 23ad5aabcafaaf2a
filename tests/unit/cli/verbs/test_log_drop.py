"""`holdfast log drop`."""

from __future__ import annotations

import json

from holdfast.primitives.log import Log


def test_old_segments_go(cli, tmp_path) -> None:
    """The first sequence that is kept is printed."""
    with Log(tmp_path / "log", segment_bytes=1024) as log:
        for _ in range(5):
            log.append(b"x" * 600)

    assert (0, "3\n", "") == cli("log", "drop", tmp_path / "log", "--before", 3)
    assert {"first": 3} == json.loads(
        cli("log", "drop", "--json", "--before", 3, tmp_path / "log").out
    )
    assert (0, "", "") == cli("log", "drop", "-q", "--before", 6, tmp_path / "log")
    assert (0, "", "") == cli("log", "cat", tmp_path / "log")
    assert (0, "6\n", "") == cli("log", "append", tmp_path / "log", "six")


def test_sequence_that_cannot_be_is_wrong_usage(cli, tmp_path) -> None:
    """Beyond the next one: nothing is dropped."""
    cli("log", "append", tmp_path / "log", "one")
    code, out, err = cli("log", "drop", tmp_path / "log", "--before", 9)

    assert (2, "") == (code, out)
    assert "Nothing was dropped" in err
    assert 2 == cli("log", "drop", tmp_path / "log").code
    assert 66 == cli("log", "drop", tmp_path / "no", "--before", 1).code
    assert "one\n" == cli("log", "cat", tmp_path / "log").out
