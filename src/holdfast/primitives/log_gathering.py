"""Wait a moment before a slow sync for the writers of other processes, so that it serves them too.

Four processes that append one record each in a loop would otherwise be served by turns: one alone,
then the three that came meanwhile. How many write at the moment is seen from the frames that a sync
covered and those that came during it; the wait is over when as many are there again, and at the
latest after a tenth of what the last sync took. Where that is too short to be worth a wait, or
where nobody else writes, there is none. A hint like all of the shared tail: nothing depends on it.
"""

from __future__ import annotations

from time import sleep

from holdfast.primitives.log_hint import FRAMES, FRAMES_DURABLE, WRITERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs import Clock
    from holdfast.vfs.api import Words

__all__ = ["Gathering"]

_PART = 0.1
_WORTH_S = 0.00005
_LOOKS = 16


class Gathering:
    """Knows how long the last sync of this process took."""

    def __init__(self, clock: Clock) -> None:
        self._monotonic = clock.monotonic
        self._limit_s = 0.0

    def wait(self, words: Words) -> None:
        """Wait until as many frames are there as were when the last sync ended, or for too long.

        For who holds no lock: whoever is served already must get by, to come back with more.
        """
        if words[WRITERS] < 2 or self._limit_s < _WORTH_S:
            return
        until_s = self._monotonic() + self._limit_s
        durable = words[FRAMES_DURABLE]
        wanted = durable + words[WRITERS]
        for _ in range(_LOOKS):
            if words[FRAMES] >= wanted or words[FRAMES_DURABLE] != durable:
                return
            if self._monotonic() >= until_s:
                return
            sleep(self._limit_s / _LOOKS)

    def begin(self, words: Words) -> tuple[int, float]:
        """The sync begins; what is returned is for `end`."""
        return words[FRAMES], self._monotonic()

    def end(self, words: Words, begun: tuple[int, float]) -> None:
        """The sync is over: see how long it took, and how many frames were under way at its end."""
        frames, start_s = begun
        self._limit_s = (self._monotonic() - start_s) * _PART
        words[WRITERS] = max(words[FRAMES] - words[FRAMES_DURABLE], 0)
        words[FRAMES_DURABLE] = frames
