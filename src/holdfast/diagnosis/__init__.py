"""`doctor`: what a folder's disk really gives, and which way of writing fits it.

The facts come from `holdfast.vfs.probe`; this module judges them, `report` prints. A verdict of
"yes" rests on what the system says and on times that were measured: no power was cut, and a disk
that lies about its own cache cannot be told from here.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from holdfast.diagnosis.report import Finding, Pattern, Report, Verdict, duration, size
from holdfast.primitives import temp
from holdfast.vfs import CLOCK, SYSTEM
from holdfast.vfs.probe import NOTHING_SYNCED_US, Facts, Latency, probe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.vfs import VFS, Clock, Folder

__all__ = ["Finding", "Pattern", "Report", "Verdict", "doctor"]

_SLOW_US = 10_000.0
_LITTLE_SPACE_BYTES = 64 << 20
_FEW_FILES = 1000
_USUAL_NAME_BYTES = 255


def doctor(
    path: str | os.PathLike[str] = ".", *, vfs: VFS = SYSTEM, clock: Clock = CLOCK
) -> Report:
    """Measure what the disk under a folder gives, in about a third of a second.

    A private folder is made inside it for the measurements and removed again; nothing else changes,
    and nothing is left, also when a measurement fails.

    Args:
        path: a folder that this process may write to.
        vfs: the filesystem.
        clock: what the times are measured with.

    Raises:
        FileNotFoundError: there is no such folder; nothing was made.
        NotADirectoryError: it is something else than a folder; nothing was changed.
        OSError: it cannot be written to or measured; nothing was left in it.
    """
    place = os.fspath(path)
    try:
        facts = probe(place, vfs=vfs, clock=clock)
        leftovers = _leftovers(facts.path, vfs)
    except OSError as error:
        remedy = (
            "Free some space: it takes about one megabyte."
            if error.errno in {errno.ENOSPC, errno.EDQUOT}
            else "Name a folder that exists and that this user may write to."
        )
        error.add_note(f"{place}: cannot be measured. Nothing was left in it. {remedy}")
        raise
    verdict, why = _judge(facts)
    return Report(
        path=facts.path,
        verdict=verdict,
        why=why,
        facts=facts,
        findings=tuple(_findings(facts, leftovers)),
        patterns=tuple(_patterns(facts, verdict)),
        leftovers=leftovers,
    )


def _judge(facts: Facts) -> tuple[Verdict, str]:
    if not facts.locks_exclude:
        return "no", "Locks exclude nobody here, so updates of several processes are lost."
    promises = facts.promises
    if not promises.sync_is_durable:
        return "only against process crash", _sentence(promises.weaknesses[0])
    if not facts.is_synced:
        return "only against process crash", _too_fast(facts)
    if not promises.folder_sync:
        why = "Contents are synced, but folders cannot be: a power cut may take a new name back."
        return "only against process crash", why
    why = "As far as this system can see, a sync reaches the disk, and so does that of a folder."
    return "yes", why


def _too_fast(facts: Facts) -> str:
    took, least = duration(facts.append.p50_us), duration(NOTHING_SYNCED_US)
    return f"A sync takes {took}, and none that reaches a disk takes less than {least}."


def _sentence(text: str) -> str:
    return f"{text}."  # it may begin with the name of a filesystem, which keeps its small letter


def _findings(facts: Facts, leftovers: tuple[str, ...]) -> Iterator[Finding]:
    yield from _broken_promises(facts)
    yield from _limits(facts)
    yield from _room(facts)
    for name in facts.mounted_files:
        yield Finding(
            "warning",
            f"{name} is a mount of a single file, and cannot be replaced.",
            "Mount its folder instead.",
        )
    if leftovers:
        yield Finding(
            "note",
            f"{len(leftovers)} temporary files of killed writers lie here.",
            "Call holdfast.sweep on this folder.",
        )


def _broken_promises(facts: Facts) -> Iterator[Finding]:
    promises = facts.promises
    elsewhere = "Keep what must survive a power cut on another filesystem."
    for number, weakness in enumerate(promises.weaknesses):
        is_error = number == 0 and not promises.sync_is_durable
        yield Finding(
            "error" if is_error else "warning",
            _sentence(weakness),
            elsewhere if is_error else "",
        )
    if not facts.is_synced and promises.sync_is_durable:
        yield Finding("error", _too_fast(facts), elsewhere)
    if not facts.locks_exclude:
        yield Finding(
            "error",
            "Locks exclude nobody here.",
            "Let one process alone write, or keep the files on another filesystem.",
        )
    if promises.filesystem == "overlay":
        yield Finding(
            "warning",
            "This is the writable layer of a container or live system, and goes with it.",
            "Mount a folder for what must stay.",
        )


def _limits(facts: Facts) -> Iterator[Finding]:
    if not facts.no_clobber:
        yield Finding(
            "warning",
            "Hard links are missing, so a new file cannot appear whole without clobbering.",
            'Expect holdfast.open(path, "x") to refuse.',
        )
    if not facts.attributes:
        yield Finding("note", "User attributes of files are not kept here.", "")
    if facts.name_max_bytes < _USUAL_NAME_BYTES:
        size = facts.name_max_bytes
        yield Finding("warning", f"Names end at {size} bytes.", "Use shorter names.")
    if facts.folds_case:
        yield Finding("note", "Names that differ in case alone are one file here.", "")


def _room(facts: Facts) -> Iterator[Finding]:
    if facts.append.p99_us > _SLOW_US:
        took = duration(facts.append.p99_us)
        yield Finding(
            "note",
            f"One sync in a hundred takes {took} or more.",
            "Write many files by one holdfast.write_many.",
        )
    space = facts.space
    if space and space.size_bytes < _LITTLE_SPACE_BYTES:
        yield Finding("warning", f"{size(space.size_bytes)} are free.", "Make room.")
    if space and space.files is not None and space.files < _FEW_FILES:
        yield Finding("warning", f"Room for {space.files} files is left.", "Remove some.")


def _patterns(facts: Facts, verdict: Verdict) -> Iterator[Pattern]:
    """Yield the decision table with this folder's figures; what this version lacks comes last."""
    whole = _each(facts.replace, durable=verdict == "yes")
    line = _each(facts.append, durable=verdict == "yes")
    zeroed = facts.overwrite if facts.promises.zero_filling else facts.append
    appended = _each(zeroed, durable=verdict == "yes")
    shared = facts.locks_exclude and facts.promises.locks
    rows = (
        ("the whole of a file", 'open(path, "w"), write_bytes, write_text', whole, True),
        ("many whole files", "write_many", "one folder sync for all", True),
        ("a new file that must not clobber", 'open(path, "x")', whole, facts.no_clobber),
        ("some fields of a state file that many edit", "Document, edit(path)", whole, shared),
        ("the same over minutes, or without locks", "Document.checkout", whole, True),
        ("one more record at the end", "Log", appended, shared),
        ("lines that people read and grep", "LineLog, DurableHandler", line, shared),
        ("many small changes to a mapping that processes share", "Store", appended, shared),
        ("many small changes to another state too large to rewrite", "Journal", appended, shared),
        ("a firehose where losing the last second is fine", "Stream", "a sync a second", shared),
        ("anything that one at a time may touch", "FileLock", "no sync", shared),
        ("what does this disk really give?", "doctor(path)", "this report", True),
    )
    for change, use, here, fits in rows:
        yield Pattern(change, use, here, available=True, fits=fits)
    for change in _LATER:
        yield Pattern(change, "", "", available=False, fits=False)


_LATER = (
    "fixed-size records inside a large file",
    "a few bytes inside a large file of any format",
    "raw input that must be safe before it is understood",
    "a file that others edit while the program runs",
)


def _each(latency: Latency, *, durable: bool) -> str:
    cost = f"{duration(latency.p50_us)}, {latency.per_s:,.0f}/s"
    return cost if durable else f"{cost}, not durable"


def _leftovers(path: str, vfs: VFS) -> tuple[str, ...]:
    """Find the temporary names whose writers are dead: their locks are free."""
    folder = vfs.folder(path)
    try:
        return tuple(name for name in sorted(folder.names()) if _is_dead(folder, name, vfs))
    finally:
        folder.close()


def _is_dead(folder: Folder, name: str, vfs: VFS) -> bool:
    parts = temp.recognise(name)
    if parts is None:
        return False
    try:
        kind = folder.stat(name).st_mode
        if stat.S_ISDIR(kind):
            return _is_free(vfs.folder(os.path.join(folder.path, name)), name)
        if not stat.S_ISREG(kind):
            return False
        batch = parts.serial is not None
        guard = temp.temp_name(temp.GUARD, parts.token) if batch else name
        return _is_free(vfs.folder(folder.path), guard)
    except OSError:
        return False  # it went meanwhile, or nobody can tell


def _is_free(folder: Folder, name: str) -> bool:
    """Whether nobody has the lock of a file, or there is none; closes the folder."""
    try:
        file = folder.open(name, "read")
    except FileNotFoundError:
        return True
    finally:
        folder.close()
    try:
        return file.lock(shared=True, block=False)
    finally:
        file.close()
