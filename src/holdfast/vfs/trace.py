"""A filesystem that writes down every call."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from holdfast.vfs.interpose import Interposed

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.vfs import api
    from holdfast.vfs.interpose import Call

__all__ = ["Trace", "Traced"]

T = TypeVar("T")


class Traced(NamedTuple):
    """One call that is over; `error` names the errno, or the exception, if it failed."""

    number: int
    operation: str
    name: str
    text: str
    error: str | None

    def __str__(self) -> str:
        return self.text if self.error is None else f"{self.text} = {self.error}"


class Trace(Interposed):
    """Writes down every call on `inner`, in the order in which they ended."""

    def __init__(self, inner: api.VFS) -> None:
        super().__init__(inner)
        self.calls: list[Traced] = []
        self._listeners: list[Callable[[Traced], None]] = []

    @property
    def lines(self) -> list[str]:
        """The calls as text, such as `rename(state.json.tmp -> state.json)`."""
        return [str(call) for call in self.calls]

    @property
    def operations(self) -> list[str]:
        """The names of the operations alone."""
        return [call.operation for call in self.calls]

    def subscribe(self, listener: Callable[[Traced], None]) -> None:
        """Call `listener` after each call from now on, in the thread that made it."""
        self._listeners.append(listener)

    def clear(self) -> None:
        """Forget what was written down."""
        self.calls.clear()

    def around(self, call: Call, do: Callable[[], T]) -> T:
        """Carry the call out, and write it down."""
        try:
            result = do()
        except BaseException as error:
            self._note(call, _name_of(error))
            raise
        self._note(call, None)
        return result

    def _note(self, call: Call, error: str | None) -> None:
        traced = Traced(call.number, call.operation, call.name, str(call), error)
        self.calls.append(traced)
        for listener in self._listeners:
            listener(traced)


def _name_of(error: BaseException) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return errno.errorcode.get(number or 0, type(error).__name__)
