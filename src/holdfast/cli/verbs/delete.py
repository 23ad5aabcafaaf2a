"""`holdfast del`: keys of a document, deleted under the lock, everything else kept."""

from __future__ import annotations

from holdfast.cli.changing import change
from holdfast.cli.exits import NO, OK, Failure
from holdfast.cli.parser import add_no_sync, add_parse, add_verbosity, add_wait
from holdfast.cli.values import MISSING, read_key, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] FILE KEY..."
SUMMARY = "Delete keys of a JSON, TOML or YAML file."
ABOUT = """
The file is read, changed and replaced under its lock; comments, order, layout
and all other values stay. Items of a list are counted from 0, and those after a
deleted one move up before the next KEY is looked for. If one KEY is missing,
nothing is changed and the exit code is 1.
"""
EXAMPLES = """
holdfast del settings.toml server.tls
holdfast del -f state.json cache /jobs/0
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the file")
    add("keys", metavar="KEY", nargs="+", help="what to delete")
    add("-f", "--force", action="store_true", help="a KEY that is missing is no mistake")
    add_no_sync(parser)
    add_parse(parser)
    add_wait(parser)
    add_verbosity(parser)


def run(args: Namespace) -> int:
    """Delete the keys under the lock of the document."""
    paths = [read_key(key) for key in args.keys]

    def apply(root: Any) -> Any:
        for key, path in zip(args.keys, paths, strict=True):
            if not remove(root, path) and not args.force:
                raise Failure(
                    f"{args.file}: there is no {key}. It is unchanged.",
                    NO,
                    path=args.file,
                )
        return root

    change(args, apply, default=MISSING, verb="del")
    return OK
