"""The programs that prove the harness: what they do when nothing goes wrong, and their check."""

from __future__ import annotations

import pytest

from holdfast.crash.disks.controls import CONTROLS, VERSIONS, check_state, contents


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_control_keeps_its_promise_without_a_crash(tmp_path, control) -> None:
    """Even the broken ones: it takes a crash to see what is wrong."""
    folder, acked = str(tmp_path), []
    control.prepare(folder)
    control.run(folder, acked.append)
    control.check(folder, acked)

    assert list(map(str, range(1, VERSIONS + 1))) == acked


def test_versions_differ_in_every_block() -> None:
    """A mix of two versions is not a version."""
    blocks = {contents(v)[start : start + 4096] for v in range(5) for start in range(0, 9000, 4096)}

    assert 15 == len(blocks)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "torn: 0 bytes"),
        (bytes(9000), "torn: 9000 bytes, 9000 of them zeros"),
        (contents(1)[:4096] + contents(0)[4096:], "torn"),
        (contents(1), "lost: version 1 after 2 was acknowledged"),
    ],
)
def test_check_catches(tmp_path, data, complaint) -> None:
    """Empty, zeros, a mix, and a whole version that is too old."""
    (tmp_path / "state").write_bytes(data)
    with pytest.raises(ValueError, match=complaint):
        check_state(str(tmp_path), ["1", "2"])
