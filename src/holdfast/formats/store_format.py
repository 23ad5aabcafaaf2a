"""The entries of a store, and the body of its checkpoints: docs/reference/journal-format.md.

One commit is one block: a head of 8 bytes, a table of sizes, all keys together, all values
together. The body of a checkpoint is a row of the same blocks, each behind its size. No size is
believed before all of them add up to the bytes that are there.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from struct import Struct, pack, unpack_from

from holdfast.errors import BadFrame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Final

__all__ = [
    "MAX_CHANGES",
    "MAX_ENTRY_BYTES",
    "MAX_KEY_BYTES",
    "MAX_VALUE_BYTES",
    "decode_blocks",
    "decode_changes",
    "encode_block",
    "encode_changes",
    "framed",
    "gathered",
    "key_bytes",
    "split_changes",
    "too_large",
]

MAX_KEY_BYTES: Final = 64 << 10
MAX_CHANGES: Final = 1 << 22
"""More than a frame of the log can hold."""

_HEAD_BYTES: Final = 8
_ROW_BYTES: Final = 8
_KIND: Final = 1
_DELETED: Final = 0xFFFF_FFFF
MAX_ENTRY_BYTES: Final = 60 << 20
"""What a journal takes for one commit."""
MAX_VALUE_BYTES: Final = MAX_ENTRY_BYTES - MAX_KEY_BYTES - _HEAD_BYTES - _ROW_BYTES
"""What still makes an entry, with any key."""

_ONE: Final = Struct("<4I")
_ONE_HEAD: Final = _ONE.pack(_KIND, 1, 0, 0)[:8]
_SIZE_BYTES: Final = 4
_MAX_BLOCK_BYTES: Final = 128 << 20
_pack_one = _ONE.pack
_unpack_one = _ONE.unpack_from


def key_bytes(key: object) -> bytes:
    """Return a key as it is stored.

    Raises:
        TypeError: it is no text.
        ValueError: it has more than 64 KiB, or a lone surrogate.
    """
    if not isinstance(key, str):
        raise TypeError(f"the keys of a store are text, not {type(key).__name__}")
    try:
        data = key.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"the key {key[:64]!r} has a lone surrogate, which no UTF-8 can hold"
        ) from None
    if len(data) > MAX_KEY_BYTES:
        raise ValueError(f"a key has at most {MAX_KEY_BYTES} bytes of UTF-8, not {len(data)}")
    return data


def encode_changes(changes: Sequence[tuple[str, bytes | None]]) -> bytes:
    """Return the entry of one commit.

    Args:
        changes: of each key once, its encoded value, or None where it is deleted.

    Raises:
        TypeError: a key is no text.
        ValueError: there are no changes, a key is too long or has a lone surrogate, or a value has
            more than about 60 MiB.
    """
    if len(changes) == 1:
        key, value = changes[0]
        name = key_bytes(key)
        if value is None:
            return _pack_one(_KIND, 1, len(name), _DELETED) + name
        if len(value) > MAX_VALUE_BYTES:
            raise too_large(key, value)
        return b"".join((_pack_one(_KIND, 1, len(name), len(value)), name, value))
    names = [key_bytes(key) for key, _ in changes]
    for key, value in changes:
        if value is not None and len(value) > MAX_VALUE_BYTES:
            raise too_large(key, value)
    return encode_block(names, [value for _, value in changes])


def too_large(key: str, value: bytes) -> ValueError:
    """Return the error for a value of more than `MAX_VALUE_BYTES`."""
    return ValueError(
        f"the value of {key[:64]!r} has {len(value)} bytes, and at most {MAX_VALUE_BYTES} can be "
        "stored; keep large data in files of their own, and their names here"
    )


def encode_block(names: Sequence[bytes], values: Sequence[bytes | None]) -> bytes:
    """Return a block of keys, encoded already, and their values.

    Raises:
        ValueError: there are none, or more than 4,194,304.
    """
    count = len(names)
    if not 0 < count <= MAX_CHANGES:
        raise ValueError(f"a commit changes from 1 to {MAX_CHANGES} keys, not {count}")
    sizes = [0] * (2 * count)
    sizes[::2] = map(len, names)
    sizes[1::2] = [_DELETED if value is None else len(value) for value in values]
    kept = [value for value in values if value is not None]
    return b"".join((pack(f"<{2 + 2 * count}I", _KIND, count, *sizes), *names, *kept))


def decode_changes(data: bytes, *, where: str) -> list[tuple[str, bytes | None]]:
    """Return the changes of one commit, in their order; None where a key is deleted.

    Args:
        where: what it is called in an error.

    Raises:
        BadFrame: it is no entry of a store.
    """
    if data[:_HEAD_BYTES] == _ONE_HEAD:
        return [_single(data, where)]
    sizes, keys, values = _columns(data, where)
    if len(values) == len(keys):
        return list(zip(keys, values, strict=True))
    rest = iter(values)
    lost = [size == _DELETED for size in sizes]
    return [(key, None if gone else next(rest)) for key, gone in zip(keys, lost, strict=True)]


def split_changes(data: bytes, *, where: str) -> tuple[list[str], list[bytes], list[str]]:
    """Return the keys that are put, their values, and the keys that are deleted.

    Raises:
        BadFrame: it is no entry of a store, or puts and deletes one key.
    """
    if data[:_HEAD_BYTES] == _ONE_HEAD:
        key, value = _single(data, where)
        return ([], [], [key]) if value is None else ([key], [value], [])
    sizes, keys, values = _columns(data, where)
    if len(values) == len(keys):
        return keys, values, []
    lost = [size == _DELETED for size in sizes]
    put = [key for key, gone in zip(keys, lost, strict=True) if not gone]
    deleted = [key for key, gone in zip(keys, lost, strict=True) if gone]
    if not set(deleted).isdisjoint(put):
        raise _bad(where, "puts and deletes one key", 0)
    return put, values, deleted


def gathered(
    entries: Iterable[bytes], *, where: str
) -> Iterator[tuple[list[str], list[bytes], list[str]]]:
    """Yield what `split_changes` gives, for entries in their order, as few times as possible.

    Raises:
        BadFrame: as `split_changes`; what came before was yielded.
    """
    keys: list[bytes] = []
    values: list[bytes] = []
    for data in entries:
        if data[:_HEAD_BYTES] == _ONE_HEAD and len(data) >= _ONE.size:
            _, _, key_size, size = _unpack_one(data)
            middle = _ONE.size + key_size
            if middle + size == len(data) and key_size <= MAX_KEY_BYTES:
                keys.append(data[_ONE.size : middle])
                values.append(data[middle:])
                continue
        if keys:
            yield _decoded_keys(keys, where), values, []
            keys, values = [], []
        yield split_changes(data, where=where)
    if keys:
        yield _decoded_keys(keys, where), values, []


def _decoded_keys(keys: Iterable[bytes], where: str) -> list[str]:
    try:
        return [key.decode() for key in keys]
    except UnicodeDecodeError:
        raise _bad(where, "has a key that is no UTF-8", _ONE.size) from None


def _columns(data: bytes, where: str) -> tuple[Sequence[int], list[str], list[bytes]]:
    """Return the sizes of the values, the keys, and the values of those that have one."""
    if len(data) < _HEAD_BYTES:
        raise _bad(where, f"has only {len(data)} bytes", 0)
    kind, count = unpack_from("<2I", data)
    if kind != _KIND:
        raise _bad(where, f"is of kind {kind}, and this holdfast knows kind {_KIND} alone", 0)
    start = _HEAD_BYTES + _ROW_BYTES * count
    if not 0 < count <= MAX_CHANGES or start > len(data):
        raise _bad(where, f"has a table of {count} rows in {len(data)} bytes", 4)
    table: tuple[int, ...] = unpack_from(f"<{2 * count}I", data, _HEAD_BYTES)
    lengths = sizes = table[1::2]
    middle = start + sum(table[::2])
    if _DELETED in lengths:
        lengths = tuple([size for size in lengths if size != _DELETED])
    if middle + sum(lengths) != len(data):
        raise _bad(where, "has sizes that do not add up", _HEAD_BYTES)
    keys = _keys(data[start:middle], table[::2], where)
    values = [data[at:end] for at, end in pairwise(accumulate(lengths, initial=middle))]
    return sizes, keys, values


def _single(data: bytes, where: str) -> tuple[str, bytes | None]:
    """Return what a block of one change says: most entries are such, so it has a way of its own."""
    if len(data) < _ONE.size:
        raise _bad(where, f"has only {len(data)} bytes", 0)
    _, _, key_size, size = _unpack_one(data)
    middle = 16 + key_size
    end = middle if size == _DELETED else middle + size
    if end != len(data) or key_size > MAX_KEY_BYTES:
        raise _bad(where, "has sizes that do not add up", _HEAD_BYTES)
    try:
        key = data[16:middle].decode()
    except UnicodeDecodeError:
        raise _bad(where, "has a key that is no UTF-8", 16) from None
    return key, None if size == _DELETED else data[middle:]


def _keys(data: bytes, sizes: Sequence[int], where: str) -> list[str]:
    if max(sizes) > MAX_KEY_BYTES:
        raise _bad(where, f"has a key of {max(sizes)} bytes", _HEAD_BYTES)
    bounds = pairwise(accumulate(sizes, initial=0))
    if data.isascii():
        text = data.decode("ascii")
        return [text[at:end] for at, end in bounds]
    try:
        return [data[at:end].decode() for at, end in bounds]
    except UnicodeDecodeError:
        raise _bad(where, "has a key that is no UTF-8", _HEAD_BYTES) from None


def framed(block: bytes) -> bytes:
    """Return a block behind its size, as the body of a checkpoint has it."""
    return len(block).to_bytes(_SIZE_BYTES, "little") + block


def decode_blocks(pieces: Iterable[bytes], *, where: str) -> Iterator[bytes]:
    """Yield the blocks of a checkpoint's body, which comes in pieces of any size.

    No more is held than one block and one piece.

    Raises:
        BadFrame: a size cannot be, or the body ends inside a block.
    """
    rest = bytearray()
    for piece in pieces:
        rest += piece
        at = 0
        while (end := _end_of(rest, at, where)) <= len(rest):
            yield bytes(rest[at + _SIZE_BYTES : end])
            at = end
        del rest[:at]
    if rest:
        raise _bad(where, f"ends inside a block, {len(rest)} bytes after its beginning", None)


def _end_of(data: bytearray, at: int, where: str) -> int:
    """Return where the block that begins here ends; behind the data if its size is not there."""
    if len(data) - at < _SIZE_BYTES:
        return len(data) + 1
    size = int.from_bytes(data[at : at + _SIZE_BYTES], "little")
    if not _HEAD_BYTES < size <= _MAX_BLOCK_BYTES:
        raise _bad(where, f"has a block of {size} bytes", None)
    return at + _SIZE_BYTES + size


def _bad(where: str, what: str, offset: int | None) -> BadFrame:
    return BadFrame(
        f"{where}: what is stored there {what}, which no store writes. It is untouched. "
        "Salvage the rest with `holdfast repair`.",
        path=where,
        offset=offset,
    )
