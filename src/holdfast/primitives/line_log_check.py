"""The check of a line log: reads every file of it, takes no lock and changes nothing.

Text has no checksums, so only what cannot be a line is found: an end without a newline, zeros,
bytes that are not UTF-8, and JSON objects that do not parse in a log of JSON lines. Zeros are what
a power cut leaves of lines that were never acknowledged; they are no damage.
"""

from __future__ import annotations

import os

from holdfast.errors import DecodeError
from holdfast.primitives.check_report import CheckReport, Finding
from holdfast.primitives.line_log_names import TORN, kept_files, look
from holdfast.primitives.line_log_reading import Reader
from holdfast.primitives.line_log_records import LineRecord, holds_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.vfs import VFS

__all__ = ["check_line_log"]

_FINDINGS_MAX = 100


def check_line_log(path: str, *, is_whole: Callable[[bytes], bool], vfs: VFS) -> CheckReport:
    """Return what is found in a log.

    Raises:
        OSError: a file of it cannot be read.
    """
    name = os.path.basename(path)
    findings: list[Finding] = []
    reader = Reader(path, is_whole=is_whole, vfs=vfs)
    try:
        records = _check_lines(reader, findings, is_json=holds_json(name))
        if reader.rest_bytes and len(findings) < _FINDINGS_MAX:
            findings.append(_torn(path, reader))
    finally:
        reader.close()
    size_bytes = _look_beside(path, findings, vfs=vfs)
    return CheckReport(path, "line log", records, size_bytes, tuple(findings))


def _check_lines(reader: Reader, findings: list[Finding], *, is_json: bool) -> int:
    records = 0
    try:
        for record in reader.lines():
            records += 1
            text = record.text
            if "\0" in text or not text.isprintable() or (is_json and text.startswith("{")):
                found = _examine(record, reader.position, is_json=is_json)
                if found is not None and len(findings) < _FINDINGS_MAX:
                    findings.append(found)
    except DecodeError as error:
        findings.append(Finding("damage", error.path, reader.position, str(error)))
    return records


def _examine(record: LineRecord, end: int, *, is_json: bool) -> Finding | None:
    """Say what is wrong with a line, if anything is."""
    text, path = record.text, record.path
    offset = end - len(text.encode("utf-8", "surrogateescape")) - 1
    where = f"{path}: line {record.line}, at byte {offset},"
    if "\0" in text:
        nuls = text.count("\0")
        return Finding(
            "hole",
            path,
            offset,
            f"{where} has {nuls} NUL byte{'s' * (nuls > 1)}, which a power cut leaves of what was "
            "never synced. It is as it was. Readers that cannot do with it must skip it.",
        )
    try:
        text.encode()
        if is_json and text.startswith("{"):
            _ = record.value
    except UnicodeEncodeError:
        wrong = "is not UTF-8"
    except DecodeError:
        wrong = "is no JSON object, though it begins like one"
    else:
        return None
    message = f"{where} {wrong}. It is as it was. Look at it, and mend it in an editor."
    return Finding("damage", path, offset, message)


def _torn(path: str, reader: Reader) -> Finding:
    return Finding(
        "torn",
        path,
        reader.position,
        f"{path}: the last {reader.rest_bytes} bytes have no newline: a line that is being written "
        "now, or what a crash or another program has left. They are as they were. "
        "The next append settles them.",
    )


def _look_beside(path: str, findings: list[Finding], *, vfs: VFS) -> int:
    """Return the size of all files of the log; note what was torn earlier."""
    directory, name = os.path.split(path)
    names = [kept.name for kept in kept_files(path, vfs=vfs)]
    try:
        folder = vfs.folder(directory or os.curdir)
    except FileNotFoundError:
        return 0
    try:
        found = [look(folder, each) for each in names]
        torn = look(folder, name + TORN)
    finally:
        folder.close()
    if torn is not None:
        place = os.path.join(directory, name + TORN)
        message = (
            f"{place}: holds {torn.st_size} bytes that once stood at the end of the log and were "
            "no lines. Nothing depends on it. Look at it, and remove it."
        )
        findings.append(Finding("leftover", place, None, message))
    return sum(info.st_size for info in found if info is not None)
