"""What `inspect` says of the folder of a journal or store."""

from __future__ import annotations

from holdfast.cli.files import holder_of
from holdfast.cli.output import iso_time
from holdfast.cli.states import identity_of, kind_of_state
from holdfast.errors import HoldfastError
from holdfast.primitives.temp import recognise
from holdfast.state.journal_place import NEW_IDENTITY
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from holdfast.formats.journal_format import Identity

__all__ = ["facts_of_state"]


def facts_of_state(path: str, names: Collection[str]) -> dict[str, Any]:
    """Its identity, commits, checkpoints and locks, or why they cannot be told.

    Nothing for another folder.
    """
    kind = kind_of_state(path, names)
    if kind is None:
        return {}
    try:
        identity = identity_of(path)
        checkpoints, damaged = _checkpoints(path, identity)
        newest = max((one["sequence"] for one in checkpoints.values()), default=0)
        facts = {
            "kind": identity.kind,
            "codec": identity.codec or None,
            "id": f"{identity.id:016x}",
            "created": iso_time(identity.created_ns),
            **_log(f"{path}/log", newest),
            "checkpoints": checkpoints,
            "damaged_checkpoints": damaged,
            "leftovers": _leftovers(path, names),
            "locks": {
                "commit": _holder(f"{path}/log/lock"),
                "checkpoint": _holder(f"{path}/journal"),
            },
        }
    except (HoldfastError, OSError) as error:
        from holdfast.cli.wording import describe

        facts = {"error": describe(error, path)}
    return {kind: facts}


def _checkpoints(path: str, identity: Identity) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Those with a valid head by their names, the newest first; and the names of the others."""
    from holdfast.state.checkpoint_reading import scan

    folder = SYSTEM.folder(path, readable=True)
    try:
        there = scan(folder, identity)
    finally:
        folder.close()
    found = {
        name: {
            "generation": head.generation,
            "sequence": head.sequence,
            "size_bytes": head.body_bytes,
            "created": iso_time(head.created_ns),
        }
        for name, head in there.found
    }
    return found, [damage.path for damage in there.damaged]


def _leftovers(path: str, names: Collection[str]) -> list[str]:
    """Files of living or killed writers that the listing of the folder does not tell."""
    found = [name for name in names if name == NEW_IDENTITY]
    try:
        folder = SYSTEM.folder(f"{path}/log", readable=True)
    except FileNotFoundError:
        return found
    try:
        return found + [f"log/{n}" for n in sorted(folder.names()) if recognise(n) is not None]
    finally:
        folder.close()


def _log(path: str, checkpoint: int) -> dict[str, Any]:
    """How far the commits go, and the size of the segments that hold some since the checkpoint."""
    from holdfast.primitives.log_check import segments_of
    from holdfast.primitives.log_reading import LogReading

    reading = LogReading(path, only_durable=True, vfs=SYSTEM)
    try:
        segments = segments_of(path)
    except FileNotFoundError:  # it is made by the first commit
        segments = ()
    since = sum(segment.end for segment in segments if segment.last > checkpoint)
    return {
        "sequence": reading.written,
        "durable": reading.durable,
        "first_in_log": reading.first,
        "log_bytes": sum(segment.end for segment in segments),
        "log_bytes_since_checkpoint": since,
    }


def _holder(path: str) -> dict[str, Any] | None:
    try:
        holder = holder_of(path)
    except FileNotFoundError:
        return None
    return holder and holder._asdict()
