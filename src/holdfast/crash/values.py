"""What people write on a command line: durations, failures on order, lines of words."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__all__ = ["duration", "fault", "quoted", "words"]

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def duration(text: str) -> float:
    """Seconds: `30`, `30s`, `500ms`, `2m`.

    Raises:
        ValueError: anything else, or nothing at all.
    """
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = _UNITS.get(text[len(number) :] or "s")
    try:
        seconds = float(number) * (unit or 0)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{text!r} is no duration: write 30s, 500ms or 2m")
    return seconds


def fault(text: str) -> tuple[str, int, str]:
    """A failure on order, `CALL:DO[:NTH]`: the call, which one, and what happens to it.

    Raises:
        ValueError: it is not written so.
    """
    call, *rest = text.split(":")
    do = ":".join(rest[:2]) if rest[:1] == ["short"] else "".join(rest[:1])
    counted = rest[2 if rest[:1] == ["short"] else 1 :]
    nth = counted[0] if counted else "1"
    if not call or not do or len(counted) > 1 or not (nth.isascii() and nth.isdecimal()):
        raise ValueError(f"{text!r} is no fault: write CALL:DO[:NTH], such as fsync:EIO:2")
    return call, int(nth), do


def words(text: str) -> list[str]:
    """A line as words, with the quotes of a shell; no shell will see it.

    Raises:
        ValueError: a quote is not closed, or there is no word.
    """
    from shlex import split

    try:
        found = split(text)
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None
    if not found:
        raise ValueError("an empty line is no command")
    return found


def quoted(word: str) -> str:
    """A word as a shell reads it back, on one line: bytes that do not print become escapes."""
    from shlex import quote

    if word.isprintable():
        return quote(word)
    raw = word.encode("utf-8", "surrogateescape")
    plain = {*range(32, 127)} - {*b"\\'"}
    return "$'" + "".join(chr(one) if one in plain else f"\\x{one:02x}" for one in raw) + "'"
