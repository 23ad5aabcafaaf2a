"""How operations on one file split."""

from __future__ import annotations

from holdfast.vfs.micro import Attribute, Block, Shrink, Size, ZeroTail
from holdfast.vfs.operations import SetAttributes, Truncate, Write
from holdfast.vfs.splitting import attributes_set, truncated, written


def test_write_splits_at_blocks_and_grows_by_pages() -> None:
    """Blocks know where the file ended; the sizes are those of pages and the last one."""
    assert [
        Block(7, 2, 4090, b"a" * 6, 4092),
        Block(7, 2, 4096, b"a" * 4, 4096),
        Size(7, 2, 4096),
        Size(7, 2, 4100),
    ] == written(Write(2, 4090, b"a" * 10), 7, size=4092, block_bytes=4096)
    assert [] == written(Write(2, 9, b""), 7, size=0, block_bytes=4096)
    assert 8 == len(written(Write(2, 0, b"a" * 4096), 7, size=4096, block_bytes=512))


def test_truncate_cuts_with_a_tail_or_grows() -> None:
    """At a page boundary there is no tail."""
    assert [ZeroTail(7, 2, 100, 4096), Shrink(7, 2, 100)] == truncated(
        Truncate(2, 100), 7, size=9000
    )
    assert [Shrink(7, 2, 4096)] == truncated(Truncate(2, 4096), 7, size=9000)
    assert [Size(7, 2, 4096), Size(7, 2, 5000)] == truncated(Truncate(2, 5000), 7, size=10)
    assert [] == truncated(Truncate(2, 10), 7, size=10)


def test_attributes_split_one_by_one() -> None:
    """Owner first, since a change of owner clears bits of the mode."""
    assert [
        Attribute(7, 2, "owner", (1, 2)),
        Attribute(7, 2, "user.a", None),
        Attribute(7, 2, "mode", 0o600),
    ] == attributes_set(SetAttributes(2, 0o600, (1, 2), (("user.a", None),)), 7)
