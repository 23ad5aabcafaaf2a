"""`holdfast write`: standard input to a file, whole and durable."""

from __future__ import annotations

import os
import sys

from holdfast.cli import exits, signals
from holdfast.cli.exits import BAD_DATA, NO_INPUT, OK, Failure
from holdfast.cli.files import named_file, wrote
from holdfast.cli.parser import add_no_sync, add_verbosity
from holdfast.cli.streams import say
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.primitives.writer import BinaryWriter

COMMAND = False
USAGE = "[OPTION...] FILE"
SUMMARY = "Replace FILE by what arrives on standard input, when it has arrived whole."
ABOUT = """
A reader, and a crash at any moment, finds the old contents or the new. They are
on the disk when this returns. Mode, owner and access lists of FILE are kept; a
symlink is followed. An empty input does not empty the file: that is what a
failed command at the head of a pipeline looks like. (A pipeline cannot tell
more about its commands; `holdfast edit` can.) No lock is taken: of two writers at
once, the later one stays.
"""
EXAMPLES = """
curl -fsS https://example.org/feed | holdfast write feed.xml
jq '.n += 1' new.json | holdfast write --min-bytes 20 -v state.json
"""

_CHUNK_BYTES: Final = 1 << 20


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the file; made when it is missing")
    add(
        "-n",
        "--no-clobber",
        action="store_true",
        help="only make a new file, else exit 73",
    )
    add(
        "--min-bytes",
        type=_size,
        default=1,
        metavar="N",
        help="refuse less input (default 1)",
    )
    add(
        "--allow-empty",
        action="store_const",
        const=0,
        dest="min_bytes",
        help="as --min-bytes 0",
    )
    add(
        "--sha256",
        type=_digest,
        metavar="HEX",
        help="refuse other contents, with exit code 65",
    )
    add(
        "--if-changed",
        action="store_true",
        help="leave a FILE that holds the same untouched",
    )
    add("--backup", metavar="NAME", help="keep the old contents under NAME, beside FILE")
    add(
        "--mode",
        type=_mode,
        metavar="OCTAL",
        help="the permissions, such as 600 (default: kept)",
    )
    add_no_sync(parser)
    add_verbosity(parser)


def _size(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) <= 18):
        raise ValueError(f"{text!r} is not a number of bytes")
    return int(text)


def _digest(text: str) -> str:
    digest = text.lower()
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise ValueError(f"{text!r} is not a SHA-256 digest of 64 hexadecimal digits")
    return digest


def _mode(text: str) -> int:
    if not 1 <= len(text) <= 5 or not set(text) <= set("01234567") or int(text, 8) > 0o7777:
        raise ValueError(f"{text!r} is not an octal mode from 0 to 7777")
    return int(text, 8)


def run(args: Namespace) -> int:
    """Copy standard input into the replacement, check it, commit it."""
    from holdfast.primitives.writer import open as open_whole

    path = named_file(args.file)
    _check_backup(args)
    same = Same(path) if args.if_changed else None
    with open_whole(
        path,
        "xb" if args.no_clobber else "wb",
        sync="never" if args.no_sync else "always",
        permissions=args.mode,
        backup=args.backup,
    ) as target:
        size = _copy(target, args, same)
        signals.finish()
        unchanged = same is not None and same.to_the_end()
        if unchanged:
            target.discard()
        begun = CLOCK.monotonic()
    if args.verbose:
        took = CLOCK.monotonic() - begun
        done = wrote(path, size, took_s=took, sync=not args.no_sync)
        say(f"{path} is unchanged" if unchanged else done)
    return OK


def _check_backup(args: Namespace) -> None:
    """Refuse what is no other name in the folder of the file; a mistake of usage."""
    name: str | None = args.backup
    if name is None:
        return
    if args.no_clobber:
        raise Failure("-n makes a new file, so there is nothing for --backup", exits.USAGE)
    own = (args.file, SYSTEM.resolve(args.file))
    taken = {"", os.curdir, os.pardir, *map(os.path.basename, own)}
    if os.path.basename(name) != name or name in taken:
        message = f"--backup {name!r}: give the name of another file, which will lie beside FILE"
        raise Failure(message, exits.USAGE)


def _copy(target: BinaryWriter, args: Namespace, same: Same | None) -> int:
    """Copy, and refuse what is too short or has another checksum; return the size."""
    digest = None
    if args.sha256:
        from hashlib import sha256

        digest = sha256()
    size = 0
    for chunk in _input():
        _write(target, chunk, args.file)
        size += len(chunk)
        if digest is not None:
            digest.update(chunk)
        if same is not None:
            same.feed(chunk)
    if size < args.min_bytes:
        what = "the input was empty" if not size else f"the input ended after {size} bytes"
        advice = f"It is untouched. Pass --min-bytes {size} if that is meant."
        raise Failure(f"{args.file}: {what}. {advice}", BAD_DATA, path=args.file)
    if digest is not None and digest.hexdigest() != args.sha256:
        found = digest.hexdigest()
        raise Failure(
            f"{args.file}: the input has the SHA-256 {found}. It is untouched.",
            BAD_DATA,
            path=args.file,
        )
    return size


def _write(target: BinaryWriter, chunk: bytes, path: str) -> None:
    try:
        target.write(chunk)
    except OSError as error:
        error.filename = path
        if not hasattr(error, "__notes__"):
            error.add_note("The old contents stand. Make room, and write again.")
        raise


def _input() -> Iterator[bytes]:
    if sys.stdin is None:
        raise Failure("standard input is closed", NO_INPUT)
    while chunk := sys.stdin.buffer.read(_CHUNK_BYTES):
        yield chunk


class Same:
    """Compares what arrives with what the file holds, in constant memory."""

    def __init__(self, path: str) -> None:
        from holdfast.cli.files import open_to_read

        self._file = open_to_read(path)

    def feed(self, chunk: bytes) -> None:
        """Compare the next piece."""
        while chunk and self._file is not None:
            held = self._file.read(len(chunk))
            if not held or chunk[: len(held)] != held:
                self._end()
            chunk = chunk[len(held) :]

    def to_the_end(self) -> bool:
        """Whether all was the same, and the file ends here."""
        same = self._file is not None and not self._file.read(1)
        self._end()
        return same

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
