"""`holdfast store import`: lines of JSON, put into a store."""

from __future__ import annotations

import sys

from holdfast.cli import signals
from holdfast.cli.exits import NO_INPUT, OK, Failure, note
from holdfast.cli.output import print_json
from holdfast.cli.parser import add_json
from holdfast.cli.stores import Closing, add_codec, open_store
from holdfast.cli.streams import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] DIR"
SUMMARY = "Put JSON lines from standard input into the store in DIR; print how many."
ABOUT = """
Each line is {"key": ..., "value": ...}, as `holdfast store export` prints them;
values that are no JSON are {"key": ..., "base64": ...}. N lines are one commit:
all of them are in the store, or none, also after a crash. What is there already
under a key is replaced. DIR is made when it is missing.

Exit code 65: a line is not one of a store; those before it are in the store.
To begin again with all of the lines changes nothing twice.
"""
EXAMPLES = """
holdfast store export old.store | holdfast store import new.store
zcat state.jsonl.gz | holdfast store import --replace state.store
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the store")
    add("--batch", type=_count, default=1000, metavar="N",
        help="how many lines are one commit (default 1000)")  # fmt: skip
    add("--replace", action="store_true",
        help="at the end, delete all other keys: the store is what the lines say")  # fmt: skip
    add_codec(parser)
    add("-q", "--quiet", action="store_true", help="print no count")
    add_json(parser)


def _count(text: str) -> int:
    from holdfast.cli.logs import number

    return min(number(text), 1 << 20)


def run(args: Namespace) -> int:
    """Read all of the input.

    Raises:
        Failure: standard input is closed.
    """
    if sys.stdin is None:
        raise Failure("standard input is closed", NO_INPUT)
    source = _Lines(sys.stdin.buffer)
    with Closing(open_store(args.folder, read_only=False, codec=args.codec)) as store:
        try:
            count = store.import_lines(source, batch=args.batch, replace=args.replace)
        except signals.Interrupted:
            note(
                "store import",
                f"{args.folder}: stopped. Of the first {source.count} lines those of whole batches "
                "are in the store. Begin again with all of them: that changes nothing twice.",
            )
            raise
    signals.finish()
    if args.as_json:
        print_json({"lines": count})
    elif not args.quiet:
        show(str(count))
    return OK


class _Lines:
    """The lines of the input, counted."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            self.count += 1
            yield line
