"""Codecs: the bytes of a file to plain data, and plain data onto the bytes that were there."""

from __future__ import annotations

from holdfast.formats.extras import MissingExtra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Protocol
else:
    from holdfast.light_typing import Protocol

__all__ = ["Codec", "MissingExtra", "codec_for"]


class Codec(Protocol):
    """Turns the bytes of one format into a value and back; pure, and safe to share by threads."""

    @property
    def name(self) -> str:
        """What messages call the format, such as "json"."""
        ...

    def decode(self, data: bytes) -> Any:
        """The value of `data`.

        Raises:
            DecodeError: `data` does not parse; line and column from 1, where there is a place.
        """
        ...

    def encode(self, value: Any, *, previous: bytes | None = None) -> bytes:
        """The bytes of `value`.

        Args:
            previous: What the file holds. Only what differs from its value is changed; the rest,
                such as comments, order and layout, stays byte for byte. An equal value gives
                `previous` itself.

        Raises:
            TypeError: the format cannot hold a value or a key; the message names its key path.
            ValueError: the change cannot be written; the message says where and why.
            DecodeError: `previous` does not parse.
        """
        ...


_SUFFIXES: Final = {".json": "json", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}


def codec_for(file_name: str, codec: str | Codec | None = None) -> Codec:
    """The codec for a file: the one given, by its name or itself, else by the suffix of the name.

    Raises:
        ValueError: no such codec, or a suffix that belongs to none.
        TypeError: `codec` is neither a name nor a codec.
    """
    if codec is None:
        dot = file_name.rfind(".")
        name = _SUFFIXES.get(file_name[dot:].lower(), "") if dot >= 0 else ""
        if not name:
            known = ", ".join(_SUFFIXES)
            raise ValueError(
                f"{file_name}: no codec for this suffix. There are {known}. "
                'Pass codec="json", "toml", "yaml" or a Codec.'
            )
        return _named(name)
    if isinstance(codec, str):
        return _named(codec)
    if not callable(getattr(codec, "decode", None)) or not callable(getattr(codec, "encode", None)):
        raise TypeError(f"codec is a name or has decode() and encode(), not {type(codec).__name__}")
    return codec


def _named(name: str) -> Codec:
    if name == "json":
        from holdfast.formats.json_text import JsonCodec

        return JsonCodec()
    if name == "toml":
        from holdfast.formats.toml_text import TomlCodec

        return TomlCodec()
    if name == "yaml":
        from holdfast.formats.yaml_text import YamlCodec

        return YamlCodec()
    raise ValueError(f'no codec is called {name!r}. There are "json", "toml" and "yaml".')
