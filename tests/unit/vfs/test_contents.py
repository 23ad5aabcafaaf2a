"""Contents: the same bytes have the same key, however they came about."""

from __future__ import annotations

from random import Random

from holdfast.vfs.contents import Contents, Known, digest
from holdfast.vfs.effects import contents_of
from holdfast.vfs.micro import Block, Item, Loss, Micro, Shrink, Size, ZeroTail


def test_key_follows_every_change() -> None:
    """After random writes, cuts and growths, the key is that of new contents with these bytes."""
    random = Random(5)
    contents, plain = Contents(b"start"), bytearray(b"start")
    for _ in range(300):
        size = random.choice([0, 1, 4095, 4096, 9000])
        if random.random() < 0.4:
            contents.resize(size)
            plain = plain[:size].ljust(size, b"\0")
        else:
            offset, piece = random.randrange(20_000), random.randbytes(size)
            contents.write(offset, piece)
            if piece:
                plain = plain.ljust(offset, b"\0")
                plain[offset : offset + size] = piece
        if random.random() < 0.5:
            assert Contents(bytes(plain)).key() == contents.key()
        assert bytes(plain) == contents.freeze()
        assert len(plain) == len(contents)


def test_key_without_some_items() -> None:
    """It is the key of what is left, whatever was lost."""
    micros: list[Micro] = [
        Block(0, 2, 4000, b"a" * 96, 4000),
        Block(0, 2, 4096, b"b" * 5000, 4096),
        Size(0, 2, 4096),
        Size(0, 2, 9096),
        ZeroTail(1, 2, 100, 4096),
        Shrink(1, 2, 100),
        Size(2, 2, 300),
    ]
    items = [Item(micro, order) for order, micro in enumerate(micros)]
    durable = b"o" * 4000
    contents = Contents(durable)
    contents.write(4000, b"a" * 96 + b"b" * 5000)
    contents.resize(100)
    contents.resize(300)
    assert contents.freeze() == contents_of(durable, items, Loss())
    for number in range(2 ** len(items)):
        dropped = [n for n in range(len(items)) if number >> n & 1]
        value = contents_of(durable, items, Loss(dropped))
        lost = [items[n] for n in dropped]
        assert Contents(value).key() == contents.key_without(lost, value)


def test_pages_that_change_places_have_another_key() -> None:
    """The key depends on where a page is, and on the size."""
    one, two = b"a" * 4096, b"b" * 4096
    keys = {Contents(data).key() for data in (one + two, two + one, one, one + b"\0", b"")}
    assert 5 == len(keys)
    assert digest(b"x", 1) != digest(b"x", 2)


def test_known_digests_are_used_again() -> None:
    """The same bytes are not digested twice."""
    known: Known = {}
    data = b"a" * 5000
    first = Contents(data, known).key()
    known[id(data)] = (data, [1, 2])
    assert (5000, 3) == Contents(data, known).key() != first
