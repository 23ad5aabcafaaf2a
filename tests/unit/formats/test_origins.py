"""`places_of` and `origins_of`: what became of each object of a typed value."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pydantic

from holdfast.formats.origins import origins_of, places_of


@dataclass
class Item:
    """One record."""

    size: int = 0


@dataclass
class Box:
    """Holds records."""

    items: list[Item] = field(default_factory=list)
    named: dict[str, Item] = field(default_factory=dict)


class Struct(msgspec.Struct, rename="camel"):
    """Has other names on disk."""

    all_items: list[Item] = []


class Model(pydantic.BaseModel):
    """Has an alias."""

    items: list[Item] = pydantic.Field(default_factory=list, alias="Items")


def test_moved_objects_are_found_where_they_went() -> None:
    """Sorting and moving to another container keep an object's origin; new ones have none."""
    box = Box([Item(1), Item(2)], {"a": Item(3)})
    places = places_of(box)
    box.items.reverse()
    box.items.append(box.named.pop("a"))
    box.items.append(Item(4))

    origins = origins_of(box, places)

    assert ("items", 1) == origins["items", 0]
    assert ("items", 0) == origins["items", 1]
    assert ("named", "a") == origins["items", 2]
    assert ("items", 3) not in origins
    assert ("items",) == origins["items",]


def test_places_have_the_names_on_disk() -> None:
    """Renamed and aliased fields stand under the names that the file has."""
    struct = places_of(Struct(all_items=[Item(1)])).values()
    model = places_of(Model(Items=[Item(1)])).values()

    assert ("allItems", 0) in {path for _, path in struct}
    assert ("Items", 0) in {path for _, path in model}


def test_what_holds_itself_ends() -> None:
    """A value that holds itself is walked once."""
    box: dict[str, object] = {}
    box["me"] = box

    assert 1 == len(places_of(box))


def test_forgotten_objects_keep_their_ids() -> None:
    """An object that was removed is kept, so that a new one cannot be taken for it."""
    box = Box([Item(1)])
    places = places_of(box)
    for _ in range(100):
        box.items[0] = Item(2)
        assert ("items", 0) not in origins_of(box, places)
