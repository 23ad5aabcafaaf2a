"""`holdfast store put`: a value of a store, changed durably."""

from __future__ import annotations

import os

from holdfast.cli import exits, signals
from holdfast.cli.exits import BAD_DATA, OK, Failure
from holdfast.cli.files import read_input, tell_terminal
from holdfast.cli.parser import add_no_sync
from holdfast.cli.stores import CODECS, Closing, add_codec, codec_for, open_store
from holdfast.cli.values import read_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "[OPTION...] DIR KEY [VALUE]"
SUMMARY = "Put a value into the store in DIR, durably."
ABOUT = """
VALUE is taken as JSON if it parses, else as text, as `holdfast set` does; in a
store of text or of bytes it is taken as it is. Without VALUE it is read from
standard input, less the newline at its end; bytes are taken with it. What is
no UTF-8 is refused, but by a store of bytes. A VALUE
that begins with a dash is written after `--`. DIR is made when it is missing.
"""
EXAMPLES = """
holdfast store put state.store user/ada '{"age": 36}'
holdfast store put --str state.store build 0042
date | holdfast store put state.store started
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the store")
    add("key", metavar="KEY", help="the key")
    add("value", metavar="VALUE", nargs="?", help="the value (default: standard input)")
    for kind, what in (("str", "text"), ("int", "a whole number"), ("json", "JSON")):
        add(
            f"--{kind}", action="store_const", const=kind, dest="kind", help=f"VALUE is {what}"
        )  # fmt: skip
    add_codec(parser)
    add_no_sync(parser)


def run(args: Namespace) -> int:
    """Put it.

    Raises:
        Failure: the value is none that the store can hold; nothing was changed.
    """
    codec = _codec(args)
    value = _value(args, codec)
    store = open_store(args.folder, read_only=False, codec=codec, sync=not args.no_sync)
    try:
        with Closing(store), store.transaction() as tx:
            tx.get(args.key)  # waits for those who hold the store; until then a signal ends it
            tx[args.key] = value
            signals.finish()
    except (TypeError, ValueError) as error:
        if hasattr(error, "exit_code"):
            raise
        message = str(error)
        if not message.endswith("Nothing was written."):  # of the key
            message = f"{args.folder}: {message}. It is unchanged."
        raise Failure(message, BAD_DATA, path=args.folder) from None
    return OK


def _codec(args: Namespace) -> str:
    """The codec of the store that is there or will be made, which must be one of ours."""
    codec = codec_for(args.folder, args.codec)
    if codec not in CODECS:
        message = (
            f"{args.folder}: its values are made by the codec {codec!r}, which only the program "
            "that it belongs to has. It is unchanged. Put them by that."
        )
        raise Failure(message, BAD_DATA, path=args.folder)
    return codec


def _value(args: Namespace, codec: str) -> Any:
    if codec != "json" and args.kind not in {None, "str"}:
        raise Failure(f"--{args.kind}: the values of this store are {codec}", exits.USAGE)
    if args.value is None:
        tell_terminal("store put", "the value")
        data = read_input()
    else:
        data = os.fsencode(args.value)
    if codec == "bytes":
        return data
    try:
        text = (data if args.value is not None else data.removesuffix(b"\n")).decode()
    except UnicodeDecodeError as error:
        message = (
            f"{args.folder}: the value is no text: byte {data[error.start]:#04x} at offset "
            f"{error.start} is not UTF-8. It is unchanged. Bytes go into a store that was made "
            "with --codec bytes."
        )
        raise Failure(message, BAD_DATA, path=args.folder) from None
    return read_value(text, args.kind or "auto") if codec == "json" else text
