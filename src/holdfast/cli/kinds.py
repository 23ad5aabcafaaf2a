"""Tables and lists among decoded values, told apart in a way that the type checkers follow."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard


__all__ = ["is_list", "is_table"]


def is_table(value: Any) -> TypeGuard[dict[Any, Any]]:
    """Whether it is a JSON object, a TOML table, a YAML mapping."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether it is a list."""
    return isinstance(value, list)
