"""`holdfast log append`: records from the command line, or from standard input as they come."""

from __future__ import annotations

import os
import sys

from holdfast.cli import exits, signals
from holdfast.cli.exits import BAD_DATA, NO_INPUT, OK, Failure, note
from holdfast.cli.logs import require_changeable
from holdfast.cli.output import print_json
from holdfast.cli.parser import add_json, seconds
from holdfast.cli.streams import show, show_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.primitives.log import Log

COMMAND = False
USAGE = "[OPTION...] DIR [RECORD...]"
SUMMARY = "Append records to the log in DIR, durably; print the last sequence."
ABOUT = """
Each RECORD is one; without any, each line of standard input is, without its
newline. Lines are appended as they come, and are durable before the next ones
are read; those that are there already share a sync, and a crash keeps all of
these or none. DIR is made when it is missing. Many may append at once.

A signal ends it between two syncs: what was read whole is appended, a line
without its end is not; at the end of the input it is. Given as arguments, all
records are appended together.
"""
EXAMPLES = """
holdfast log append events 'disk replaced'
tail -F access.log | holdfast log append --sync 1 -q requests
find . -print0 | holdfast log append --null names
curl -fsS https://example.org/feed | holdfast log append --whole feeds
"""

_PIECE_BYTES: Final = 1 << 18
_ROOM_EACH: Final = 8  # bytes that a record of one byte takes at most in a batch


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the log")
    add(
        "records",
        metavar="RECORD",
        nargs="*",
        default=[],
        help="a record (default: standard input)",
    )
    add("--null", action="store_true", help="records of the input end with NUL, not a newline")
    add("--whole", action="store_true", help="the whole input is one record")
    add("--sync", type=_sync, default="always", metavar="WHEN",
        help="always (default), never, or seconds: durable so much later at most")  # fmt: skip
    add("--each", action="store_true", help="print the last sequence after each sync")
    add("-q", "--quiet", action="store_true", help="print no sequence")
    add_json(parser)


def _sync(text: str) -> Any:
    if text in {"always", "never"}:
        return text
    value = seconds(text)
    if not value:
        raise ValueError(f"{text!r} is neither always nor never nor a number of seconds above 0")
    return value


def run(args: Namespace) -> int:
    """Append what comes; say how far it came, whatever ends it.

    Raises:
        Failure: words that exclude each other; nothing was appended.
    """
    from holdfast.primitives.log import Log

    require_changeable(args.folder)
    if args.null + args.whole + bool(args.records) > 1:
        raise Failure("choose one of RECORD, --null and --whole", exits.USAGE)
    log = Log(args.folder, sync=args.sync)
    progress = _Progress(args)
    try:
        progress.append(log, _batches(args))
    except BaseException as error:
        progress.explain(error)
        raise
    finally:
        with signals.Held():
            log.close()
    signals.finish()
    progress.tell()
    return OK


class _Progress:
    """How many records are appended, and what the last sequence is."""

    def __init__(self, args: Namespace) -> None:
        self._args = args
        self._count = 0
        self._last: int | None = None

    def append(self, log: Log, batches: Iterator[list[bytes]]) -> None:
        """Append batch after batch; a signal strikes between them."""
        for batch in batches:
            with signals.Held():
                one = len(batch) == 1
                self._last = log.append(batch[0]) if one else log.append_many(batch)
                self._count += len(batch)
            if self._args.each:
                show_now(str(self._last))

    def explain(self, error: BaseException) -> None:
        """Say what is in the log, when something ends it early."""
        state = "Nothing was appended."
        if self._count:
            state = f"Before that {self._count} records were appended, the last is {self._last}."
        if isinstance(error, signals.Interrupted):
            note("log append", f"{self._args.folder}: stopped. {state}")
        elif state.rstrip(".") not in " ".join([str(error), *getattr(error, "__notes__", ())]):
            error.add_note(state)

    def tell(self) -> None:
        """Print the result."""
        args = self._args
        if args.as_json:
            print_json({"records": self._count, "last": self._last})
        elif self._last is not None and not args.quiet and not args.each:
            show(str(self._last))


def _batches(args: Namespace) -> Iterator[list[bytes]]:
    """What is to be appended together: the arguments, or what is there of the input."""
    if args.records:
        yield [os.fsencode(record) for record in args.records]
        return
    if sys.stdin is None:
        raise Failure("standard input is closed", NO_INPUT)
    if args.whole:
        yield [_whole()]
        return
    yield from _pieces(b"\0" if args.null else b"\n")


def _whole() -> bytes:
    from holdfast.formats.log_format import MAX_BODY_BYTES

    data = sys.stdin.buffer.read(MAX_BODY_BYTES + 1)
    if not data:
        raise Failure("the input was empty", BAD_DATA)
    _refuse_large(len(data))
    return data


def _pieces(end: bytes) -> Iterator[list[bytes]]:
    """The records that each read brings to their end; the last may have none."""
    from holdfast.formats.log_format import MAX_BODY_BYTES

    source: Any = sys.stdin.buffer
    rest: list[bytes] = []
    size = 0
    piece: bytes
    while piece := source.read1(_PIECE_BYTES):
        first, *others = piece.split(end)
        rest.append(first)
        size += len(first)
        _refuse_large(size)
        if others:
            last = others.pop()
            whole = b"".join(rest)
            if size + len(piece) * _ROOM_EACH > MAX_BODY_BYTES:
                yield [whole]
            else:
                others.insert(0, whole)
            if others:
                yield others
            rest, size = [last], len(last)
    if size:
        yield [b"".join(rest)]


def _refuse_large(size_bytes: int) -> None:
    from holdfast.formats.log_format import MAX_BODY_BYTES

    if size_bytes > MAX_BODY_BYTES:
        raise Failure(f"a record has more than {MAX_BODY_BYTES} bytes", BAD_DATA)
