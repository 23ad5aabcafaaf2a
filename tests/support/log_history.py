"""What many writers of one log were told, held against what the log has in the end.

Pure functions: they are given what was read and noted, and say what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple
from zlib import crc32

_MODULUS = 1 << 64


class Entry(NamedTuple):
    """A record: the `number`-th of its `source`, in a batch of `batch_count` from `batch_first`."""

    source: str
    number: int
    batch_first: int
    batch_count: int

    def encode(self) -> bytes:
        """The bytes of the record; their size varies with the number, some have several pages."""
        size = self.number * 37 % 300 + (9000 if self.number % 101 == 100 else 0)
        facts = f"{self.source} {self.number} {self.batch_first} {self.batch_count} "
        return facts.encode() + b"x" * size


def decode(data: bytes) -> Entry:
    """Read a record back; ValueError if it is not what `encode` gives."""
    source, number, first, count, _ = data.split(b" ")
    entry = Entry(source.decode(), int(number), int(first), int(count))
    if entry.encode() != data:
        raise ValueError(f"not as it was written: {data[:80]!r}")
    return entry


class Told(NamedTuple):
    """What one source began (how many records) and was told (the sequence of each number)."""

    begun: int
    acknowledged: Mapping[int, int]


class Sight(NamedTuple):
    """What a reader has seen: the records from `first` to `last`, and their digest."""

    first: int
    last: int
    digest: int


def digest_of(sequence: int, data: bytes) -> int:
    """One record's part of a digest; parts are added."""
    return crc32(data, crc32(sequence.to_bytes(8, "little"))) + (len(data) << 32)


def read_notes(lines: Iterable[str]) -> Told:
    """Read `b NUMBER COUNT` (begun) and `a NUMBER COUNT LAST_SEQUENCE` (acknowledged)."""
    begun, acknowledged = 0, {}
    for line in lines:
        kind, *numbers = line.split()
        number, count, *rest = map(int, numbers)
        if kind == "b":
            begun = max(begun, number + count)
        else:
            for index in range(count):
                acknowledged[number + index] = rest[0] - count + 1 + index
    return Told(begun, acknowledged)


def problems(
    entries: Sequence[Entry], told: Mapping[str, Told], *, first: int = 1, most: int = 20
) -> list[str]:
    """Say what is wrong with a log whose records, from `first` on, are these; all well: nothing.

    What is acknowledged and lies before `first` was dropped on purpose.
    """
    found = [
        *_wrong_orders(entries, told, is_whole=first == 1),
        *_split_batches(entries),
        *_lost(entries, told, first),
    ]
    return found[:most]


def _wrong_orders(
    entries: Sequence[Entry], told: Mapping[str, Told], *, is_whole: bool
) -> Iterable[str]:
    following: dict[str, int] = {}
    for place, (source, number, _, _) in enumerate(entries):
        if source not in told or number >= told[source].begun:
            yield f"record {place}: {source} never began number {number}"
        wanted = following.get(source, 0 if is_whole else number)
        if number != wanted:
            kind = "doubled or out of order" if number < wanted else "lost before it"
            yield f"record {place}: {source} {number} where {wanted} must come: {kind}"
        following[source] = max(wanted, number + 1)


def _split_batches(entries: Sequence[Entry]) -> Iterable[str]:
    for place, entry in enumerate(entries):
        index = entry.number - entry.batch_first
        start = place - index
        if start < 0 or entries[start] != entry._replace(number=entry.batch_first):
            yield f"record {place}: {entry} is not beside the first of its batch"
        elif not index:
            last = entry._replace(number=entry.batch_first + entry.batch_count - 1)
            end = place + entry.batch_count - 1
            if end >= len(entries) or entries[end] != last:
                yield f"record {place}: the batch of {entry} is not whole"


def _lost(entries: Sequence[Entry], told: Mapping[str, Told], first: int) -> Iterable[str]:
    for source, (_, acknowledged) in told.items():
        for number, sequence in acknowledged.items():
            place = sequence - first
            if place >= len(entries):
                yield f"{source} {number} was acknowledged as {sequence}, beyond the end"
            elif place >= 0 and entries[place][:2] != (source, number):
                yield f"{source} {number} was acknowledged as {sequence}: {entries[place]} is there"


def wrong_sights(
    digests: Sequence[int], sights: Iterable[Sight], *, first: int = 1, most: int = 20
) -> list[str]:
    """Say what readers saw that is not in the log, whose records have these digests.

    Sights that begin before `first` are of what was dropped since, and tell nothing.
    """
    sums = list(accumulate(digests, initial=0))
    found = []
    for sight in sights:
        if sight.first < first:
            continue
        start, end = sight.first - first, sight.last - first + 1
        if end >= len(sums):
            found.append(f"{sight}: seen, and gone: the log ends with {first + len(digests) - 1}")
        elif (sums[end] - sums[start] - sight.digest) % _MODULUS:
            found.append(f"{sight}: other records are there now")
    return found[:most]
