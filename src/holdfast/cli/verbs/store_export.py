"""`holdfast store export`: all of a store as lines of JSON."""

from __future__ import annotations

from holdfast.cli.exits import OK
from holdfast.cli.stores import open_store
from holdfast.cli.streams import show_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "DIR"
SUMMARY = "Print all of the store in DIR as JSON lines."
ABOUT = """
One line a key, in order: {"key": ..., "value": ...}; bytes are
{"key": ..., "base64": ...}. All lines are of one moment, whatever others change
meanwhile. `holdfast store import` reads them. Takes no lock.
"""
EXAMPLES = """
holdfast store export state.store | gzip > state.jsonl.gz
holdfast store export state.store | jq -r 'select(.value.age > 30) | .key'
"""

_PIECE_BYTES: Final = 1 << 16


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("folder", metavar="DIR", help="the folder of the store")


def run(args: Namespace) -> int:
    """Print it."""
    with open_store(args.folder) as store:
        piece = bytearray()
        for line in store.export_lines():
            piece += line
            if len(piece) >= _PIECE_BYTES:
                show_bytes(bytes(piece))
                piece.clear()
        show_bytes(bytes(piece), now=True)
    return OK
