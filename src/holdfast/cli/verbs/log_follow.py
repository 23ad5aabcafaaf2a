"""`holdfast log follow`: every record of a log, and those that come."""

from __future__ import annotations

from holdfast.cli.exits import OK
from holdfast.cli.files import missing, named_file
from holdfast.cli.logs import Printer, add_forms, add_written, comes, log_to_read, number
from holdfast.cli.parser import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] DIR"
SUMMARY = "Print the records of the log in DIR from N on, and wait for more."
ABOUT = """
For a reader that keeps the sequence that it has dealt with: started again with
the next one, it misses no record and gets none twice. Prints as `holdfast log
cat`; each record is printed as soon as it is durable (with --written: as soon as
it is written). Goes on until a signal ends it. A DIR that is not there yet is
waited for.

Exit code 66: N was dropped already, or the reader was overtaken by
`holdfast log drop`.
"""
EXAMPLES = """
holdfast log follow --from 1001 --jsonl events | ./deal-with-them
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the log")
    add("--from", type=number, dest="start", metavar="N",
        help="begin with this sequence (default: the first that is kept)")  # fmt: skip
    add("--timeout", type=seconds, dest="timeout_s", metavar="SECS",
        help="end when nothing has come for so long")  # fmt: skip
    add_forms(parser, whole=False)
    add_written(parser)


def run(args: Namespace) -> int:
    """Read all there is, then wait.

    Raises:
        FileNotFoundError: with --timeout, nothing was there when it was over.
    """
    printer = Printer(args)
    if not comes(named_file(args.folder), args.timeout_s):
        raise missing(args.folder)
    log = log_to_read(args)
    last = printer.add(log.read(args.start))
    start = args.start if last is None else last + 1
    printer.add(log.follow(start, timeout_s=args.timeout_s), at_once=True)
    return OK
