"""Which threads and tasks have a transaction of a store open: they must write through it.

Any other way would wait for the lock that the transaction holds, forever.

I1  A mark counts as long as somebody holds it: who is interrupted at the end of a transaction, and
    never says that it is over, lets go of the mark all the same.
I2  The lock that a task holds is known to every object on the same log: it is the whole thread that
    cannot wait for it.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from weakref import WeakValueDictionary, ref

from holdfast.primitives.forks import call_in_child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Lock

__all__ = ["Mark", "OpenTransactions"]


class Mark:
    """That a transaction is open; let go of when it is over (I1)."""

    __slots__ = ("__weakref__", "held_by_task", "of", "task")

    def __init__(self, of: int, task: int, *, held_by_task: bool) -> None:
        self.of = of
        self.task = task
        self.held_by_task = held_by_task


class _Marks:
    """The marks of all objects on one log, by thread; only that thread changes its own."""

    def __init__(self) -> None:
        self.of_thread: dict[int, list[ref[Mark]]] = {}

    def living(self) -> list[Mark]:
        """Return those of this thread that somebody holds."""
        thread = get_ident()
        found = [mark for one in self.of_thread.get(thread, ()) if (mark := one()) is not None]
        if not found:
            self.of_thread.pop(thread, None)
        return found

    def add(self, mark: Mark) -> None:
        """Add one to those of this thread."""
        self.of_thread[get_ident()] = [*map(ref, self.living()), ref(mark)]


_marks: WeakValueDictionary[tuple[int, str], _Marks] = WeakValueDictionary()


class OpenTransactions:
    """The transactions of one store object, and of tasks on other objects of the same log (I2).

    Args:
        path: of the store.
        key: what the objects on the same log have in common.
    """

    def __init__(self, path: str, key: tuple[int, str]) -> None:
        self._path = path
        self._marks = _marks.setdefault(key, _Marks())
        self._gates: dict[AbstractEventLoop, Lock] = {}
        call_in_child(self._forget_parent)

    def gate(self) -> Lock:
        """Return what tasks of this loop wait at, one transaction at a time."""
        from asyncio import Lock, get_running_loop

        loop = get_running_loop()
        gate = self._gates.get(loop)
        if gate is None:
            for other in [*self._gates]:
                if other.is_closed():
                    self._gates.pop(other, None)
            gate = self._gates[loop] = Lock()
        return gate

    def enter(self, *, held_by_task: bool = False) -> Mark:
        """Note that this thread, and this task of it, has one open as long as the mark is held.

        Args:
            held_by_task: it holds the lock of all writers while the loop goes on.
        """
        mark = Mark(id(self), _task(), held_by_task=held_by_task)
        self._marks.add(mark)
        return mark

    def refuse_thread(self) -> None:
        """Raise if this thread has one open; for calls that the whole thread waits for.

        Raises:
            RuntimeError: it has; nothing was done.
        """
        if self._marks.of_thread and get_ident() in self._marks.of_thread:
            own = _task()
            for mark in self._marks.living():
                if mark.of == id(self) or mark.held_by_task:
                    raise self._refused(is_own=mark.task == own)

    def refuse_task(self) -> None:
        """Raise if this task has one open; other tasks of the thread may wait for its end.

        Raises:
            RuntimeError: it has; nothing was done.
        """
        if self._marks.of_thread and get_ident() in self._marks.of_thread:
            own = _task()
            for mark in self._marks.living():
                if mark.task == own and (mark.of == id(self) or mark.held_by_task):
                    raise self._refused(is_own=True)

    def _refused(self, *, is_own: bool) -> RuntimeError:
        if is_own:
            return RuntimeError(
                f"{self._path}: a transaction is open here. Nothing was written but what it holds. "
                "Write through it (use `tx`), or when it is over."
            )
        return RuntimeError(
            f"{self._path}: another task of this thread has a transaction or an update open, and "
            "cannot end it while the thread waits. Nothing was done. Await the call for asyncio "
            "(`aput`, `aclose`...), or use `tx`."
        )

    def _forget_parent(self) -> None:
        """In a forked child: the other threads, and the tasks, of its parent are not here."""
        self._marks.of_thread.clear()
        self._gates.clear()


def _task() -> int:
    """Return what tells this task from others, 0 if this is none."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return 0
    try:
        return id(asyncio.current_task())
    except RuntimeError:
        return 0
