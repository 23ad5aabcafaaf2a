"""`holdfast repair`: what is whole of something damaged, saved elsewhere."""

from __future__ import annotations

import os
from stat import S_ISDIR

from holdfast.cli.exits import CANNOT_CREATE, NO, OK, UNAVAILABLE, Failure
from holdfast.cli.files import named_file
from holdfast.cli.output import print_json, print_rows
from holdfast.cli.parser import add_color, add_json
from holdfast.cli.progress import Telling
from holdfast.cli.recognition import kind_of
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.primitives.check_report import RepairReport

COMMAND = False
USAGE = "[OPTION...] PATH --to DIR"
SUMMARY = "Save all that is whole of PATH into DIR; PATH is not touched."
ABOUT = """
For the folder of a log. The records that are whole are written to a new log in
DIR, with the sequences that they had, and are durable when this returns. DIR
must be missing or empty. Nobody should append to PATH meanwhile.

Exit code 1: records are missing, or may be; where, is printed. 73: there is
something in DIR, or it is in PATH.
"""
EXAMPLES = """
holdfast repair events --to events.repaired
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("path", metavar="PATH", help="the folder of a log")
    parser.add_argument("--to", required=True, metavar="DIR", help="the folder to fill")
    add_json(parser)
    add_color(parser)


def run(args: Namespace) -> int:
    """Save what can be saved, and print the report.

    Raises:
        Failure: what PATH is, is not repaired by copying; nothing was done.
    """
    kind = kind_of(args.path)
    if kind.repair is None:
        message = f"{args.path}: a {kind.name} is not repaired by copying. It is untouched. "
        raise Failure(message + kind.instead, UNAVAILABLE, path=args.path)
    _refuse_target(args.path, args.to)
    with Telling("repair", f"reading {args.path} ({kind.name})"):
        try:
            report = kind.repair(args.path, args.to)
        except OSError as error:
            if error.filename == os.path.basename(args.to):  # its folder's descriptor was asked
                error.filename = args.to
            raise
    if args.as_json:
        print_json(report.as_dict())
    else:
        print_rows(list(_rows(report)), ("FACT", "VALUE"), color=args.color)
    return NO if report.lost else OK


def _refuse_target(path: str, to: str) -> None:
    """Refuse what cannot be filled, before anything is made.

    Raises:
        Failure: it is no folder, or a part of what is to be saved.
    """
    real, source = SYSTEM.resolve(named_file(to)), SYSTEM.resolve(path)
    if real != source and real.startswith(os.path.join(source, "")):
        reason = f"is inside {path}"
    elif not _may_be_a_folder(real):
        reason = "is no folder"
    else:
        return
    message = f"{to}: {reason}. Nothing was made. Give a folder that is missing or empty."
    raise Failure(message, CANNOT_CREATE, path=to)


def _may_be_a_folder(path: str) -> bool:
    try:
        return S_ISDIR(SYSTEM.stat(path).st_mode)
    except FileNotFoundError:
        return True
    except NotADirectoryError:
        return False


def _rows(report: RepairReport) -> Iterator[tuple[str, str]]:
    yield "source", report.source
    yield "target", report.target
    yield "records", str(report.records)
    for loss in report.lost:
        yield "lost", f"after record {loss.after_sequence}: {loss.reason}"
