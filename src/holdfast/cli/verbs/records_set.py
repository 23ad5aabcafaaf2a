"""`holdfast records set`: fields of a record, changed durably in its place."""

from __future__ import annotations

from holdfast.cli import signals
from holdfast.cli.exits import BAD_DATA, OK, Failure
from holdfast.cli.parser import add_quiet, add_wait
from holdfast.cli.records import BY_LAYOUT, fields_in, no_record, number_in, open_records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser
    from holdfast.formats.record_layout import Record
    from holdfast.primitives.record_file import RecordFile

COMMAND = False
USAGE = "[OPTION...] FILE N NAME=VALUE..."
SUMMARY = "Change fields of record N of FILE, durably."
ABOUT = """
The record is read, changed and written under its lock, so that no update of
others is lost; its other fields stay. A crash at any moment leaves the old record
or the new one, and no other one touched.

VALUE is what the layout of FILE says: a number, true or false, text as it is, bytes
in base 64. N counts from 0; a negative one from the end.

Exit code 1: there is no such record; 65: a field is unknown, or its value does not
fit. Nothing is changed then.
"""
EXAMPLES = """
holdfast records set accounts.rec 7 balance=1200 owner=ada
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the file of records; it must exist")
    add("number", metavar="N", help="the number of the record")
    add("words", metavar="NAME=VALUE", nargs="+", help="a field and its new value")
    add_wait(parser)
    add_quiet(parser)


def run(args: Namespace) -> int:
    """Change it.

    Raises:
        Failure: there is no such record, or a value does not fit; nothing was changed.
    """
    number = number_in(args.number)
    with open_records(args.file, read_only=False) as records:
        fields = fields_in(args.file, records.layout, args.words)
        try:
            _set(records, number, fields, wait_s=args.wait)
        except IndexError as error:
            raise no_record(args.file, error) from None
        except (TypeError, ValueError) as error:
            if hasattr(error, "exit_code"):
                raise
            message = f"{args.file}: {error}. Nothing was changed. {BY_LAYOUT}"
            raise Failure(message, BAD_DATA, path=args.file) from None
    return OK


def _set(records: RecordFile, number: int, fields: Record, *, wait_s: float | None) -> None:
    """Wait for the lock, which a signal ends; from there on finish."""
    count = len(records)
    if number < -count:
        raise IndexError(f"there is no record {number}: it has {count}")
    number = number + count if number < 0 else number  # of two calls the same record
    with records.lock(number, timeout_s=wait_s):
        signals.finish()
        records.update(number, fields)
