"""`holdfast store get`: a value of a store."""

from __future__ import annotations

from holdfast.cli.exits import NO, OK, Failure
from holdfast.cli.output import print_json
from holdfast.cli.parser import add_json, add_quiet
from holdfast.cli.stores import open_store, value_facts
from holdfast.cli.streams import show, show_bytes
from holdfast.cli.values import MISSING, read_value, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] DIR KEY"
SUMMARY = "Print a value of the store in DIR."
ABOUT = """
KEY is the whole key; nothing in it is special. Text is printed as it is, bytes
as they are, everything else as JSON. Takes no lock. A missing key is exit code
1, a missing store 66.
"""
EXAMPLES = """
holdfast store get state.store user/ada
holdfast store get --default 0 state.store counter
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the store")
    add("key", metavar="KEY", help="the key")
    add("--default", metavar="VALUE", help="what to print when there is no such key")
    add("--raw", action="store_true", help="print no newline after the value")
    add_json(parser)
    add_quiet(parser)


def run(args: Namespace) -> int:
    """Look, and print.

    Raises:
        Failure: there is no such key.
    """
    with open_store(args.folder) as store:
        value = store.get(args.key, MISSING)
    if value is MISSING and args.default is not None:
        value = read_value(args.default)
    if value is MISSING:
        raise Failure(f"{args.folder}: there is no {args.key!r}", NO, path=args.folder)
    _print(args, value)
    return OK


def _print(args: Namespace, value: Any) -> None:
    end = "" if args.raw else "\n"
    if args.as_json:
        print_json(value_facts(value) if isinstance(value, bytes) else value)
    elif isinstance(value, bytes):
        show_bytes(value + end.encode())
    else:
        show(text_of(value), end=end)
