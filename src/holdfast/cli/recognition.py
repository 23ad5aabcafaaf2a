"""What a path holds, found by looking at it: for the verbs that work on more than one format.

A format that is added gets a line in `KINDS`.
"""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISREG

from holdfast.cli.exits import NO_INPUT, Failure
from holdfast.cli.files import missing, named_file
from holdfast.cli.states import kind_of_state, may_have_lost_identity
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final, NamedTuple

    from holdfast.primitives.check_report import CheckReport, RepairReport
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "KINDS",
    "Kind",
    "Look",
    "is_line_log",
    "is_log",
    "is_record_file",
    "kind_of",
    "look_at",
    "visible",
]

_HEAD_BYTES: Final = 4096
_FILES: Final = (
    ", a file of records, a log of lines (.log, .jsonl, .ndjson)"
    " or a document (.json, .toml, .yaml)"
)
_BINARY: Final = bytes({*range(1, 7), *range(14, 27), *range(28, 32), 127})
"""What no text holds. NUL is not among them: a power cut leaves zeros in a log of lines."""


class Look(NamedTuple):
    """What is seen of a path: the names in a folder, or how a file begins; of others nothing."""

    path: str
    names: tuple[str, ...] | None
    head: bytes | None


class Kind(NamedTuple):
    """A format: how it is recognised, checked and repaired.

    `repair` takes the path and the folder to fill; where it is None, `instead` says what to do.
    """

    name: str
    fits: Callable[[Look], bool]
    check: Callable[[str], CheckReport]
    repair: Callable[[str, str], RepairReport] | None
    instead: str = ""


def kind_of(path: str, *, to_repair: bool = False) -> Kind:
    """The format of what is at a path.

    Args:
        path: of it.
        to_repair: take what may be a journal that has lost its identity for one.

    Raises:
        Failure: there is nothing, or nothing of ours.
    """
    seen = look_at(named_file(path))
    for kind in KINDS:
        if kind.fits(seen):
            return kind
    if seen.names is not None and may_have_lost_identity(path, seen.names):
        if to_repair:
            return _JOURNAL
        raise Failure(
            f"{path}: has a log inside, and no file `journal`, which would say whose. It is"
            f" untouched. If that was lost, save the store or journal by `holdfast repair"
            f" --kind`; if there was none, give {path}/log.",
            NO_INPUT,
            path=path,
        )
    files = "" if to_repair else _FILES
    raise Failure(
        f"{path}: is of no kind that can be {'repaired' if to_repair else 'verified'}. It is"
        f" untouched. Give the folder of a log, store or journal{files}.",
        NO_INPUT,
        path=path,
    )


def look_at(path: str) -> Look:
    """See what is there.

    Raises:
        Failure: nothing is.
    """
    try:
        mode = SYSTEM.stat(path).st_mode
    except FileNotFoundError:
        raise missing(path) from None
    if not S_ISDIR(mode):
        return Look(path, None, _head(path) if S_ISREG(mode) else None)
    folder = SYSTEM.folder(path, readable=True)
    try:
        return Look(path, tuple(folder.names()), None)
    finally:
        folder.close()


def _head(path: str) -> bytes:
    folder_path, name = os.path.split(SYSTEM.resolve(path))
    folder = SYSTEM.folder(folder_path)
    try:
        file = folder.open(name, "read")
        try:
            return file.read(_HEAD_BYTES)
        finally:
            file.close()
    finally:
        folder.close()


def is_log(names: Iterable[str]) -> bool:
    """Whether a folder with these names is a log: it has segments, or is about to get the first."""
    from holdfast.formats.log_format import first_of

    found = visible(names)
    return found == ["lock"] or any(first_of(name) is not None for name in found)


def visible(names: Iterable[str]) -> list[str]:
    """These names without those of temporary files, which come and go."""
    from holdfast.primitives.temp import recognise

    return [name for name in names if recognise(name) is None]


def _is_log_folder(seen: Look) -> bool:
    return seen.names is not None and (is_log(seen.names) or not visible(seen.names))


def _is_store(seen: Look) -> bool:
    return seen.names is not None and kind_of_state(seen.path, seen.names) == "store"


def _is_journal(seen: Look) -> bool:
    return seen.names is not None and kind_of_state(seen.path, seen.names) == "journal"


def is_line_log(seen: Look) -> bool:
    """Whether a file is a log of lines: by its suffix, and, where that is `.log`, by its text."""
    from holdfast.primitives.line_log_records import holds_json

    if seen.head is None:
        return False
    if holds_json(seen.path):
        return True
    stem, suffix = os.path.splitext(seen.path)
    if suffix[1:].isdecimal():  # an old one, such as `app.log.1`
        suffix = os.path.splitext(stem)[1]
    return suffix == ".log" and seen.head.translate(None, _BINARY) == seen.head


def _is_document(seen: Look) -> bool:
    from holdfast.cli.files import codec_of

    return seen.head is not None and codec_of(seen.path) is not None


def is_record_file(seen: Look) -> bool:
    """Whether a file is one of records, perhaps a damaged one: by how it begins."""
    from holdfast.formats import record_format

    return seen.head is not None and record_format.is_record_file(seen.head)


def _check_records(path: str) -> CheckReport:
    from holdfast.primitives.record_check import check_records

    return check_records(path)


def _repair_records(path: str, to: str) -> RepairReport:
    from holdfast.primitives.record_repair import repair_records

    return repair_records(path, to)


def _is_patched(seen: Look) -> bool:
    from holdfast.primitives.in_place_check import has_patches

    return seen.head is not None and has_patches(seen.path)


def _check_patched(path: str) -> CheckReport:
    from holdfast.primitives.in_place_check import check_in_place

    return check_in_place(path)


def _repair_patched(path: str, to: str) -> RepairReport:
    from holdfast.primitives.in_place_check import repair_in_place

    return repair_in_place(path, to)


def _check_log(path: str) -> CheckReport:
    from holdfast.primitives.log_check import check_log

    return check_log(path)


def _repair_log(path: str, to: str) -> RepairReport:
    from holdfast.primitives.log_repair import repair_log

    return repair_log(path, to)


def _check_journal(path: str) -> CheckReport:
    from holdfast.state.journal_check import check_journal

    return check_journal(path, vfs=SYSTEM)


def _repair_journal(path: str, to: str) -> RepairReport:
    from holdfast.state.journal_repair import repair_journal

    return repair_journal(path, to, vfs=SYSTEM)


def _check_line_log(path: str) -> CheckReport:
    from holdfast.primitives.line_log import LineLog

    with LineLog(path) as log:
        return log.check()._replace(path=path)


def _check_document(path: str) -> CheckReport:
    from holdfast.cli.files import codec_of, decode_as, read_file
    from holdfast.errors import DecodeError
    from holdfast.primitives.check_report import CheckReport, Finding

    codec, data = codec_of(path), read_file(path)
    if codec is None:
        raise ValueError(f"{path}: the suffix names no format")
    findings: tuple[Finding, ...] = ()
    try:
        decode_as(codec, data, path)
    except DecodeError as error:
        message = f"{error}. It is untouched. Mend it in an editor, or take an older version."
        findings = (Finding("damage", path, None, message),)
    return CheckReport(path, f"{codec.name} document", 1, len(data), findings)


_JOURNAL: Final = Kind("journal", _is_journal, _check_journal, _repair_journal)
KINDS: Final = (
    Kind("store", _is_store, _check_journal, _repair_journal),
    _JOURNAL,
    Kind("log", _is_log_folder, _check_log, _repair_log),
    Kind("record file", is_record_file, _check_records, _repair_records),
    Kind("patched file", _is_patched, _check_patched, _repair_patched),
    Kind("line log", is_line_log, _check_line_log, None,
         "The next append settles a torn end; mend other lines in an editor."),
    Kind("document", _is_document, _check_document, None,
         "Mend it in an editor, or take an older version: `holdfast inspect` lists them."),
)  # fmt: skip
"""The formats, in the order in which they are tried."""
