"""What a bad device does: answers late, or with an error. Plain data that travels as JSON."""

from __future__ import annotations

import json
from random import Random
from typing import NamedTuple

__all__ = ["NO_FAULTS", "DeviceFaults", "FaultDecider"]


class DeviceFaults(NamedTuple):
    """Writes that are answered late and requests that fail.

    `delay_s`: how late the writes are answered that hold `delay_matching` (empty: all), each with
    the chance `delay_share`. `fail_writes`, `fail_flushes`: (first, count), counted from 1; such a
    request is answered EIO and does nothing. Only writes that hold `fail_matching` count.
    `delay_flush_s`: how long a flush takes, during which nothing else is answered.
    """

    delay_s: float = 0.0
    delay_matching: bytes = b""
    delay_share: float = 1.0
    seed: int = 0
    fail_writes: tuple[int, int] = (0, 0)
    fail_flushes: tuple[int, int] = (0, 0)
    fail_matching: bytes = b""
    delay_flush_s: float = 0.0

    def as_json(self) -> bytes:
        """The faults as a message."""
        fields = {k: v.hex() if isinstance(v, bytes) else v for k, v in self._asdict().items()}
        return json.dumps(fields).encode()

    @classmethod
    def from_json(cls, message: bytes) -> DeviceFaults:
        """Read such a message."""
        fields = json.loads(message)
        return cls(
            delay_s=fields["delay_s"],
            delay_matching=bytes.fromhex(fields["delay_matching"]),
            delay_share=fields["delay_share"],
            seed=fields["seed"],
            fail_writes=(fields["fail_writes"][0], fields["fail_writes"][1]),
            fail_flushes=(fields["fail_flushes"][0], fields["fail_flushes"][1]),
            fail_matching=bytes.fromhex(fields["fail_matching"]),
            delay_flush_s=fields["delay_flush_s"],
        )


NO_FAULTS = DeviceFaults()


class FaultDecider:
    """Decides for each request in turn; the same seed and the same requests give the same."""

    def __init__(self, faults: DeviceFaults) -> None:
        self._faults = faults
        self._random = Random(faults.seed)
        self._writes = 0
        self._flushes = 0

    def delay_s(self, data: bytes) -> float:
        """How late this write is answered."""
        faults = self._faults
        if not faults.delay_s or faults.delay_matching not in data:
            return 0.0
        return faults.delay_s if self._random.random() < faults.delay_share else 0.0

    @property
    def delay_flush_s(self) -> float:
        """How long a flush takes."""
        return self._faults.delay_flush_s

    def fails_write(self, data: bytes) -> bool:
        """Whether this write fails."""
        if self._faults.fail_matching not in data:
            return False
        self._writes += 1
        return _hit(self._writes, self._faults.fail_writes)

    def fails_flush(self) -> bool:
        """Whether this flush fails."""
        self._flushes += 1
        return _hit(self._flushes, self._faults.fail_flushes)


def _hit(number: int, window: tuple[int, int]) -> bool:
    first, count = window
    return first <= number < first + count
