"""The lines under a table that say who was ahead."""

from __future__ import annotations

from benchmarks.report import ahead_lines
from benchmarks.runner import Experiment, Measured
from benchmarks.tracing import Calls

OURS = "holdfast.Store"


def _measured(samples: dict[str, list[float]], ours: str = OURS) -> Measured:
    experiment = Experiment(
        "store-put", "disk", {"time": "µs"}, (), "zeroed floor", 3, 1.0, ours=ours
    )
    contenders = [(name, f"put: {name}") for name in samples]
    return Measured(
        experiment, contenders, 3, {name: {"time": found} for name, found in samples.items()}
    )


def test_peer_that_is_ahead_is_named_with_its_ratio():
    """The ratio is taken within each round; who is behind is not named, nor is the floor."""
    found = ahead_lines(
        _measured(
            {
                OURS: [100.0, 200.0, 300.0],
                "zeroed floor": [50.0] * 3,
                f"{OURS} sync=never": [1.0] * 3,
                "rocksdict": [80.0, 160.0, 240.0],
                "lmdb": [200.0, 400.0, 600.0],
            }
        ),
        None,
    )
    assert [f"ahead of {OURS}: rocksdict in time (0.80 x)"] == found


def test_peer_that_syncs_nothing_is_named_apart():
    """It is no rival, and it is no secret."""
    traced = {"put: diskcache": Calls(("posix",)), "put: lmdb": Calls(("sync-file",))}
    samples = {OURS: [100.0] * 3, "diskcache": [50.0] * 3, "lmdb": [90.0] * 3}
    assert [
        f"ahead of {OURS}: lmdb in time (0.90 x)",
        "ahead of it, and sync nothing: diskcache in time (0.50 x)",
    ] == ahead_lines(_measured(samples), traced)


def test_nobody_ahead_is_said():
    """Silence could mean that nothing was compared."""
    samples = {OURS: [100.0] * 3, "lmdb": [200.0] * 3}
    assert [f"ahead of {OURS}: none of its peers"] == ahead_lines(_measured(samples), None)


def test_tables_without_one_of_ours_have_no_such_line():
    """Those that compare recipes, not peers."""
    assert [] == ahead_lines(_measured({"raw": [1.0]}, ours=""), None)
