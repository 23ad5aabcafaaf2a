"""A journal as it lies in its folder, whole or damaged, for who looks at all of it.

Takes no lock and changes nothing. What a disk cannot read of a file is told like any other damage.
"""

from __future__ import annotations

from errno import EIO

from holdfast.errors import BadFrame, Corruption, UnknownFormat
from holdfast.formats.journal_format import (
    HEAD_BYTES,
    IDENTITY,
    IDENTITY_BYTES,
    INCOMPLETE,
    SLOTS,
    Identity,
    decode_head,
    decode_identity,
    sequence_of,
)
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.regular_files import open_regular, read_block
from holdfast.primitives.temp import recognise
from holdfast.state.checkpoint_reading import Damaged, look_at, read_found
from holdfast.state.journal_place import NEW_IDENTITY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NamedTuple

    from holdfast.state.checkpoint_reading import Found
    from holdfast.vfs import Folder
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Ill", "Standing", "decode_body", "survey_journal"]


class Ill(NamedTuple):
    """A file that is not what was written, and why."""

    name: str
    path: str
    problem: Corruption | OSError

    @property
    def offset(self) -> int | None:
        """Where the damage is, if that is known."""
        return self.problem.offset if isinstance(self.problem, Corruption) else None

    @property
    def why(self) -> str:
        """What is wrong with it; a sentence that begins with its path."""
        if isinstance(self.problem, Corruption):
            return str(self.problem)
        return f"{self.path}: cannot be read ({self.problem.strerror}). It is untouched."


class Standing(NamedTuple):
    """What is there: the identity or what is wrong with it, and the checkpoints.

    Neither, if a crash has left a journal that was about to be made: then nothing else is there.
    Those that are `whole` stand in order, the newest first; the others are `ill`.
    """

    identity: Identity | None
    ill_identity: Ill | None
    whole: tuple[Found, ...]
    ill: tuple[Ill, ...]
    size_bytes: int

    @property
    def newest(self) -> Found | None:
        """The newest whole checkpoint."""
        return self.whole[0] if self.whole else None

    @property
    def is_incomplete(self) -> bool:
        """Whether a repair has not come to its end."""
        problem = self.ill_identity and self.ill_identity.problem
        return isinstance(problem, BadFrame) and problem.found == INCOMPLETE[:8]


def survey_journal(folder: Folder) -> Standing:
    """Read the identity, and every checkpoint with its body.

    Raises:
        UnknownFormat: a part is of a later format.
        OSError: the folder cannot be read.
    """
    identity, ill_identity = _identity(folder)
    names = sorted(n for n in folder.names() if n in SLOTS or sequence_of(n) is not None)
    number = _journal_in(folder, names) if identity is None else identity.id
    kind = "" if identity is None else identity.kind
    supposed = Identity(number, kind, "", 0)
    whole: list[Found] = []
    ill: list[Ill] = []
    for name in names:
        try:
            found = look_at(folder, name, supposed)
            if found is not None:
                _read(folder, found, kind)
                whole.append(found)
        except FileNotFoundError:
            continue  # removed, or replaced, just now
        except UnknownFormat:
            raise
        except (Corruption, Damaged, OSError) as error:
            ill.append(_ill(folder, name, error))
    whole.sort(key=lambda found: found.age, reverse=True)
    size_bytes = sum(_size(folder, name) for name in (IDENTITY, *names))
    return Standing(identity, ill_identity, tuple(whole), tuple(ill), size_bytes)


def _ill(folder: Folder, name: str, error: Corruption | Damaged | OSError) -> Ill:
    if isinstance(error, OSError) and error.errno != EIO:
        raise error
    problem = error.why if isinstance(error, Damaged) else error
    return Ill(name, f"{folder.path}/{name}", problem)


def _identity(folder: Folder) -> tuple[Identity | None, Ill | None]:
    path = f"{folder.path}/{IDENTITY}"
    advice = "Take it from a backup, or salvage the journal with `holdfast repair`."
    try:
        file = open_regular(folder, IDENTITY)
        if file is None:
            raise BadFrame(f"{path}: is no regular file. It is untouched. {advice}", path=path)
        try:
            return decode_identity(read_block(file, IDENTITY_BYTES), path=path), None
        finally:
            close_quietly(file)
    except FileNotFoundError:
        if all(name == NEW_IDENTITY or recognise(name) for name in folder.names()):
            return None, None
        missing = Corruption(f"{path}: is missing. Nothing was changed. {advice}", path=path)
        return None, Ill(IDENTITY, path, missing)
    except UnknownFormat:
        raise
    except (Corruption, OSError) as error:
        return None, _ill(folder, IDENTITY, error)


def _journal_in(folder: Folder, names: list[str]) -> int:
    """Return the id of the journal that the newest of the checkpoints states; 0 if none does."""
    found = [(0, 0)]
    for name in names:
        try:
            file = open_regular(folder, name)
            if file is not None:
                try:
                    head = decode_head(read_block(file, HEAD_BYTES), path=name)
                finally:
                    close_quietly(file)
                found.append((head.generation, head.journal))
        except UnknownFormat:
            raise
        except (Corruption, OSError):
            continue  # it is told with the others
    return max(found)[1]


def _read(folder: Folder, found: Found, kind: str) -> None:
    """Read a body; that of a store is decoded too."""

    def read(pieces: Iterator[bytes]) -> None:
        path = f"{folder.path}/{found.name}"
        for _ in decode_body(pieces, where=path) if kind == "store" else pieces:
            pass

    read_found(folder, found, read)


def decode_body(pieces: Iterator[bytes], *, where: str) -> Iterator[tuple[str, bytes | None]]:
    """Yield the keys and encoded values of a store's checkpoint.

    Raises:
        BadFrame: it is none.
    """
    from holdfast.formats.store_format import decode_blocks, decode_changes

    for block in decode_blocks(pieces, where=where):
        yield from decode_changes(block, where=where)


def _size(folder: Folder, name: str) -> int:
    try:
        return folder.stat(name).st_size
    except FileNotFoundError:
        return 0
