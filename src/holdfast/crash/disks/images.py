"""The states of a block device that a power cut may leave, from the log of what was done to it.

What a flush covers is there. Of the other writes that were complete or under way, any subset may
be, and of one write of several blocks a part (the device tears between blocks, never inside one).
All of these are too many; tried are, at each moment: everything; nothing that is not certain; each
single uncertain write missing, and alone; one torn in the middle, from either side; random subsets.
Two moments that leave the same contents are one image, with all of the moments at which it may be
seen. Pure: nothing here touches a disk.
"""

from __future__ import annotations

from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.disks.block_log import Kind, marks_before

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdfast.crash.disks.block_log import Record

__all__ = [
    "CrashImage",
    "ImageOptions",
    "Moment",
    "Torn",
    "blocks_of",
    "certain_writes",
    "crash_images",
]


class Torn(NamedTuple):
    """A write of which only the blocks from `start` to before `stop` survived."""

    record: int
    start: int
    stop: int


class Moment(NamedTuple):
    """When a crash may leave an image: how many marks were given by then, and what survived."""

    marks: int
    how: str


class CrashImage(NamedTuple):
    """One state: the writes that survived, by number of their record, and perhaps a torn one.

    `moments` are those at which a crash may leave this, by the number of marks, at least one.
    """

    kept: tuple[int, ...]
    torn: Torn | None
    moments: tuple[Moment, ...] = ()


class ImageOptions(NamedTuple):
    """How many states are tried, and how finely the device tears.

    `never_torn` are offsets of blocks that are whole whatever happens, such as a superblock that
    its filesystem does not protect.
    """

    block_bytes: int = 4096
    random_subsets: int = 4
    seed: int = 0
    limit: int = 100_000
    never_torn: frozenset[int] = frozenset()


_DEFAULT = ImageOptions()


def crash_images(
    records: Sequence[Record],
    log: bytes,
    *,
    start: int = 0,
    options: ImageOptions = _DEFAULT,
) -> list[CrashImage]:
    """Return the states, no contents twice.

    Args:
        records: what was done; see `block_log`.
        log: the bytes that `records` point into.
        start: the first record that a crash may come after.
        options: how many.
    """
    index = _Index(records, log, options.block_bytes)
    marks = marks_before(records)
    found: dict[int, tuple[CrashImage, dict[int, str]]] = {}
    for moment in _moments(records, start):
        for kept, torn, how in _states(records, moment, options):
            image = CrashImage(kept, torn)
            _, seen = found.setdefault(index.key(image), (image, {}))
            seen.setdefault(marks[moment], how)
    images = [
        image._replace(moments=tuple(Moment(*pair) for pair in sorted(seen.items())))
        for image, seen in found.values()
    ]
    return _sample(images, options)


def _sample(images: list[CrashImage], options: ImageOptions) -> list[CrashImage]:
    if len(images) <= options.limit:
        return images
    return Random(options.seed).sample(images, options.limit)


def _moments(records: Sequence[Record], start: int) -> Iterator[int]:
    """How many records are done at each moment that differs from the one before."""
    yield start
    for number in range(start, len(records)):
        if records[number].kind in {Kind.WRITE, Kind.FLUSH, Kind.MARK}:
            yield number + 1


def certain_writes(records: Sequence[Record], moment: int) -> int:
    """How many of the first records a completed flush covers."""
    flushes = (r.arrived for r in records[:moment] if r.kind == Kind.FLUSH)
    return max(flushes, default=0)


_State = tuple[tuple[int, ...], "Torn | None", str]


def _states(records: Sequence[Record], moment: int, options: ImageOptions) -> Iterator[_State]:
    covered = certain_writes(records, moment)
    certain = tuple(_writes(records, range(covered)))
    done = tuple(_writes(records, range(covered, moment)))
    later = range(moment, len(records))
    under_way = tuple(n for n in _writes(records, later) if records[n].arrived <= moment)
    loose = done + under_way
    yield certain + done, None, "all that was done"
    yield certain, None, "nothing that no flush covers"
    for number in loose:
        yield certain + tuple(n for n in loose if n != number), None, f"without write {number}"
        yield (*certain, number), None, f"write {number} alone"
    random = Random(options.seed * 1_000_003 + moment)
    for _ in range(options.random_subsets if len(loose) > 1 else 0):
        chance = random.random()
        subset = tuple(number for number in loose if random.random() < chance)
        yield certain + subset, None, "some of the loose writes"
    for number in loose:
        yield from _tears(records, number, (certain, loose, options))


def _tears(
    records: Sequence[Record],
    number: int,
    among: tuple[tuple[int, ...], tuple[int, ...], ImageOptions],
) -> Iterator[_State]:
    certain, loose, options = among
    record = records[number]
    blocks = record.size // options.block_bytes
    if blocks < 2 or record.offset in options.never_torn:
        return
    before = tuple(n for n in loose if n < number)
    for torn in (Torn(number, 0, blocks // 2), Torn(number, blocks // 2, blocks)):
        yield certain + before, torn, f"write {number} torn"


def _writes(records: Sequence[Record], numbers: Iterable[int]) -> Iterator[int]:
    return (number for number in numbers if records[number].kind == Kind.WRITE)


def blocks_of(
    image: CrashImage, records: Sequence[Record], *, block_bytes: int = 4096
) -> dict[int, int]:
    """Return for each block of the device that was written the place of its data in the log."""
    blocks: dict[int, int] = {}
    for number in image.kept:
        _put(blocks, records[number], block_bytes)
    if image.torn is not None:
        record, start, stop = image.torn
        _put(blocks, records[record], block_bytes, part=range(start, stop))
    return blocks


def _put(
    blocks: dict[int, int], record: Record, block_bytes: int, *, part: range | None = None
) -> None:
    first = record.offset // block_bytes
    for step in part if part is not None else range(record.size // block_bytes):
        blocks[first + step] = record.place + step * block_bytes


class _Index:
    """Tells states apart by what the device would hold."""

    def __init__(self, records: Sequence[Record], log: bytes, block_bytes: int) -> None:
        self._records, self._log, self._block_bytes = records, log, block_bytes
        self._digests: dict[tuple[int, int], int] = {}

    def key(self, image: CrashImage) -> int:
        """A number that is equal for equal contents."""
        blocks = blocks_of(image, self._records, block_bytes=self._block_bytes)
        key = 0
        for pair in blocks.items():
            key ^= self._digests.get(pair) or self._digest(pair)
        return key

    def _digest(self, pair: tuple[int, int]) -> int:
        number, place = pair
        digest = blake2b(self._log[place : place + self._block_bytes], digest_size=16)
        digest.update(number.to_bytes(8, "little"))
        self._digests[pair] = int.from_bytes(digest.digest(), "little")
        return self._digests[pair]
