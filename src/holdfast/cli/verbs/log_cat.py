"""`holdfast log cat`: the records of a log."""

from __future__ import annotations

from holdfast.cli.exits import OK
from holdfast.cli.logs import Printer, add_forms, add_written, log_to_read, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] DIR"
SUMMARY = "Print the records of the log in DIR, each on a line."
ABOUT = """
Records are printed as they are, byte for byte; one that holds newlines takes
more than a line, which --null and --jsonl tell apart. Takes no lock and changes
nothing; what others append meanwhile may be printed too.

In JSON a record is {"sequence": N, "data": TEXT}; where it is no UTF-8, the text
is in base 64, and "encoding": "base64" is added. --json keeps all of them in
memory, the other forms do not.

Exit code 65: something that was acknowledged is damaged; the records before it
are printed (not with --json). 66: --from was dropped already.
"""
EXAMPLES = """
holdfast log cat events | grep -c error
holdfast log cat --from 1000 --to 1999 --sequence events
holdfast log cat --jsonl events | jq -r .data
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the log")
    add("--from", type=number, dest="start", metavar="N",
        help="begin with this sequence (default: the first that is kept)")  # fmt: skip
    add("--to", type=number, dest="stop", metavar="N", help="end with this sequence")
    add_forms(parser, whole=True)
    add_written(parser)


def run(args: Namespace) -> int:
    """Read, and print."""
    printer = Printer(args)
    log = log_to_read(args)
    printer.add(log.read(args.start, None if args.stop is None else args.stop + 1))
    printer.end()
    return OK
