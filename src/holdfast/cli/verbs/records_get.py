"""`holdfast records get`: a record of a file, or one field of it."""

from __future__ import annotations

from holdfast.cli.exits import NO, OK, Failure
from holdfast.cli.output import print_json
from holdfast.cli.parser import add_json, add_quiet
from holdfast.cli.records import field_facts, no_record, number_in, open_records
from holdfast.cli.streams import show, show_bytes
from holdfast.cli.values import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser
    from holdfast.formats.record_layout import Record

COMMAND = False
USAGE = "[OPTION...] FILE N [FIELD]"
SUMMARY = "Print record N of FILE as JSON, or a FIELD of it."
ABOUT = """
Records count from 0; a negative N counts from the end. Bytes are text in base 64
in JSON, and a float that is no number of JSON is "nan", "inf" or "-inf". Of a
FIELD text is printed as it is, bytes as they are, everything else as JSON.

Takes no lock, unless a copy of the record is not whole. Exit code 1: there is no
such record or field; 65: it is damaged.
"""
EXAMPLES = """
holdfast records get accounts.rec 7
holdfast records get accounts.rec -1 owner
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the file of records")
    add("number", metavar="N", help="the number of the record")
    add("field", metavar="FIELD", nargs="?", help="the name of a field (default: all)")
    add("--raw", action="store_true", help="print no newline after the value")
    add_json(parser)
    add_quiet(parser)


def run(args: Namespace) -> int:
    """Look, and print.

    Raises:
        Failure: there is no such record or field.
    """
    number = number_in(args.number)
    with open_records(args.file) as records:
        try:
            record = records[number]
        except IndexError as error:
            raise no_record(args.file, error) from None
    if args.field is None:
        print_json(field_facts(record))
    else:
        _print_field(record, args)
    return OK


def _print_field(record: Record, args: Namespace) -> None:
    if args.field not in record:
        known = ", ".join(map(repr, record))
        message = f"{args.file}: there is no field {args.field!r}; there are {known}"
        raise Failure(message, NO, path=args.file)
    end = "" if args.raw else "\n"
    value, fact = record[args.field], field_facts(record)[args.field]
    if args.as_json:
        print_json(fact)
    elif isinstance(value, bytes):
        show_bytes(value + end.encode())
    else:
        show(text_of(fact), end=end)
