"""What the shared tail of this boot knows to be durable, for those who read a log as a whole.

It is asked before the reading: what is durable then must be found, whatever writers do meanwhile.
"""

from __future__ import annotations

from holdfast.errors import Corruption
from holdfast.primitives.log_view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from holdfast.vfs import VFS
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Known", "known_of"]


class Known(NamedTuple):
    """The last sequence known durable (0: nobody tells), and what is wrong with its segment."""

    durable: int
    problem: Corruption | None

    def missing_after(self, last: int, path: str) -> str | None:
        """Return what to say if a log ends after `last`, and should not; None if all is there."""
        if self.problem is not None:
            return str(self.problem)
        if last >= self.durable:
            return None
        return (
            f"{path}: records up to {self.durable} were durable, and it ends after {last}. "
            "Nothing was changed. Put the files back as they were; to give up the records from "
            f"{last + 1} on, remove the file `lock` in the log while no program has it open."
        )


def known_of(path: str, *, vfs: VFS) -> Known:
    """Ask the shared tail, if it can be believed.

    Raises:
        OSError: the log cannot be looked at.
    """
    view = View(path, durable=True, vfs=vfs)
    try:
        return Known(view.durable or 0, None)
    except Corruption as error:
        return Known(0, error)
    finally:
        view.close()
