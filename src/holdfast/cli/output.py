"""Results: a table on a terminal, tab-separated lines in a pipe, JSON on request."""

from __future__ import annotations

import os
import sys

from holdfast.cli.kinds import is_list, is_table
from holdfast.cli.streams import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Final, TextIO

__all__ = [
    "as_json",
    "bold",
    "human_size",
    "iso_time",
    "one_line",
    "print_json",
    "print_rows",
    "wants_color",
]


def wants_color(stream: TextIO, when: str = "auto") -> bool:
    """Whether to colour: by the option, NO_COLOR, CLICOLOR_FORCE, and whether it is a terminal."""
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def bold(text: str, *, color: bool) -> str:
    """The text, bold where there is colour."""
    return f"\033[1m{text}\033[0m" if color else text


def print_rows(
    rows: Iterable[Sequence[str]], titles: Sequence[str], *, color: str = "auto"
) -> None:
    """Print an aligned table on a terminal; elsewhere tab-separated, without titles, never cut."""
    lines = [[one_line(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in lines:
            show("\t".join(line))
        return
    widths = [max(map(len, column)) for column in zip(titles, *lines, strict=True)]
    head = _aligned(titles, widths)
    show(bold(head, color=wants_color(sys.stdout, color)))
    for line in lines:
        show(_aligned(line, widths))


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{c:<{w}}" for c, w in zip(cells, widths, strict=True)).rstrip()


def one_line(cell: str) -> str:
    r"""Write what would break a line, or steer a terminal, as an escape such as `\t`."""
    if cell.isprintable():
        return cell
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cell)


_WORDS: Final = {True: "true", False: "false", None: "null"}


def as_json(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON; dates and times as ISO 8601, keys as text.

    All but ASCII is escaped where the text holds a lone surrogate, or the output cannot have it.
    """
    if value is None or type(value) in (bool, int):
        return repr(value) if type(value) is int else _WORDS[value]
    import json

    text = json.dumps(_keys_as_text(value), indent=indent, ensure_ascii=False, default=_iso)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(_keys_as_text(value), indent=indent, default=_iso)
    return text


def _keys_as_text(value: Any) -> Any:
    """YAML allows keys that JSON does not, such as dates."""
    if is_table(value):
        return {k if isinstance(k, str) else _key(k): _keys_as_text(v) for k, v in value.items()}
    if is_list(value):
        return [_keys_as_text(item) for item in value]
    return value


def _key(key: Any) -> str:
    return _iso(key) if hasattr(key, "isoformat") else as_json(key)


def _iso(value: Any) -> str:
    return str(value.isoformat())


def print_json(value: Any) -> None:
    """Print one document; on one line in a pipe, indented on a terminal."""
    show(as_json(value, indent=2 if sys.stdout.isatty() else None))


def human_size(size_bytes: int) -> str:
    """`1.2 kB`: decimal units, as disks are sold."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} TB"


def iso_time(time_ns: int) -> str:
    """A file's time as ISO 8601 in UTC."""
    from time import gmtime, strftime

    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(time_ns // 10**9)) + "Z"
