"""`holdfast patch`: some bytes of a large file, from standard input, changed in place."""

from __future__ import annotations

import sys

from holdfast.cli import exits, signals
from holdfast.cli.exits import NO_INPUT, OK, Failure
from holdfast.cli.files import named_file
from holdfast.cli.parser import add_no_sync
from holdfast.cli.streams import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] FILE OFFSET"
SUMMARY = "Write standard input over the bytes of FILE from OFFSET on: all or nothing."
ABOUT = """
FILE may be of any format and size; only the blocks that change are written. A
crash at any point leaves all of the change or none: it is kept in FILE.journal
until it is done, and whoever patches FILE next, or opens it with InPlaceFile,
finishes it or drops it. FILE may grow at its end, without a gap. At most 32 MiB
are changed at once.

Programs that read FILE by themselves may see a part of the change, also after a
crash until then.
"""
EXAMPLES = """
printf '\\x80' | holdfast patch disk.img 446
dd if=boot.bin | holdfast patch disk.img 0x200
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the file; it must exist")
    add("offset", metavar="OFFSET", help="of the first byte: a number, or 0x and hexadecimal")
    add_no_sync(parser)
    add("-v", "--verbose", action="store_true", help="say what was done")


def offset_of(text: str) -> int:
    """A number of bytes.

    Raises:
        Failure: it is none.
    """
    digits, base = (text[2:], 16) if text[:2] in {"0x", "0X"} else (text, 10)
    if digits.isascii() and digits.isalnum() and len(digits) <= 20:
        try:
            return int(digits, base)
        except ValueError:
            pass  # letters
    message = f"OFFSET {text!r} is not a number of bytes, such as 4096 or 0x1000"
    raise Failure(message, exits.USAGE)


def run(args: Namespace) -> int:
    """Read all of the input, then patch.

    Raises:
        Failure: the place or the size cannot be; nothing was changed.
    """
    from holdfast.formats.patch_format import BLOCK_BYTES, MAX_BLOCKS
    from holdfast.primitives.in_place import InPlaceFile

    path, offset = named_file(args.file), offset_of(args.offset)
    with InPlaceFile(path, sync="never" if args.no_sync else "always") as file:
        if sys.stdin is None:
            raise Failure("standard input is closed", NO_INPUT)
        data = sys.stdin.buffer.read(MAX_BLOCKS * BLOCK_BYTES + 1)
        with signals.Held():
            try:
                file.patch([(offset, data)])
            except ValueError as error:
                message = f"{path}: {error}. Nothing was changed."
                raise Failure(message, exits.USAGE, path=path) from None
        signals.finish()
        if args.verbose:
            say(f"{path}: {len(data)} bytes patched at {offset}; it has {file.size} bytes")
    return OK
