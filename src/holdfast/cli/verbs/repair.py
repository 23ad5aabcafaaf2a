"""`holdfast repair`: what is whole of something damaged, saved elsewhere."""

from __future__ import annotations

import os
from stat import S_ISDIR

from holdfast.cli import exits
from holdfast.cli.exits import CANNOT_CREATE, NO, OK, UNAVAILABLE, Failure
from holdfast.cli.files import named_file, named_path
from holdfast.cli.output import print_json, print_rows
from holdfast.cli.parser import add_color, add_json
from holdfast.cli.progress import Telling
from holdfast.cli.recognition import kind_of
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.cli.recognition import Kind
    from holdfast.primitives.check_report import RepairReport

COMMAND = False
USAGE = "[OPTION...] PATH --to DIR"
SUMMARY = "Save all that is whole of PATH into DIR; PATH is not touched."
ABOUT = """
For the folder of a log, store or journal. The records that are whole are
written to a new one in DIR, with the sequences that they had, and are durable
when this returns. DIR must be missing or empty. Nobody should write to PATH
meanwhile.

Of a store or journal the newest whole checkpoint is taken, and every commit that
follows without a gap: its state is one that there was. Commits behind a gap are
saved in DIR/rest, a plain log, and not applied. If what says whose journal it is
has been lost, name it by --kind and --codec; a store of JSON tells by itself.

Of a file of records DIR is a new file, with each record of which a copy is whole,
under its number. A record that is lost has zeros in all fields there.

Of a file that was patched DIR is a copy: the file with the patch that waits in
its journal, also where the file no longer fits it.

Exit code 1: records are missing, or may be; where, is printed. 65: --kind is
needed. 73: there is something in DIR, or it is in PATH.
"""
EXAMPLES = """
holdfast repair events --to events.repaired
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("path", metavar="PATH", help="the folder of a log, store or journal, or a file")
    add("--to", required=True, metavar="DIR", help="the folder to fill, or the file to make")
    add("--kind", choices=("store", "journal"), metavar="KIND",
        help="store or journal: what PATH is, if its identity is lost")  # fmt: skip
    add("--codec", metavar="NAME", help="of its values, in the same case")
    add_json(parser)
    add_color(parser)


def run(args: Namespace) -> int:
    """Save what can be saved, and print the report.

    Raises:
        Failure: what PATH is, is not repaired by copying; nothing was done.
    """
    path, to = named_path(args.path), named_file(args.to).rstrip("/") or "/"
    kind = kind_of(path, to_repair=True)
    if kind.repair is None:
        message = f"{path}: a {kind.name} is not repaired by copying. It is untouched. "
        raise Failure(message + kind.instead, UNAVAILABLE, path=path)
    _refuse_target(path, to)
    with Telling("repair", f"reading {path} ({kind.name})"):
        try:
            report = _repaired(kind, path, to, args=args)
        except FileExistsError:
            raise _refused(path, to, "is not empty") from None
        except OSError as error:
            if error.filename == os.path.basename(to):  # its folder's descriptor was asked
                error.filename = to
            raise
    if args.as_json:
        print_json(report.as_dict())
    else:
        print_rows(list(_rows(report)), ("FACT", "VALUE"), color=args.color)
    return NO if report.lost else OK


def _repaired(kind: Kind, path: str, to: str, *, args: Namespace) -> RepairReport:
    if args.kind is None and args.codec is None:
        if kind.repair is None:
            raise ValueError(kind.instead)
        return kind.repair(path, to)
    if kind.name not in {"store", "journal"}:
        raise Failure(f"{path}: is a {kind.name}: --kind and --codec are for others", exits.USAGE)
    from holdfast.state.journal_repair import repair_journal

    return repair_journal(path, to, kind=args.kind, codec=args.codec)


def _refuse_target(path: str, to: str) -> None:
    """Refuse what cannot be filled or made, before anything is.

    Raises:
        Failure: it is no folder, or, where a file is to be made, there; or a part of `path`.
    """
    real, source = SYSTEM.resolve(to), SYSTEM.resolve(path)
    if real != source and real.startswith(os.path.join(source, "")):
        reason = f"is inside {path}"
    elif _is_folder(source):
        if _is_folder(real) is not False:
            return
        reason = "is no folder"
    elif _is_folder(real) is not None:
        reason = "is there"
    else:
        return
    raise _refused(path, to, reason)


def _refused(path: str, to: str, reason: str) -> Failure:
    what = "a folder that is missing or empty" if _is_folder(path) else "the name of a new file"
    return Failure(f"{to}: {reason}. Nothing was made. Give {what}.", CANNOT_CREATE, path=to)


def _is_folder(path: str) -> bool | None:
    """Whether it is one; None where nothing is."""
    try:
        return S_ISDIR(SYSTEM.stat(path).st_mode)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return False


def _rows(report: RepairReport) -> Iterator[tuple[str, str]]:
    yield "source", report.source
    yield "target", report.target
    yield "records", str(report.records)
    for note in report.notes:
        yield "note", note
    for loss in report.lost:
        yield "lost", str(loss)
