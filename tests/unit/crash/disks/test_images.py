"""Which states of a device a power cut may leave, on small logs made by hand."""

from __future__ import annotations

from holdfast.crash.disks.block_log import Kind, Record, pack_record, parse_log
from holdfast.crash.disks.images import (
    CrashImage,
    ImageOptions,
    blocks_of,
    certain_writes,
    crash_images,
)

BLOCK = 4096


def a_log(*records: tuple) -> tuple[list[Record], bytes]:
    """("w", block, letters, arrived), ("f", arrived) or ("m", text); arrived defaults to now."""
    data = b""
    for number, (kind, *rest) in enumerate(records):
        if kind == "w":
            block, letters, *arrived = rest
            written = b"".join(letter.encode() * BLOCK for letter in letters)
            at = arrived[0] if arrived else number
            data += pack_record(Record(Kind.WRITE, offset=block * BLOCK, arrived=at), written)
        elif kind == "f":
            data += pack_record(Record(Kind.FLUSH, arrived=rest[0] if rest else number))
        else:
            data += pack_record(Record(Kind.MARK, arrived=number), rest[0].encode())
    return parse_log(data), data


def contents(image: CrashImage, records: list[Record], data: bytes) -> str:
    """The device as text: a letter for each block, `.` where the base shows."""
    blocks = blocks_of(image, records)
    stop = max(blocks, default=-1) + 1
    return "".join(chr(data[blocks[n]]) if n in blocks else "." for n in range(stop))


def states(*records: tuple, start: int = 0, **options) -> dict[str, tuple[int, ...]]:
    found, data = a_log(*records)
    images = crash_images(found, data, start=start, options=ImageOptions(**options))
    return {
        contents(image, found, data): tuple(moment.marks for moment in image.moments)
        for image in images
    }


def test_loose_writes_survive_in_any_subset() -> None:
    """Two writes without a flush: neither, either, both."""
    assert {"", "a", ".b", "ab"} == set(states(("w", 0, "a"), ("w", 1, "b")))


def test_what_a_flush_covers_is_always_there() -> None:
    """After the flush only the write behind it is loose."""
    found = states(("w", 0, "a"), ("f",), ("w", 1, "b"), start=2)

    assert {"a", "ab"} == set(found)


def test_flush_covers_only_what_was_complete_when_it_came() -> None:
    """A write whose answer was sent while the flush was under way may be lost."""
    records, _ = a_log(("w", 0, "a"), ("w", 1, "b"), ("f", 1))

    assert 1 == certain_writes(records, 3)
    assert {"a", "ab"} == set(states(("w", 0, "a"), ("w", 1, "b"), ("f", 1), start=3))


def test_write_under_way_may_be_there_already() -> None:
    """A late answer does not mean that the medium is late: the write may overtake a flush."""
    found = states(("w", 0, "a"), ("f",), ("m", "saved"), ("w", 1, "b", 0), start=2)

    assert (0, 1) == found["ab"]


def test_earlier_contents_of_a_block_come_back() -> None:
    """When the second write to a block is lost, the first one shows."""
    assert {"a", "b"} == set(states(("w", 0, "a"), ("f",), ("w", 0, "b"), start=2))


def test_large_write_tears_between_blocks() -> None:
    """Either half may be alone; a single block is whole."""
    assert {"", "abcd", "ab", "..cd"} == set(states(("w", 0, "abcd")))
    assert {"", "a"} == set(states(("w", 0, "a")))


def test_superblock_is_not_torn_when_that_is_asked_for() -> None:
    """A write at such an offset survives whole or not at all."""
    assert {"", "abcd"} == set(states(("w", 0, "abcd"), never_torn=frozenset({0})))


def test_equal_contents_are_one_image_with_all_its_moments() -> None:
    """The state before the mark and after it is mounted once, and knows both."""
    found = states(("w", 0, "a"), ("f",), ("m", "saved"), start=2)

    assert {"a": (0, 1)} == found


def test_acknowledgements_are_those_given_at_the_latest_moment() -> None:
    """A loose write that is lost after a mark is seen with that mark."""
    found = states(("w", 0, "a"), ("m", "saved"))

    assert {"": (0, 1), "a": (0, 1)} == found


def test_sample_is_drawn_from_the_seed() -> None:
    """With a limit, as many images; the same seed gives the same ones."""
    records, data = a_log(*[("w", n, "x") for n in range(10)])
    first = crash_images(records, data, options=ImageOptions(limit=5, seed=1))

    assert 5 == len(first)
    assert first == crash_images(records, data, options=ImageOptions(limit=5, seed=1))
    assert first != crash_images(records, data, options=ImageOptions(limit=5, seed=2))


def test_finer_blocks_tear_more_finely() -> None:
    """With 512-byte blocks one page of 4096 bytes can tear."""
    records, data = a_log(("w", 0, "a"))
    images = crash_images(records, data, options=ImageOptions(block_bytes=512))

    assert {0, 4, 8} == {len(blocks_of(image, records, block_bytes=512)) for image in images}
