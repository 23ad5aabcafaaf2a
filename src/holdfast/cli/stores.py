"""What the verbs of a store share: which folder is one, its codec, and how values are printed."""

from __future__ import annotations

import os

from holdfast.cli import signals
from holdfast.cli.exits import BAD_DATA, Failure
from holdfast.cli.files import missing, named_file
from holdfast.cli.recognition import is_log, visible
from holdfast.cli.states import identity_of, kind_of_state, may_have_lost_identity
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.cli.parser import Parser
    from holdfast.primitives.log import LogSync
    from holdfast.state.store import Store

__all__ = [
    "CODECS",
    "Closing",
    "Opaque",
    "add_codec",
    "codec_for",
    "codec_in",
    "facts",
    "open_store",
    "value_facts",
]

CODECS = ("json", "text", "bytes")
"""The codecs that the command line knows; values of others are bytes to it."""


class Opaque:
    """A codec of somebody's program: its values are taken as the bytes that it made."""

    def __init__(self, name: str) -> None:
        self.name = name

    def encode(self, value: bytes, /) -> bytes:
        """Return the bytes as they are."""
        return value

    def decode(self, data: bytes, /) -> bytes:
        """Return the bytes as they are."""
        return data


def codec_in(path: str) -> str | None:
    """The name of the codec of the store at `path`; None where one may be made, or is being made.

    Raises:
        FileNotFoundError: nothing is there.
        Failure: it is something else.
        Corruption: its identity is damaged.
    """
    try:
        folder = SYSTEM.folder(named_file(path), readable=True)
    except FileNotFoundError:
        raise missing(path) from None
    try:
        names = visible(folder.names())
    finally:
        folder.close()
    if may_have_lost_identity(path, names):
        message = (
            f"{path}/journal: is missing, which says whose the log beside it is. It is untouched. "
            "If this was a store, put the file back from a backup, or save it by `holdfast repair`."
        )
        raise Failure(message, BAD_DATA, path=path)
    kind = kind_of_state(path, names)
    if kind is not None:
        identity = identity_of(path)
        if identity.kind == "store":
            return identity.codec
    elif not names or names == ["journal.new"]:
        return None
    what = kind or ("log" if is_log(names) else "")
    found = f"is a {what}, no store" if what else "is no store"
    raise Failure(f"{path}: {found}. It is untouched. Name the folder of one.", BAD_DATA, path=path)


def codec_for(path: str, wanted: str | None) -> str:
    """The codec of the store at `path`, or of the one that will be made there.

    Args:
        path: of the store.
        wanted: what was asked for; None: whatever it is, and JSON where it is made.

    Raises:
        Failure: it has another one than is wanted, or is no store.
        Corruption: its identity is damaged.
    """
    try:
        found = codec_in(path)
    except FileNotFoundError:
        found = None
    if found is not None and wanted not in {None, found}:
        message = (
            f"{path}: its values are {found}, not {wanted}. It is unchanged. "
            "Leave out --codec, or name another folder."
        )
        raise Failure(message, BAD_DATA, path=path)
    return found or wanted or CODECS[0]


def open_store(
    path: str, *, read_only: bool = True, codec: str | None = None, sync: bool = True
) -> Store[Any]:
    """The store at `path`, which is there; or, with a codec, is made by the first change.

    Args:
        path: of the store.
        read_only: open it to read it.
        codec: what `codec_for` has found; None: the store must be there.
        sync: wait for the disk.

    Raises:
        FileNotFoundError: nothing is there.
        Failure: it is something else.
        Corruption: its identity is damaged.
    """
    from holdfast.state.store import Store

    name = codec or codec_in(path) or CODECS[0]
    used: Any = name if name in CODECS else Opaque(name)
    how: LogSync = "always" if sync else "never"
    return Store(os.path.abspath(path), codec=used, read_only=read_only, sync=how)


class Closing:
    """`with Closing(store):` closes it at the end, unless a signal came: that might wait again."""

    def __init__(self, store: Store[Any]) -> None:
        self._store = store

    def __enter__(self) -> Store[Any]:
        return self._store

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not signals.Interrupted:
            self._store.close()


def add_codec(parser: Parser) -> None:
    """`--codec NAME`."""
    parser.add_argument(
        "--codec", choices=CODECS, metavar="NAME",
        help="of a store that is made: json (default), text or bytes",
    )  # fmt: skip


def facts(key: str, value: Any) -> dict[str, Any]:
    """A key and its value for JSON, in the form in which it can be imported."""
    return {"key": key, **value_facts(value)}


def value_facts(value: Any) -> dict[str, Any]:
    """A value for JSON; bytes are in base 64, and called so."""
    if not isinstance(value, bytes):
        return {"value": value}
    from binascii import b2a_base64

    return {"base64": b2a_base64(value, newline=False).decode()}
