"""Logs that crash and rot: nothing acknowledged is lost silently, and there is no false alarm."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import settings

from holdfast.errors import Corruption
from tests.support.log_bytes import Segment
from tests.support.log_crashes import Damaged, Found, History, read_log

LANES = 8
LOGS = min(40_000, 4000 * settings().max_examples // 150)


def outcome(files: list[bytes]) -> Found | None:
    """What is read; None if the log is refused."""
    try:
        return read_log(files)
    except (Damaged, Corruption):
        return None


def keeps(found: Found, history: History) -> bool:
    """Whether all that was acknowledged is there, and all that is there was appended, in order."""
    count = len(found.records)
    same = all(history.records.get(n) == record for n, record in found.records.items())
    return same and count >= history.acked and [*found.records] == [*range(1, count + 1)]


def rotted(files: list[bytes], rng: Random) -> tuple[list[bytes], int, int]:
    """The files with one bit changed, mostly where there is something."""
    number = rng.choice((rng.randrange(len(files)), len(files) - 1))
    data = bytearray(files[number])
    used = max(512, len(data.rstrip(b"\0")))
    at = rng.randrange(used if rng.random() < 0.9 else len(data))
    data[at] ^= 1 << rng.randrange(8)
    return [*files[:number], bytes(data), *files[number + 1 :]], number, at


def rot(history: History, files: list[bytes]) -> str:
    """Change a bit and read: what came of it, in a word."""
    bad, number, at = rotted(files, history.rng)
    found = outcome(bad)
    if found is None:
        return "found"
    if keeps(found, history):
        return "harmless"
    # Acknowledged records are cut off: only where nothing could tell, and told.
    assert number == len(files) - 1, "a sealed segment has lost records"
    assert found.tail.verdict in {"torn", "hole"}
    assert found.tail.tail_bytes > 0
    assert all(history.records.get(n) == record for n, record in found.records.items())
    assert [] == history.proofs(found.tail.offset, bad[number]), at
    return "undecidable"


def live(seed: int) -> Counter[str]:
    """Write, crash and recover a few times, then change a bit; what came of it."""
    rng = Random(seed)
    history, seen = History(rng), Counter[str]()
    for _ in range(rng.randint(1, 4)):
        history.work()
        files = history.crash()
        before = outcome(files)
        assert before is not None, "a false alarm"
        assert keeps(before, history), "acknowledged records are lost, or others are found"
        seen[before.tail.verdict] += 1
        if rng.random() < 0.3:
            seen[f"rot {rot(history, files)}"] += 1
        history.recover(files)
    return seen


@pytest.mark.parametrize("lane", range(LANES))
def test_logs_survive_crashes_and_tell_rot(lane) -> None:
    """Random logs: each crash is recovered from, each provable rot found, the rest is counted."""
    seen = Counter[str]()
    for seed in range(lane, LOGS, LANES):
        try:
            seen += live(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
    rots = sum(seen[name] for name in seen if name.startswith("rot"))

    print(dict(seen))
    assert min(seen["clean"], seen["torn"], seen["rot found"]) > LOGS / LANES / 20
    assert seen["hole"] > 0
    assert seen["rot undecidable"] < rots / 8


def small_log() -> list[Segment]:
    """Two segments: the first was cut at a torn frame; the second is closed, with zeros behind."""
    first = Segment().append(b"one").append(b"two", b"", b"three").append(b"four " * 90)
    second = Segment(first.next, after=first).append(b"five").append(b"six", b"seven").close()
    first.data += Segment().append(b"torn").data[512:540]
    return [first.fill(36), second.fill(512)]


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("number", [0, 1])
def test_every_bit_of_a_small_log(number, closed) -> None:
    """Each changed bit is found, or harms nothing; none is taken for the end of the log."""
    segments = small_log()
    if not closed:  # the last frame stands alone then, with nothing behind it that proves anything
        second = segments[1]
        second.data = bytearray(second.data[: second.starts[-1]]).ljust(4096, b"\0")
    files = [bytes(segment.data) for segment in segments]
    whole = read_log(files)
    assert 8 == len(whole.records)
    stated = segments[0].starts[-1] + 40 + 456
    ends = [stated, max(512, len(files[1].rstrip(b"\0")))]
    for at in range(len(files[number])):
        for bit in range(8):
            bad = bytearray(files[number])
            bad[at] ^= 1 << bit
            found = outcome([*files[:number], bytes(bad), *files[number + 1 :]])
            if at < ends[number]:
                assert found is None, (at, bit)
            elif number == 0:
                assert found == whole, (at, bit)  # past the stated end: no frames, whatever it is
            else:
                assert found is None or found.records == whole.records, (at, bit)


def test_every_cut_of_a_small_log() -> None:
    """Cut anywhere: refused, or the whole frames before it, and what was cut off is told.

    The end of a frame of the last segment is the one place where nothing tells.
    """
    segments = small_log()
    files = [bytes(segment.data) for segment in segments]
    whole, stated = read_log(files), segments[0].starts[-1] + 40 + 456
    ends = {512, *segments[1].starts, segments[1].starts[-1] + 40}
    for cut in range(len(files[0])):
        found = outcome([files[0][:cut], files[1]])
        assert found == (whole if cut >= stated else None), cut
    for cut in range(len(files[1])):
        found = outcome([files[0], files[1][:cut]])
        assert (cut < 512) is (found is None), cut
        if found is not None:
            assert all(whole.records[n] == record for n, record in found.records.items())
            silent = found.tail.verdict == "clean"
            assert silent is (cut in ends or cut > max(ends)), cut
            assert silent or found.tail.tail_bytes > 0, cut


def test_cuts_and_bits_of_a_large_log() -> None:
    """The same in a segment of 2 MiB with frames of every size, at some thousand places."""
    rng = Random(3)
    segment = Segment()
    while len(segment.data) < 2 << 20:
        count = rng.choice((1, 1, 3, 64))
        segment.append(*(rng.randbytes(rng.choice((9, 90, 900, 90_000))) for _ in range(count)))
    segment.close()
    data = bytes(segment.data)
    whole, last = read_log([data]), segment.starts[-1]
    for cut in rng.sample(range(512, len(data)), LOGS // 80 + 5):
        found = outcome([data[:cut]])
        assert found is not None
        assert ("torn" == found.tail.verdict) is (cut not in segment.starts), cut
        assert found.records.items() <= whole.records.items()
    for at in rng.sample(range(512, last), LOGS // 80 + 5):
        assert outcome([segment.with_bits(at, 1 << rng.randrange(8))]) is None, at
