"""Level 1: every public operation that writes, in memory, crashed everywhere.

`python -m tests.crash` does the same with a larger budget, and writes the table.
"""

from __future__ import annotations

import inspect
import re

import pytest

import holdfast
from tests.crash import seam
from tests.crash.operations import BY_NAME, OPERATIONS
from tests.crash.places import Place
from tests.crash.promises import FEW, RETURNED, Operation, check
from tests.crash.whole_files import OLD
from tests.support.budget import scaled

NAMES = list(BY_NAME)
BY_SPEED = [
    pytest.param(name, marks=pytest.mark.slow if one.states <= FEW else ())
    for name, one in BY_NAME.items()
]
LARGE = "write_bytes, 10 KiB"
"""It has too many states with blocks of 512 bytes; so have those that say how many are tried."""

WRITERS = {
    *("write_bytes", "write_text", "write_many", "open", "replacing", "sweep", "edit"),
    *("awrite_bytes", "awrite_text", "awrite_many", "aopen", "areplacing", "asweep", "aedit"),
    *("FileLock", "Document", "Log", "LineLog", "Stream", "DurableHandler", "Journal", "Store"),
    *("RecordFile", "InPlaceFile"),
}
"""The public names that change something on disk."""


@pytest.mark.parametrize("name", BY_SPEED)
def test_every_crash_state_is_old_or_new(name: str) -> None:
    """Whole at any moment, durable after the return, the rest untouched, leftovers swept."""
    operation = BY_NAME[name]
    is_sample = operation.states <= FEW
    result = seam.every_crash(
        operation,
        torn=seam.FEW,
        limit=4096 if name != LARGE else 128,
        budget_s=1 if is_sample else 30,
    )

    assert () == result.violations, str(result)
    assert 6 <= result.states
    assert result.exhaustive is (name != LARGE and not is_sample)


@pytest.mark.parametrize("name", BY_SPEED)
def test_crash_during_the_recovery_is_recovered(name: str) -> None:
    """Whoever sweeps, and works on, after a crash may crash as well."""
    for budget_s in (0.15 * scaled(1), 10.0):  # the longer one for a moment in which all is slow
        result = seam.crash_in_recovery(BY_NAME[name], budget_s=budget_s)
        if result.states:
            break

    assert () == result.violations, str(result)
    assert result.states


@pytest.mark.parametrize(
    ("name", "errno"),
    [
        pytest.param(name, seam.ERRNOS[at % len(seam.ERRNOS)], marks=one.marks)
        for at, (name, one) in enumerate(zip(NAMES, BY_SPEED, strict=True))
    ],
)
def test_crash_after_a_fault_leaves_old_or_new(name: str, errno: str) -> None:
    """Each call fails, and after that the power goes: what had not returned is old or new."""
    result = seam.crash_after_fault(BY_NAME[name], errnos=[errno], torn={"": {}}, limit=64)

    assert () == result.violations, str(result)
    assert 3 <= result.states


def test_every_writer_is_in_the_registry() -> None:
    """A public function that is added must be listed here as one that writes, or as none."""
    readers = {
        *("doctor", "Draft", "Holder", "KeptVersion", "MergeReport", "Snapshot", "__version__"),
        *("Record", "Recovery", "LineRecord", "TornEnd"),
        *("CheckReport", "Finding", "Lost", "RepairReport"),
        *("Commit", "StoreSnapshot", "Transaction"),
        *("PatchRecovery", "RecordRecovery"),
    }
    failures = {
        name
        for name in holdfast.__all__
        if inspect.isclass(found := getattr(holdfast, name)) and issubclass(found, Exception)
    }

    assert set(holdfast.__all__) == WRITERS | readers | failures
    assert [] == [
        writer for writer in WRITERS if not any(name.startswith(writer) for name in NAMES)
    ]


@pytest.mark.parametrize(
    "method",
    [
        *("update", "edit", "write", "restore", "quarantine", "commit"),
        *("aupdate", "aedit", "awrite", "arestore", "aquarantine", "acommit"),
    ],
)
def test_every_changing_method_of_a_document_is_in_the_registry(method: str) -> None:
    """Each method that changes a document has an entry under its name."""
    owner = holdfast.Draft if "commit" in method else holdfast.Document

    assert callable(getattr(owner, method))
    assert [name for name in NAMES if name.startswith("Document.") and method in name]


def test_names_are_used_once() -> None:
    """No entry hides another."""
    assert len(OPERATIONS) == len(BY_NAME)


def broken(name: str, value: object) -> Operation:
    """`write_bytes` with another promise, or one that does something else."""
    return BY_NAME["write_bytes"]._replace(**{name: value})


def writes(name: str) -> Operation:
    """It writes what it should, and something else."""

    def run(at: Place) -> None:
        BY_NAME["write_bytes"].run(at)
        holdfast.write_bytes(at.path(name), b"", vfs=at.vfs)

    return broken("run", run)


def fails_the_second_time(at: Place) -> None:
    """It cannot be done on what a crash has left."""
    if at.tree()["a"] != OLD:
        raise ValueError("seen before")
    BY_NAME["write_bytes"].run(at)


@pytest.mark.parametrize(
    ("operation", "complaint"),
    [
        (broken("files", {"a": (b"never",)}), "torn: a holds"),
        (broken("files", {"z": (b"x",)}), "lost: z is missing"),
        (broken("run", lambda at: None), "not durable: a holds"),
        (broken("mode", 0o777), "attributes: a has mode 604"),
        (writes("other"), "touched: other holds"),
        (writes("z"), "left: ['z']"),
        (broken("run", fails_the_second_time), "unusable: ValueError: seen before"),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else "",
)
def test_broken_promise_is_named(operation: Operation, complaint: str) -> None:
    """The checks can fail, each with its own word."""
    disk = seam.disk_before(operation)
    operation.run(Place(disk))
    with pytest.raises(AssertionError, match=re.escape(complaint)):
        check(operation, Place(disk), [RETURNED])
