"""`holdfast log drop`: old records of a log, removed."""

from __future__ import annotations

from holdfast.cli import exits, signals
from holdfast.cli.exits import OK, Failure
from holdfast.cli.logs import number, require_changeable
from holdfast.cli.output import print_json
from holdfast.cli.parser import add_json
from holdfast.cli.streams import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] DIR --before N"
SUMMARY = "Drop old records of the log in DIR; print the first sequence that is kept."
ABOUT = """
Whole segments go whose records all lie before N, so some before N may stay.
The last sequence + 1 drops all of them. Sequences go on where they were. A
crash in the middle leaves a log without a gap.
"""
EXAMPLES = """
holdfast log drop events --before 1000000
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the log")
    add("--before", type=number, required=True, metavar="N", help="keep N and all after it")
    add_json(parser)
    add("-q", "--quiet", action="store_true", help="print nothing")


def run(args: Namespace) -> int:
    """Drop, and say what is kept.

    Raises:
        Failure: N is beyond the next sequence; nothing was dropped.
    """
    from holdfast.primitives.log import Log

    with Log(require_changeable(args.folder, is_there=True)) as log, signals.Held():
        try:
            first = log.drop_before(args.before)
        except ValueError as error:
            raise Failure(str(error), exits.USAGE, path=args.folder) from None
    signals.finish()
    if args.as_json:
        print_json({"first": first})
    elif not args.quiet:
        show(str(first))
    return OK
