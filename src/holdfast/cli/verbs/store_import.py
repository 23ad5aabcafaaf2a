"""`holdfast store import`: lines of JSON, put into a store."""

from __future__ import annotations

import sys

from holdfast.cli import signals
from holdfast.cli.exits import BAD_DATA, NO_INPUT, OK, Failure, note
from holdfast.cli.files import tell_terminal
from holdfast.cli.output import print_json
from holdfast.cli.parser import add_json
from holdfast.cli.stores import Closing, add_codec, codec_for, open_store
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

With --replace an input without any line is refused, and nothing is deleted:
that is what a failed command at the head of a pipeline looks like. One that
fails in the middle cannot be told from one that has come to its end, and the
keys it did not come to are deleted: put its output into a file first.

Exit code 65: a line is not one of a store; those before it are in the store.
Or the input was empty. To begin again with all of the lines changes nothing twice.
"""
EXAMPLES = """
holdfast store export old.store | holdfast store import new.store
zcat state.jsonl.gz > state.jsonl &&
  holdfast store import --replace state.store < state.jsonl
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the store")
    add("--batch", type=_count, default=1000, metavar="N",
        help="how many lines are one commit (default 1000)")  # fmt: skip
    add("--replace", action="store_true",
        help="at the end, delete all other keys: the store is what the lines say")  # fmt: skip
    add("--allow-empty", action="store_true",
        help="with --replace: an empty input is meant, and empties the store")  # fmt: skip
    add_codec(parser)
    add("-q", "--quiet", action="store_true", help="print no count")
    add_json(parser)


def _count(text: str) -> int:
    from holdfast.cli.logs import number

    return min(number(text), 1 << 20)


def run(args: Namespace) -> int:
    """Read all of the input.

    Raises:
        Failure: standard input is closed; or, with --replace, empty: nothing was changed.
    """
    if sys.stdin is None:
        raise Failure("standard input is closed", NO_INPUT)
    codec = codec_for(args.folder, args.codec)
    tell_terminal("store import", "lines")
    source = _Lines(sys.stdin.buffer, args.folder, args.replace and not args.allow_empty)
    with Closing(open_store(args.folder, read_only=False, codec=codec)) as store:
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
    """The lines of the input, counted; where there must be one, their lack is an error."""

    def __init__(self, stream: Any, folder: str, is_needed: bool) -> None:
        self._stream = stream
        self._folder = folder
        self._is_needed = is_needed
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            self.count += 1
            if self._is_needed and line.strip():
                self._is_needed = False
            yield line
        if self._is_needed:
            message = (
                f"{self._folder}: the input was empty. Nothing was changed. "
                "With --allow-empty that empties the store."
            )
            raise Failure(message, BAD_DATA, path=self._folder)
