"""A recovery in a forked child: what it raises is left for the parent to tell, outside its folder.

The fork's own standard error would show one traceback for each state that is recovered.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from holdfast.crash.endings import ending
from holdfast.crash.explorer.cases import words_of
from holdfast.crash.explorer.deferred import refuse_deferred

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Raised", "recover_in_child"]


def recover_in_child(recover: Callable[[str], object], folder: str, *, told: str) -> None:
    """In the child: recover; what it raises goes to the file `told`, and ends the child.

    Raises:
        SystemExit: It raised; the folder is as it was then.
    """
    try:
        refuse_deferred(recover(folder))
    except Exception as error:
        from traceback import format_exception

        behind = error.__traceback__ and error.__traceback__.tb_next
        words = words_of(error, folder)
        text = "".join(format_exception(error.with_traceback(behind or error.__traceback__)))
        with open(told, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{words}\0{text}")
        raise SystemExit(1) from None


class Raised:
    """What recoveries have raised; the first traceback is shown, and no other."""

    def __init__(self) -> None:
        self._is_shown = False

    def words(self, told: str, status: int) -> str:
        """Say how a recovery ended that has failed."""
        if not os.path.exists(told):
            return f"the recovery {ending(status)}"
        with open(told, encoding="utf-8", errors="backslashreplace") as file:
            words, _, text = file.read().partition("\0")
        if not self._is_shown:
            self._is_shown = True
            sys.stderr.write(text)
            sys.stderr.flush()
        return f"the recovery raised {words}"
