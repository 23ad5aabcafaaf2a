"""`holdfast records ls`: the records of a file, as lines of JSON."""

from __future__ import annotations

from holdfast.cli.exits import OK
from holdfast.cli.output import as_json, print_json
from holdfast.cli.records import facts, open_records
from holdfast.cli.streams import show_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.primitives.record_file import RecordFile

COMMAND = False
USAGE = "[OPTION...] FILE"
SUMMARY = "Print the records of FILE, each as a line of JSON."
ABOUT = """
A line is {"number": N, ...}, with the fields in their order; records count from
0. Where a field is called `number`, the number is `_number`. Bytes are text in
base 64; a float that is no number of JSON is "nan", "inf" or "-inf".

Changes nothing, and takes no lock but that of a record of which a copy is not
whole. Each record is as it was when it was read; those that are appended meanwhile
are not printed. --json keeps all of them in memory.

Exit code 65: a record is damaged, or FILE is no file of records; the records
before it are printed (not with --json).
"""
EXAMPLES = """
holdfast records ls accounts.rec | jq 'select(.owner == "ada")'
holdfast records ls --from 1000 --to 1999 accounts.rec
"""

_PIECE: Final = 1000


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the file of records")
    add("--from", type=_number, default=0, dest="start", metavar="N",
        help="begin with this record (default: 0)")  # fmt: skip
    add("--to", type=_number, dest="stop", metavar="N", help="end with this record")
    add(
        "--json", action="store_true", dest="as_json",
        help="print one JSON document; an error is printed as one too",
    )  # fmt: skip


def _number(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) <= 19):
        raise ValueError(f"{text!r} is not a number from 0 on")
    return int(text)


def run(args: Namespace) -> int:
    """Read, and print."""
    with open_records(args.file) as records:
        found = _records(records, args)
        if args.as_json:
            print_json(list(found))
        else:
            _print(found)
    return OK


def _records(records: RecordFile, args: Namespace) -> Iterator[dict[str, Any]]:
    layout, end = records.layout, len(records)
    if args.stop is not None:
        end = min(end, args.stop + 1)
    for number in range(args.start, end):
        try:
            record = records[number]
        except IndexError:  # its append has failed since it was counted
            return
        yield facts(layout, number, record)


def _print(found: Iterator[dict[str, Any]]) -> None:
    piece: list[bytes] = []
    try:
        for record in found:
            piece.append(as_json(record).encode(errors="backslashreplace") + b"\n")
            if len(piece) >= _PIECE:
                show_bytes(b"".join(piece))
                piece = []
    finally:
        show_bytes(b"".join(piece), now=True)
