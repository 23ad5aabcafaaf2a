"""Whether the time stamps of a file prove that it still holds what was read or written.

A system stamps a file when a write begins, and copies the bytes after that. So a look at young
stamps says nothing of the bytes that were read: a write may be under way. Of bytes that we wrote
ourselves it says that no other write had begun.

Invariants:
    I1  A look at a file that was read proves that it is unchanged only when its stamps were old
        enough then: 20 ms, or 2 s where times have whole seconds (FAT, small inodes of ext4).
    I2  A look at a file that we wrote proves it at once where the system gives every change after a
        look other stamps (`VFS.fine_stamps`), and nobody can have begun to write into it between
        our bytes and the look.
    I3  In all other cases the bytes are compared.
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

    `was_old`: its stamps were old enough to prove something. `is_ours`: we wrote it, and its stamps
    are no whole seconds. `is_bare`: it is known that it had no extended attributes.
    """

    key: Key
    was_old: bool
    is_ours: bool
    is_bare: bool


class Stamps:
    """The judge of the signatures of the file at `path`, which may be reached by symlinks."""

    __slots__ = ("_clock", "_fine", "_path", "_vfs")

    def __init__(self, path: str, *, vfs: VFS, clock: Clock) -> None:
        self._path = path
        self._vfs = vfs
        self._clock = clock
        self._fine: dict[int, bool] = {}

    def now_ns(self) -> int:
        """The time, to be asked before a look."""
        return self._clock.now_ns()

    @staticmethod
    def sign_read(stat: Stat, now_ns: int) -> Signature:
        """Return the proof for bytes that were read at this look, made after `now_ns`."""
        age = now_ns - max(stat.st_mtime_ns, stat.st_ctime_ns)
        was_old = age > (_COARSE_NS if _is_coarse(stat) else _FINE_NS)
        return Signature(key_of(stat), was_old, False, False)

    @staticmethod
    def sign_written(stat: Stat, *, is_bare: bool) -> Signature:
        """Return the proof for bytes of ours, if nobody wrote behind them before this look (I2).

        The file was made a moment before, so its age proves nothing.
        """
        is_ours = not _is_coarse(stat)
        return Signature(key_of(stat), False, is_ours, is_bare)

    def proves(self, content: Content, stat: Stat) -> bool:
        """Return True if a look now shows that the file still holds `content` (I1, I2)."""
        proof = content.proof
        if not isinstance(proof, Signature) or proof.key != key_of(stat):
            return False
        if proof.was_old or not proof.is_ours:
            return proof.was_old
        device = stat.st_dev
        fine = self._fine.get(device)
        if fine is None:
            fine = self._fine[device] = self._vfs.fine_stamps(self._path, device)
        return fine


def _is_coarse(stat: Stat) -> bool:
    """Whether the times look like whole seconds, which prove little."""
    return stat.st_mtime_ns % 1_000_000_000 == 0 or stat.st_ctime_ns % 1_000_000_000 == 0


def key_of(stat: Stat) -> Key:
    """Return what tells one state of one file from another."""
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def is_bare(content: Content) -> bool:
    """Return True if the file of `content` is known to have no extended attributes."""
    return isinstance(content.proof, Signature) and content.proof.is_bare
