"""What the demonstration found, a row a promise; and the table at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Row", "render", "total_lost"]


class Row(NamedTuple):
    """One line: `tried` things, `lost` of them not kept; the recipe beside is not `ours`."""

    what: str
    tried: int
    lost: int
    note: str = ""
    ours: bool = True


def total_lost(rows: Sequence[Row]) -> int:
    """Return what holdfast lost; the usual recipe does not count."""
    return sum(row.lost for row in rows if row.ours)


def render(rows: Sequence[Row]) -> str:
    """Return the table; at most 80 columns where the notes allow."""
    width = max(len(row.what) for row in rows)
    lines = [f"  {'what was tried':<{width}}  {'times':>7}  {'lost':>6}"]
    lines.append(f"  {'-' * width}  {'-' * 7}  {'-' * 6}")
    for row in rows:
        note = f"  {row.note}" if row.note else ""
        lines.append(f"  {row.what:<{width}}  {row.tried:>7,}  {row.lost:>6,}{note}")
    return "\n".join(lines)
