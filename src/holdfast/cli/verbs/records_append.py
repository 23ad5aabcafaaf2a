"""`holdfast records append`: records from the command line, or from lines of standard input."""

from __future__ import annotations

import sys

from holdfast.cli import signals
from holdfast.cli.exits import BAD_DATA, NO_INPUT, OK, Failure, note
from holdfast.cli.files import named_file, tell_terminal
from holdfast.cli.output import print_json
from holdfast.cli.parser import add_json
from holdfast.cli.records import BY_LAYOUT, fields_in, layout_in, open_records, record_in
from holdfast.cli.streams import show_now
from holdfast.formats.record_layout import RecordLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.formats.record_layout import Record
    from holdfast.primitives.record_file import RecordFile

COMMAND = False
USAGE = "[OPTION...] FILE [NAME=VALUE...]"
SUMMARY = "Append records to FILE, durably; print their numbers."
ABOUT = """
The words are the fields of one record; without any, each line of standard input is
one: an object of JSON with all fields, in the form in which `holdfast records ls`
prints them; a number is passed over. Lines are appended as they come, and those that
are there already share a sync. A number is printed when its record is durable. Many
may append at once.

VALUE is what the layout of FILE says: a number, true or false, text as it is, bytes
in base 64. LAYOUT gives the fields of a FILE that is missing, each as NAME=CODE, with
commas between them. CODE is b B h H i I q Q (integers of 1, 2, 4, 8 bytes; a small
letter has a sign), f d (floats of 4, 8 bytes), ? (true or false), 32s (text of at most
32 bytes), 32c (32 bytes), or 32p (at most 31 bytes).

Exit code 65: a record does not fit, and is not appended; those before it are. A
signal ends it between two syncs.
"""
EXAMPLES = """
holdfast records append --create id=Q,owner=32s a.rec id=7 owner=ada
holdfast records ls a.rec |
  holdfast records append -q --create id=Q,owner=32s b.rec
"""

_PIECE_BYTES: Final = 1 << 18
_MAX_LINE_BYTES: Final = 1 << 24
_SHOWN: Final = 1000


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the file of records")
    add("words", metavar="NAME=VALUE", nargs="*", default=[],
        help="a field and its value (default: standard input)")  # fmt: skip
    add("--create", metavar="LAYOUT",
        help="make FILE when it is missing; one that is there must have this layout")  # fmt: skip
    add("-q", "--quiet", action="store_true", help="print no numbers")
    add_json(parser)


def run(args: Namespace) -> int:
    """Append what comes; say how far it came, whatever ends it.

    Raises:
        Failure: a record is none; it and those after it are not appended.
    """
    named_file(args.file)
    if args.create is not None and args.words:  # before the file is made
        _of_words(RecordLayout(layout_in(args.create)), args)
    progress = _Progress(args)
    with open_records(args.file, create=args.create, read_only=False) as records:
        layout = RecordLayout(records.layout)
        try:
            if args.words:
                progress.append(records, [_of_words(layout, args)])
            else:
                progress.append_lines(records, layout)
        except BaseException as error:
            progress.explain(error)
            raise
    signals.finish()
    if args.as_json:
        print_json({"records": progress.count, "last": progress.last})
    return OK


def _of_words(layout: RecordLayout, args: Namespace) -> Record:
    """The record of the words, which fits."""
    record = fields_in(args.file, layout.fields, args.words)
    try:
        layout.pack(record)
    except (TypeError, ValueError) as error:
        message = f"{args.file}: {error}. Nothing was appended. {BY_LAYOUT}"
        raise Failure(message, BAD_DATA, path=args.file) from None
    return record


class _Progress:
    """How many records are appended, and what the last number is."""

    def __init__(self, args: Namespace) -> None:
        self._args = args
        self._lines = 0
        self.count = 0
        self.last: int | None = None

    def append(self, records: RecordFile, batch: list[Record]) -> None:
        """Append some, and print their numbers; a signal strikes afterwards."""
        with signals.Held():
            numbers = records.append_many(batch)
            self.count += len(batch)
            self.last = numbers[-1]
        if not self._args.as_json and not self._args.quiet:
            show_now("\n".join(map(str, numbers)))

    def append_lines(self, records: RecordFile, layout: RecordLayout) -> None:
        """Append what stands in the lines of the input, up to one that is no record."""
        if sys.stdin is None:
            raise Failure("standard input is closed", NO_INPUT)
        tell_terminal("records append", "JSON lines")
        for lines in _pieces(sys.stdin.buffer):
            batch: list[Record] = []
            problem = ""
            for line in lines:
                self._lines += 1
                problem = self._take(layout, line, batch)
                if problem:
                    break
            if batch:
                self.append(records, batch)
            if problem:
                raise self._refusal(problem)

    def _take(self, layout: RecordLayout, line: bytes, batch: list[Record]) -> str:
        """Add the record of a line, if there is one; return why it is none."""
        if not line.strip():
            return ""
        if len(line) > _MAX_LINE_BYTES:
            return f"it has more than {_MAX_LINE_BYTES} bytes"
        try:
            record = record_in(layout.fields, line)
            layout.pack(record)
        except (TypeError, ValueError) as error:
            return str(error)
        batch.append(record)
        return ""

    def _refusal(self, problem: str) -> Failure:
        if len(problem) > _SHOWN:
            problem = f"{problem[:_SHOWN]}..."
        message = f"{self._args.file}: line {self._lines} of the input: {problem}. {BY_LAYOUT}"
        return Failure(message, BAD_DATA, path=self._args.file)

    def explain(self, error: BaseException) -> None:
        """Say what is in the file, when something ends it early."""
        state = "Nothing was appended."
        if self.count:
            state = f"Before that {self.count} records were appended, the last is {self.last}."
        if isinstance(error, signals.Interrupted):
            note("records append", f"{self._args.file}: stopped. {state}")
        elif state.rstrip(".") not in " ".join([str(error), *getattr(error, "__notes__", ())]):
            error.add_note(state)


def _pieces(source: Any) -> Iterator[list[bytes]]:
    """The lines that each read brings to their end; the last may have none."""
    rest = b""
    piece: bytes
    while piece := source.read1(_PIECE_BYTES):
        *lines, rest = (rest + piece).split(b"\n")
        if lines:
            yield lines
        if len(rest) > _MAX_LINE_BYTES:
            break  # it is refused
    if rest:
        yield [rest]
