"""`holdfast store del`: keys of a store, deleted together."""

from __future__ import annotations

from holdfast.cli import signals
from holdfast.cli.exits import NO, OK, Failure
from holdfast.cli.parser import add_quiet
from holdfast.cli.stores import Closing, open_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] DIR KEY..."
SUMMARY = "Delete keys of the store in DIR, durably."
ABOUT = """
All of them go in one transaction. If one KEY is missing, nothing is changed and
the exit code is 1.
"""
EXAMPLES = """
holdfast store del state.store user/ada user/ada/photo
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the store")
    add("keys", metavar="KEY", nargs="+", help="what to delete")
    add("-f", "--force", action="store_true", help="a KEY that is missing is no mistake")
    add_quiet(parser)


def run(args: Namespace) -> int:
    """Delete them.

    Raises:
        Failure: one is missing; nothing was changed.
    """
    store = open_store(args.folder, read_only=False)
    with Closing(store), store.transaction() as tx:
        for key in dict.fromkeys(args.keys):
            if key in tx:
                del tx[key]
            elif not args.force:
                message = f"{args.folder}: there is no {key!r}. It is unchanged."
                raise Failure(message, NO, path=args.folder)
        signals.finish()
    return OK
