"""From the bytes of a document to its typed value and back: codec, migrations and type.

A value has three forms: the *plain* data that the text holds (dicts, lists, scalars), what the type
*sees* of it (plain again, but without the fields that the type does not know), and the typed value.
A change is the difference between what the type saw and what it became, applied to the plain data;
that is why unknown fields survive.
"""

from __future__ import annotations

import errno
import os

from holdfast.errors import DecodeError, UnknownFormat
from holdfast.formats.plain import MISSING, clone, same
from holdfast.formats.plain import plain as as_plain
from holdfast.formats.typed import adapter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NamedTuple

    from holdfast.formats.codec import Codec
    from holdfast.formats.origins import Origins, Places
    from holdfast.state.register import Content
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Loaded", "Migrations", "Schema"]

_UNTYPED = (dict, list, object)


class Loaded(NamedTuple):
    """One decoded version: `plain` is never handed out and never changed.

    `newer` is the number of its version, if a newer program wrote it.
    """

    content: Content
    plain: Any
    newer: int | None = None


class Migrations:
    """Steps from each version to the next, and the field that holds the version.

    A document without the field is of the oldest version that there is a step from.
    """

    def __init__(self, steps: Mapping[int, Callable[[Any], Any]], *, field: str) -> None:
        versions = sorted(steps)
        if not versions or versions != list(range(versions[0], versions[-1] + 1)):
            raise ValueError(f"migrations are numbered without a gap, not {versions}")
        self.steps = dict(steps)
        self.field = field
        self.oldest = versions[0]
        self.latest = versions[-1] + 1

    def version_of(self, plain: Any) -> int:
        """Return the version of a document.

        Raises:
            DecodeError: it is not a mapping, or its version is not a whole number that is known or
                newer.
        """
        if not _is_dict(plain):
            raise DecodeError(
                f"a document with versions is a mapping, not a {type(plain).__name__}"
            )
        version = plain.get(self.field, self.oldest)
        if type(version) is not int or version < self.oldest:
            raise DecodeError(f"no migration from version {version!r}", key=(self.field,))
        return version

    def run(self, plain: Any, version: int) -> Any:
        """Bring a copy of a document to the latest version."""
        plain = clone(plain)
        for step in range(version, self.latest):
            try:
                plain = self._step(step, plain)
            except Exception as error:
                error.add_note(f"in the migration from version {step}. The file is untouched.")
                raise
        return plain

    def _step(self, step: int, plain: Any) -> Any:
        result = self.steps[step](plain)
        plain = plain if result is None else result
        if not _is_dict(plain):
            raise TypeError(f"a migration returns a dict or None, not {type(plain).__name__}")
        plain[self.field] = step + 1
        return plain

    def stamp(self, plain: Any) -> Any:
        """Mark a document as of the latest version: in its first field, unless it has the field."""
        if not _is_dict(plain):
            return plain
        if self.field in plain:
            return plain if plain[self.field] == self.latest else {**plain, self.field: self.latest}
        return {self.field: self.latest, **plain}


class Schema:
    """What a document's bytes mean."""

    def __init__(
        self,
        name: str,
        codec: Codec,
        type_: Any,
        *,
        default: Any = MISSING,
        migrations: Migrations | None = None,
    ) -> None:
        self.name = name
        self.codec = codec
        self._adapter = adapter(type_, name=codec.name)
        self._untyped = type_ in _UNTYPED
        # Those read their own results back before they return them.
        self._own_codec = type(codec).__module__.startswith("holdfast.formats.")
        # Without migrations the plain data are what the text decodes to, which spares decoding it.
        known = self._own_codec and migrations is None
        self._encode_known: Any = getattr(codec, "encode_known", None) if known else None
        known = known and self._untyped
        self._encode_sole: Any = getattr(codec, "encode_sole", None) if known else None
        self._default = default
        self._migrations = migrations
        if migrations is not None and type_ is list:
            raise ValueError("a list has no field for a version, so migrations have no meaning")

    def load(self, content: Content) -> Loaded:
        """Decode, or take the default if nothing is there, and migrate.

        Raises:
            DecodeError: with path, line and column; the file is untouched.
            FileNotFoundError: nothing is there and there is no default.
        """
        if content.data is None:
            return Loaded(content, self._default_plain())
        plain = self.decode(content.data)
        if self._migrations is None:
            return Loaded(content, plain)
        try:
            version = self._migrations.version_of(plain)
        except DecodeError as error:
            raise self._located(error) from None
        if version > self._migrations.latest:
            return Loaded(content, plain, newer=version)
        return Loaded(content, self._migrated(plain, version))

    def _migrated(self, plain: Any, version: int) -> Any:
        if self._migrations is None or version == self._migrations.latest:
            return plain
        try:
            return as_plain(self._migrations.run(plain, version), name=self.codec.name)
        except Exception as error:
            error.add_note(f"{self.name}: cannot be brought from version {version} to the latest.")
            raise

    def decode(self, data: bytes) -> Any:
        """Decode bytes to plain data; `DecodeError` names the path and the place."""
        try:
            return self.codec.decode(data)
        except DecodeError as error:
            raise self._located(error) from error.__cause__

    def value(self, loaded: Loaded) -> Any:
        """Return a typed value of its own for the caller."""
        try:
            return self._adapter.load(loaded.plain)
        except DecodeError as error:
            raise self._located(error) from error.__cause__

    def seen(self, loaded: Loaded) -> Any:
        """Return what the type sees of it, as plain data that must not be changed."""
        if self._untyped:
            return loaded.plain
        return self.dump(self.value(loaded))

    def encode_sole(self, value: Any, onto: Loaded) -> tuple[bytes, Any] | None:
        """Return the text, and its plain data, if one scalar is all that changed and it is simple.

        None: it is not, or that cannot be said quickly.
        """
        previous = onto.content.data
        if self._encode_sole is None or previous is None:
            return None
        sole: tuple[bytes, Any] | None
        sole = self._encode_sole(value, previous=previous, old=onto.plain)
        return sole

    def dump(self, value: Any) -> Any:
        """Return a typed value as plain data that shares nothing with it.

        Raises:
            TypeError: a value of another type, or one that the format cannot hold.
        """
        if self._untyped:
            return self._adapter.dump(value)
        return as_plain(self._adapter.dump(value), name=self.codec.name)

    def places(self, value: Any) -> Places:
        """Return where each object of a value came from, to tell later what became of it."""
        if self._untyped:
            return {}
        from holdfast.formats.origins import places_of

        return places_of(value)

    def origins(self, value: Any, places: Places) -> Origins:
        """Return for the places of a value the ones that its objects had."""
        if not places:
            return {}
        from holdfast.formats.origins import origins_of

        return origins_of(value, places)

    def carried(self, current: Loaded, theirs: Any, changed: Any, *, origins: Origins) -> Any:
        """Return the plain data in which the type sees `changed`, and the rest as it was.

        Raises:
            ValueError: there is none, since the type reads back another value; nothing was written.
        """
        if self._untyped:
            return self.fresh(changed)
        from holdfast.formats.carry import carried

        kept = carried(current.plain, theirs, changed, origins=origins)
        for plain in (kept, _over(current.plain, changed)):
            if self._reads_as(plain, changed):
                return self.fresh(plain)
        raise self._not_alike()

    def require_alike(self, plain: Any, value: Any) -> None:
        """Refuse a value that its type would not read back from `plain`, such as a masked secret.

        Raises:
            ValueError: part of the value would be lost; nothing was written.
        """
        if not self._untyped and not self._adapter.alike(self._adapter.load(plain), value):
            raise self._not_alike()

    def _not_alike(self) -> ValueError:
        return ValueError(
            f"{self.name}: the value would be read back as another one. The file is untouched. "
            f"Make the type's own conversion there and back agree."
        )

    def _reads_as(self, plain: Any, seen: Any) -> bool:
        try:
            return same(self.dump(self._adapter.load(plain)), seen)
        except (DecodeError, TypeError, ValueError):
            return False

    def fresh(self, plain: Any) -> Any:
        """Return plain data marked with the latest version, where there are versions."""
        return plain if self._migrations is None else self._migrations.stamp(plain)

    def normal(self, plain: Any) -> Any:
        """Return plain data as they will be read back: tuples as lists, for example."""
        return as_plain(plain, name=self.codec.name)

    def encode(self, plain: Any, onto: Loaded) -> bytes:
        """Encode plain data onto the text that is there.

        Raises:
            ValueError: the codec would read back another value; nothing was written.
        """
        previous = onto.content.data
        if previous is not None and self._encode_known is not None:
            known: bytes = self._encode_known(plain, previous=previous, old=onto.plain)
            return known
        data = self.codec.encode(plain, previous=previous)
        if not self._own_codec and not same(self.codec.decode(data), plain):
            raise ValueError(
                f"{self.name}: the codec {self.codec.name} would read back another value. "
                f"The file is untouched. It cannot hold this value."
            )
        return data

    def refuse_newer(self, loaded: Loaded) -> None:
        """Refuse to write over what a newer program wrote.

        Raises:
            UnknownFormat: it is newer; the file is untouched.
        """
        if loaded.newer is not None and self._migrations is not None:
            known = self._migrations.latest
            raise UnknownFormat(
                f"{self.name}: version {loaded.newer} is newer than {known}, the latest that this "
                f"program knows. The file is untouched. Update the program, or only read the file.",
                path=self.name,
                expected=known,
                found=loaded.newer,
            )

    def _default_plain(self) -> Any:
        if self._default is MISSING:
            error = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.name)
            error.add_note("Nothing is on disk. Pass default= to start from a value.")
            raise error
        default = self._default() if callable(self._default) else self._default
        return self.dump(default)

    def _located(self, error: DecodeError) -> DecodeError:
        place = self.name
        if error.line is not None:
            place += f":{error.line}" + (f":{error.column}" if error.column is not None else "")
        reason = error.message.removeprefix(".: ").rstrip(".")
        if error.key is None:
            what, remedy = f"not readable as {self.codec.name}", "Mend it there, or move it away."
        else:
            what, remedy = "does not fit its type", "Mend the value, or the type."
        return DecodeError(
            f"{place}: {what}: {reason}. The file is untouched. {remedy}",
            path=self.name,
            line=error.line,
            column=error.column,
            key=error.key,
        )


def _over(plain: Any, changed: Any) -> Any:
    """Every field that the type knows, as it became; below that nothing of the old is kept."""
    if _is_dict(plain) and _is_dict(changed):
        return {**plain, **changed}
    return changed


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)
