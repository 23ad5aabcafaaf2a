"""The files that verbs are given: as a register of bytes, and what is said of them."""

from __future__ import annotations

import os
import sys

from holdfast.cli.exits import BAD_DATA, NO_INPUT, USAGE, Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from holdfast.formats.codec import Codec
    from holdfast.state.file_register import FileRegister
    from holdfast.vfs import File, Holder

__all__ = [
    "LARGEST_BYTES",
    "codec_of",
    "decode",
    "decode_as",
    "holder_of",
    "lock_path_of",
    "missing",
    "named_file",
    "named_path",
    "need_codec",
    "open_register",
    "open_to_read",
    "read_file",
    "read_input",
    "require_file",
    "tell_terminal",
    "wrote",
]

LARGEST_BYTES: Final = 1 << 30
"""What a document, or a file that a command edits, may have at most."""

_PIECE_BYTES: Final = 1 << 20


def named_file(path: str) -> str:
    """The path, which must name a file.

    Raises:
        Failure: it is empty; or `-`, and a stream has no old contents to keep.
    """
    if not path:
        raise Failure("the name of the file is empty", USAGE)
    if path == "-":
        raise Failure("- is no file here; write ./- for a file of that name", USAGE)
    return path


def named_path(path: str) -> str:
    """The path, which must name something; of a folder, without a slash at its end.

    Raises:
        Failure: as `named_file`.
    """
    bare = named_file(path).rstrip("/")
    if not bare or bare == path:
        return path
    from stat import S_ISDIR

    from holdfast.vfs import SYSTEM

    try:
        return bare if S_ISDIR(SYSTEM.stat(path).st_mode) else path
    except (FileNotFoundError, NotADirectoryError):
        return path


def open_register(path: str, *, sync: bool = True) -> FileRegister:
    """The file as bytes under the lock that documents use."""
    from holdfast.state.file_place import FileOptions
    from holdfast.state.file_register import FileRegister
    from holdfast.vfs import CLOCK, SYSTEM

    options = FileOptions(
        lock=True,
        sync="always" if sync else "never",
        permissions=None,
        keep=0,
        max_size_bytes=LARGEST_BYTES,
        vfs=SYSTEM,
        clock=CLOCK,
    )
    return FileRegister(os.path.abspath(named_file(path)), options)


def lock_path_of(path: str) -> str:
    """Where the lock of a document at `path` is: beside the file that symlinks lead to."""
    from holdfast.primitives.beside import beside
    from holdfast.vfs import SYSTEM

    folder, name = os.path.split(SYSTEM.resolve(named_file(path)))
    return os.path.join(folder, beside(name, ".lock"))


def holder_of(path: str) -> Holder | None:
    """Who holds the lock of the file at `path`; None if nobody does.

    Raises:
        OSError: it cannot be opened.
    """
    from holdfast.vfs import SYSTEM

    folder_path, name = os.path.split(SYSTEM.resolve(path))
    folder = SYSTEM.folder(folder_path)
    try:
        file = folder.open(name or os.curdir, "read")
    finally:
        folder.close()
    try:
        return SYSTEM.holder(file)
    finally:
        file.close()


def read_input() -> bytes:
    """All of standard input.

    Raises:
        Failure: it is closed.
    """
    if sys.stdin is None:
        raise Failure("standard input is closed", NO_INPUT)
    return sys.stdin.buffer.read()


def tell_terminal(verb: str, what: str) -> None:
    """Say to who sits at a terminal that standard input is read: else it looks like a halt."""
    if sys.stdin is not None and sys.stdin.isatty():
        from holdfast.cli.exits import note

        note(verb, f"reading {what} from standard input; Ctrl-D at the beginning of a line ends it")


def decode(path: str, name: str | None = None) -> Any:
    """The value of the document at `path`, or on standard input (`-`, JSON unless `name` is given).

    Raises:
        FileNotFoundError: there is no such file.
        DecodeError: it does not parse.
    """
    remedy = "Mend it there, or name its format with --parse."
    if path == "-":
        codec, data = need_codec("-", name or "json"), read_input()
        return decode_as(codec, data, "standard input", remedy=f"Nothing was changed. {remedy}")
    codec = need_codec(named_file(path), name)
    return decode_as(codec, read_file(path), path, remedy=f"The file is untouched. {remedy}")


def read_file(path: str) -> bytes:
    """One whole version of a file; no lock is needed for it.

    Raises:
        FileNotFoundError: there is no such file.
        Failure: it is no regular file, or larger than what fits a document.
    """
    file = open_to_read(path)
    if file is None:
        raise missing(path)
    try:
        pieces: list[bytes] = []
        left = LARGEST_BYTES
        while left > 0 and (piece := file.read(min(left, _PIECE_BYTES))):
            pieces.append(piece)
            left -= len(piece)
    finally:
        file.close()
    if left <= 0:
        raise Failure(f"{path} is larger than {LARGEST_BYTES} bytes", BAD_DATA, path=path)
    return b"".join(pieces)


def missing(path: str) -> FileNotFoundError:
    """The error for a file that is not there."""
    from errno import ENOENT

    return FileNotFoundError(ENOENT, os.strerror(ENOENT), path)


def require_file(path: str) -> None:
    """Pass if something is there; else no lock file and no folder is made for it.

    Raises:
        FileNotFoundError: nothing is there.
    """
    file = open_to_read(path)
    if file is None:
        raise missing(path)
    file.close()


def open_to_read(path: str) -> File | None:
    """The regular file at `path`, None when nothing is there.

    Raises:
        Failure: something else is there; a FIFO or device is not waited for.
    """
    from stat import S_ISREG

    from holdfast.vfs import SYSTEM

    folder_path, name = os.path.split(path)
    try:
        folder = SYSTEM.folder(folder_path)
        try:
            file = folder.open(name, "read")
        finally:
            folder.close()
    except FileNotFoundError:
        return None
    except OSError as error:
        error.filename = path  # the folder's descriptor was asked, so it is the bare name
        raise
    if S_ISREG(file.stat().st_mode):
        return file
    file.close()
    raise Failure(f"{path} is not a regular file", NO_INPUT, path=path)


def decode_as(codec: Codec, data: bytes, path: str, *, remedy: str = "") -> Any:
    """The value of bytes that stand, or shall stand, in `path`.

    Args:
        codec: Their format.
        data: The bytes.
        path: For messages.
        remedy: What the message goes on with: what is on disk now, and what to do.

    Raises:
        DecodeError: they do not parse; with path, line and column.
    """
    from holdfast.errors import DecodeError

    try:
        return codec.decode(data)
    except DecodeError as error:
        place = ":".join(str(part) for part in (path, error.line, error.column) if part)
        message = f"{place}: not readable as {codec.name}: {error.message}"
        if remedy:
            message = f"{message.rstrip('.')}. {remedy}"
        raise DecodeError(message, path=path, line=error.line, column=error.column) from None


def need_codec(path: str, name: str | None) -> Codec:
    """The codec that is named, or that the suffix names.

    Raises:
        Failure: the suffix belongs to none; a mistake of usage.
    """
    codec = codec_of(path, name)
    if codec is None:
        raise Failure(f"{path}: no format for this suffix; pass --parse json, toml or yaml", USAGE)
    return codec


def codec_of(path: str, name: str | None = None) -> Codec | None:
    """The codec that is named, or that the suffix names; None for a suffix that belongs to none."""
    from holdfast.formats.codec import codec_for

    try:
        return codec_for(path, name)
    except ValueError:
        return None


def wrote(path: str, size_bytes: int, *, took_s: float, sync: bool = True) -> str:
    """`wrote state.json 1.2 kB, synced file and folder in 0.41 ms (ext4)`."""
    from holdfast.cli.output import human_size
    from holdfast.vfs import SYSTEM

    promises = SYSTEM.promises(os.path.abspath(path))
    how = "synced file and folder" if promises.folder_sync else "synced file"
    spent = f"{took_s * 1e3:.2f} ms" if took_s < 1 else f"{took_s:.1f} s"
    what = f"wrote {path} {human_size(size_bytes)}"
    return f"{what}, {how if sync else 'not synced'} in {spent} ({promises.filesystem})"
