"""What the verbs of a log share: which folder is one, and how its records are printed."""

from __future__ import annotations

from holdfast.cli.exits import BAD_DATA, USAGE, Failure, note
from holdfast.cli.files import missing, named_file
from holdfast.cli.output import as_json, print_json
from holdfast.cli.recognition import is_log, visible
from holdfast.cli.states import refuse_log_of_state, refuse_state
from holdfast.cli.streams import show_bytes
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.formats.log_format import Record
    from holdfast.primitives.log_reading import LogReading

__all__ = [
    "Printer",
    "add_forms",
    "add_written",
    "comes",
    "log_to_read",
    "number",
    "require_changeable",
    "require_log",
    "there",
]

_PIECE_BYTES: Final = 1 << 16


def require_log(path: str, *, may_be_empty: bool = True) -> str:
    """The path, which must lead to the folder of a log; an empty one is where a log may be made.

    Raises:
        Failure: it is something else, or nothing.
    """
    names = _names_in(named_file(path))
    if "journal" in names:
        refuse_state(path)
    if not is_log(names) and (visible(names) or not may_be_empty):
        raise Failure(f"{path}: is no log: it has no segments", BAD_DATA, path=path)
    return path


def _names_in(path: str) -> list[str]:
    try:
        folder = SYSTEM.folder(path, readable=True)
    except FileNotFoundError:
        raise missing(path) from None
    try:
        return folder.names()
    finally:
        folder.close()


def require_changeable(path: str, *, is_there: bool = False) -> str:
    """The path of a log that may be changed by hand: not that of a journal or store.

    Raises:
        Failure: it is theirs, or is one; or, with `is_there`, is no log yet.
    """
    if is_there:
        require_log(path, may_be_empty=False)
    else:
        refuse_state(named_file(path))
    refuse_log_of_state(path)
    return path


def there(path: str) -> bool:
    """Whether anything is at `path`."""
    try:
        SYSTEM.stat(path)
    except FileNotFoundError:
        return False
    return True


def comes(
    path: str,
    timeout_s: float | None,
    *,
    verb: str = "log follow",
    is_there: Callable[[str], bool] = there,
) -> bool:
    """Wait for what shall be at `path`; False if it has not come in that time."""
    from time import sleep

    from holdfast.primitives.log_pauses import Pauses

    pauses = Pauses(timeout_s)
    is_told = False
    while not is_there(path):
        if (pause_s := pauses.next()) is None:
            return False
        if not is_told:
            note(verb, f"{path}: is not there yet, and is waited for")
            is_told = True
        sleep(pause_s)
    return True


def number(text: str) -> int:
    """A sequence number or a count, from 1 on.

    Raises:
        ValueError: anything else.
    """
    if not (text.isdecimal() and text.isascii() and len(text) <= 19 and int(text)):
        raise ValueError(f"{text!r} is not a number from 1 on")
    return int(text)


def log_to_read(args: Namespace) -> LogReading:
    """The log in `args.folder`: its durable records, or with `--written` all that are written.

    Raises:
        Failure: it is something else, or nothing.
    """
    from holdfast.primitives.log_reading import LogReading  # loads nothing that appends

    path = require_log(args.folder)
    return LogReading(path, only_durable=not args.written, vfs=SYSTEM)


def add_forms(parser: Parser, *, whole: bool) -> None:
    """`--sequence`, `--null`, `--jsonl`, and `--json` where the output has an end."""
    add = parser.add_argument
    add("--sequence", action="store_true", help="print the sequence and a tab before each record")
    add("--null", action="store_true", help="end each record with a NUL byte, not a newline")
    add("--jsonl", action="store_true", help="print one JSON document a line, one a record")
    if whole:
        add(
            "--json", action="store_true", dest="as_json",
            help="print one JSON document; an error is printed as one too",
        )  # fmt: skip


def add_written(parser: Parser) -> None:
    """`--written`."""
    parser.add_argument(
        "--written",
        action="store_true",
        help="print also what is written and not yet durable",
    )


class Printer:
    """Prints records in the form that was asked for; bytes go out as they are."""

    def __init__(self, args: Namespace) -> None:
        self._end = b"\0" if args.null else b"\n"
        self._jsonl: bool = args.jsonl
        self._sequence: bool = args.sequence
        self._all: list[Any] | None = [] if getattr(args, "as_json", False) else None
        if args.null + args.jsonl + (self._all is not None) > 1:
            raise Failure("choose one of --null, --json and --jsonl", USAGE)
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, records: Iterable[Record], *, at_once: bool = False) -> int | None:
        """Print records; with `at_once` each arrives before the next is asked for.

        Returns:
            The sequence of the last one; None if there was none.
        """
        last = None
        try:
            for record in records:
                last = record.sequence
                if self._all is not None:
                    self._all.append(_facts(record))
                    continue
                text = self._line(record)
                self._parts.append(text)
                self._size += len(text)
                if at_once or self._size >= _PIECE_BYTES:
                    self._send(now=at_once)
        finally:  # what came before an error is printed
            self._send(now=True)
        return last

    def _line(self, record: Record) -> bytes:
        if self._jsonl:
            return as_json(_facts(record)).encode() + b"\n"
        head = b"%d\t" % record.sequence if self._sequence else b""
        return head + record.data + self._end

    def _send(self, *, now: bool) -> None:
        data, self._parts, self._size = b"".join(self._parts), [], 0
        if data or now:
            show_bytes(data, now=now)

    def end(self) -> None:
        """Print what can be printed at the end alone."""
        if self._all is not None:
            print_json(self._all)


def _facts(record: Record) -> dict[str, Any]:
    """A record for JSON; one that is no UTF-8 text is in base 64, and says so."""
    try:
        return {"sequence": record.sequence, "data": record.data.decode()}
    except UnicodeDecodeError:
        from binascii import b2a_base64

        text = b2a_base64(record.data, newline=False).decode()
        return {"sequence": record.sequence, "data": text, "encoding": "base64"}
