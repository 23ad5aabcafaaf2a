"""An interrupt at a chosen moment: when a function is entered, or when a call of C has returned."""

from __future__ import annotations

import _weakrefset
import os
import sys
import weakref
from collections.abc import Callable
from inspect import CO_GENERATOR
from types import FrameType

OURS = os.path.join("holdfast", "")
WEAK_MODULES = {weakref.__file__, _weakrefset.__file__}
WEAK_CALLBACKS = {"remove", "_remove", "__call__"}


class Interrupt:
    """Raises KeyboardInterrupt at the nth event in files whose path has one of these parts."""

    def __init__(self, nth: int, places: tuple[str, ...]) -> None:
        self.left = nth
        self.places = places

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        if event not in {"call", "c_return"}:
            return
        if event == "call" and frame.f_code.co_flags & CO_GENERATOR:
            return  # no signal ends a generator before its `finally`, as an exception here does
        path = frame.f_code.co_filename
        if is_collecting(frame) or not any(part in path for part in self.places):
            return  # in a collection nobody hears of it
        self.left -= 1
        if self.left == 0:
            sys.setprofile(None)
            raise KeyboardInterrupt


def is_collecting(frame: FrameType | None) -> bool:
    """Whether a frame is below a `__del__`, or below what a weak reference calls at its end."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__":
            return True
        if code.co_name in WEAK_CALLBACKS and code.co_filename in WEAK_MODULES:
            return True
        frame = frame.f_back
    return False


def interrupted(act: Callable[[], object], *, nth: int, places: tuple[str, ...] = (OURS,)) -> bool:
    """Act, with an interrupt at the nth event; False if it came to its end before."""
    before = sys.getprofile()
    interrupt = Interrupt(nth, places)
    sys.setprofile(interrupt)
    try:
        act()
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(before)
    return interrupt.left <= 0
