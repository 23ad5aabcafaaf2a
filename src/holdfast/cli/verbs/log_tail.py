"""`holdfast log tail`: the last records of a log, and those that come."""

from __future__ import annotations

from holdfast.cli import exits
from holdfast.cli.exits import OK, Failure
from holdfast.cli.logs import Printer, add_forms, add_written, log_to_read, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] DIR"
SUMMARY = "Print the last records of the log in DIR; with -f, also those that come."
ABOUT = """
Prints as `holdfast log cat`. With -f it goes on until a signal ends it, across
segments; each record is printed as soon as it is durable (with --written: as
soon as it is written).
"""
EXAMPLES = """
holdfast log tail -n 3 events
holdfast log tail -f --jsonl events
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the log")
    add("-n", type=number, default=10, dest="count", metavar="N",
        help="how many (default 10)")  # fmt: skip
    add("-f", "--follow", action="store_true", help="wait for more")
    add_forms(parser, whole=True)
    add_written(parser)


def run(args: Namespace) -> int:
    """Read from near the end, and perhaps wait.

    Raises:
        Failure: words that exclude each other.
    """
    if args.follow and args.as_json:
        raise Failure("with -f there is no end: choose --jsonl", exits.USAGE)
    printer = Printer(args)
    log = log_to_read(args)
    start = max(log.first, log.last - args.count + 1)
    last = printer.add(log.read(start))
    if args.follow:
        printer.add(log.follow(start if last is None else last + 1), at_once=True)
    printer.end()
    return OK
