"""How calls, losses and models read in a report."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from holdfast.vfs.micro import Attribute, Block, Entry, Move, Shrink, Size, Swap, ZeroTail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.crash.explorer.cases import Outcome
    from holdfast.crash.recording import Call, Site
    from holdfast.vfs.micro import Micro, Model

__all__ = [
    "MODEL_WORDS",
    "function_key",
    "headline",
    "is_python",
    "label",
    "losses",
    "normalised",
    "place",
    "plain",
    "plural",
    "site_key",
]

MODEL_WORDS: dict[Model, str] = {
    "prefix": "a kill alone does it (kill -9, no power cut needed)",
    "linux": "a power cut does it, on the filesystems of Linux",
    "posix": "a power cut does it, where a filesystem gives no more than POSIX promises",
}
_TITLE_CHARACTERS = 76
_MESSAGE = re.compile(r"(?=\S).*?(Error|Exception)( \[\w+\])?: |\w*(Error|Exception)$|panic: ")
_RUST_PANIC = re.compile(r"thread '.*'( \(\d+\))? panicked at .*:$")
_RANDOM = re.compile(
    r"(?<![\w.])/(?:tmp|var/tmp|dev/shm)/[^/\s'\":,;)]+"  # a folder or file of its own
    r"|\btmp[a-z0-9_]{8}\b"  # as Python's tempfile names them
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*[0-9])[0-9a-f]{8,}\b",
    re.IGNORECASE,
)
_LIBRARY = re.compile(r"[/\\](lib(64)?[/\\]python[0-9.]*|site-packages|dist-packages)[/\\]")


def plain(text: str) -> str:
    """Return the text with what is no character to print written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text
    )


def plural(count: int, noun: str) -> str:
    """Count a noun."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def headline(outcome: Outcome) -> str:
    """Return the line of what the check said that tells most, as a title."""
    lines = [line.rstrip() for line in outcome.said.splitlines() if line.strip()]
    if not lines:
        line = f"the check {outcome.kind}"
    else:
        line = _message_of(lines) if outcome.is_stderr else lines[0]
    line = line.strip().removeprefix("AssertionError: ")
    return line if len(line) <= _TITLE_CHARACTERS else line[: _TITLE_CHARACTERS - 4] + " ..."


def _message_of(lines: list[str]) -> str:
    """The message on the standard error of a program that gave up, in whatever language."""
    traces = [n for n, line in enumerate(lines) if line.startswith("Traceback (most recent")]
    behind = lines[traces[-1] + 1 :] if traces else lines
    if traces:  # Python: the frames are indented, the exception is not
        return next((line for line in behind if not line[0].isspace()), lines[-1])
    for number, line in enumerate(lines):
        if _RUST_PANIC.match(line) and number + 1 < len(lines):
            return lines[number + 1]
        if _MESSAGE.match(line):
            return line
    return next((line for line in reversed(lines) if not line[0].isspace()), lines[-1])


def normalised(said: str) -> str:
    """Return the text with what may differ between two showings of one bug taken out."""
    return re.sub(r"[0-9]+", "#", _RANDOM.sub("#", said))


def short_path(path: str) -> str:
    """A path of the program, relative to the current folder or by its last two names."""
    here = os.path.join(os.getcwd(), "")
    if path.startswith(here):
        return path[len(here) :]
    return "/".join(path.split("/")[-2:]) if path.startswith("/") else path


def place(call: Call) -> str:
    """Say where the call stands; for one inside a library, who called that too."""
    if not call.sites:
        return ""
    first = call.sites[0]
    text = _site(first)
    if _LIBRARY.search(first.path):
        own = next((site for site in call.sites if not _LIBRARY.search(site.path)), None)
        text += f" < {_site(own)}" if own is not None else ""
    return text


def _site(site: Site) -> str:
    return f"{short_path(site.path)}:{site.line}" if site.line else short_path(site.path)


def is_python(call: Call) -> bool:
    """Whether the call is known to come from Python: by the names of its lines."""
    return any(site.path.endswith(".py") or site.function == "<module>" for site in call.sites)


def label(call: Call) -> str:
    """Name a call with its number and place, for a sentence."""
    where = place(call)
    return f"#{call.number} {call.text}" + (f" ({where})" if where else "")


def site_key(call: Call) -> str:
    """What two executions of one line have in common."""
    if call.sites:
        return f"{call.sites[0].path}:{call.sites[0].line}"
    return normalised(call.text)


def function_key(call: Call) -> str:
    """The function of the program that made the call: where one change mends several lines."""
    own = next((site for site in call.sites if not _LIBRARY.search(site.path)), None)
    site = own or (call.sites[0] if call.sites else None)
    return normalised(call.text) if site is None else f"{site.path}:{site.function}"


def losses(micros: Iterable[Micro]) -> str:
    """Say what of one operation did not survive."""
    return ", ".join(dict.fromkeys(_merged(micros)))


def _merged(micros: Iterable[Micro]) -> list[str]:
    words: list[str] = []
    start = stop = -1
    for micro in micros:
        if isinstance(micro, Block):
            if micro.offset != stop:
                start = micro.offset
            else:
                words.pop()
            stop = micro.offset + len(micro.data)
            words.append(f"bytes {start}..{stop - 1}")
        else:
            words.append(_loss(micro))
    return words


def _loss(micro: Micro) -> str:
    match micro:
        case Size() | Shrink():
            return f"the size of {micro.size}"
        case ZeroTail():
            return f"the zeros at {micro.start}..{micro.stop - 1}"
        case Attribute():
            return f"its {micro.name}"
        case Entry(inode=None):
            return f"the removal of the name {micro.name!r}"
        case Entry():
            return f"the name {micro.name!r}"
        case Move():
            return f"the move of {micro.name!r} to {micro.to_name!r}"
        case Swap():
            return f"the exchange of {micro.name!r} and {micro.to_name!r}"
        case Block():
            return f"bytes {micro.offset}..{micro.offset + len(micro.data) - 1}"
