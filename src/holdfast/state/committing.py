"""How a change becomes the contents: merge what came in between, encode, replace, or try again."""

from __future__ import annotations

from holdfast.errors import Conflict
from holdfast.formats.plain import same
from holdfast.state.loading import Loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, NamedTuple, TypeAlias

    from holdfast.formats.keypath import KeyPath
    from holdfast.formats.origins import Origins
    from holdfast.state.loading import Schema
    from holdfast.state.register import Content, Held, Register

    OnConflict: TypeAlias = (
        Literal["mine", "theirs", "raise"] | Callable[[KeyPath, Any, Any, Any], Any]
    )
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Change", "Committed", "Committer", "OnConflict"]

_ATTEMPTS = 100
_ABSENT = "absent"


class Change(NamedTuple):
    """What somebody wants the contents to be: typed, and as the plain data that the type gives.

    `origins` says where its objects were in `of`, the contents that they came from.
    """

    value: Any
    mine: Any
    of: Loaded | None = None
    origins: Origins | None = None


class Committed(NamedTuple):
    """`seen` is what the file means now; `theirs` what it meant before the commit."""

    loaded: Loaded
    seen: Any
    theirs: Any
    conflicts: tuple[KeyPath, ...]
    written: bool


class Committer:
    """The contents as last decoded, and the one way to replace them."""

    def __init__(self, register: Register, schema: Schema) -> None:
        self._register = register
        self.schema = schema
        self._last: Loaded | None = None
        self._seen: tuple[Any, Any] = (self, None)

    def load(self, held: Held | None = None) -> Loaded:
        """Decode what the register holds, unless it still holds what was decoded last."""
        last = self._last
        content = (held or self._register).read(None if last is None else last.content)
        if last is not None and content is last.content:
            return last
        return self._decode(content)

    def _decode(self, content: Content) -> Loaded:
        last = self._last
        if last is not None and content is last.content:
            return last
        if last is not None and content.data is not None and content.data is last.content.data:
            loaded = last._replace(content=content)
        else:
            loaded = self.schema.load(content)
        self._last = loaded
        return loaded

    def seen(self, loaded: Loaded) -> Any:
        """Return what the type sees of it: the same object as long as nothing changed."""
        of, seen = self._seen
        if of is not loaded.plain:
            seen = self.schema.seen(loaded)
            self._seen = (loaded.plain, seen)
        return seen

    @staticmethod
    def version_of(content: Content) -> str:
        """Return the version of contents: a digest, so that equal bytes are one version."""
        if content.data is None:
            return _ABSENT
        from hashlib import blake2b

        return blake2b(content.data, digest_size=16).hexdigest()

    def commit_sole(self, held: Held, value: Any, loaded: Loaded) -> bool:
        """Commit the change of one scalar of what was loaded; False and no effect if it is more.

        False also when the register holds something else by now.
        """
        if (sole := self.schema.encode_sole(value, loaded)) is None:
            return False
        data, plain = sole
        try:
            self._put(held, data, plain, replacing=loaded.content)
        except Conflict:
            return False
        return True

    def commit(
        self,
        held: Held,
        base: Any,
        change: Change,
        *,
        on_conflict: OnConflict,
        current: Loaded | None,
    ) -> Committed:
        """Bring a change into whatever the register holds by now.

        Args:
            held: The register, others being excluded.
            base: What was seen, as plain data.
            change: What it became.
            on_conflict: See `Draft.commit`.
            current: What is probably there still, which spares a look: a write that finds something
                else there begins again. None: look.

        Raises:
            Conflict: `on_conflict="raise"` and both changed one key; or others write faster than
                this can.
        """
        for _ in range(_ATTEMPTS):
            if current is None:
                current = self.load(held)
            theirs = self.seen(current)
            merged, conflicts = self._merge(base, change.mine, theirs, on_conflict=on_conflict)
            try:
                loaded = self._replace(held, current, merged, change=change)
            except Conflict:
                current = None
                continue
            return Committed(loaded, merged, theirs, conflicts, loaded is not current)
        raise self._too_busy()

    def overwrite(self, held: Held, value: Any, *, if_version: str | None) -> str:
        """Make `value` the contents, if they still are of that version; return the new version.

        Raises:
            Conflict: they are of another version, and stay; or others write faster than this can.
        """
        change = Change(value, self.schema.dump(value))
        for _ in range(_ATTEMPTS):
            last = self._last
            content = held.read(None if last is None else last.content)
            self._require(content, if_version)
            try:
                if content.data is None:
                    self.schema.require_alike(change.mine, value)
                    plain = self.schema.fresh(change.mine)
                    loaded = self._write(held, Loaded(content, None), plain)
                else:
                    current = self._decode(content)
                    loaded = self._replace(held, current, change.mine, change=change)
            except Conflict:
                continue
            return self.version_of(loaded.content)
        raise self._too_busy()

    def _merge(
        self, base: Any, mine: Any, theirs: Any, *, on_conflict: OnConflict
    ) -> tuple[Any, tuple[KeyPath, ...]]:
        if theirs is base:
            return mine, ()
        from holdfast.formats.merge import merge3

        prefer = "mine" if on_conflict == "raise" else on_conflict
        merged = merge3(base, mine, theirs, prefer=prefer)
        if merged.conflicts and on_conflict == "raise":
            raise Conflict(
                f"{self.schema.name}: changed by somebody else in {len(merged.conflicts)} of the "
                f"same places. It holds their contents. Decide by on_conflict=, or check out "
                f"again.",
                path=self.schema.name,
                conflicts=tuple(merged.conflicts),
            )
        return self.schema.normal(merged.value), tuple(merged.conflicts)

    def _replace(self, held: Held, current: Loaded, merged: Any, *, change: Change) -> Loaded:
        theirs, plain = self.seen(current), current.plain
        unchanged = same(theirs, merged)
        if not unchanged:
            self.schema.refuse_newer(current)
            origins = change.origins if change.of and change.of.plain is plain else None
            plain = self.schema.carried(current, theirs, merged, origins=origins or {})
        if merged is change.mine:
            self.schema.require_alike(plain, change.value)
        return current if unchanged else self._write(held, current, plain)

    def _write(self, held: Held, current: Loaded, plain: Any) -> Loaded:
        data = self.schema.encode(plain, current)
        return self._put(held, data, plain, replacing=current.content)

    def _put(self, held: Held, data: bytes, plain: Any, *, replacing: Content) -> Loaded:
        self._last = None  # whatever happens now, the next look reads
        content = held.write(data, replacing=replacing)
        self._last = Loaded(content, plain, None)
        return self._last

    def _require(self, content: Content, if_version: str | None) -> None:
        if if_version is not None and self.version_of(content) != if_version:
            raise Conflict(
                f"{self.schema.name}: changed since version {if_version} was read. It holds "
                f"somebody else's contents. Take a new snapshot and redo the change.",
                path=self.schema.name,
            )

    def _too_busy(self) -> Conflict:
        return Conflict(
            f"{self.schema.name}: changed by others {_ATTEMPTS} times while this was being "
            f"written. It holds their contents. Try again, or have all writers use the lock.",
            path=self.schema.name,
        )
