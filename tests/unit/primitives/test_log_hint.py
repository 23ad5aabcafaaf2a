"""The words of the shared tail are believed when they fit, and only then."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from holdfast.errors import HandlePoisoned
from holdfast.primitives.log import Log
from holdfast.primitives.log_hint import (
    BOOT,
    BUSY,
    CHECK,
    DEVICE,
    DURABLE,
    DURABLE_END,
    END,
    FILLED,
    FIRST,
    FRAMES_DURABLE,
    INODE,
    LAST,
    LAST_AT,
    POISON,
    SALT,
    WANTED,
    WORDS,
    WRITERS,
    Place,
    Tail,
    are_ours,
    base_of,
    boot_number,
    check_of,
    place_of,
    publish_place,
    tail_of,
)
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.memory_words import MemoryWords

if TYPE_CHECKING:
    from holdfast.vfs.api import Words

BOOT_NUMBER = boot_number("this run of the machine")
PLACE = Place(7, 8, 100, 2**64 - 1)
TAIL = Tail(4096, 120, 65536, 4000)
MOST = 2**64 - 1


class MortalWords(MemoryWords):
    """Words whose user dies after some stores."""

    __slots__ = ("stores",)

    def __init__(self, shared: list[int], stores: int) -> None:
        super().__init__(shared, WORDS, writable=True)
        self.stores = stores

    def __setitem__(self, index: int, value: int, /) -> None:
        """Store a word, or die."""
        if not self.stores:
            raise KeyboardInterrupt
        self.stores -= 1
        super().__setitem__(index, value)


def blank() -> MemoryWords:
    """Words as a new lock file has them."""
    return MemoryWords([0] * WORDS, WORDS, writable=True)


def published() -> MemoryWords:
    """Words that say where the log ends."""
    words = blank()
    publish_place(words, BOOT_NUMBER, PLACE, tail=TAIL)
    return words


def test_published_tail_is_read_back() -> None:
    """Place and tail, on the boot that wrote them."""
    words = published()
    assert PLACE == place_of(words, BOOT_NUMBER)
    assert TAIL == tail_of(words, PLACE)


def test_new_lock_file_says_nothing() -> None:
    """Zeros are no place, on no boot, and no tail."""
    assert place_of(blank(), BOOT_NUMBER) is None
    assert place_of(blank(), 0) is None
    assert tail_of(blank(), Place(0, 0, 0, 0)) is None


def test_words_of_another_boot_are_not_believed() -> None:
    """The pages that they speak of are gone."""
    words = published()
    other = boot_number("another run")
    assert other != BOOT_NUMBER
    assert place_of(words, other) is None
    assert not are_ours(words, other)


def test_unknown_boot_matches_nothing() -> None:
    """Where the system does not tell, no words are believed, not even one's own."""
    words = blank()
    publish_place(words, boot_number(""), PLACE, tail=TAIL)
    assert place_of(words, boot_number("")) is None


def test_words_without_magic_are_not_believed() -> None:
    """Something else may have been written there."""
    words = published()
    words[0] ^= 1
    assert place_of(words, BOOT_NUMBER) is None
    assert not are_ours(words, BOOT_NUMBER)


@pytest.mark.parametrize("word", [DEVICE, INODE, FIRST, SALT, END, LAST, FILLED, CHECK])
@pytest.mark.parametrize("bit", [1, 5, 20, 40])
def test_tail_with_a_changed_bit_is_not_believed(word, bit) -> None:
    """Place and tail are what the check was made of."""
    words = published()
    words[word] ^= 1 << bit
    place = place_of(words, BOOT_NUMBER)
    assert place is not None
    assert tail_of(words, place) is None


def test_busy_hides_the_tail_and_not_the_place() -> None:
    """Readers go on by the place; a writer has to look."""
    words = published()
    words[BUSY] = TAIL.end
    assert PLACE == place_of(words, BOOT_NUMBER)
    assert tail_of(words, PLACE) is None


def test_who_dies_while_publishing_leaves_nothing_to_be_believed() -> None:
    """Before the first store the old tail stands, after the last one the new; between them none."""
    new = Place(7, 9, 121, 5), Tail(512, 120, 65536, 0)
    found: list[tuple[Place, Tail] | None] = []
    for stores in range(20):
        shared = [0] * WORDS
        words = MemoryWords(shared, WORDS, writable=True)
        publish_place(words, BOOT_NUMBER, PLACE, tail=TAIL)
        with suppress(KeyboardInterrupt):
            publish_place(MortalWords(shared, stores), BOOT_NUMBER, new[0], tail=new[1])
        place = place_of(words, BOOT_NUMBER)
        tail = tail_of(words, place) if place is not None else None
        found.append((place, tail) if place is not None and tail is not None else None)
    assert ((PLACE, TAIL), new) == (found[0], found[-1])
    assert {None} == set(found[1 : found.index(new)])


@pytest.mark.parametrize(
    ("place", "tail"),
    [
        (Place(0, 0, 0, 0), Tail(0, 0, 0, 0)),
        (Place(MOST, MOST, MOST, MOST), Tail(MOST, MOST, MOST, 0)),
        (Place(0, 0, 1, 0), Tail(512, 0, 0, 0)),
    ],
)
def test_check_is_a_word_and_never_zero(place, tail) -> None:
    """So that zeros never fit."""
    check = check_of(base_of(place), tail.end, tail.last, filled=tail.filled)
    assert 0 < check <= MOST


def test_boots_have_numbers_of_64_bits() -> None:
    """Each its own; none for no boot."""
    numbers = {boot_number(f"boot {n}") for n in range(100)}
    assert 100 == len(numbers)
    assert all(0 < number <= MOST for number in numbers)
    assert 0 == boot_number("")


def test_words_have_the_places_that_the_page_gives_them() -> None:
    """docs/reference/log-format.md: programs of other versions share them."""
    words = published()
    assert b"HFTAIL\1\0" == words[0].to_bytes(8, "little")
    assert [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] == [
        BOOT, DEVICE, INODE, FIRST, SALT, END, LAST, FILLED, LAST_AT, CHECK, BUSY,
    ]  # fmt: skip
    assert [*PLACE, *TAIL] == [words[at] for at in range(2, 10)]


class WatchedWords:
    """Words whose stores are told, each with the locks that are held."""

    def __init__(self, words: Words, told: Callable[[int], None]) -> None:
        self._words = words
        self._told = told
        self.release = words.release

    def __getitem__(self, index: int, /) -> int:
        """Read a word."""
        return self._words[index]

    def __setitem__(self, index: int, value: int, /) -> None:
        """Tell, then store."""
        self._told(index)
        self._words[index] = value


class Watching(Faulty):
    """Notes for each store which of the two locks of the log are held."""

    def __init__(self, disk: MemoryVFS, *faults: Fault) -> None:
        super().__init__(disk, *faults)
        self.disk = disk
        self.stores: list[tuple[int, bool, bool]] = []

    def passed_on(self, words: Words) -> Words:
        """Return watched words."""
        return WatchedWords(super().passed_on(words), self._note)

    def _note(self, index: int) -> None:
        held = [path.rpartition("/")[2] for path in self.disk.held_locks]
        self.stores.append((index, "lock" in held, any("segment" in name for name in held)))


def stores_of(*faults: str) -> list[tuple[int, bool, bool]]:
    """All stores in the life of a log: appends, new segments, failures, a rescue, drops."""
    disk = MemoryVFS()
    watching = Watching(disk, *map(Fault.parse, faults))
    for _ in range(3):
        log = Log("/l", segment_bytes=1024, vfs=watching)
        for number in range(60):
            try:
                log.append(b"%d" % number)
            except (OSError, HandlePoisoned):
                break
        log.close()
    with Log("/l", sync="never", vfs=watching) as log:
        log.append(b"never")
        log.barrier()
        log.drop_before(log.last + 1)
    assert all(fault.fired for fault in watching.faults)
    return watching.stores


FAILURES = [
    (),
    ("sync_data 3 -> EIO",),
    ("sync_data 20 -> EIO",),
    ("write 9 -> short 9", "write 10 -> ENOSPC"),
    ("write 9 -> ENOSPC", "truncate 1 -> EIO"),
]


@pytest.mark.parametrize("faults", FAILURES)
def test_place_and_tail_change_only_under_the_append_lock(faults) -> None:
    """All words but those that say how far the log is durable, and for whom it was synced."""
    stores = stores_of(*faults)
    others = {index for index, append, _ in stores if not append}
    assert others <= {DURABLE, DURABLE_END, POISON, FRAMES_DURABLE, WRITERS}
    assert {END, LAST, BUSY, CHECK} <= {index for index, *_ in stores}


@pytest.mark.parametrize("faults", FAILURES)
def test_durable_mark_moves_only_under_the_sync_lock(faults) -> None:
    """Of the segment; but for the first one, which nobody else knows yet."""
    stores = stores_of(*faults)
    marks = [sync for index, _, sync in stores if index in {DURABLE, DURABLE_END}]
    assert [False, False] == marks[:2]
    assert all(marks[2:])
    assert len(marks) > 100


def test_published_place_is_wanted_up_to_where_it_is_durable() -> None:
    """Nobody waits for what a writer wanted in the segment before."""
    words: Words = MemoryWords([0] * WORDS, WORDS, writable=True)
    words[WANTED] = 2**40
    publish_place(words, BOOT_NUMBER, PLACE, tail=TAIL)
    assert TAIL.last == words[WANTED] == words[LAST]
