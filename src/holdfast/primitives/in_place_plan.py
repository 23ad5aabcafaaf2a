"""What a patch changes: its pieces in order, and the blocks of the file as they are and become."""

from __future__ import annotations

from itertools import pairwise
from operator import index

from holdfast.formats.patch_format import (
    BLOCK_BYTES,
    MAX_BLOCKS,
    MAX_SIZE_BYTES,
    Block,
    Head,
    block_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NamedTuple

    from typing_extensions import Buffer
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Piece", "Plan", "check_span", "pieces_of", "plan"]


class Piece(NamedTuple):
    """Some bytes, and where in the file they go."""

    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """Where the file goes on as it was."""
        return self.offset + len(self.data)


class Plan(NamedTuple):
    """The head of a journal, and the blocks that are changed, in the order of the file."""

    head: Head
    blocks: list[Block]


def check_span(offset: int, size: int) -> None:
    """Refuse a range that no file has.

    Raises:
        ValueError: it is none; nothing was done.
    """
    if offset < 0 or size < 0 or offset + size > MAX_SIZE_BYTES:
        raise ValueError(f"{size} bytes at offset {offset}: no file has these")


def pieces_of(changes: Iterable[tuple[int, Buffer]]) -> list[Piece]:
    """Return the changes in the order of the file, without empty ones.

    Raises:
        ValueError: two overlap, or a place is none, or it is too much for one patch.
    """
    pieces = [Piece(index(offset), bytes(memoryview(data))) for offset, data in changes]
    for piece in pieces:
        check_span(piece.offset, len(piece.data))
    pieces = sorted(piece for piece in pieces if piece.data)
    for one, two in pairwise(pieces):
        if one.end > two.offset:
            raise ValueError(
                f"two changes overlap: {len(one.data)} bytes at {one.offset}, and those at "
                f"{two.offset}: which of them counts cannot be told"
            )
    blocks = sum((piece.end - block_of(piece.offset)) // BLOCK_BYTES for piece in pieces)
    if blocks > MAX_BLOCKS:
        raise ValueError(
            f"a patch changes at most {MAX_BLOCKS} blocks of {BLOCK_BYTES} bytes, not {blocks}: "
            "make several, or replace the file as a whole"
        )
    return pieces


def plan(pieces: list[Piece], *, size: int, read: Callable[[int], bytes], head: Head) -> Plan:
    """Return the patch that makes these changes.

    Args:
        pieces: as `pieces_of` returns them; at least one.
        size: of the file.
        read: returns the block of the file that begins there, as far as there is one.
        head: has the id, the time and the boot; the rest is filled in.

    Raises:
        ValueError: a change begins behind the end of the file, or there are too many blocks.
        OSError: the file cannot be read.
    """
    new_size = size
    old: dict[int, bytes] = {}
    images: dict[int, bytearray] = {}
    for piece in pieces:
        if piece.offset > new_size:
            raise ValueError(
                f"a change at offset {piece.offset} begins behind the end of the file, "
                f"which is at {new_size}: a patch leaves no gap"
            )
        new_size = max(new_size, piece.end)
    for piece in pieces:
        for start in range(block_of(piece.offset), piece.end, BLOCK_BYTES):
            if start not in images:
                old[start] = read(start)
                end = min(BLOCK_BYTES, new_size - start)
                images[start] = bytearray(old[start].ljust(end, b"\0"))
            _lay(images[start], start, piece)
    if len(images) > MAX_BLOCKS:
        raise ValueError(f"a patch changes at most {MAX_BLOCKS} blocks, not {len(images)}")
    blocks = [Block(at, bytes(new), old[at]) for at, new in images.items()]
    return Plan(head._replace(old_size=size, new_size=new_size, blocks=len(blocks)), blocks)


def _lay(image: bytearray, start: int, piece: Piece) -> None:
    """Put what is in this block of a piece into its image."""
    first, end = max(piece.offset, start), min(piece.end, start + len(image))
    image[first - start : end - start] = piece.data[first - piece.offset : end - piece.offset]
