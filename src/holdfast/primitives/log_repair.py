"""Salvage a damaged log into a new one; the old one is only read.

Guarantee: when `repair_log` returns, every frame that is whole is in the new log, in order and
    under its old sequences, and the new log is durable. The old one was not touched. A frame that
    is whole is never changed: a batch stays a batch.
Not guaranteed: that what is missing at the end can be counted. Where sequences are missing, the
    report says after which, and how many, if a whole frame behind them or this boot tells.

How the new log is written, and refused until it is done: `log_copying`. Memory: a few pieces of
256 KiB; a larger frame is read three times, all others once.
"""

from __future__ import annotations

import os
import stat

from holdfast.formats.log_format import FIRST_OFFSET, MAX_SEGMENT_BYTES
from holdfast.formats.log_scan import examine
from holdfast.formats.log_search import PIECE_BYTES, islands
from holdfast.primitives.check_report import Lost, RepairReport
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.log_copying import Target
from holdfast.primitives.log_known import known_of
from holdfast.primitives.log_survey import Reading, find_seed, followed, stated_end, survey
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from holdfast.formats.log_format import FrameHead
    from holdfast.formats.log_scan import Tail
    from holdfast.formats.log_search import Read
    from holdfast.primitives.log_known import Known
    from holdfast.primitives.log_survey import Lying
    from holdfast.vfs import VFS, Folder
else:
    from holdfast.light_typing import Protocol

__all__ = ["Salvage", "Sink", "repair_log"]

_LOST_MAX = 1000


def repair_log(path: str, to: str, *, vfs: VFS = SYSTEM) -> RepairReport:
    """Salvage every whole frame into a new log at `to`; `path` is not touched.

    Nobody should write to the old log meanwhile.

    Args:
        path: the log.
        to: where the new one goes; not there yet, or an empty folder.
        vfs: the filesystem.

    Raises:
        FileExistsError: there is something at `to`; nothing was done.
        UnknownFormat: a part is of a later format; nothing is left at `to`.
        CommittedNotDurable: the last sync failed: the new log is whole, and a power cut may leave
            it refused.
        OSError: it cannot be read or written; nothing is left at `to`.
    """
    source = vfs.folder(path, readable=True)
    try:
        known = known_of(path, vfs=vfs)
        lying = survey(source)
        target = Target(to, vfs=vfs)
        try:
            target.open(stat.S_IMODE(source.stat(os.curdir).st_mode))
            salvage = Salvage(source, target)
            salvage.run(lying)
            salvage.compare(known)
            target.finish()
        finally:
            target.end()
        return RepairReport(path, to, salvage.records, tuple(salvage.lost))
    finally:
        close_quietly(source)


class Sink(Protocol):
    """Where whole frames go, in order."""

    def begin(self, like: Lying) -> None:
        """Begin with the frames of another segment."""
        ...

    def add(self, read: Read, head: FrameHead) -> None:
        """Take a frame that is whole."""
        ...


class Salvage:
    """Goes through a log, and says what is missing between what it finds.

    Args:
        source: the log.
        sink: what takes the frames.
    """

    def __init__(self, source: Folder, sink: Sink) -> None:
        self._source = source
        self._sink = sink
        self.records = 0
        """How many were found."""
        self.lost: list[Lost] = []
        """What is missing, in order."""
        self._last = 0
        self._reason = ""

    def compare(self, known: Known) -> None:
        """Tell what this boot knows to be durable, and was not found at the end."""
        if known.problem is not None:
            self.lost.append(Lost(self._last, str(known.problem)))
        elif self._last < known.durable:
            self._count_end(known.durable)

    def _count_end(self, durable: int) -> None:
        """Tell how many are missing at the end; of a loss that was found there already, as well."""
        reason = f"records up to {durable} were durable"
        if self.lost and self.lost[-1].after_sequence == self._last:
            reason = f"{self.lost.pop().reason}; {reason}"
        self.lost.append(Lost(self._last, reason, durable - self._last))

    def run(self, lying: list[Lying]) -> None:
        """Give all frames of all segments to the sink."""
        if lying:
            self._last = lying[0].first - 1
        for this, after in followed(lying):
            if this.first > self._last + 1 and not self._reason:
                self._reason = f"the records before those of {this.name} are missing"
            with Reading(self._source, this.name) as reading:
                self._segment(reading, this, after)
        if self._reason:
            self._lose(self._reason)

    def _lose(self, reason: str, records: int | None = None) -> None:
        """Report a loss; of many, the first."""
        self._reason = ""
        if len(self.lost) < _LOST_MAX:
            self.lost.append(Lost(self._last, reason, records))
        elif len(self.lost) == _LOST_MAX:
            self.lost.append(Lost(self._last, "from here on there are more, which are not listed"))

    def _segment(self, reading: Reading, this: Lying, after: Lying | None) -> None:
        """Take the frames of one segment."""
        seed = find_seed(reading, this, after)
        if seed is None:
            self._reason = f"{this.name} has no whole frame"
            return
        stated = stated_end(this, after)
        limit = min(reading.size if stated is None else stated, MAX_SEGMENT_BYTES)
        self._sink.begin(this)
        read = _Window(reading.read)
        end, following = FIRST_OFFSET, this.first
        for head in islands(read, start=FIRST_OFFSET, limit=limit, seed=seed, path=this.path):
            if head.offset != end:
                self._reason = f"{this.name} is damaged at byte {end}"
            self._take(read, head, this)
            end, following = head.end, head.first + head.count
        if stated is not None:
            if end < stated:
                self._reason = f"{this.name} is damaged from byte {end} to byte {stated}"
            return
        tail = examine(read, at=end, first=following, size=reading.size, seed=seed)
        if tail.verdict != "clean":
            self._reason = _what_ends(this.name, tail)

    def _take(self, read: Read, head: FrameHead, this: Lying) -> None:
        """Take one frame, unless its sequences were there already."""
        if head.count == 0:
            return
        if head.first <= self._last:
            self._lose(f"{this.name} has record {head.first} again; what came first was taken")
            return
        if head.first > self._last + 1:
            reason = self._reason or f"the sequences of {this.name} have a gap"
            self._lose(reason, head.first - self._last - 1)
        self._reason = ""
        self._sink.add(read, head)
        self.records += head.count
        self._last = head.first + head.count - 1


def _what_ends(name: str, tail: Tail) -> str:
    if tail.verdict == "damaged":
        return f"{name} is damaged at byte {tail.offset}: {tail.proof}"
    return (
        f"{name} ends in a write that is torn at byte {tail.offset}, and was never acknowledged "
        "as far as can be told"
    )


class _Window:
    """Reads a file that nobody writes to; small reads come out of the last large one."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._piece = b""
        self._at = 0

    def __call__(self, size: int, offset: int) -> bytes:
        start = offset - self._at
        if start >= 0 and start + size <= len(self._piece):
            return self._piece[start : start + size]
        data = self._read(size, offset)
        if size >= PIECE_BYTES:
            self._piece, self._at = data, offset
        return data
