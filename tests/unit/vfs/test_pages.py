"""Page looks: equal exactly if the contents are."""

from __future__ import annotations

from holdfast.vfs.effects import contents_of
from holdfast.vfs.micro import Block, Item, Loss, Micro, Shrink, Size, ZeroTail
from holdfast.vfs.pages import PageLooks

MICROS: list[Micro] = [
    Block(0, 2, 10, b"aa", 6000),
    Block(1, 2, 11, b"aa", 6000),
    Block(2, 2, 8000, b"c" * 192, 8000),
    Block(2, 2, 8192, b"c" * 8, 8192),
    Size(2, 2, 8192),
    Size(2, 2, 8200),
    ZeroTail(3, 2, 11, 4096),
    Size(4, 2, 6000),
]


def test_looks_are_equal_exactly_if_the_contents_are() -> None:
    """For all 256 losses."""
    items = [Item(micro, order) for order, micro in enumerate(MICROS)]
    data = b"o" * 6000
    looks = PageLooks(data, items)
    found: dict[tuple[int, ...], set[bytes]] = {}
    for number in range(2 ** len(items)):
        dropped = [n for n in range(len(items)) if number >> n & 1]
        found.setdefault(looks.look(dropped), set()).add(contents_of(data, items, Loss(dropped)))
    assert {1} == {len(shapes) for shapes in found.values()}
    assert len(found) == len(set.union(*found.values()))


def test_cuts_do_not_fit() -> None:
    """A cut changes all pages behind it."""
    assert PageLooks.fit([Item(micro, 0) for micro in MICROS])
    assert not PageLooks.fit([Item(Shrink(0, 2, 1), 0)])
