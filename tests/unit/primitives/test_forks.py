"""A forked child forgets what belongs to its parent."""

from __future__ import annotations

import gc
import os

from holdfast.primitives.forks import call_in_child


class Forgetful:
    """Counts how often it was called."""

    def __init__(self) -> None:
        self.calls = 0

    def forget(self) -> None:
        """One call more."""
        self.calls += 1


def status_of_child(check) -> int:
    """Fork, and end the child with 0 if `check()` is true there."""
    child = os.fork()
    if not child:
        try:
            os._exit(0 if check() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_method_is_called_once_in_the_child_and_not_in_the_parent() -> None:
    """The parent goes on with what it has."""
    thing = Forgetful()
    call_in_child(thing.forget)
    assert 0 == status_of_child(lambda: thing.calls == 1)
    assert 0 == thing.calls


def test_object_that_is_gone_is_not_called_nor_kept() -> None:
    """Nothing but its owner holds it."""
    thing = Forgetful()
    call_in_child(thing.forget)
    calls: list[int] = []
    thing.forget = lambda: calls.append(1)  # type: ignore[method-assign]
    del thing
    gc.collect()
    assert 0 == status_of_child(lambda: not calls)
