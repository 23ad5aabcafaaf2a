"""Logs that are written, lose their power and are recovered, in memory; what is owed is known.

A segment keeps every version that it had since its last sync. A crash takes, of each sector or
page, any of them, and of the size any that it had. A frame that is copied into a block on its way
to the disk may arrive half. What is read back is held against what was acknowledged.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from holdfast.formats.log_format import (
    SegmentHeader,
    decode_segment,
    encode_close_mark,
    encode_frame,
    encode_segment,
    seed_of,
)
from holdfast.formats.log_scan import Tail, examine, frames, reach
from tests.support.log_bytes import reader

BLOCK = 4096


class Damaged(Exception):
    """The log is refused."""


class Found(NamedTuple):
    """What a reader finds: the records by sequence, and the tail of the last segment."""

    records: dict[int, bytes]
    tail: Tail
    following: int


class Laid(NamedTuple):
    """A frame as it was written."""

    offset: int
    synced: int
    data: bytes


def read_log(files: Sequence[bytes]) -> Found:
    """Read segments as the page says; `Damaged` where it says so."""
    headers = [decode_segment(data[:512], path="s") for data in files]
    records: dict[int, bytes] = {}
    following, tail = headers[0].first, Tail("clean", 512, 0, 0, "")
    for number, (header, data) in enumerate(zip(headers, files, strict=True)):
        seed = seed_of(header.salt)
        after = headers[number + 1] if number + 1 < len(headers) else None
        limit = after.previous_end if after else len(data)
        if header.first != following or (
            after and (after.previous_first, after.previous_salt) != (header.first, header.salt)
        ):
            raise Damaged("the segments do not follow one another")
        options: Any = dict(first=following, seed=seed)
        told = reach(reader(data), start=512, limit=limit, **options)
        for frame in frames(reader(data), start=512, limit=limit, **options):
            records.update(enumerate(frame.records(), frame.first))
        following = told.next
        if after and told.offset != limit:
            raise Damaged(f"segment {header.first} ends at {told.offset}, not at {limit}")
        if not after:
            tail = examine(reader(data), at=512, size=len(data), **options)
            assert tail.offset == told.offset
            if tail.verdict == "damaged":
                raise Damaged(tail.proof)
    return Found(records, tail, following)


class Written:
    """A segment under way, with all versions since its last sync."""

    def __init__(self, header: SegmentHeader, *, filled: int) -> None:
        self.header = header
        self.seed = seed_of(header.salt)
        self.filled = filled
        self.end = self.durable = 512
        self.versions = [encode_segment(header) + bytes(filled)]
        self.laid: list[Laid] = []

    @classmethod
    def from_disk(cls, data: bytes, end: int, *, filled: int) -> Written:
        """The segment as a crash has left it, to be gone on with."""
        segment = cls(decode_segment(data[:512], path="s"), filled=filled)
        segment.versions = [data]
        segment.end = segment.durable = end
        return segment

    def write(self, frame: bytes, synced: int) -> None:
        """Write a frame at the end, after zeros where there are too few."""
        now, end = self.versions[-1], self.end + len(frame)
        if self.filled and end > len(now):
            now += bytes(end - len(now) + self.filled)
            self.versions.append(now)
        self.versions.append(now[: self.end] + frame + now[end:])
        self.laid.append(Laid(self.end, synced, frame))
        self.end = end

    def sync(self, back: int = 0) -> None:
        """All is durable, but the last `back` writes, which came while the sync was under way."""
        del self.versions[: max(0, len(self.versions) - 1 - back)]
        ends = [frame.offset for frame in self.laid]
        self.durable = self.end if not back else max(self.durable, [*ends, 512][-back - 1])

    def crashed(self, rng: Random) -> bytes:
        """One of the contents that a power cut may leave."""
        versions, last = self.versions, self.versions[-1]
        sizes = {len(version) for version in versions}
        sizes |= set(range(-(-min(sizes) // BLOCK) * BLOCK, max(sizes), BLOCK))
        size = rng.choice(sorted(sizes))
        unit = rng.choice((512, BLOCK))
        bias = rng.choice(([versions[0], last], versions))
        data = b"".join(
            rng.choice(bias)[at : at + unit].ljust(unit, b"\0")
            for at in range(0, len(last), unit)
        )  # fmt: skip
        data = data[:size].ljust(size, b"\0")
        return self._half_copied(data, rng) if rng.random() < 0.3 else data

    def _half_copied(self, data: bytes, rng: Random) -> bytes:
        """The block in which a frame begins was being written while it was copied into it."""
        new = [frame for frame in self.laid if frame.offset >= self.durable]
        if len(self.versions) < 2 or not new or new[0].offset % BLOCK == 0:
            return data
        frame = rng.choice(new)
        edge = -(-frame.offset // BLOCK) * BLOCK
        if frame.offset % BLOCK == 0 or len(data) < edge:
            return data
        before = self.versions[-1][frame.offset - frame.offset % BLOCK : frame.offset]
        part = frame.data[: edge - frame.offset]
        cut = rng.randrange(0, len(part) + 1, 8)
        half = part[:cut] + bytes(len(part) - cut) if rng.random() < 0.5 else (
            bytes(cut) + part[cut:]
        )  # fmt: skip
        block = (before + half).ljust(BLOCK, b"\0")
        start = frame.offset - frame.offset % BLOCK
        return data[:start] + block + data[start + BLOCK :]


class History:
    """A log with its writer: appends, syncs, rolls, crashes; `acked` is what must never be lost."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.filled = rng.choice((0, 0, 1024, 4096, 8192))
        self.sealed: list[bytes] = []
        self.active = self._new(1)
        self.records: dict[int, bytes] = {}
        self.acked = 0

    @property
    def next(self) -> int:
        """The sequence of the next record."""
        return len(self.records) + 1

    def _new(self, first: int, *, after: SegmentHeader | None = None, end: int = 0) -> Written:
        before = (after.first, after.salt, end) if after else (0, 0, 0)
        header = SegmentHeader(first, self.rng.getrandbits(64), 0, *before)
        return Written(header, filled=self.filled)

    def payload(self) -> bytes:
        """Text, zeros, noise, or a mixture; of any length."""
        rng = self.rng
        size = rng.choice((0, 3, 8, 40, 100, 100, 300, 700, 1500))
        kind = rng.random()
        if kind < 0.1:
            return bytes(size)
        if kind < 0.3:
            return bytes(size // 2) + rng.randbytes(size - size // 2)
        return bytes(rng.choices(b"abcdefgh \n", k=size)) if kind < 0.8 else rng.randbytes(size)

    def append(self) -> None:
        """Write one frame."""
        rng, active = self.rng, self.active
        records = [self.payload() for _ in range(rng.choice((1, 1, 1, 2, 5)))]
        told = active.durable if rng.random() < 0.8 else 512
        frame = encode_frame(
            records, first=self.next, offset=active.end, synced=told, seed=active.seed
        )
        active.write(frame, told)
        for record in records:
            self.records[self.next] = record

    def sync(self) -> None:
        """Make durable what was there when it began, and acknowledge it."""
        active = self.active
        back = self.rng.choice((0, 0, 0, 1, 2))
        back = min(back, max(0, len(active.versions) - 2), max(0, len(active.laid) - 1))
        if self.filled and back:  # a write may be two versions there: the zeros, and the frame
            back = 0
        active.sync(back)
        if not back:
            self.acked = len(self.records)

    def close(self) -> None:
        """Sync, and write a close mark."""
        active = self.active
        active.sync()
        self.acked = len(self.records)
        mark = encode_close_mark(
            first=self.next, offset=active.end, synced=active.end, seed=active.seed
        )
        active.write(mark, active.durable)

    def roll(self) -> None:
        """Seal the segment and begin a new one."""
        self.active.sync()
        self.acked = len(self.records)
        old = self.active
        if old.header.first < self.next:
            self.sealed.append(old.versions[-1])
            self.active = self._new(self.next, after=old.header, end=old.end)

    def work(self) -> None:
        """A few steps of a writer's life."""
        steps = self.rng.choices(
            (self.append, self.sync, self.close, self.roll), (10, 5, 1, 1), k=self.rng.randint(1, 9)
        )
        for step in steps:
            step()

    def crash(self) -> list[bytes]:
        """The files after a power cut, or after a mere kill."""
        if self.rng.random() < 0.15:
            return [*self.sealed, self.active.versions[-1]]
        return [*self.sealed, self.active.crashed(self.rng)]

    def recover(self, files: list[bytes]) -> Found:
        """Read what is left, and go on from there as the page says."""
        found = read_log(files)
        self.records = found.records
        self.acked = len(found.records)
        header, tail = self.active.header, found.tail
        if tail.verdict == "clean":
            self.active = Written.from_disk(files[-1], tail.offset, filled=self.filled)
        elif header.first < found.following:
            self.sealed.append(files[-1])
            self.active = self._new(found.following, after=header, end=tail.offset)
        else:  # no frame at all: replaced under its name
            anew = header._replace(salt=self.rng.getrandbits(64))
            self.active = Written(anew, filled=self.filled)
        return found

    def proofs(self, place: int, data: bytes) -> list[int]:
        """The frames behind a place whose heads are whole, and say that it was synced."""
        return [
            frame.offset
            for frame in self.active.laid
            if frame.offset > place
            and frame.synced > place
            and data[frame.offset :].startswith(frame.data[:40])
        ]
