"""A device over a base that is never touched."""

from __future__ import annotations

from random import Random

from holdfast.crash.disks.overlay import Overlay, pack_blocks, unpack_runs

SIZE = 16 * 4096


def test_reads_and_writes_are_those_of_a_byte_array() -> None:
    """Any ranges, aligned or not: the overlay reads like the array that got the same writes."""
    random, base = Random(1), Random(0).randbytes(SIZE)
    overlay, plain = Overlay(base, SIZE), bytearray(base)
    for _ in range(200):
        offset = random.randrange(SIZE)
        data = random.randbytes(random.choice((1, 512, 4096, 5000, 20000)))[: SIZE - offset]
        overlay.write(offset, data)
        plain[offset : offset + len(data)] = data
        start, length = random.randrange(SIZE), random.randrange(1, 30000)

        assert bytes(plain[start : start + length]) == overlay.read(start, length)


def test_base_shows_again_after_clear() -> None:
    """Nothing of what was written stays."""
    overlay = Overlay(bytes(SIZE), SIZE)
    overlay.write(100, b"written")
    overlay.clear()

    assert bytes(SIZE) == overlay.read(0, SIZE)


def test_read_ends_where_the_device_ends() -> None:
    """Fewer bytes near the end, none behind it."""
    overlay = Overlay(bytes(SIZE), SIZE)

    assert (10, b"") == (len(overlay.read(SIZE - 10, 100)), overlay.read(SIZE + 1, 100))


def test_blocks_that_follow_each_other_travel_as_one_run() -> None:
    """Neighbours on the device that are neighbours in the log are one run; others are not."""
    blocks = {7: 1000, 3: 24, 4: 24 + 4096, 5: 50_000}

    assert [(3 * 4096, 24, 8192), (5 * 4096, 50_000, 4096), (7 * 4096, 1000, 4096)] == list(
        unpack_runs(pack_blocks(blocks, 4096))
    )
