"""`holdfast sweep`: what killed writers left in a folder, removed."""

from __future__ import annotations

import os

from holdfast.cli.exits import OK
from holdfast.cli.output import as_json, print_json, print_rows
from holdfast.cli.parser import add_json, add_quiet
from holdfast.cli.streams import show, show_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] [DIR]"
SUMMARY = "Remove what killed writers left behind in DIR."
ABOUT = """
A writer that is killed leaves its temporary file (.NAME.*.holdfast-tmp), and
nothing else. Those of living writers are told apart by their locks and stay.
Prints what was removed; subfolders are not looked at.
"""
EXAMPLES = """
holdfast sweep /var/lib/app
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
    add_json(parser, lines=True)
    add_quiet(parser)


def run(args: Namespace) -> int:
    """Sweep, and say what went."""
    from holdfast import sweep

    removed = sorted(str(path) for path in sweep(args.folder))
    try:
        _print(args, removed)
        show_now(end="")
    except OSError as error:
        error.add_note(f"Removed were: {', '.join(removed) or 'none'}.")
        raise
    return OK


def _print(args: Namespace, removed: list[str]) -> None:
    if args.as_json:
        print_json({"removed": removed})
    elif args.jsonl:
        for path in removed:
            show(as_json({"removed": path}))
    elif not args.quiet:
        print_rows([(path,) for path in removed], ("REMOVED",))
