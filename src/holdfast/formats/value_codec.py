"""The values of a store: to bytes, back, and what of them is kept in memory.

A codec of the user's own is called by the threads that put and get alone. Ours also decode the
simple values of a whole block at once, when a store is read in: what they keep is immutable, so
that nobody can change a stored value but by storing another.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.errors import DecodeError
from holdfast.formats.json_scan import decoded, quoted
from holdfast.formats.plain import MAX_DEPTH, check_new, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final, Generic, Protocol, TypeVar

    from holdfast.formats.models import Adapter
else:
    from holdfast.light_typing import Generic, Protocol, TypeVar

__all__ = ["ValueCodec", "ValueKeeper", "keeper_for"]

V = TypeVar("V")

MAX_NAME_BYTES: Final = 63

_OPENERS: Final = frozenset((b"{", b"["))
_SCALARS: Final[frozenset[type]] = frozenset((str, int, float, bool, type(None)))
_BETWEEN: Final = b",\n"
"""Between values that are decoded together: no text of JSON has a line's end within it, so that two
broken values cannot make a whole one."""


class ValueCodec(Protocol[V]):
    """Turns values into bytes and back; pure, and safe to share by threads."""

    @property
    def name(self) -> str:
        """What the store remembers: it is opened with a codec of this name alone."""
        ...

    def encode(self, value: V, /) -> bytes:
        """The bytes of a value. What it raises is passed on, and nothing is stored."""
        ...

    def decode(self, data: bytes, /) -> V:
        """A value of its own for the caller. What it raises is passed on."""
        ...


class ValueKeeper(Generic[V]):
    """What a store does with the values of one codec; the base keeps the bytes as they are.

    Attributes:
        name: of the codec.
        ready: types of which a kept value is the value itself.
        is_foreign: the codec is the user's own.
    """

    ready: frozenset[type] = frozenset()
    is_foreign = False

    def __init__(self, codec: ValueCodec[V]) -> None:
        self.name = codec.name
        self._encode: Callable[[V], bytes] = codec.encode
        self._decode: Callable[[bytes], V] = codec.decode

    def encode(self, value: V) -> bytes:
        """The bytes of a value.

        Raises:
            TypeError: the codec does not take it, or gives no bytes.
            ValueError: it would be read back as another one.
        """
        data = self._encode(value)
        if type(data) is not bytes:
            raise TypeError(f"the codec {self.name!r} makes {type(data).__name__}, not bytes")
        return data

    def decode(self, data: bytes) -> V:
        """The value of bytes.

        Raises:
            DecodeError: they do not parse or do not fit the type.
        """
        return self._decode(data)

    def keep(self, values: list[bytes]) -> Sequence[Any]:
        """What is kept in memory of encoded values; raises nothing, whatever they are."""
        return values

    def give(self, kept: Any) -> V:
        """The value of what is kept, its own for each call.

        Raises:
            DecodeError: it does not parse or does not fit the type.
        """
        return self._decode(kept)

    def release(self, kept: Any) -> bytes:
        """The bytes of what is kept."""
        data: bytes = kept
        return data


class _ForeignKeeper(ValueKeeper[V]):
    is_foreign = True


class _BytesCodec:
    """Bytes as they are."""

    name = "bytes"

    def encode(self, value: bytes) -> bytes:
        try:
            return bytes(memoryview(value))
        except TypeError:
            raise TypeError(
                f"the values of this store are bytes, not {type(value).__name__}"
            ) from None

    def decode(self, data: bytes) -> bytes:
        return data


class _BytesKeeper(ValueKeeper[bytes]):
    ready = frozenset((bytes,))


class _TextCodec:
    """Text as UTF-8."""

    name = "text"

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise TypeError(f"the values of this store are text, not {type(value).__name__}")
        try:
            return str(value).encode()
        except UnicodeEncodeError:
            raise ValueError("the text has a lone surrogate, which no UTF-8 can hold") from None

    def decode(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise DecodeError(f"no UTF-8: {error.reason} at byte {error.start}") from None


class _TextKeeper(ValueKeeper[str]):
    """Keeps text decoded, and what is no UTF-8 as it is."""

    ready = frozenset((str,))

    def keep(self, values: list[bytes]) -> Sequence[Any]:
        try:
            return [value.decode() for value in values]
        except UnicodeDecodeError:
            return [_text_or_bytes(value) for value in values]

    def give(self, kept: Any) -> str:
        return kept if type(kept) is str else self._decode(kept)

    def release(self, kept: Any) -> bytes:
        return kept.encode() if type(kept) is str else kept


def _text_or_bytes(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


class _JsonCodec:
    """Plain data as compact JSON."""

    name = "json"

    def encode(self, value: Any) -> bytes:
        return _json_bytes(value)

    def decode(self, data: bytes) -> Any:
        return _json_value(data)


class _JsonKeeper(ValueKeeper["Any"]):
    """Keeps scalars decoded; objects and arrays as they are, since a caller could change them."""

    ready = _SCALARS

    def keep(self, values: list[bytes]) -> Sequence[Any]:
        if len(values) == 1:
            return (_scalar_or_bytes(values[0]),)
        joined = _BETWEEN.join(values)
        if b"{" in joined or b"[" in joined:
            return self._keep_mixed(values)
        found = _scalars(joined, len(values))
        return [_scalar_or_bytes(value) for value in values] if found is None else found

    def _keep_mixed(self, values: list[bytes]) -> Sequence[Any]:
        simple = [value for value in values if value[:1] not in _OPENERS]
        found = _scalars(_BETWEEN.join(simple), len(simple)) if simple else []
        if found is None:
            return [_scalar_or_bytes(value) for value in values]
        rest = iter(found)
        return [value if value[:1] in _OPENERS else next(rest) for value in values]

    def give(self, kept: Any) -> Any:
        return _json_value(kept) if type(kept) is bytes else kept

    def release(self, kept: Any) -> bytes:
        return kept if type(kept) is bytes else _json_bytes(kept)


def _scalars(joined: bytes, count: int) -> list[Any] | None:
    """The values of text joined by `_BETWEEN`; None if that is not so many scalars."""
    try:
        found: list[Any] = decoded(b"".join((b"[", joined, b"]")).decode())
    except (ValueError, RecursionError):
        return None
    if len(found) != count or not _SCALARS.issuperset(map(type, found)):
        return None
    return found


def _scalar_or_bytes(value: bytes) -> Any:
    if value[:1] in _OPENERS:
        return value
    try:
        found = decoded(value.decode())
    except (ValueError, RecursionError):
        return value
    return found if type(found) in _SCALARS else value


def _json_bytes(value: Any) -> bytes:
    """Compact JSON of a value.

    Raises:
        TypeError: a key that is not text, or a value that JSON cannot hold.
        ValueError: NaN or an infinity, an integer of over 4,300 digits, or nested too deep.
    """
    kind = type(value)
    if kind is str:
        text = quoted(value)
        return text.encode() if text.isascii() else _utf8(text)
    if kind is int or kind is bool:
        return (repr(value) if kind is int else "true" if value else "false").encode()
    value = plain(value, name="json")
    try:
        return _utf8(_dumps(value))
    except ValueError:
        check_new(value, name="json")  # says where
        raise


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can only hold escaped
        pieces = [f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text]
        return "".join(pieces).encode()


def _dumps(value: Any) -> str:
    global _dump
    if _dump is None:
        from json import JSONEncoder

        options: Any = {"ensure_ascii": False, "allow_nan": False, "separators": (",", ":")}
        _dump = JSONEncoder(**options).encode
    return _dump(value)


_dump: Callable[[Any], str] | None = None


def _json_value(data: bytes) -> Any:
    """The value of JSON.

    Raises:
        DecodeError: it does not parse, or is nested too deep.
    """
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        try:
            return decoded(data.decode())
        except ValueError:
            pass  # said in full below
    from holdfast.formats.json_text import JsonCodec

    return JsonCodec().decode(data)


class _TypedCodec:
    """JSON, converted from and to values of one type."""

    name = "json"

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    def encode(self, value: Any) -> bytes:
        built = plain(self._adapter.dump(value), name="json")
        if not self._adapter.alike(self._adapter.load(built), value):
            raise ValueError(
                "the value would be read back as another one. Nothing was stored. Make the type's "
                "own conversion there and back agree."
            )
        return _json_bytes(built)

    def decode(self, data: bytes) -> Any:
        return self._adapter.load(_json_value(data))


class _TypedKeeper(_JsonKeeper):
    """Keeps what JSON keeps, and converts what is given."""

    ready = frozenset()

    def __init__(self, codec: _TypedCodec, type_: Any, adapter: Adapter) -> None:
        super().__init__(codec)
        self._adapter = adapter
        if type_ in _SCALARS:
            self.ready = frozenset((type_,))

    def give(self, kept: Any) -> Any:
        return self._adapter.load(_json_value(kept) if type(kept) is bytes else kept)


def keeper_for(codec: str | ValueCodec[Any] | None, type: Any = None) -> ValueKeeper[Any]:
    """What keeps the values of a codec: "json", "bytes", "text", or one of the user's own.

    Args:
        codec: a name or a codec; None is "json".
        type: of the values, for JSON: whatever may stand in a dataclass, or a dataclass, TypedDict,
            `msgspec.Struct` or pydantic model itself.

    Raises:
        ValueError: no such codec, or one that decides about types by itself.
        TypeError: neither a name nor a codec, or a type that is not supported.
    """
    if codec is None:
        codec = "json"
    if isinstance(codec, str):
        return _named(codec, type)
    _refuse_no_codec(codec)
    if type is not None:
        raise ValueError(f"the codec {codec.name!r} decides about types: leave `type` out")
    return _ForeignKeeper(codec)


def _named(name: str, type_: Any) -> ValueKeeper[Any]:
    if name == "json":
        return _JsonKeeper(_JsonCodec()) if type_ is None else _typed(type_)
    own = {"bytes": bytes, "text": str}.get(name)
    if own is None:
        raise ValueError(f'no codec is called {name!r}. There are "json", "bytes" and "text".')
    if type_ is not None and type_ is not own:
        raise ValueError(f"the codec {name!r} holds {own.__name__} alone: leave `type` out")
    return _BytesKeeper(_BytesCodec()) if own is bytes else _TextKeeper(_TextCodec())


def _refuse_no_codec(codec: Any) -> None:
    if not (callable(getattr(codec, "encode", None)) and callable(getattr(codec, "decode", None))):
        raise TypeError(f"a codec is a name or has encode() and decode(), not {codec!r}")
    name = getattr(codec, "name", None)
    if not isinstance(name, str) or not 0 < len(name.encode()) <= MAX_NAME_BYTES:
        raise TypeError(f"a codec has a name of 1 to {MAX_NAME_BYTES} bytes, not {name!r}")


def _typed(type_: Any) -> ValueKeeper[Any]:
    from holdfast.formats.typed import adapter

    made = adapter(type_, name="json")
    return _TypedKeeper(_TypedCodec(made), type_, made)
