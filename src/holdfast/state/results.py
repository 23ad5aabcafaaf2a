"""What the function of an `update` may return, and the slips that are told from it."""

# The parts of plain data are of any type, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["parts_of", "refuse_result"]


def parts_of(value: Any) -> list[Any]:
    """What is right inside a dict or list, which a function might return by mistake."""
    if isinstance(value, dict):
        return list(value.values())
    return value[:] if isinstance(value, list) else []


def refuse_result(result: Any, value: Any, parts: list[Any]) -> None:
    """Refuse a result that is surely a slip; the caller writes nothing then.

    Raises:
        TypeError: a coroutine, or a part of the value, such as `setdefault` and `pop` return: as
            the new value it would delete all the rest.
    """
    if hasattr(result, "__await__"):
        result.close()
        raise TypeError("update() takes a plain function; to await, use doc.aedit()")
    if not isinstance(result, (dict, list)) or result is value:
        return
    if any(result is part for part in [*parts, *parts_of(value)]):
        raise TypeError(
            "the function returned a part of the value, which would replace all of it. Nothing was "
            "written. Return None after a change in place, or a copy of the part if it is meant."
        )
