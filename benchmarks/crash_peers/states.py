"""The states that every peer saves, one after the other."""

from __future__ import annotations

__all__ = ["LAST", "Damaged", "contents", "number", "numbers"]

LAST = 2  # state 0 is there, durably, before the recording begins
_FILL_BYTES = 6000  # more than a page, so that it can be torn


class Damaged(Exception):
    """What is there is no state that was ever saved."""


def contents(n: int) -> str:
    """Return the text of state `n`."""
    return f"{n} " + chr(ord("a") + n) * _FILL_BYTES


def number(text: str) -> int:
    """Return which state this is."""
    for n in range(LAST + 1):
        if text == contents(n):
            return n
    zeros = text.count("\0")
    raise Damaged(f"no state: {len(text)} characters, {zeros} of them NUL")


def numbers(records: list[str]) -> int:
    """Return the last of these states, which must be 0, 1 ... without a gap."""
    found = [number(record) for record in records]
    if found != list(range(len(found))) or not found:
        raise Damaged(f"states {found}: not all from 0 on")
    return found[-1]
