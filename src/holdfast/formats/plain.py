"""Plain data: what a document holds, compared, copied and checked.

Plain data are dict, list, str, int, float, bool and None; TOML and YAML add dates. Nesting is
bounded by `MAX_DEPTH` everywhere, so that no walk over a value can exhaust the stack.
"""

# Plain data are of any type below the first level, which strict checking calls unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from holdfast.formats.keypath import KeyPath, format_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NamedTuple
else:
    from holdfast.light_typing import NamedTuple

__all__ = [
    "EXACT",
    "MAX_DEPTH",
    "MISSING",
    "TOO_DEEP",
    "check_new",
    "clone",
    "ensure_depth",
    "plain",
    "same",
    "sole_change",
]

MAX_DEPTH: Final = 128
"""The deepest nesting that is read or written: far beyond any state file, far below the stack."""

TOO_DEEP: Final = f"nested deeper than {MAX_DEPTH} levels, or holds itself"


class _Missing:
    """The type of `MISSING`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final[Any] = _Missing()
"""Stands for a value that is not there, where None would be ambiguous."""


class _Rules(NamedTuple):
    """What a format can hold, beyond dict, list, str, int, float and bool."""

    title: str
    scalars: frozenset[type]
    dates: tuple[type, ...] = ()
    any_key: bool = False
    finite: bool = False
    surrogates: bool = False


_BASE: Final[frozenset[type]] = frozenset((str, int, float, bool))
_RULES: Final[dict[str, _Rules]] = {
    "json": _Rules("JSON", _BASE | {type(None)}, finite=True, surrogates=True),
}
EXACT: Final = frozenset((str, int, bool, type(None), _Missing))
"""Types of which equal values of one type are the same value."""
_NEAREST: Final = (bool, int, float, str)


def _rules_of(name: str) -> _Rules:
    if name not in _RULES and "" not in _RULES:
        _add_rules_with_dates()
    return _RULES[name if name in _RULES else ""]


def _add_rules_with_dates() -> None:
    """Add the formats that have dates; who uses JSON alone does not wait for `datetime`."""
    from datetime import date, datetime, time

    dates = (datetime, date)
    base = _BASE.union(dates)
    null = type(None)
    _RULES["toml"] = _Rules("TOML", base | {time}, (*dates, time))
    _RULES["yaml"] = _Rules("YAML", base | {null}, dates, any_key=True)
    _RULES[""] = _Rules(
        "plain data", base | {time, null}, (*dates, time), any_key=True, surrogates=True
    )


def same(a: Any, b: Any) -> bool:
    """Whether two plain values are the same in type and content; the order of keys does not count.

    1, True and 1.0 are three different values, so are 0.0 and -0.0; NaN is the same as NaN.
    """
    kind = type(a)
    if kind is not type(b):
        return False
    if kind in EXACT:
        return bool(a == b)
    if kind is dict:
        return len(a) == len(b) and _same_items(a, b)
    if kind is list:
        return len(a) == len(b) and _same_elements(a, b)
    if kind is float:
        return (a == b and (a != 0.0 or repr(a) == repr(b))) or (a != a and b != b)
    if hasattr(kind, "tzinfo"):  # a datetime or time: one moment in two zones is two values
        return bool(a.isoformat() == b.isoformat())
    return bool(a == b)


# The next two test for scalars themselves: a call for each would double the time of a comparison.
def _same_items(a: dict[Any, Any], b: dict[Any, Any]) -> bool:
    for key, value in a.items():
        other = b.get(key, MISSING)
        if value is other:
            continue
        if type(value) in EXACT:
            if value != other or type(value) is not type(other):
                return False
        elif not same(value, other):
            return False
    return True


def _same_elements(a: list[Any], b: list[Any]) -> bool:
    for value, other in zip(a, b, strict=True):
        if value is other:
            continue
        if type(value) in EXACT:
            if value != other or type(value) is not type(other):
                return False
        elif not same(value, other):
            return False
    return True


def sole_change(old: Any, new: Any) -> tuple[str, Any] | None:
    """The key and the new scalar, if a simple one is all that differs: found at the speed of `==`.

    1, True and 1.0 are equal to `==`; the caller compares the result strictly.

    Args:
        old: plain.
        new: of any type.
    """
    try:
        return _sole_change(old, new)
    except Exception:  # values that are not plain compare as they please
        return None


def _sole_change(old: Any, new: Any) -> tuple[str, Any] | None:
    while type(old) is dict and type(new) is dict and old.keys() == new.keys():
        changed = [key for key, item in new.items() if old[key] != item]
        if len(changed) != 1:
            return None
        key = changed[0]
        old, new = old[key], new[key]
        if _is_simple(new):
            return None if type(old) is dict or type(old) is list else (key, new)
    return None


def _is_simple(value: Any) -> bool:
    kind = type(value)
    if kind is float:
        return bool(value - value == 0.0)  # neither NaN nor infinite
    return kind is int or kind is bool or (kind is str and value.isascii())


def clone(value: Any) -> Any:
    """A deep copy of dicts and lists; everything else in plain data is immutable and shared."""
    kind = type(value)
    if kind is dict:
        return {
            key: clone(item) if type(item) is dict or type(item) is list else item
            for key, item in value.items()
        }
    if kind is list:
        return [clone(item) if type(item) is dict or type(item) is list else item for item in value]
    return value


def ensure_depth(value: Any) -> None:
    """Refuse what no walk over a value could bear.

    Raises:
        ValueError: nested deeper than `MAX_DEPTH`, or a value that holds itself.
    """
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, (dict, list))
        ]
    if level:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def plain(value: Any, *, name: str) -> Any:
    """Return `value` as plain data that the format called `name` can hold.

    What is plain already is returned as it is; otherwise a copy is made, with tuples as lists and
    subclasses (`OrderedDict`, `StrEnum`, `IntEnum`) as the plain type beneath.

    Args:
        name: "json", "toml" or "yaml"; any other name allows all plain data.

    Raises:
        TypeError: the format cannot hold a value or a key; the message names its key path.
        ValueError: nested too deep, or a value that holds itself.
    """
    rules = _rules_of(name)
    if _is_plain(value, rules.scalars, MAX_DEPTH):
        return value
    return _normal(value, rules, ())


def _is_plain(value: Any, scalars: frozenset[type], depth: int) -> bool:
    """The quick check: True only when nothing needs to be changed or refused."""
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                return False
            if type(item) not in scalars and (not depth or not _is_plain(item, scalars, depth - 1)):
                return False
        return depth > 0
    if kind is list:
        for item in value:
            if type(item) not in scalars and (not depth or not _is_plain(item, scalars, depth - 1)):
                return False
        return depth > 0
    return kind in scalars


def _normal(value: Any, rules: _Rules, path: KeyPath) -> Any:
    if isinstance(value, (dict, list, tuple)):
        if len(path) >= MAX_DEPTH:
            where = format_path(path[:3])
            raise ValueError(f"{where}: {TOO_DEEP}")
        if isinstance(value, dict):
            return _normal_dict(value, rules, path)
        return [_normal(item, rules, (*path, index)) for index, item in enumerate(value)]
    return _normal_scalar(value, rules, path)


def _normal_dict(value: dict[Any, Any], rules: _Rules, path: KeyPath) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for key, item in value.items():
        if isinstance(key, str):
            name: Any = key if type(key) is str else str.__str__(key)
        elif rules.any_key:
            name = _normal_scalar(key, rules, path)
        else:
            kind = type(key).__name__
            raise TypeError(
                f"{format_path(path)}: {rules.title} keys are text, {key!r} is of type {kind}"
            )
        result[name] = _normal(item, rules, (*path, name))
    return result


def _normal_scalar(value: Any, rules: _Rules, path: KeyPath) -> Any:
    if type(value) in rules.scalars:
        return value
    for kind in (*_NEAREST, *rules.dates):
        if isinstance(value, kind) and type(value) is not kind and kind in rules.scalars:
            return _beneath(value, kind)
    word = "None" if value is None else f"a value of type {type(value).__name__}"
    raise TypeError(f"{format_path(path)}: {rules.title} cannot hold {word}")


def _beneath(value: Any, kind: type) -> Any:
    """The plain value under an instance of a subclass of `kind`."""
    if kind is str:
        return str.__str__(value)
    if kind is int:
        return int.__int__(value)
    if kind is float:
        return float.__float__(value)
    return kind.fromisoformat(kind.isoformat(value))  # type: ignore[attr-defined]


def check_new(value: Any, *, name: str, path: KeyPath = ()) -> None:
    """Refuse what may stay in a file that has it already, but is never newly written.

    Raises:
        ValueError: NaN or an infinity for JSON; text with a lone surrogate for TOML and YAML.
    """
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            check_new(key, name=name, path=(*path, key))
            check_new(item, name=name, path=(*path, key))
    elif kind is list:
        for index, item in enumerate(value):
            check_new(item, name=name, path=(*path, index))
    elif kind is float:
        if value - value != 0.0 and _rules_of(name).finite:
            raise ValueError(f"{format_path(path)}: {name.upper()} has no {value!r}")
    elif kind is str and not value.isascii() and not _rules_of(name).surrogates:
        _check_unicode(value, name, path)


def _check_unicode(value: str, name: str, path: KeyPath) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"{format_path(path)}: {name.upper()} cannot hold text with a lone surrogate"
        ) from None
