"""What the text codecs share: UTF-8 with a place for each error, and patches of a text."""

from __future__ import annotations

from holdfast.errors import DecodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple, TypeAlias
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Layout", "Patch", "newline_of", "patched", "place_of", "spliced", "text_of"]

Patch: TypeAlias = "tuple[int, int, str]"
"""The characters from start to end give way to a new text."""

_BOM = "\ufeff"


def text_of(data: bytes) -> tuple[str, str]:
    """The byte order mark (or nothing) and the text after it.

    Raises:
        DecodeError: not UTF-8, with line and column of the first wrong byte.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        line, column = place_of(before, len(before))
        reason = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise DecodeError(reason, line=line, column=column) from None
    return (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)


def place_of(text: str, index: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at `index`."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def newline_of(text: str) -> str:
    """The line ending of the first line; a plain line feed where there is none."""
    at = text.find("\n")
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"


def patched(text: str, patches: list[Patch]) -> str:
    """The text with all patches made; they may touch, but not overlap."""
    if len(patches) == 1:
        start, end, new = patches[0]
        return text[:start] + new + text[end:]
    pieces: list[str] = []
    at = 0
    for start, end, new in sorted(patches, key=lambda patch: patch[:2]):
        pieces += (text[at:start], new)
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


class Layout(NamedTuple):
    """How the items between two brackets are written."""

    start: int
    """After the opening bracket."""
    end: int
    """At the closing bracket."""
    separator: str
    before: str
    """Before the first item of a container that was empty."""
    after: str


def spliced(
    layout: Layout, spans: list[tuple[int, int]], splices: list[tuple[int, int, list[str]]]
) -> list[Patch]:
    """The patches that remove and insert items between two brackets; no two splices touch."""
    patches: list[Patch] = []
    count, separator = len(spans), layout.separator
    for index, removed, items in splices:
        joined = separator.join(items)
        if removed == count and not items:
            patches.append((layout.start, layout.end, ""))
        elif not count:
            patches.append((layout.start, layout.end, layout.before + joined + layout.after))
        elif removed == count:
            patches.append((spans[0][0], spans[-1][1], joined))
        elif index + removed == count:
            tail = separator + joined if items else ""
            patches.append((spans[index - 1][1], spans[-1][1], tail))
        else:
            tail = joined + separator if items else ""
            patches.append((spans[index][0], spans[index + removed][0], tail))
    return patches
