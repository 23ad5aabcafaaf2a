"""Whether what a filesystem showed is in the model, without a filesystem."""

from __future__ import annotations

from holdfast.crash.disks.cross_validation import CrossOptions, Sighting, outside
from holdfast.crash.disks.steps import Names, start_tree
from holdfast.vfs.membership import could_be
from holdfast.vfs.operations import ROOT

OPTIONS = CrossOptions(models=("posix", "linux"))
NAMES = Names()
STEPS = (
    NAMES.step("write", "a", 0, b"z" * 5000),
    NAMES.step("fsync", "a"),
    NAMES.step("unlink", "b"),
)


def seen(*, data: bytes, names: tuple[str, ...] = ("a", "b", "d", "e")) -> dict:
    tree = start_tree()
    inode = dict(tree[ROOT].entries)["a"]
    kept = tuple(entry for entry in tree[ROOT].entries if entry[0] in names)
    return {**tree, inode: tree[inode]._replace(data=data), ROOT: tree[ROOT]._replace(entries=kept)}


def found(tree: dict, *moments: int) -> list:
    sighting = Sighting(tree, moments, "by hand")
    return list(outside(STEPS, sighting, could_be=could_be, options=OPTIONS))


def test_old_contents_are_allowed_until_the_sync_has_returned() -> None:
    """A crash during the sync is one before it; after the return the new contents must be there."""
    old = seen(data=b"A" * 5000)

    assert [] == found(old, 0, 1)
    assert [("posix", 2), ("linux", 2)] == found(old, 2)


def test_step_that_had_begun_may_have_happened() -> None:
    """The crash came after two steps, and the third had begun: its effect may be seen."""
    gone = seen(data=b"z" * 5000, names=("a", "d", "e"))

    assert [] == found(gone, 2, 3)
    assert [("posix", 1), ("linux", 1)] == found(gone, 1)


def test_contents_that_were_never_written_are_outside() -> None:
    """At any moment."""
    assert 6 == len(found(seen(data=b"?" * 5000), 0, 1, 2))
