"""Teeth: with one sync or rename switched off, a check fails; or it says why nothing does."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.crash.operations import BY_NAME, OPERATIONS
from tests.crash.promises import FEW, Operation
from tests.crash.teeth import NOT_PROVEN, Reason, Tooth, bite, calls_of, reason_for, teeth_of

pytestmark = pytest.mark.xdist_group("teeth")


def is_long(operation: Operation) -> bool:
    """Checkpoints have many calls: their teeth are tried in the slow tests."""
    words = ("checkpoint", "after", ".a", "repair")
    return operation.name.startswith(("Journal", "Store")) and any(
        word in operation.name for word in words
    )


@pytest.fixture(scope="module")
def teeth() -> list[Tooth]:
    """Every call of every operation, switched off alone; not of those that take long."""
    return [tooth for one in OPERATIONS if not is_long(one) for tooth in teeth_of(one)]


@pytest.fixture(scope="module")
def all_teeth(teeth: list[Tooth]) -> list[Tooth]:
    """Of those as well; but not of what is so large that a few states must do."""
    long = [one for one in OPERATIONS if is_long(one) and one.states > FEW]
    return [*teeth, *(tooth for one in long for tooth in teeth_of(one))]


def test_crash_needs_each_sync_and_each_rename(teeth: list[Tooth]) -> None:
    """Without it a named promise breaks, or the reason why none does is listed."""
    unexplained = [str(t) for t in teeth if t.bites is None and reason_for(t) is None]

    assert [] == unexplained
    assert len(teeth) > 200


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_checkpoints_need_each_sync_and_each_rename(all_teeth: list[Tooth]) -> None:
    """The same for journals and stores, and their checkpoints."""
    unexplained = [str(t) for t in all_teeth if t.bites is None and reason_for(t) is None]

    assert [] == unexplained
    assert len(all_teeth) > 300


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_listed_reason_is_about_calls_that_nothing_needs(all_teeth: list[Tooth]) -> None:
    """A reason goes as soon as a check notices the call, or the call is gone."""
    used = Counter(reason_for(tooth) for tooth in all_teeth if tooth.bites is None)

    assert [] == [reason for reason in NOT_PROVEN if not used[reason]]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_reason_does_not_hide_what_bites(all_teeth: list[Tooth]) -> None:
    """No call that some check needs in an operation has a reason for that operation."""
    hidden = [str(t) for t in all_teeth if t.bites is not None and reason_for(t) is not None]
    once_is_enough = (
        "replace_atomic, from another folder",
        "primitives/log_segment.py remove_before",  # where two go, the first
    )

    assert [] == [text for text in hidden if not any(part in text for part in once_is_enough)]


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
