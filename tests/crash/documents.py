"""The registry, second part: documents."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import holdfast
from tests.crash.places import Place
from tests.crash.promises import Operation, Values
from tests.crash.whole_files import OTHER, attributes_kept, give_attributes, in_a_loop

KEEP = b'"keep": "' + b"me " * 200 + b'"'
OLD = b'{"n": 1, ' + KEEP + b"}\n"
NEW = b'{"n": 2, ' + KEEP + b"}\n"
AGED = b'{"version": 1, "n": 1, ' + KEEP + b"}\n"
MIGRATED = b'{"version": 2, "n": 2, ' + KEEP + b"}\n"
DAMAGED = b'{"n": 1, ' + KEEP
NAME, LOCK = "doc.json", "doc.json.lock"
CHANGED: dict[str, Values] = {NAME: (OLD, NEW)}
BEFORE = {NAME: OLD, "other": OTHER}
Document = holdfast.Document[dict[str, Any]]


def add(state: dict[str, Any]) -> None:
    """The change that is made."""
    state["n"] = 2


def on_a_document(
    change: Callable[[Document], object], *, name: str = NAME, **options: Any
) -> Callable[[Place], None]:
    """Do something with the document, and close it."""

    def run(at: Place) -> None:
        with holdfast.Document(at.path(name), vfs=at.vfs, **options) as document:
            change(document)

    return run


def on_a_document_in_a_loop(
    change: Callable[[Document], Any], **options: Any
) -> Callable[[Place], None]:
    """The same with a coroutine function."""

    async def run(at: Place) -> None:
        with holdfast.Document(at.path(NAME), vfs=at.vfs, **options) as document:
            await change(document)

    return in_a_loop(run)


def by_edit(document: Document) -> None:
    with document.edit() as state:
        add(state)


def by_draft(document: Document) -> None:
    draft = document.checkout()
    add(draft.value)
    draft.commit()


def by_write(document: Document) -> None:
    snapshot = document.snapshot()
    document.write({**snapshot.value, "n": 2}, if_version=snapshot.version)


def by_restore(document: Document) -> None:
    document.restore(7)


async def by_aedit(document: Document) -> None:
    async with document.aedit() as state:
        add(state)


async def by_acommit(document: Document) -> None:
    draft = await document.acheckout()
    add(draft.value)
    await draft.acommit()


async def by_awrite(document: Document) -> None:
    await document.awrite({**await document.aread(), "n": 2})


def edit(at: Place) -> None:
    with holdfast.edit(at.path(NAME), vfs=at.vfs) as state:
        add(state)


async def aedit(at: Place) -> None:
    async with holdfast.aedit(at.path(NAME), vfs=at.vfs) as state:
        add(state)


def edit_new(at: Place) -> None:
    with holdfast.edit(at.path("new.json"), default={}, vfs=at.vfs) as state:
        state["n"] = 2


# What more must hold.


def predecessor_kept(at: Place, returned: bool) -> None:
    """When the document is new, its predecessor is whole under its number."""
    tree = at.tree()
    kept = [value for name, value in tree.items() if name.startswith(f"{NAME}.~")]
    assert tree[NAME] == OLD or OLD in kept, "lost: the predecessor is nowhere"


def damage_is_somewhere(at: Place, returned: bool) -> None:
    """The damaged bytes are under one of the two names; under the new one once it has returned."""
    tree = at.tree()
    moved = [value for name, value in tree.items() if ".corrupt-" in name]
    assert DAMAGED in (tree.get(NAME), *moved), "lost: the damaged bytes are nowhere"
    if returned:
        assert DAMAGED in moved, "not durable: the damaged bytes are not under the new name"


def quarantine(document: Document) -> None:
    with suppress(FileNotFoundError):
        document.quarantine()


async def aquarantine(document: Document) -> None:
    await document.aquarantine()


def changed(
    name: str, run: Callable[[Place], object], files: dict[str, Values] = CHANGED, **more: object
) -> Operation:
    """An operation on a document, with the usual tree before it."""
    usual: dict[str, object] = {"before": BEFORE, "beside": (LOCK,)}
    return Operation(name, run, files, **{**usual, **more})  # type: ignore[arg-type]


CHANGES: dict[str, Callable[[Document], object]] = {
    "update": lambda document: document.update(add),
    "edit": by_edit,
    "write": by_write,
    "commit": by_draft,
}
KEPT: dict[str, Any] = {"also": predecessor_kept, "beside": (LOCK, f"{NAME}.~[0-9]*~")}
RESTORED: dict[str, Any] = {**KEPT, "before": {**BEFORE, f"{NAME}.~7~": NEW}}
MOVED: dict[str, Any] = {
    "before": {NAME: DAMAGED, "other": OTHER},
    "also": damage_is_somewhere,
    "beside": (LOCK, f"{NAME}.corrupt-*"),
}
MISSING: dict[str, Values] = {NAME: (DAMAGED, None)}

OPERATIONS = (
    *(changed(f"Document.{name}", on_a_document(change)) for name, change in CHANGES.items()),
    *(
        changed(f"Document.{name}, lock=False", on_a_document(change, lock=False))
        for name, change in CHANGES.items()
    ),
    *(
        changed(f"Document.{name}, keep=2", on_a_document(change, keep=2), **KEPT)
        for name, change in CHANGES.items()
    ),
    changed(
        "Document.update, keep=1 of 2",
        on_a_document(lambda d: d.update(add), keep=1),
        **{**KEPT, "before": {**BEFORE, f"{NAME}.~4~": OTHER, f"{NAME}.~5~": OTHER}},
        loosely={f"{NAME}.~{number}~": (OTHER, None) for number in (4, 5)},
    ),
    changed(
        "Document.update, mode and attributes",
        on_a_document(CHANGES["update"]),
        prepare=partial(give_attributes, name=NAME),
        also=partial(attributes_kept, names=(NAME,)),
    ),
    changed(
        "Document.update, new file and folder",
        on_a_document(lambda d: d.update(add), name="n/new.json", default={}),
        {"n/new.json": (None, b'{\n  "n": 2\n}\n')},
        beside=("n/new.json.lock",),
    ),
    changed(
        "Document.update, through a symlink",
        on_a_document(lambda d: d.update(add), name="link.json"),
        {f"d/{NAME}": (OLD, NEW)},
        before={f"d/{NAME}": OLD, "link.json": f"-> d/{NAME}"},
        beside=(f"d/{LOCK}",),
    ),
    changed(
        "Document.update, migrations",
        on_a_document(lambda d: d.update(add), migrations={1: lambda state: None}),
        {NAME: (AGED, MIGRATED)},
        before={NAME: AGED},
    ),
    changed("Document.restore", on_a_document(by_restore), **RESTORED),
    changed("Document.restore, keep=9", on_a_document(by_restore, keep=9), **RESTORED),
    changed("Document.restore, lock=False", on_a_document(by_restore, lock=False), **RESTORED),
    changed("Document.quarantine", on_a_document(quarantine), MISSING, **MOVED),
    changed("edit", edit),
    changed(
        "edit, new file",
        edit_new,
        {"new.json": (None, b'{\n  "n": 2\n}\n')},
        beside=("new.json.lock",),
    ),
    changed("Document.aupdate", on_a_document_in_a_loop(lambda d: d.aupdate(add))),
    changed("Document.aedit", on_a_document_in_a_loop(by_aedit)),
    changed("Document.awrite", on_a_document_in_a_loop(by_awrite)),
    changed("Document.acheckout, acommit", on_a_document_in_a_loop(by_acommit)),
    changed("Document.arestore", on_a_document_in_a_loop(lambda d: d.arestore(7)), **RESTORED),
    changed("Document.aquarantine", on_a_document_in_a_loop(aquarantine), MISSING, **MOVED),
    changed("aedit", in_a_loop(aedit)),
)
