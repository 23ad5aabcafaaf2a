"""The log of strace(1), as calls. Pure.

Made for `strace -f -y -xx -o`: all strings and paths are hexadecimal, so that no character of a
program's data can be taken for the log's own. A call that another thread's interrupted
(`<unfinished ...>`, `<... resumed>`) is joined, and stands where it ended.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "AT_FDCWD",
    "Descriptor",
    "Ended",
    "Finished",
    "births_in",
    "descriptor_of",
    "flags_of",
    "number_of",
    "read_log",
    "text_of",
    "vectors_of",
]

AT_FDCWD: Final = -100

_LINE: Final = re.compile(r"(\d+) +(.*)", re.DOTALL)
_CALL: Final = re.compile(r"(\w+)\((.*)\) += (0x[0-9a-f]+|-?\d+|\?)(.*)", re.DOTALL)
_RESUMED: Final = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_ENDED: Final = re.compile(r"\+\+\+ (?:exited with (\d+)|killed by (\w+).*) \+\+\+")
_UNFINISHED: Final = " <unfinished ...>"
_PIECE: Final = re.compile(r'"[^"]*"|[\[\](){},]')
_DESCRIPTOR: Final = re.compile(r"(-?\d+|AT_FDCWD)(?:<((?:\\x[0-9a-f]{2})*)>)?(\(deleted\))?")
_TEXT: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_VECTOR: Final = re.compile(r'iov_base="((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_BIRTH: Final = frozenset({"clone", "clone3", "fork", "vfork"})


class Descriptor(NamedTuple):
    """A descriptor, and what it leads to: a path, or `pipe:[1]` and the like."""

    number: int
    path: bytes
    is_deleted: bool


class Finished(NamedTuple):
    """A call that returned. `error` is the name of its errno; `rest` stands behind the result."""

    thread: int
    name: str
    arguments: tuple[str, ...]
    result: int
    error: str | None
    rest: str = ""


class Ended(NamedTuple):
    """A thread that is gone: its exit code, or its signal's name."""

    thread: int
    status: int | str


def read_log(lines: Iterable[str]) -> Iterator[Finished | Ended]:
    """Yield the calls and ends of threads, in the order in which they were seen to finish.

    Raises:
        ValueError: a line is of another shape; calls may be missing.
    """
    waiting: dict[int, str] = {}
    for line in lines:
        match = _LINE.fullmatch(line.rstrip("\n"))
        if match is None:
            raise ValueError(f"not a line of a log: {line[:100]!r}")
        thread, text = int(match[1]), match[2]
        if text.startswith("+++ "):
            waiting.pop(thread, None)
            yield from _ended(thread, text)
        elif text.startswith("--- "):
            continue
        elif text.endswith(_UNFINISHED):
            waiting[thread] = text.removesuffix(_UNFINISHED)
        else:
            yield from _finished(thread, _joined(thread, text, waiting))


def _joined(thread: int, text: str, waiting: dict[int, str]) -> str:
    resumed = _RESUMED.fullmatch(text)
    if resumed is None:
        return text
    begun = waiting.pop(thread, f"{resumed[1]}(")
    return begun + resumed[2]


def _ended(thread: int, text: str) -> Iterator[Ended]:
    if match := _ENDED.fullmatch(text):
        yield Ended(thread, int(match[1]) if match[1] else match[2])


def _finished(thread: int, text: str) -> Iterator[Finished]:
    match = _CALL.fullmatch(text)
    if match is None:
        raise ValueError(f"not a call: {text[:100]!r}")
    name, arguments, result, rest = match.groups()
    if result == "?":  # it never returned: exit, or the thread was killed inside
        return
    value = number_of(result)
    error = rest.split()[0] if value == -1 and rest.split() else None
    yield Finished(thread, name, _arguments(arguments), value, error, rest)


def _arguments(text: str) -> tuple[str, ...]:
    """Cut at the commas that are in no bracket and in no string."""
    found: list[str] = []
    depth = start = 0
    for piece in _PIECE.finditer(text):
        letter = piece[0]
        if letter in {"(", "[", "{"}:
            depth += 1
        elif letter in {")", "]", "}"}:
            depth -= 1
        elif letter == "," and not depth:
            found.append(text[start : piece.start()].strip())
            start = piece.end()
    last = text[start:].strip()
    return (*found, last) if last or found else ()


def births_in(calls: Iterable[Finished | Ended]) -> Iterator[tuple[int, int, frozenset[str]]]:
    """Yield (child, parent, flags) of each thread that another made."""
    for call in calls:
        if isinstance(call, Finished) and call.name in _BIRTH and call.result > 0:
            words = re.findall(r"CLONE_\w+", " ".join(call.arguments))
            yield call.result, call.thread, frozenset(words)


def descriptor_of(argument: str) -> Descriptor:
    """Read a descriptor.

    Raises:
        ValueError: it is none.
    """
    match = _DESCRIPTOR.fullmatch(argument)
    if match is None:
        raise ValueError(f"not a descriptor: {argument[:100]!r}")
    number = AT_FDCWD if match[1] == "AT_FDCWD" else int(match[1])
    return Descriptor(number, _bytes(match[2] or ""), bool(match[3]))


def text_of(argument: str) -> bytes:
    """Read a string.

    Raises:
        ValueError: it is none, or was cut off.
    """
    match = _TEXT.fullmatch(argument)
    if match is None:
        raise ValueError(f"not a whole string: {argument[:100]!r}")
    return _bytes(match[1])


def vectors_of(argument: str) -> bytes:
    """Read the strings of a list of vectors, as one.

    Raises:
        ValueError: one was cut off.
    """
    found: list[bytes] = []
    for data, cut in _VECTOR.findall(argument):
        if cut:
            raise ValueError("not a whole string")
        found.append(_bytes(data))
    if argument.count("iov_base=") - argument.count("iov_base=NULL") != len(found):
        raise ValueError(f"not a list of strings: {argument[:100]!r}")
    return b"".join(found)


def flags_of(argument: str) -> frozenset[str]:
    """Read names that are joined by `|`."""
    return frozenset(argument.split("|"))


def number_of(argument: str) -> int:
    """Read a number: decimal, hexadecimal, or octal as modes are; names beside it are left out.

    Raises:
        ValueError: there is none.
    """
    word = next((part for part in argument.split("|") if part.lstrip("-")[:1].isdecimal()), "")
    if word.startswith("0") and word[1:].isdecimal():
        return int(word, 8)
    return int(word, 0)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
