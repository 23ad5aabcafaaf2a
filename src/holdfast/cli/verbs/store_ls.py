"""`holdfast store ls`: the keys of a store, in order."""

from __future__ import annotations

from holdfast.cli import exits
from holdfast.cli.exits import OK, Failure
from holdfast.cli.output import as_json, one_line, print_json
from holdfast.cli.stores import facts, open_store
from holdfast.cli.streams import show_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Final

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.state.store import Store

COMMAND = False
USAGE = "[OPTION...] DIR [PREFIX]"
SUMMARY = "Print the keys of the store in DIR, in order."
ABOUT = """
All of them are of one moment. With PREFIX: those that begin with it. A newline
or a tab in a key is printed as an escape, but for --null and JSON. Takes no lock.

--values adds a tab and the value as JSON; with --json it makes one object of
keys and values. --jsonl prints keys with values, as `holdfast store export`.
"""
EXAMPLES = """
holdfast store ls s.store user/
holdfast store ls --values s.store | cut -f 2 | jq .age
holdfast store ls --null s.store tmp/ | xargs -0r holdfast store del s.store
"""

_PIECE: Final = 1000


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the store")
    add("prefix", metavar="PREFIX", nargs="?", default="", help="what the keys begin with")
    add("--values", action="store_true", help="print the values as well")
    add("--null", action="store_true", help="end each key with a NUL byte, not a newline")
    add("--jsonl", action="store_true", help="print one JSON document a line, one a key")
    add(
        "--json", action="store_true", dest="as_json",
        help="print one JSON document; an error is printed as one too",
    )  # fmt: skip


def run(args: Namespace) -> int:
    """Look, and print.

    Raises:
        Failure: words that exclude each other.
    """
    if args.null + args.jsonl + args.as_json > 1:
        raise Failure("choose one of --null, --json and --jsonl", exits.USAGE)
    with open_store(args.folder) as store:
        if args.as_json:
            print_json(_document(store, args))
        else:
            _print(_lines(store, args), b"\0" if args.null else b"\n")
    return OK


def _document(store: Store[Any], args: Namespace) -> Any:
    snapshot = store.snapshot()
    if not args.values:
        return [*snapshot.keys(prefix=args.prefix)]
    return {key: _shown(value) for key, value in snapshot.items(prefix=args.prefix)}


def _lines(store: Store[Any], args: Namespace) -> Iterator[str]:
    snapshot = store.snapshot()
    if args.jsonl:
        for key, value in snapshot.items(prefix=args.prefix):
            yield as_json(facts(key, value))
    elif args.values:
        for key, value in snapshot.items(prefix=args.prefix):
            yield f"{key if args.null else one_line(key)}\t{as_json(_shown(value))}"
    else:
        for key in snapshot.keys(prefix=args.prefix):
            yield key if args.null else one_line(key)


def _shown(value: Any) -> Any:
    return facts("", value)["base64"] if isinstance(value, bytes) else value


def _print(lines: Iterable[str], end: bytes) -> None:
    piece: list[bytes] = []
    for line in lines:
        piece.append(line.encode(errors="backslashreplace"))
        if len(piece) >= _PIECE:
            show_bytes(end.join([*piece, b""]))
            piece = []
    show_bytes(end.join([*piece, b""]) if piece else b"", now=True)
