"""What counts as well, and the neighbour that syncs."""

from __future__ import annotations

import pytest

from holdfast.crash.disks.filesystems import variant
from holdfast.crash.disks.harness import DEVICES, Result, Workload, _must_fail, neighbour


def result(*, violations: int, must_fail: bool | None) -> Result:
    return Result("ext4", "a", "plain", 9, 3, violations, 0, "", "", must_fail, 1.0)


@pytest.mark.parametrize(
    ("violations", "must_fail", "well"),
    [
        (0, False, True),
        (1, False, False),
        (0, True, False),
        (2, True, True),
        (0, None, True),
        (2, None, True),
    ],
)
def test_result_is_well_if_it_is_what_it_must_be(violations, must_fail, well) -> None:
    """A safe program without violations, a broken one with some, and either where both can be."""
    assert well == result(violations=violations, must_fail=must_fail).ok


def test_filesystem_that_does_not_come_back_is_never_well() -> None:
    """An image that cannot be mounted counts for a safe program as a broken promise does."""
    lost = result(violations=0, must_fail=False)._replace(unmountable=1)

    assert not lost.ok


def nothing(*_: object) -> None:
    """A workload that does nothing."""


@pytest.mark.parametrize(
    ("caught_on", "on", "device", "expected"),
    [
        ((), "ext4", "plain", False),
        ((), "ext4", "EIO on data", False),
        ((), "ext4 barrier=0", "plain", True),
        ((), "ext4 barrier=0", "EIO on data", None),
        (("ext4",), "ext4", "slow", True),
        (("ext4",), "ext4", "EIO on a flush", None),
        (("ext4",), "btrfs", "plain", None),
    ],
)
def test_what_must_fail_follows_from_program_and_mount(caught_on, on, device, expected) -> None:
    """Safe programs nowhere but without flushes; broken ones where they are sure to be caught."""
    workload = Workload("a", nothing, nothing, nothing, frozenset(caught_on))

    assert expected is _must_fail(workload, variant(on), device)


def test_devices_are_named_with_what_they_do() -> None:
    """The plain one does nothing of its own; each other differs from it."""
    assert 4 == len(DEVICES)
    assert 1 == sum(faults == DEVICES["plain"] for faults in DEVICES.values())


def test_neighbour_is_gone_after_the_body(tmp_path) -> None:
    """It writes its one file while the body runs, and holds nothing afterwards."""
    with neighbour(str(tmp_path)):
        pass
    (path,) = tmp_path.iterdir()

    assert ("neighbour", True) == (path.name, path.read_bytes().isdigit())
