"""`holdfast get`: a value of a document."""

from __future__ import annotations

from holdfast.cli.exits import NO, OK, Failure
from holdfast.cli.files import decode
from holdfast.cli.kinds import is_list
from holdfast.cli.output import as_json, print_json
from holdfast.cli.parser import add_json, add_parse, add_quiet
from holdfast.cli.streams import show
from holdfast.cli.values import MISSING, find, read_path, read_value, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] FILE [KEY]"
SUMMARY = "Print a value of a JSON, TOML or YAML file."
ABOUT = """
KEY is dotted (servers.0.name, a."b.c") or a JSON Pointer (/servers/0/name);
without it the whole document is printed. Text is printed as it is, dates as ISO
8601, everything else as JSON. No lock is needed: a reader finds one whole
version. A missing key is exit code 1, a missing file 66.
"""
EXAMPLES = """
holdfast get settings.toml server.port
holdfast get --default 8080 settings.toml server.port
curl -fsS https://example.org/status.json | holdfast get - /nodes/0/name
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add(
        "file",
        metavar="FILE",
        help="the file; - for standard input (JSON, or see --parse)",
    )
    add(
        "key",
        metavar="KEY",
        nargs="?",
        default="",
        help="where the value is (default: the whole)",
    )
    add("--default", metavar="VALUE", help="what to print when there is no such key")
    add("--raw", action="store_true", help="print no newline after the value")
    add_parse(parser)
    add_json(parser, lines=True)
    add_quiet(parser)


def run(args: Namespace) -> int:
    """Read, find, print.

    Raises:
        Failure: there is no such key.
    """
    path = read_path(args.key)
    value = find(decode(args.file, args.parse), path)
    if value is MISSING and args.default is not None:
        value = read_value(args.default)
    if value is MISSING:
        raise Failure(f"{args.file}: there is no {args.key}", NO, path=args.file)
    _print(args, value)
    return OK


def _print(args: Namespace, value: Any) -> None:
    if args.as_json:
        print_json(value)
    elif args.jsonl:
        for item in value if is_list(value) else [value]:
            show(as_json(item))
    else:
        show(text_of(value), end="" if args.raw else "\n")
