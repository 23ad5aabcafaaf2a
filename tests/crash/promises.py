"""What an operation promises, and the check of it: on any state that a crash may have left.

A promise that is broken is an `AssertionError` that begins with its name:

    torn          a file holds what it never held
    lost          a file is missing that was there, or had to be
    not durable   the operation had returned, and the change is not there
    touched       something that it has nothing to do with is another
    attributes    a file has not the mode or the extended attributes that it must have
    left          something stays that `sweep` does not remove
    unusable      what survived cannot be worked on
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

import holdfast
from holdfast.vfs.memory import Contents
from tests.crash.places import TEMPORARY, Place

MODE = 0o604
"""Of all files that were there before; what replaces them keeps it."""

RETURNED = "returned"
"""What is acknowledged when the operation has returned."""

RECOVERING = "recovering"
"""What is acknowledged when the recovery after a crash begins."""

FEW = 16
"""How many states are tried of what writes a megabyte, as whoever makes a slot does."""

Values = tuple[Contents, ...]


class Operation(NamedTuple):
    """One public operation, with what holds after a crash.

    `run` does it; done a second time it does no harm. `before` is what was there. `files`: for each
    file what it may hold (None: it may be missing); it does hold the last of these once the
    operation has returned. Everything else that was there stays as it was. `also` raises if more
    than that is broken; it is told whether the operation had returned. `again`: what files may hold
    when it was done once more after the crash, where that is not the last of `files`. `loosely`:
    files that may hold any of these, before and after. `beside`: patterns of other names that may
    be there. `prepare` changes what was there before. `model`: the weakest that the promise is for.
    `mode`: what replaces a file has this one. `garbage`: it is also for places where a lost new
    block shows old contents of the disk. `holds` raises if what may not be told by whole
    contents is broken: in every state, and once more when it was done again; it is told what was
    acknowledged, and whether it was done again. `states`: how many of one exploration are tried at
    most; at most `FEW` where each is large: then a sample, which can have no teeth.
    """

    name: str
    run: Callable[[Place], object]
    files: Mapping[str, Values]
    before: Mapping[str, Contents]
    also: Callable[[Place, bool], None] | None = None
    again: Mapping[str, Values] = {}
    loosely: Mapping[str, Values] = {}
    beside: Sequence[str] = ()
    prepare: Callable[[Place], None] | None = None
    model: Literal["posix", "prefix"] = "posix"
    mode: int = MODE
    garbage: bool = True
    holds: Callable[[Place, Sequence[str], bool], None] | None = None
    states: int = 4096

    def start(self, place: Place) -> Place:
        """Make what is there before."""
        place.fill(self.before)
        for name, value in self.before.items():
            if isinstance(value, bytes):
                place.give(name, mode=MODE)
        if self.prepare is not None:
            self.prepare(place)
        return place

    def allowed(self, name: str, *, returned: bool, recovering: bool) -> Values:
        """What a file may hold."""
        values = self.files[name]
        values = values[-1:] if returned else values
        return (*values, *self.again.get(name, ())) if recovering else values


def check(operation: Operation, place: Place, acked: Sequence[str]) -> None:
    """Look at a state as the crash left it; then recover, and look again.

    Raises:
        AssertionError: a promise is broken.
    """
    look(operation, place, acked)
    recover(operation, place)
    look_again(operation, place, acked)


def look(operation: Operation, place: Place, acked: Sequence[str]) -> None:
    """Check the files of one state."""
    returned, recovering = RETURNED in acked, RECOVERING in acked
    tree = place.tree()
    for name in operation.files:
        value = tree.get(name)
        if value not in operation.allowed(name, returned=False, recovering=recovering):
            assert value is not None, f"lost: {name} is missing"
            raise AssertionError(f"torn: {name} holds {_shown(value)}")
        known = operation.allowed(name, returned=returned, recovering=recovering)
        assert value in known, f"not durable: {name} holds {_shown(value)}"
    _untouched(operation, tree)
    if operation.holds is not None:
        operation.holds(place, acked, False)
    if not recovering:
        _modes(operation, place, tree)
        if operation.also is not None:
            operation.also(place, returned)


def recover(operation: Operation, place: Place) -> None:
    """What a program does that comes after a crash: sweep, and go on with its work.

    Raises:
        AssertionError: it cannot, or something stays.
    """
    holdfast.sweep(place.top, recursive=True, vfs=place.vfs)
    tree = place.tree()
    left = [name for name in tree if name.endswith(TEMPORARY)]
    assert [] == left, f"left: {left}"
    mine = {*operation.files, *operation.before, *_above(operation)}
    other = [name for name in tree if name not in mine and not _matches(name, operation.beside)]
    assert [] == other, f"left: {other}"
    try:
        operation.run(place)
    except Exception as error:
        raise AssertionError(f"unusable: {type(error).__name__}: {error}") from error


def look_again(operation: Operation, place: Place, acked: Sequence[str]) -> None:
    """Check what is there when it was done once more."""
    tree = place.tree()
    for name, values in operation.files.items():
        value, last = tree.get(name), operation.again.get(name, values[-1:])
        assert value in last, f"unusable: {name} holds {_shown(value)}, done once more"
    _untouched(operation, tree)
    if operation.holds is not None:
        operation.holds(place, acked, True)


def _untouched(operation: Operation, tree: Mapping[str, Contents]) -> None:
    for name, values in operation.loosely.items():
        assert tree.get(name) in values, f"torn: {name} holds {_shown(tree.get(name))}"
    for name, value in operation.before.items():
        if not {name} & {*operation.files, *operation.loosely} and TEMPORARY not in name:
            assert name in tree, f"lost: {name} is missing"
            assert value == tree[name], f"touched: {name} holds {_shown(tree[name])}"


def _modes(operation: Operation, place: Place, tree: Mapping[str, Contents]) -> None:
    """What replaces a file is the same to all who may use it; a new one is as the umask says."""
    for name in operation.files:
        now, was = tree.get(name), operation.before.get(name)
        if isinstance(now, bytes):
            found, known = place.mode(name), MODE
            if now not in operation.before.values():
                known = place.mode_of_new if was is None else operation.mode
            assert known == found, f"attributes: {name} has mode {found:o}"


def _above(operation: Operation) -> set[str]:
    """The folders above the files."""
    names = {*operation.files, *operation.before}
    return {name[:at] for name in names for at, letter in enumerate(name) if letter == "/"}


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _shown(value: Contents) -> str:
    if not isinstance(value, bytes):
        return "nothing" if value is None else value
    zeros = f", {value.count(0)} of them zeros" if 0 in value else ""
    return f"{len(value)} bytes{zeros}: {value[:24]!r} ..."
