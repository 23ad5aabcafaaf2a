"""`holdfast inspect`: what a path is, who holds it, and what was left beside it."""

from __future__ import annotations

import os
import sys
from stat import S_ISDIR, S_ISFIFO, S_ISREG, S_ISSOCK, filemode

from holdfast.cli.exits import NO, OK, Failure
from holdfast.cli.files import (
    codec_of,
    decode_as,
    holder_of,
    lock_path_of,
    missing,
    named_path,
    read_file,
)
from holdfast.cli.kinds import is_list, is_table
from holdfast.cli.output import human_size, iso_time, print_json, print_rows
from holdfast.cli.parser import add_color, add_json
from holdfast.errors import HoldfastError
from holdfast.primitives.temp import recognise
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.vfs import Folder, Stat

COMMAND = False
USAGE = "[OPTION...] PATH"
SUMMARY = "Say what PATH is, who holds it, and what was left beside it."
ABOUT = """
Prints the kind, size, mode and time of PATH; of a JSON, TOML or YAML file its
keys, or where it does not parse; of a log of lines its files; of a file that was
patched in place the patch that waits in its journal; of a file of records the
layout, how many there are, the sizes of a record and of its place, the highest
generation in the last chunk, and whether its sidecar is there; the lock beside it
and its holder; temporary files of writers that live or were killed; kept old
versions; and what the filesystem promises. Of a log: the first record that is
kept, the last that is written, up to which one they are durable, and how many
after that a power cut may take; its segments. Of a store or journal: kind and
codec, the same of its commits, its checkpoints, and who holds its locks.

Changes nothing and takes no lock. Exit code 1: a document that does not parse,
or a damaged header (`holdfast verify` reads all of it).
"""
EXAMPLES = """
holdfast inspect settings.toml
holdfast inspect --json state.json | jq .lock.holder
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("path", metavar="PATH", help="a file or a folder")
    add_json(parser)
    add_color(parser)


def run(args: Namespace) -> int:
    """Look, and say what was seen."""
    facts = _facts(named_path(args.path))
    if args.as_json:
        print_json(facts)
    else:
        rows = [(name, _text(name, value)) for name, value in _flat(facts)]
        print_rows(rows, ("FACT", "VALUE"), color=args.color)
    parts = ("document", "log", "journal", "store", "patches", "records")
    return NO if any("error" in facts.get(part, {}) for part in parts) else OK


def _facts(path: str) -> dict[str, Any]:
    """Everything that is known, under stable names."""
    real = SYSTEM.resolve(path)
    folder_path, name = os.path.split(real)
    folder = SYSTEM.folder(folder_path)
    try:
        try:
            info = folder.stat(name or os.curdir)
        except FileNotFoundError:
            raise missing(path) from None
        facts = {"path": path, **_of_the_name(real, info)}
        if S_ISREG(info.st_mode):
            facts |= _of_a_file(path, folder, name)
        elif S_ISDIR(info.st_mode):
            facts |= _of_a_folder(real)
    finally:
        folder.close()
    promises = SYSTEM.promises(real)
    return facts | {
        "filesystem": promises.filesystem,
        "weaknesses": list(promises.weaknesses),
    }


def _of_the_name(real: str, info: Stat) -> dict[str, Any]:
    return {
        "target": real,
        "kind": _kind(info.st_mode),
        "size_bytes": info.st_size,
        "mode": filemode(info.st_mode),
        "owner": f"{info.st_uid}:{info.st_gid}",
        "links": info.st_nlink,
        "modified": iso_time(info.st_mtime_ns),
        "modified_ns": info.st_mtime_ns,
    }


_KINDS = (
    (S_ISREG, "file"),
    (S_ISDIR, "folder"),
    (S_ISFIFO, "FIFO"),
    (S_ISSOCK, "socket"),
)


def _kind(mode: int) -> str:
    return next((name for test, name in _KINDS if test(mode)), "device")


def _of_a_file(path: str, folder: Folder, name: str) -> dict[str, Any]:
    from holdfast.state.kept import kept_numbers

    if records := _of_a_record_file(path):
        return {**records, "lock": _lock(path), "leftovers": _leftovers(folder, name)}
    document = _document(path)
    return {
        **({"document": document} if document is not None else {}),
        "lock": _lock(path),
        "leftovers": _leftovers(folder, name),
        "versions": kept_numbers(folder, name),
        **_of_a_patched_file(path),
        **_of_a_line_log(path),
    }


def _of_a_patched_file(path: str) -> dict[str, Any]:
    """What waits in the journal beside it, or why that cannot be told; nothing if there is none."""
    from holdfast.primitives.in_place_check import check_in_place, has_patches

    if not has_patches(path):
        return {}
    try:
        report = check_in_place(path)
    except (HoldfastError, OSError) as error:
        from holdfast.cli.wording import describe

        return {"patches": {"error": describe(error, path)}}
    found = [finding.message for finding in report.findings]
    name = "waiting" if report.ok else "error"
    return {"patches": {name: found[0] if found else None}}


def _of_a_record_file(path: str) -> dict[str, Any]:
    """Its layout and count, or why they cannot be told; nothing for another file."""
    from holdfast.cli.recognition import is_record_file, look_at

    if not is_record_file(look_at(path)):
        return {}
    from holdfast.cli.records import facts_of_file

    try:
        return {"records": facts_of_file(path)}
    except (HoldfastError, OSError) as error:
        from holdfast.cli.wording import describe

        return {"records": {"error": describe(error, path)}}


def _document(path: str) -> dict[str, Any] | None:
    """Format and keys, or why there are none; None where the suffix promises nothing."""
    codec = codec_of(path)
    if codec is None:
        return None
    try:
        value = decode_as(codec, read_file(path), path)
    except (HoldfastError, Failure, OSError) as error:
        from holdfast.cli.wording import describe

        line, column = getattr(error, "line", None), getattr(error, "column", None)
        return {
            "format": codec.name,
            "error": describe(error, path),
            "line": line,
            "column": column,
        }
    if is_table(value):
        return {
            "format": codec.name,
            "type": "table",
            "keys": [str(key) for key in value],
        }
    if is_list(value):
        return {"format": codec.name, "type": "list", "length": len(value)}
    return {"format": codec.name, "type": "value"}


def _lock(path: str) -> dict[str, Any]:
    lock_path = lock_path_of(path)
    try:
        holder = holder_of(lock_path)
    except FileNotFoundError:
        holder = None  # it is made when the lock is first taken
    return {"path": lock_path, "holder": holder and holder._asdict()}


def _leftovers(folder: Folder, name: str | None = None) -> list[str]:
    """Temporary files of living or killed writers, of one target or of all."""
    found = ((entry, recognise(entry)) for entry in sorted(folder.names()))
    return [e for e, left in found if left is not None and name in (None, left.target)]


def _of_a_folder(path: str) -> dict[str, Any]:
    folder = SYSTEM.folder(path)
    try:
        facts: dict[str, Any] = {"leftovers": _leftovers(folder)}
        names = folder.names()
    finally:
        folder.close()
    from holdfast.cli.state_facts import facts_of_state

    return facts | (facts_of_state(path, names) or _of_a_log(path, names))


def _of_a_log(path: str, names: list[str]) -> dict[str, Any]:
    """Its records and segments, or why they cannot be told; nothing for another folder."""
    from holdfast.cli.recognition import is_log

    if not is_log(names):
        return {}
    from holdfast.primitives.log_check import segments_of
    from holdfast.primitives.log_reading import LogReading

    log = LogReading(path, only_durable=True, vfs=SYSTEM)
    try:
        segments = segments_of(path)
        durable, last = log.durable, log.written  # in this order: it is never beyond that
        facts = {
            "first": log.first,
            "last": last,
            "durable": durable,
            "not_durable": last - durable,
            "records": sum(segment.records for segment in segments),
            "size_bytes": sum(segment.size_bytes for segment in segments),
            "segments": [segment._asdict() for segment in segments],
        }
    except (HoldfastError, OSError) as error:
        from holdfast.cli.wording import describe

        facts = {"error": describe(error, path)}
    return {"log": facts}


def _of_a_line_log(path: str) -> dict[str, Any]:
    """The files that belong to it, and whether its end is whole; nothing for another file."""
    from holdfast.cli.recognition import is_line_log, look_at

    if not is_line_log(look_at(path)):
        return {}
    from holdfast.primitives.line_log_names import TORN, kept_files

    real = SYSTEM.resolve(path)
    folder_path, name = os.path.split(real)
    folder = SYSTEM.folder(folder_path)
    try:
        names = [kept.name for kept in kept_files(real, vfs=SYSTEM)]
        facts = {
            "files": names,
            "size_bytes": sum(folder.stat(each).st_size for each in names),
            "ends_with_newline": _ends_with_newline(folder, name),
            "torn": name + TORN if name + TORN in folder.names() else None,
        }
    finally:
        folder.close()
    return {"line_log": facts}


def _ends_with_newline(folder: Folder, name: str) -> bool:
    file = folder.open(name, "read")
    try:
        size = file.stat().st_size
        return not size or file.read(1, offset=size - 1) == b"\n"
    finally:
        file.close()


def _flat(facts: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if is_table(value):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None and value != []:
            yield prefix + name, value


def _text(name: str, value: Any) -> str:
    if is_list(value):
        return ", ".join(str(item["name"] if is_table(item) else item) for item in value)
    if name == "size_bytes" and value >= 1000 and sys.stdout.isatty():
        return f"{value} ({human_size(value)})"
    return str(value)
