"""Failures on order; `test_supervisor` lets them happen."""

from __future__ import annotations

import errno

import pytest

from holdfast.crash.recorders import CallFault
from holdfast.crash.recorders.faults import Fault, Faults, parse


def test_the_nth_call_of_a_name_fails_once():
    """Others do not."""
    faults = Faults([CallFault("fsync", 2, "EIO")])
    found = [faults.next(name) for name in ("fsync", "write", "fsync", "fsync")]
    assert [None, None, Fault("error", errno.EIO), None] == found


def test_a_plain_name_stands_for_its_family():
    """`rename` counts `renameat2` as well; the exact name counts itself alone."""
    faults = Faults([CallFault("rename", 2, "kill"), CallFault("renameat2", 2, "short:3")])
    found = [faults.next(name) for name in ("rename", "renameat2", "renameat2")]
    assert [None, Fault("kill"), Fault("short", 3)] == found


def test_what_is_left_is_known():
    """A fault that nothing met can be told."""
    faults = Faults([CallFault("unlink", 3, "EIO")])
    faults.next("unlinkat")
    assert ["unlink number 3"] == faults.left()


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (CallFault("getpid", 1, "EIO"), "changes files"),
        (CallFault("write", 0, "EIO"), "from 1"),
        (CallFault("write", 1, "EFOO"), "neither"),
        (CallFault("write", 1, "short:x"), "neither"),
    ],
)
def test_orders_that_make_no_sense(fault, word):
    """The message says what is wrong."""
    with pytest.raises(ValueError, match=word):
        parse(fault)
