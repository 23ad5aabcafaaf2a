"""Checked by mypy and pyright, never run: documents keep the type of their value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, assert_type

import holdfast


@dataclass
class Settings:
    """What a program may keep."""

    theme: str = "light"
    size: int = 1


class Row(TypedDict):
    """The same as a plain mapping with known keys."""

    name: str


def typed(path: Path) -> None:
    """The type that is asked for is the type that is read, changed and written."""
    doc = holdfast.Document(path, type=Settings, default=Settings)
    assert_type(doc, holdfast.Document[Settings])
    assert_type(doc.read(), Settings)
    value, version = doc.snapshot()
    assert_type(value, Settings)
    doc.write(value, if_version=version)
    doc.write({"theme": "dark"})  # type: ignore[arg-type]
    with doc.edit() as settings:
        settings.theme = "dark"
        settings.size = "large"  # type: ignore[assignment]


def updated(path: Path) -> None:
    """A function of an update changes the value in place, or returns a new one of its type."""

    def grow(settings: Settings) -> None:
        settings.size += 1

    def renew(settings: Settings) -> Settings:
        return Settings(settings.theme, 0)

    def confuse(settings: Settings) -> str:
        return settings.theme

    doc = holdfast.Document(path, type=Settings)
    assert_type(doc.update(grow), Settings)
    assert_type(doc.update(renew, timeout_s=1.0), Settings)
    doc.update(confuse)  # type: ignore[arg-type]


def plain(path: Path) -> None:
    """Without a type, a document is a mapping of anything; a TypedDict is itself."""
    assert_type(holdfast.Document(path).read(), dict[str, Any])
    assert_type(holdfast.Document(path, type=Row).read(), Row)
    with holdfast.edit(path, default={}) as state:
        state["n"] = 1


def drafted(path: Path) -> None:
    """A draft carries the value; committing it says what was done."""
    draft = holdfast.Document(path, type=Settings).checkout()
    assert_type(draft.value, Settings)
    assert_type(draft.commit(), holdfast.MergeReport)
    draft.commit(on_conflict="theirs")
    draft.commit(on_conflict="nobody")  # type: ignore[arg-type]


async def twins(path: Path) -> None:
    """The twins for asyncio keep the type as well."""
    doc = holdfast.Document(path, type=Settings)
    assert_type(await doc.aread(), Settings)
    assert_type(await doc.aupdate(lambda s: Settings(s.theme)), Settings)
    async with doc.aedit() as settings:
        settings.size = 2
    async with holdfast.aedit(path, default={}) as state:
        state["n"] = 1
