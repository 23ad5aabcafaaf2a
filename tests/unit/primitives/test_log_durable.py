"""The durable mark moves after a sync, to what was published before it, and not on a failure."""

from __future__ import annotations

import errno

import pytest

from holdfast.formats.log_format import segment_name
from holdfast.primitives.log_durable import (
    Written,
    is_durable,
    known_durable,
    published,
    sync_segment,
)
from holdfast.primitives.log_hint import (
    BOOT,
    CHECK,
    DURABLE,
    DURABLE_END,
    END,
    POISON,
    SALT,
    Tail,
    publish_place,
)
from holdfast.primitives.log_open import OpenLog
from holdfast.primitives.log_recovery import Settings
from holdfast.primitives.log_segment import Segment, open_segment
from holdfast.vfs import CLOCK
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace
from tests.support import log_bytes

DATA = log_bytes.Segment().append(b"a").append(b"b").append(b"c")
ENDS = [*DATA.starts, len(DATA.data)]


def scene(faults: tuple[Fault, ...] = ()) -> tuple[OpenLog, Segment, MemoryVFS]:
    """An open log of three frames, of which the words tell, and none is known durable."""
    disk = MemoryVFS()
    disk.write_tree(log_bytes.as_folder([DATA]))
    log = OpenLog(Settings("/log", 4096, 0o666, Faulty(disk, *faults), CLOCK))
    segment = open_segment(log.folder, 1, "write")
    publish_place(log.words, log.boot, segment.place, tail=Tail(ENDS[3], 3, ENDS[3], ENDS[2]))
    log.words[DURABLE_END] = ENDS[0]
    return log, segment, disk


@pytest.mark.parametrize(
    ("said", "believed"),
    [(512, 512), (ENDS[1], ENDS[1]), (ENDS[3], ENDS[3]), (ENDS[3] + 8, 512), (0, 512), (504, 512)],
)
def test_end_that_cannot_be_is_not_believed(said, believed) -> None:
    """A frame that claims more than was synced would make a torn tail look like damage."""
    log, _, _ = scene()
    log.words[DURABLE_END] = said
    assert believed == known_durable(log.words, ENDS[3])


@pytest.mark.parametrize(("durable", "found"), [(1, False), (2, True), (3, True), (4, False)])
def test_record_up_to_the_mark_is_durable(durable, found) -> None:
    """A mark beyond what was written at all tells nothing."""
    log, segment, _ = scene()
    log.words[DURABLE] = durable
    assert found is is_durable(log, Written(segment, 2, ENDS[2]))


def test_mark_of_another_boot_tells_nothing() -> None:
    """Whatever it says."""
    log, segment, _ = scene()
    log.words[DURABLE] = 3
    log.words[BOOT] ^= 1
    assert not is_durable(log, Written(segment, 2, ENDS[2]))


def test_sync_covers_all_that_is_published() -> None:
    """Also what others have written since."""
    log, segment, _ = scene()
    assert (3, ENDS[3]) == published(log.words, Written(segment, 1, ENDS[1]))


@pytest.mark.parametrize("word", [END, CHECK, SALT])
def test_words_in_the_middle_of_a_change_are_not_taken(word) -> None:
    """One's own record is what is certain then."""
    log, segment, _ = scene()
    log.words[CHECK] ^= 1 << 9
    if word != SALT:
        log.words[word] += 8
    assert (1, ENDS[1]) == published(log.words, Written(segment, 1, ENDS[1]))


def test_mark_moves_when_the_sync_is_done() -> None:
    """Not before, and to what the caller says."""
    disk = MemoryVFS()
    disk.write_tree(log_bytes.as_folder([DATA]))
    traced = Trace(disk)
    segment = open_segment(traced.folder("/log"), 1, "write")
    log, _, _ = scene()
    log.words[SALT] = segment.place.salt
    seen: list[tuple[str, int, int]] = []
    words = log.words
    traced.subscribe(lambda c: seen.append((c.operation, words[DURABLE], words[DURABLE_END])))
    sync_segment(segment, words, last=2, end=ENDS[2])
    assert [("sync_data", 0, ENDS[0])] == seen
    assert (2, ENDS[2]) == (words[DURABLE], words[DURABLE_END])


def test_failed_sync_poisons_and_moves_nothing() -> None:
    """The first error is told, with what is durable."""
    log, segment, _ = scene((Fault("sync_data", 1, effect="ENOSPC"),))
    with pytest.raises(OSError, match="No space") as caught:
        sync_segment(segment, log.words, last=2, end=ENDS[2])
    assert "Records up to 0 are durable" in caught.value.__notes__[0]
    assert segment_name(1) in str(caught.value.filename)
    assert (errno.ENOSPC, 0) == (log.words[POISON], log.words[DURABLE])


def test_mark_of_another_segment_is_left_alone() -> None:
    """The words were overwritten, or the log went on elsewhere meanwhile."""
    log, segment, _ = scene()
    log.words[SALT] ^= 1
    sync_segment(segment, log.words, last=2, end=ENDS[2])
    assert (0, ENDS[0]) == (log.words[DURABLE], log.words[DURABLE_END])
