"""What a document needs of where it lives: one value of bytes, read and conditionally written.

Files on one machine implement it (`file_register`); it knows nothing of files, so that another
place can implement it as well.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from typing import NamedTuple, Protocol
else:
    from holdfast.light_typing import NamedTuple, Protocol

__all__ = ["Content", "Held", "Register"]


class Content(NamedTuple):
    """What a register holds: `data`, and the proof of it.

    `data` is None where nothing was ever written, or it was removed. `proof` belongs to the
    register: it lets it tell cheaply whether it still holds the same.
    """

    data: bytes | None
    proof: object


class Held(Protocol):
    """A register while the others that play by the rules are excluded."""

    def read(self, known: Content | None = None) -> Content:
        """Return what it holds; `known` itself when that is still so."""
        ...

    def write(self, data: bytes, *, replacing: Content) -> Content:
        """Replace `replacing` by `data`; `Conflict` and no effect when it holds another by now."""
        ...


class Register(Protocol):
    """One value of bytes: read it, and write it if it is still the one that was read."""

    @property
    def name(self) -> str:
        """What messages call it, such as its path."""
        ...

    def read(self, known: Content | None = None) -> Content:
        """Return what it holds; `known` itself when that is still so."""
        ...

    def exclusive(self, timeout_s: float | None = None) -> AbstractContextManager[Held]:
        """Exclude the other writers; where locks mean nothing, `Held.write` alone stands guard."""
        ...

    def aexclusive(self, timeout_s: float | None = None) -> AbstractAsyncContextManager[Held]:
        """The same for asyncio; never blocks the event loop."""
        ...
