"""Calls that return before they have done their work: nothing that they assert was looked at."""

from __future__ import annotations

import inspect
from types import AsyncGeneratorType, CoroutineType, GeneratorType

__all__ = ["deferred_answer", "deferred_function", "refuse_deferred"]


def deferred_function(function: object) -> str:
    """Say what keeps a call of this function from running its body; empty if nothing is known."""
    own = type(function).__call__ if callable(function) else None
    for one in (function, own):
        if inspect.iscoroutinefunction(one):
            return "a coroutine function"
        if inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one):
            return "a generator function"
    return ""


def deferred_answer(answer: object) -> str:
    """Say what a function has returned in place of doing its work; empty if it has done it.

    A coroutine is closed, so that nobody is warned of it once more.
    """
    if isinstance(answer, GeneratorType | AsyncGeneratorType | map | filter):
        return "a generator"
    if isinstance(answer, CoroutineType):
        answer.close()
        return "a coroutine"
    return "an awaitable" if hasattr(type(answer), "__await__") else ""


def refuse_deferred(answer: object) -> None:
    """Refuse what a recovery, or a program, has returned in place of doing its work.

    Raises:
        TypeError: It was such; nothing of it was run.
    """
    if what := deferred_answer(answer):
        raise TypeError(f"the function returned {what}, and nothing of it was run")
