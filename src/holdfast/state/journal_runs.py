"""Which commits of a damaged journal give a state: the arithmetic of a repair.

A log that was read with its losses is a row of runs: commits without a gap between them. A state is
that of a checkpoint and of the run that goes on from it.
"""

from __future__ import annotations

from holdfast.errors import BadFrame, DecodeError
from holdfast.formats.log_format import FRAME_BYTES, Frame
from holdfast.primitives.check_report import Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import NamedTuple

    from holdfast.formats.log_format import FrameHead
    from holdfast.formats.log_search import Read
    from holdfast.primitives.log_survey import Lying
    from holdfast.state.checkpoint_reading import Found
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Plan", "Run", "Runs", "choose"]


class Run(NamedTuple):
    """Commits that are all there."""

    first: int
    last: int


class Runs:
    """Takes the frames of a log and keeps the runs that they make.

    Args:
        is_store: decode the entries as those of a store; a frame with one that cannot be is in no
            run.
        are_values_read: and their values as JSON.
    """

    def __init__(self, *, is_store: bool, are_values_read: bool = False) -> None:
        self._is_store = is_store
        self._are_values_read = are_values_read
        self.runs: list[Run] = []
        self.bad: Run | None = None
        """The first frame with an entry that cannot be decoded."""
        self.why = ""
        """What is wrong with that."""

    def begin(self, like: Lying) -> None:
        """Nothing is to be known of a segment."""

    def add(self, read: Read, head: FrameHead) -> None:
        """Note the commits of a frame, if they can be applied."""
        here = Run(head.first, head.first + head.count - 1)
        if self._is_store:
            try:
                self._decode(read, head)
            except (BadFrame, DecodeError) as error:
                if self.bad is None:
                    self.bad, self.why = here, str(error)
                return
        if self.runs and self.runs[-1].last + 1 == here.first:
            self.runs[-1] = Run(self.runs[-1].first, here.last)
        else:
            self.runs.append(here)

    def _decode(self, read: Read, head: FrameHead) -> None:
        from holdfast.formats.store_format import split_changes
        from holdfast.formats.value_codec import keeper_for

        keeper = keeper_for("json")
        body = read(head.body_bytes, head.offset + FRAME_BYTES)
        frame = Frame(head.offset, head.end, head.first, head.count, head.synced, head.flags, body)
        for sequence, entry in enumerate(frame.records(), head.first):
            values = split_changes(entry, where=f"commit {sequence}")[1]
            if self._are_values_read:
                for value in values:
                    keeper.decode(value)


class Plan(NamedTuple):
    """What the new journal is made of: a checkpoint, and the commits after `start` up to `end`.

    `through`: what the checkpoint needs of the log. If that is more than `end`, the state holds
    the commits behind `end` in part.
    """

    found: Found | None
    start: int
    end: int
    through: int

    def losses(self, lost: Iterable[Lost], runs: Runs, *, is_log_gone: bool) -> Iterator[Lost]:
        """Yield what the state lacks, of what was lost on the way and between the runs.

        Args:
            lost: what was found to be missing in the log.
            runs: what was found in it.
            is_log_gone: there was one, and it has no segment any more.
        """
        if self.end < self.through:
            reason = "the log does not reach what the checkpoint holds: of these commits, some "
            reason += "keys have what they wrote, and others what was before"
            yield Lost(self.end, reason, self.through - self.end)
        elif is_log_gone:
            yield Lost(self.end, "the log is gone, and with it all commits from there on")
        if runs.bad is not None and runs.bad.last > self.start:
            yield Lost(runs.bad.first - 1, runs.why, runs.bad.last - runs.bad.first + 1)
        later = [one for one in map(self._after_start, lost) if one is not None]
        following = min((run.first for run in runs.runs if run.last > self.end), default=None)
        if following is not None and following > self.end + 1:
            bounds = range(self.end, following)
            if not any(one.after_sequence in bounds for one in later) and not (
                runs.bad is not None and runs.bad.first - 1 in bounds
            ):
                reason = "they were in a checkpoint that is damaged or missing"
                yield Lost(self.end, reason, following - self.end - 1)
        yield from later

    def _after_start(self, lost: Lost) -> Lost | None:
        """The part of a loss that the checkpoint does not hold; None if it holds all."""
        if lost.after_sequence >= self.start:
            return lost
        if lost.records is None:
            return Lost(self.start, lost.reason)
        left = lost.after_sequence + lost.records - self.start
        return Lost(self.start, lost.reason, left) if left > 0 else None


def choose(whole: Sequence[Found], runs: Sequence[Run]) -> Plan:
    """Return what gives the newest consistent state, or, where nothing does, the newest.

    Args:
        whole: the checkpoints, the newest first.
        runs: of the log.
    """
    plans = [_plan(found, runs) for found in whole]
    for plan in plans:
        if plan.end >= plan.through:
            return plan
    first = _plan(None, runs)
    return plans[0] if plans and not first.end else first


def _plan(found: Found | None, runs: Sequence[Run]) -> Plan:
    start, through = (0, 0) if found is None else (found.head.sequence, found.head.through)
    ends = [run.last for run in runs if run.first <= start + 1 <= run.last + 1]
    return Plan(found, start, max([start, *ends]), through)
