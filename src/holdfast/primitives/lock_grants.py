"""Whose a lock is: the grants of one lock object, by owner, and what an owner is."""

from __future__ import annotations

from sys import modules

from holdfast.light_threading import local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.primitives.lock_file import Description

__all__ = ["Grants", "current_owner", "current_task", "running_loop", "this_thread"]


class _ThisThread(local):
    """Stands for the running thread: its ident would be given to another thread after it."""

    def __init__(self) -> None:
        self.owner = object()


this_thread = _ThisThread()


class Grants:
    """What one lock object holds: each owner's description; dropped with it, they are given back.

    `lost` counts the releases still to come of grants that a fork or a close took away.
    """

    __slots__ = ("__weakref__", "held", "lost")

    def __init__(self) -> None:
        self.held: dict[object, Description] = {}
        self.lost = 0

    def free_owner(self, owner: object) -> object:
        """Return this owner, or, if it has a grant already, one whose grant anybody may release."""
        return _Over() if owner in self.held else owner

    def pop_own(self) -> tuple[object, Description]:
        """Take out the grant of the calling task or thread, else one whose task is over.

        Raises:
            KeyError: There is none.
        """
        for owner in (current_owner(), this_thread.owner):
            if owner in self.held:
                return owner, self.held.pop(owner)
        for owner in list(self.held):
            if _is_over(owner):
                return owner, self.held.pop(owner)
        raise KeyError

    def lose(self, *, unlock: bool) -> None:
        """Let go of all grants; in a forked child they are not unlocked: they are the parent's."""
        while self.held:
            _, description = self.held.popitem()
            self.lost += description.count
            if unlock:
                description.discard()

    def stand_before(self, owner: object, loop: object) -> bool:
        """Whether one belongs to this owner, or to a task of this event loop, if one is given."""
        return any(
            other == owner or (loop is not None and _loop_of(other) is loop)
            for other in list(self.held)
        )

    def __del__(self) -> None:
        self.lose(unlock=True)


def running_loop() -> object:
    """The event loop that runs in this thread, found without importing asyncio."""
    events = modules.get("asyncio.events")
    return None if events is None else events._get_running_loop()  # noqa: SLF001 (the other raises)


def current_task() -> object:
    """The task that runs in this thread; None if there is none."""
    loop = running_loop()
    return None if loop is None else modules["asyncio.tasks"].current_task(loop)


def current_owner() -> object:
    """The task that runs in this thread, else the thread."""
    loop = running_loop()
    if loop is None:
        return this_thread.owner
    return modules["asyncio.tasks"].current_task(loop) or this_thread.owner


class _Over:
    """Owns what one task took twice at once, in tasks of its own."""

    __slots__ = ()

    def done(self) -> bool:
        """Be over, as a task that has ended."""
        return True


def _is_over(owner: object) -> bool:
    done = getattr(owner, "done", None)
    return done is not None and done()


def _loop_of(owner: object) -> object:
    get_loop = getattr(owner, "get_loop", None)
    return None if get_loop is None else get_loop()
