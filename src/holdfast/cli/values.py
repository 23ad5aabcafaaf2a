"""Values of documents: from the words of a command line, to its output, and to their places."""

from __future__ import annotations

from holdfast.cli.exits import BAD_DATA, USAGE, Failure
from holdfast.cli.kinds import is_list, is_table
from holdfast.cli.output import as_json
from holdfast.formats.json_scan import decoded
from holdfast.formats.keypath import KeyPath, format_path, parse_path
from holdfast.formats.plain import MISSING, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NoReturn, TypeAlias

__all__ = [
    "MISSING",
    "Pair",
    "alike",
    "assign",
    "find",
    "like",
    "read_key",
    "read_path",
    "read_value",
    "remove",
    "split_pair",
    "text_of",
]

Pair: TypeAlias = "tuple[KeyPath, Any]"

_KINDS: Final = {
    "str": "text",
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
}
_NUMBERS: Final = (int, float)
_PAIR: Final = r"""((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^"'=])+)=(.*)"""


def read_path(text: str) -> KeyPath:
    """A key path, dotted or a JSON Pointer.

    Raises:
        Failure: it is neither; a mistake of usage.
    """
    try:
        return parse_path(text)
    except ValueError as error:
        raise Failure(str(error), USAGE) from None


def read_key(text: str) -> KeyPath:
    """A key path of something that is to be changed; never the whole document by mistake.

    Raises:
        Failure: it is none, or empty, as an unset variable of a script is; a mistake of usage.
    """
    if not text:
        raise Failure('KEY is empty. "." is the whole document, \'""\' an empty key.', USAGE)
    return read_path(text)


def read_value(text: str, kind: str = "auto") -> Any:
    """The value that a word stands for: JSON if it parses, else text; or what `kind` forces.

    Raises:
        Failure: not of the kind that is forced; a mistake of usage.
    """
    if kind == "str":
        return text
    if kind == "int":
        try:
            return int(text)
        except ValueError:
            raise Failure(f"{text!r} is not a whole number", USAGE) from None
    try:
        if "NaN" in text or "Infinity" in text:
            import json

            return json.loads(text, parse_constant=_refuse)
        return decoded(text)
    except (ValueError, RecursionError) as error:
        if kind == "json":
            raise Failure(f"{text!r} is not JSON: {error}", USAGE) from None
        return text


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"there is no {name} in JSON")


def split_pair(word: str) -> tuple[str, str] | None:
    """`a.b=1` as its two sides; None where there is no key before an `=` outside quotes."""
    key, sign, value = word.partition("=")
    if not ("'" in key or '"' in key):
        return (key, value) if key and sign else None
    import re

    match = re.fullmatch(_PAIR, word, re.DOTALL)
    return (match[1], match[2]) if match else None


def like(old: Any, value: Any) -> Any:
    """The value as a date or time, where there was one and it spells one; else the value itself."""
    read: Any = getattr(old, "fromisoformat", None)
    if isinstance(value, str) and read is not None:
        try:
            return read(value)
        except ValueError:
            return value
    return value


def alike(a: Any, b: Any) -> bool:
    """Whether two values are the same, where 1 and 1.0 are one number."""
    if is_table(a) and is_table(b):
        return a.keys() == b.keys() and all(alike(value, b[key]) for key, value in a.items())
    if is_list(a) and is_list(b):
        return len(a) == len(b) and all(map(alike, a, b))
    if type(a) in _NUMBERS and type(b) in _NUMBERS:
        return bool(a == b)
    return same(a, b)


def text_of(value: Any) -> str:
    """A value to print: text as it is, dates as ISO 8601, everything else as JSON."""
    if isinstance(value, str):
        return value
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return as_json(value, indent=2 if isinstance(value, (dict, list)) else None)


def find(root: Any, path: KeyPath) -> Any:
    """The value at `path`, or MISSING."""
    for part in path:
        root = _child(root, part)
        if root is MISSING:
            break
    return root


def _child(container: Any, part: str | int) -> Any:
    if is_table(container):
        return container.get(_key(container, part), MISSING)
    if is_list(container) and isinstance(part, int) and part < len(container):
        return container[part]
    return MISSING


def _key(container: dict[Any, Any], part: str | int) -> str | int:
    """The key that is there; a number is a key of text, unless the document has it as a number."""
    return part if part in container else str(part)


def assign(root: Any, path: KeyPath, value: Any) -> Any:
    """The document with `value` at `path`; what is missing on the way is made.

    `-` appends to a list, and makes one where nothing is; all other parts make tables.

    Raises:
        Failure: something on the way is neither a table nor a list, or a list is too short.
    """
    if not path:
        return value
    here: Any = root
    for depth, part in enumerate(path[:-1], 1):
        below: Any = _child(here, part)
        if below is MISSING:
            below = [] if path[depth] == "-" else {}
            _put(here, part, below, path=path[:depth])
        here = below
    _put(here, path[-1], value, path=path)
    return root


def _put(container: Any, part: str | int, value: Any, *, path: KeyPath) -> None:
    if is_table(container):
        container[_key(container, part)] = value
    elif not is_list(container):
        raise _in_the_way(container, path)
    elif part == "-" or part == len(container):
        container.append(value)
    elif isinstance(part, int) and part < len(container):
        container[part] = value
    else:
        where = format_path(path[:-1])
        raise Failure(f"{where} is a list of {len(container)}; {part} is no place in it", BAD_DATA)


def _in_the_way(container: Any, path: KeyPath) -> Failure:
    where, name = format_path(path[:-1]), format_path(path[-1:])
    return Failure(f"{where} is {_kind(container)}, so there can be no {name} in it", BAD_DATA)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    name = str(type(value).__name__)
    return _KINDS.get(name, f"a {name}")


def remove(root: Any, path: KeyPath) -> bool:
    """Take the value at `path` out of the document; False where there is none.

    Raises:
        Failure: the path is the whole document.
    """
    if not path:
        raise Failure("the whole document cannot be deleted; remove the file", USAGE)
    container = find(root, path[:-1])
    part = path[-1]
    if _child(container, part) is MISSING:
        return False
    if is_table(container):
        del container[_key(container, part)]
    else:
        del container[part]
    return True
