"""`holdfast repair`: what is whole of something damaged, saved elsewhere."""

from __future__ import annotations

from holdfast.cli.exits import NO, OK, UNAVAILABLE, Failure
from holdfast.cli.output import print_json, print_rows
from holdfast.cli.parser import add_color, add_json
from holdfast.cli.progress import Telling
from holdfast.cli.recognition import kind_of

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
something in DIR.
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
    with Telling("repair", f"reading {args.path} ({kind.name})"):
        report = kind.repair(args.path, args.to)
    if args.as_json:
        print_json(report.as_dict())
    else:
        print_rows(list(_rows(report)), ("FACT", "VALUE"), color=args.color)
    return NO if report.lost else OK


def _rows(report: RepairReport) -> Iterator[tuple[str, str]]:
    yield "source", report.source
    yield "target", report.target
    yield "records", str(report.records)
    for loss in report.lost:
        yield "lost", f"after record {loss.after_sequence}: {loss.reason}"
