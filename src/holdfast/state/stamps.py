"""Whether the time stamps of a file prove that it still holds what was read or written.

Invariants:
    I1  A look at a file proves that it is unchanged only when its stamps were old enough then:
        20 ms, or 2 s where times have whole seconds (FAT); or where the system gives every change
        after a look other stamps (`VFS.fine_stamps`). Else the bytes are compared.
    I2  Nobody can have changed the file between its bytes and the look.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple, TypeAlias

    from holdfast.state.register import Content
    from holdfast.vfs import VFS, Clock, Stat
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Signature", "Stamps", "is_bare", "key_of"]

_FINE_NS = 20_000_000
_COARSE_NS = 2_000_000_000

Key: TypeAlias = "tuple[int, int, int, int, int]"


class Signature(NamedTuple):
    """What a look at a file showed.

    `was_old`: its stamps were old enough to prove something. `is_bare`: it is known that it had no
    extended attributes.
    """

    key: Key
    was_old: bool
    is_bare: bool


class Stamps:
    """The judge of one file's signatures; `folder_path` is where it lies."""

    __slots__ = ("_clock", "_fine", "_folder_path", "_vfs")

    def __init__(self, folder_path: str, *, vfs: VFS, clock: Clock) -> None:
        self._folder_path = folder_path
        self._vfs = vfs
        self._clock = clock
        self._fine: dict[int, bool] = {}

    def sign(self, stat: Stat, *, is_bare: bool = False) -> Signature:
        """Return the proof for bytes that nobody changed before this look (I2)."""
        newest = max(stat.st_mtime_ns, stat.st_ctime_ns)
        coarse = stat.st_mtime_ns % 1_000_000_000 == 0
        age = self._clock.now_ns() - newest
        return Signature(key_of(stat), age > (_COARSE_NS if coarse else _FINE_NS), is_bare)

    def proves(self, content: Content, stat: Stat) -> bool:
        """Return True if a look now shows that the file still holds `content` (I1)."""
        proof = content.proof
        if not isinstance(proof, Signature) or proof.key != key_of(stat):
            return False
        return proof.was_old or self._is_fine(stat.st_dev)

    def _is_fine(self, device: int) -> bool:
        fine = self._fine.get(device)
        if fine is None:
            fine = self._fine[device] = self._vfs.fine_stamps(self._folder_path)
        return fine


def key_of(stat: Stat) -> Key:
    """Return what tells one state of one file from another."""
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def is_bare(content: Content) -> bool:
    """Return True if the file of `content` is known to have no extended attributes."""
    return isinstance(content.proof, Signature) and content.proof.is_bare
