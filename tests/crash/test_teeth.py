"""Teeth: with one sync or rename switched off, a check fails; or it says why nothing does."""

from __future__ import annotations

import pytest

from tests.crash.operations import BY_NAME, OPERATIONS
from tests.crash.promises import FEW
from tests.crash.teeth import (
    NOT_PROVEN,
    Reason,
    Site,
    Tooth,
    bite,
    calls_of,
    misused_reasons,
    reason_for,
    teeth_of,
)

EXPLORED = [operation.name for operation in OPERATIONS if operation.states > FEW]
"""All but what is so large that a few states must do: they can have no teeth."""


@pytest.mark.parametrize("name", EXPLORED)
def test_crash_needs_each_sync_and_each_rename(name: str) -> None:
    """Without it a named promise breaks; `make crash` tries those with a reason as well."""
    idle = [str(tooth) for tooth in teeth_of(BY_NAME[name], listed=False) if tooth.bites is None]

    assert [] == idle


def test_most_calls_have_teeth() -> None:
    """There is something to switch off, and few calls are excused."""
    calls = [
        (one.name, *call) for one in map(BY_NAME.get, EXPLORED) if one for call in calls_of(one)
    ]
    excused = [
        call for call in calls if reason_for(Tooth(*call, bites=None, unnamed=True)) is not None
    ]

    assert len(calls) > 500
    assert len(excused) < len(calls) / 4


def test_reason_that_nothing_needs_is_told() -> None:
    """It goes as soon as a check notices the call, or the call is gone."""
    reason = NOT_PROVEN[0]

    assert any(reason.line in text for text in misused_reasons([]))


def test_reason_does_not_hide_what_bites() -> None:
    """A call that some check needs in an operation has no reason for that operation."""
    reason = NOT_PROVEN[0]
    module, function = reason.function.split(" ")
    tooth = Tooth(
        "open xb", reason.kind, 1, Site(module, function, reason.line), None, unnamed=True
    )

    assert not any(text.startswith("open xb") for text in misused_reasons([tooth]))
    assert any(text.startswith("open xb") for text in misused_reasons([tooth._replace(bites="x")]))


@pytest.mark.parametrize(
    ("name", "kind", "nth", "promise"),
    [
        ("write_bytes", "sync", 1, "torn"),
        ("write_bytes", "sync_folder", 1, "not durable"),
        ("write_bytes", "rename", 1, "torn"),
        ("write_bytes", "set_attributes", 1, "attributes"),
        ("write_bytes, backup", "sync_folder", 1, "lost"),
        ("write_bytes, new folders", "sync_folder", 2, "not durable"),
        ("write_many", "sync", 1, "torn"),
        ("open xb", "sync", 1, "torn"),
        ("Document.update", "sync", 1, "torn"),
        ("Document.update", "sync_folder", 1, "not durable"),
        ("Document.update", "rename", 1, "torn"),
        ("Document.update, keep=2", "sync_folder", 1, "lost"),
        ("Document.quarantine", "sync_folder", 1, "not durable"),
        ("atomicwrites: move_atomic", "sync_folder", 1, "lost"),
        ("LineLog.append", "sync_data", 1, "not durable"),
        ("LineLog.append, new file", "sync_folder", 2, "not durable"),
        ("LineLog.append, torn end", "sync_data", 1, "torn"),
        ("LineLog.append, rotation", "sync_folder", 3, "lost"),
        ("LineLog.append, rotation", "rename", 1, "lost"),
        ("line log, a rotation cut short", "sync_folder", 2, "lost"),
        ("line log, renamed meanwhile", "sync_folder", 2, "lost"),
        ("Journal.commit", "sync_data", 1, "not durable"),
        ("Store put", "sync_data", 1, "not durable"),
        ("Store.transaction, reading alone", "sync_data", 1, "not durable"),
    ],
)
def test_call_that_is_switched_off_breaks_its_promise(
    name: str, kind: str, nth: int, promise: str
) -> None:
    """Some of them by name: which call holds which promise."""
    assert promise == bite(BY_NAME[name], kind, nth)


def test_sites_are_lines_of_the_library() -> None:
    """A call is told by the line that makes it."""
    found = [(kind, nth, str(site)) for kind, nth, site in calls_of(BY_NAME["write_bytes"])]

    module = "primitives/replacement.py"
    rename = 'target.folder.rename(self.temp or "", target.name)'

    assert [
        ("set_attributes", 1, f"{module} give_attributes: file.set_attributes("),
        ("sync", 1, f"{module} Replacement.commit: file.sync()"),
        ("rename", 1, f"{module} Replacement._publish: {rename}"),
        ("sync_folder", 1, f"{module} Replacement.commit: self.target.folder.sync()"),
    ] == found


def test_reason_covers_what_its_patterns_say() -> None:
    """Another operation, kind or line is not covered."""
    _, _, site = calls_of(BY_NAME["write_bytes"])[1]
    tooth = Tooth("write_bytes", "sync", 1, site, None, unnamed=True)
    reason = Reason("write*", "sync", "primitives/replacement.py *", "file.sync()", "because")

    assert reason.covers(tooth)
    assert not reason.covers(tooth._replace(operation="sweep"))
    assert not reason.covers(tooth._replace(kind="rename"))
    assert not reason.covers(tooth._replace(site=site._replace(line="close()")))
