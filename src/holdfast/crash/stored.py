"""A recording as a file: docs/reference/crash-recording.md says how it is laid out.

What `load` returns, `save` was given. A file that was cut, damaged or made up is refused with the
place of the first byte that is wrong; it is never run, and costs no more memory than a few times
its size.
"""

from __future__ import annotations

import os
from binascii import crc32
from json import dumps, loads
from typing import TYPE_CHECKING, Any

from holdfast.crash.recording import Call, Recording, Site
from holdfast.crash.stored_values import (
    NUMBER_MAX,
    inode_json,
    json_of,
    number_of,
    read_inode,
    read_operation,
    text_of,
    texts_of,
)
from holdfast.crash.validity import Validity, tree_complaint
from holdfast.errors import Corruption, UnknownFormat
from holdfast.primitives.replace import write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.vfs.operations import Node, Operation

__all__ = ["MAGIC", "STORED_MAX_BYTES", "decode", "encode", "load", "save"]

MAGIC = b"holdfast-recording 1\n"
STORED_MAX_BYTES = 2 << 30
_SECTIONS = ("head", "before", "call", "operation", "after", "end")


def save(recording: Recording, path: str | os.PathLike[str]) -> None:
    """Write a recording; after a crash the file is the old one or the new one.

    Raises:
        OSError: It could not be written; a file that was there is as it was.
    """
    write_bytes(path, encode(recording))


def encode(recording: Recording) -> bytes:
    """Return the contents of the file."""
    pieces, check, count = [MAGIC], crc32(MAGIC), 0
    for count, line in enumerate(_lines(recording), 1):  # noqa: B007 - counts the lines
        text = dumps(line, separators=(",", ":")).encode("ascii")
        check = crc32(text, check)
        pieces.append(b"%08x %s\n" % (check, text))
    text = dumps(["end", count], separators=(",", ":")).encode("ascii")
    pieces.append(b"%08x %s\n" % (crc32(text, check), text))
    return b"".join(pieces)


def load(path: str | os.PathLike[str]) -> Recording:
    """Read a recording.

    Raises:
        UnknownFormat: It is no recording, or one of a version that is not known; it is untouched.
        Corruption: It was cut or damaged, or says what cannot be; it is untouched.
        OSError: It cannot be read.
    """
    name = os.fspath(path)
    with open(name, "rb") as file:
        data = file.read(STORED_MAX_BYTES + 1)
    return decode(data, path=name)


def decode(data: bytes, *, path: str) -> Recording:
    """Read the contents of a file; `path` is for the errors.

    Raises:
        UnknownFormat: It is no recording, or one of a version that is not known.
        Corruption: It was cut or damaged, or says what cannot be.
    """
    reader = _Reader(path)
    if not data.startswith(MAGIC):
        raise _unknown(path, data)
    if len(data) > STORED_MAX_BYTES:
        raise reader.corrupt(0, f"more than {STORED_MAX_BYTES} bytes")
    return reader.read(data)


# What is written.


def _lines(recording: Recording) -> Iterator[list[object]]:
    yield ["head", recording.recorder, recording.status, list(recording.notes)]
    for inode, node in recording.before.items():
        yield ["before", inode, *inode_json(node)]
    for call in recording.calls:
        sites = [[site.path, site.line, site.function] for site in call.sites]
        yield ["call", call.number, call.text, call.process, call.thread, call.error, sites]
    for operation, origin in zip(recording.operations, recording.origins, strict=True):
        fields = [json_of(value) for value in operation]
        yield ["operation", origin, type(operation).__name__, *fields]
    for inode, node in recording.after.items():
        same = recording.before.get(inode) == node
        yield ["after", inode] if same else ["after", inode, *inode_json(node)]


# What is read.


def _unknown(path: str, data: bytes) -> UnknownFormat:
    first = MAGIC.partition(b" ")[0] + b" "
    what = "a recording of another version" if data.startswith(first) else "not a recording"
    return UnknownFormat(
        f"{path}: {what}. It is untouched. Record the program again with this version.",
        path=path,
        offset=0,
        expected=MAGIC,
        found=data[: len(MAGIC)],
    )


class _Reader:
    """Reads one file; the first thing that is wrong ends it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._section = 0
        self._head: tuple[str, int, tuple[str, ...]] = ("", 0, ())
        self._before: dict[int, Node] = {}
        self._after: dict[int, Node] = {}
        self._calls: list[Call] = []
        self._operations: list[Operation] = []
        self._origins: list[int] = []
        self._validity: Validity | None = None
        self._count = 0

    def corrupt(self, offset: int, what: str) -> Corruption:
        """Make the error."""
        return Corruption(
            f"{self._path}: damaged at byte {offset}: {what}. It is untouched. Record the program "
            "again, or fetch the file again.",
            path=self._path,
            offset=offset,
        )

    def read(self, data: bytes) -> Recording:
        """Read all lines behind the first."""
        offset, check = len(MAGIC), crc32(MAGIC)
        while offset < len(data):
            stop = data.find(b"\n", offset)
            if stop < 0:
                raise self.corrupt(offset, "the line has no end")
            text = data[offset + 9 : stop]
            check = crc32(text, check)
            if data[offset : offset + 9] != b"%08x " % check:
                raise self.corrupt(offset, "the checksum does not fit")
            try:
                self._line(loads(text))
            except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
                raise self.corrupt(offset, str(error) or type(error).__name__) from error
            offset = stop + 1
        if _SECTIONS[self._section] != "end":
            raise self.corrupt(offset, "it ends too early")
        recorder, status, notes = self._head
        return Recording(
            before=self._before,
            operations=tuple(self._operations),
            origins=tuple(self._origins),
            calls=tuple(self._calls),
            after=self._after,
            status=status,
            recorder=recorder,
            notes=notes,
        )

    def _line(self, line: Any) -> None:
        section = _SECTIONS.index(line[0])
        if section < self._section or _SECTIONS[self._section] == "end":
            raise ValueError(f"a line {line[0]!r} in the wrong place")
        if section and not self._count:
            raise ValueError("the head is missing")
        self._enter(section)
        read = {
            "head": self._read_head,
            "before": self._read_before,
            "call": self._read_call,
            "operation": self._read_operation,
            "after": self._read_after,
            "end": self._read_end,
        }
        read[line[0]](line[1:])
        self._count += 1

    def _enter(self, section: int) -> None:
        """Check what is complete when a new section begins."""
        leaves_before = self._section <= _SECTIONS.index("before") < section
        self._section = section
        if leaves_before:
            if (complaint := tree_complaint(self._before)) is not None:
                raise ValueError(complaint)
            self._validity = Validity(self._before)
        if _SECTIONS[section] == "end" and (complaint := tree_complaint(self._after)) is not None:
            raise ValueError(complaint)

    def _read_head(self, fields: Any) -> None:
        recorder, status, notes = fields
        if self._count:
            raise ValueError("two heads")
        self._head = (text_of(recorder), number_of(status, low=-NUMBER_MAX), texts_of(notes))

    def _read_before(self, fields: Any) -> None:
        inode = number_of(fields[0], low=1)
        if inode in self._before:
            raise ValueError(f"inode {inode} twice")
        self._before[inode] = read_inode(fields[1:])

    def _read_call(self, fields: Any) -> None:
        number, text, process, thread, error, sites = fields
        made = tuple(
            Site(text_of(path), number_of(line), text_of(name)) for path, line, name in sites
        )
        self._calls.append(
            Call(
                number_of(number),
                text_of(text),
                number_of(process),
                number_of(thread),
                made,
                None if error is None else text_of(error),
            )
        )

    def _read_operation(self, fields: Any) -> None:
        origin = number_of(fields[0])
        if origin >= len(self._calls):
            raise ValueError(f"there is no call {origin}")
        operation = read_operation(fields[1], fields[2:])
        if self._validity is not None:
            complaint = self._validity.complaint(operation)
            if complaint is not None:
                raise ValueError(complaint)
        self._operations.append(operation)
        self._origins.append(origin)

    def _read_after(self, fields: Any) -> None:
        inode = number_of(fields[0], low=1)
        if inode in self._after:
            raise ValueError(f"inode {inode} twice")
        same = len(fields) == 1
        self._after[inode] = self._before[inode] if same else read_inode(fields[1:])

    def _read_end(self, fields: Any) -> None:
        (count,) = fields
        if number_of(count) != self._count:
            raise ValueError(f"{self._count} lines instead of {count}")
