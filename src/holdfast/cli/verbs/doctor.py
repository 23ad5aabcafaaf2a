"""`holdfast doctor`: what this disk really gives, and which way of writing fits."""

from __future__ import annotations

import os

from holdfast.cli.output import print_json
from holdfast.cli.parser import add_json
from holdfast.cli.streams import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] [DIR]"
SUMMARY = "Measure what the disk under DIR really gives, and say which pattern fits."
ABOUT = """
Writes small files in DIR for less than a second and removes them again.
Exit code 0: what is written durably here stays, 1: it does not, and why.
"""
EXAMPLES = """
holdfast doctor
holdfast doctor --json /var/lib/app
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        default=os.curdir,
        help="the folder (default: .)",
    )
    add_json(parser)


def run(args: Namespace) -> int:
    """Measure, and print the report."""
    from holdfast import doctor

    report = doctor(args.folder)
    if args.as_json:
        print_json(report.as_dict())
    else:
        show(str(report))
    return report.exit_code
