"""Which threads are at work on a journal: one that came again would wait for itself, for ever.

It comes again from a function of the caller, from a signal handler, or from a `__del__`.

I1  A mark counts as long as somebody holds it: a frame that is left lets go of it, however it is
    left, and nothing has to be taken back.
I2  A thread that waits for a lock of a journal, or has one, is marked, also by another object on
    it; but not while it looks at the state, nor in what dumps it.
"""

from __future__ import annotations

from _thread import get_ident
from weakref import WeakValueDictionary, ref

from holdfast.primitives.forks import call_in_child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    _T = TypeVar("_T")

__all__ = ["Mark", "Marks", "Nesting", "marks_of"]


class Mark:
    """That a thread is at work; let go of with the frame that has it (I1)."""

    __slots__ = ("__weakref__", "of")

    def __init__(self, of: Any) -> None:
        self.of = of


class Marks:
    """The marks of all objects on one journal, one for each thread, or task, that is at work."""

    __slots__ = ("__weakref__", "_of")

    def __init__(self) -> None:
        self._of: dict[int, ref[Mark]] = {}
        call_in_child(self.forget)

    def of(self, owner: int) -> Mark | None:
        """Return the mark that this thread has; None if it is not at work."""
        mark = self._of.get(owner)
        return None if mark is None else mark()

    def enter(self, owner: int, of: Any) -> Mark:
        """Mark a thread that has no mark; it is at work for this object."""
        mark = Mark(of)
        self._of[owner] = ref(mark)
        return mark

    def forget(self) -> None:
        """Forget all; in a forked child, where those threads are not."""
        self._of.clear()


_all: WeakValueDictionary[tuple[object, ...], Marks] = WeakValueDictionary()


def marks_of(key: tuple[object, ...]) -> Marks:
    """Return the marks of the objects that have this in common."""
    return _all.setdefault(key, Marks())


class Nesting:
    """What tells, of a machine, whether a thread may begin something.

    Args:
        path: of the journal.
        key: what the objects on it have in common.
    """

    def __init__(self, path: str, key: tuple[int, str]) -> None:
        self.path = path
        self.key = key
        self.marks = marks_of(key)
        self._holder = 0
        """The thread that may look at the state, as it holds the append lock."""
        self._looker = 0
        """The thread that looks at the state."""

    def refuse_nested(self) -> None:
        """Raise if this thread is at work on the journal: in a commit, a transaction or a look.

        Raises:
            RuntimeError: it is; nothing was done.
        """
        me = get_ident()
        if self.marks.of(me) is not None or self.is_within():
            raise self.refused_nested()

    def enter(self) -> Mark:
        """Mark this thread as long as somebody holds the mark; as `refuse_nested`."""
        self.refuse_nested()
        return self.marks.enter(get_ident(), self)

    def working(self) -> Mark | None:
        """Mark this thread, unless it is marked."""
        me = get_ident()
        return self.marks.enter(me, self) if self.marks.of(me) is None else None

    def marked(self, act: Callable[[], _T]) -> _T:
        """Do something with this thread marked."""
        mark = self.working()
        try:
            return act()
        finally:
            del mark  # a traceback keeps the frame

    def refuse_interrupting(self) -> None:
        """Raise for a look by what has interrupted this thread at work, which may hold a lock.

        A decision, or a block that holds the append lock, may look: then the state is whole.

        Raises:
            RuntimeError: it may not; nothing was done.
        """
        me = get_ident()
        mark = self.marks.of(me)
        if mark is not None and not mark.of.is_at_rest(me):
            raise self.refused_nested()

    def is_within(self) -> bool:
        """Whether this thread is in a commit, a transaction or a look of this very object."""
        me = get_ident()
        return me in (self._holder, self._looker)

    def refused_nested(self) -> RuntimeError:
        """Return the error for a thread that is at work already."""
        return RuntimeError(
            f"{self.path}: this thread is in a commit, a transaction or a look at the state "
            "already. Nothing of the inner one was written. Change the state through the outer "
            "one, or after it; what interrupts a thread (a signal handler) can leave it a note."
        )
