"""What a bad device does."""

from __future__ import annotations

from holdfast.crash.disks.faults import NO_FAULTS, DeviceFaults, FaultDecider


def test_faults_travel_as_json() -> None:
    """Every field comes back, bytes too."""
    faults = DeviceFaults(0.02, b"\0data", 0.5, 7, (2, 3), (1, 9), b"\xff", 0.5)

    assert faults == DeviceFaults.from_json(faults.as_json())


def test_whole_device_fails_nothing() -> None:
    """Without faults nothing is late and nothing fails."""
    decider = FaultDecider(NO_FAULTS)

    assert (0.0, False, False) == (
        decider.delay_s(b"a"),
        decider.fails_write(b"a"),
        decider.fails_flush(),
    )


def test_window_of_failures_counts_from_one() -> None:
    """(2, 2): the second and the third fail, the others do not."""
    decider = FaultDecider(DeviceFaults(fail_writes=(2, 2), fail_flushes=(1, 1)))

    assert [False, True, True, False] == [decider.fails_write(b"a") for _ in range(4)]
    assert [True, False] == [decider.fails_flush() for _ in range(2)]


def test_only_matching_writes_count() -> None:
    """The first write with the data is the first, whatever the journal wrote before."""
    decider = FaultDecider(DeviceFaults(fail_writes=(1, 1), fail_matching=b"data"))

    assert [False, True, False] == [decider.fails_write(d) for d in (b"x", b"a data", b"data")]


def test_share_of_late_writes_is_drawn_from_the_seed() -> None:
    """The same seed draws the same writes, about as many as asked for."""
    faults = DeviceFaults(delay_s=1.0, delay_share=0.4, seed=3)
    first, second = FaultDecider(faults), FaultDecider(faults)
    drawn = [first.delay_s(b"") for _ in range(500)]

    assert drawn == [second.delay_s(b"") for _ in range(500)]
    assert 150 < sum(drawn) < 250
