"""Teeth: with one sync, rename or setting of attributes switched off, a crash must break a promise.

Each call of each operation in turn, alone. One that can go without any check noticing is not
proven to be necessary: it stands in `NOT_PROVEN`, with the reason why it is there.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeVar

import holdfast
from holdfast.errors import HoldfastError
from holdfast.vfs import VFS, api
from holdfast.vfs.fault import Without
from holdfast.vfs.interpose import Call, Interposed
from holdfast.vfs.memory import MemoryVFS
from tests.crash.places import Place
from tests.crash.promises import RETURNED, Operation, check
from tests.crash.seam import FEW, disk_before, torn_for

T = TypeVar("T")

KINDS = ("sync", "sync_data", "sync_folder", "rename", "set_attributes")
_LIBRARY = os.path.dirname(os.path.abspath(holdfast.__file__)) + os.sep
_SEAM = os.path.join(_LIBRARY, "vfs") + os.sep


class Site(NamedTuple):
    """A line of the library that makes a call: `primitives/folders.py`, `_make`, `child.sync()`."""

    module: str
    function: str
    line: str

    def __str__(self) -> str:
        return f"{self.module} {self.function}: {self.line}"


class Tooth(NamedTuple):
    """One call of one operation: the `nth` of its kind; which promise breaks without it."""

    operation: str
    kind: str
    nth: int
    site: Site
    bites: str | None
    unnamed: bool

    def __str__(self) -> str:
        return f"{self.operation}: {self.kind} {self.nth} ({self.site})"


class _Watched(Interposed):
    """Writes down which line of the library makes each call of some kinds."""

    def __init__(self, inner: VFS) -> None:
        super().__init__(inner)
        self.calls: list[tuple[str, int, Site]] = []
        self._counts = Counter[str]()

    def around(self, call: Call, do: Callable[[], T]) -> T:
        if call.operation in KINDS:
            self._counts[call.operation] += 1
            self.calls.append((call.operation, self._counts[call.operation], _site()))
        return do()


class Off(Without):
    """A filesystem on which one call does nothing: the nth of its kind."""

    def __init__(self, inner: VFS, kind: str, nth: int) -> None:
        super().__init__(inner, kind.removesuffix("_data"))
        self._kind, self._nth, self._seen = kind, nth, 0
        self._is_off = False

    def around(self, call: Call, do: Callable[[], T]) -> T:
        """Carry the call out, unless it is the one."""
        if call.operation != self._kind:
            return do()
        self._seen += 1
        self._is_off = self._seen == self._nth
        return super().around(call, do) if self._is_off else do()

    def do_rename(self, folder: api.Folder, names: tuple[str, str], source: api.Folder) -> None:
        """Rename, or copy in place."""
        if self._is_off:
            super().do_rename(folder, names, source)
        else:
            Interposed.do_rename(self, folder, names, source)


def _site() -> Site:
    """The innermost line of the library above the seam."""
    frame = sys._getframe(2)
    while True:
        path = frame.f_code.co_filename
        if path.startswith(_LIBRARY) and not path.startswith(_SEAM):
            module = path.removeprefix(_LIBRARY).replace(os.sep, "/")
            line = linecache.getline(path, frame.f_lineno).strip()
            return Site(module, frame.f_code.co_qualname, line)
        if frame.f_back is None:
            raise LookupError("no line of the library made this call")
        frame = frame.f_back


def calls_of(operation: Operation, *, unnamed: bool = True) -> list[tuple[str, int, Site]]:
    """All calls of an operation that can be switched off."""
    watched = _Watched(disk_before(operation, unnamed=unnamed))
    operation.run(Place(watched))
    return watched.calls


def teeth_of(operation: Operation, *, listed: bool = True) -> Iterator[Tooth]:
    """Switch off each call in turn; with `listed=False` none that has a reason to be idle."""
    seen = set()
    for unnamed in (True, False):
        for kind, nth, site in calls_of(operation, unnamed=unnamed):
            if (kind, site) in seen and not unnamed:
                continue
            seen.add((kind, site))
            idle = Tooth(operation.name, kind, nth, site, None, unnamed)
            if listed or reason_for(idle) is None:
                yield idle._replace(bites=bite(operation, kind, nth, unnamed=unnamed))


def bite(operation: Operation, kind: str, nth: int, *, unnamed: bool = True) -> str | None:
    """Which promise is broken without the call, in the first state that shows it; None: none is."""
    disk = disk_before(operation, unnamed=unnamed)
    try:
        operation.run(Place(Off(disk, kind, nth)))
    except HoldfastError:
        return "unusable"  # what it did itself missed it, without any crash
    disk.mark(RETURNED)
    return next((str(error).partition(":")[0] for error in violations(operation, disk)), None)


def violations(operation: Operation, disk: MemoryVFS) -> Iterator[AssertionError]:
    """Look at every state that a crash of this disk may leave."""
    for options in torn_for(operation, FEW):
        limit = min(512, operation.states)
        for crashed in disk.crash_states(**{**options, "model": operation.model, "limit": limit}):
            state = crashed.crash_state
            try:
                check(operation, Place(crashed), [] if state is None else state.marks)
            except AssertionError as error:
                yield error


class Reason(NamedTuple):
    """Why a call that no check needs is made; the fields but the last are patterns."""

    operation: str
    kind: str
    function: str
    line: str
    why: str

    def covers(self, tooth: Tooth) -> bool:
        """Whether it is about this call."""
        site = f"{tooth.site.module} {tooth.site.function}"
        return (
            fnmatchcase(tooth.operation, self.operation)
            and tooth.kind == self.kind
            and fnmatchcase(site, self.function)
            and fnmatchcase(tooth.site.line, self.line)
        )


def _of_journals(
    kind: str, function: str, line: str, *, operations: tuple[str, ...], why: str
) -> Iterator[Reason]:
    """The same reason for operations on journals and stores."""
    for operation in operations:
        yield Reason(operation, kind, function, line, why)


_FOUND_RECORDS = (
    "the name was there before, durably; whether that is so nobody can see, and where it is not, "
    "this sync bites (`RecordFile, made by a killed one`)"
)
_COVERED = "the next sync covers it; where a writer is killed before that, it bites"
_OF_RECORDS: tuple[tuple[str, str, str, str], ...] = (
    *(
        (
            operations,
            "sync_folder",
            "_target.folder",
            _FOUND_RECORDS,
        )
        for operations in ("RecordFile.*", "RecordFile after *", "RecordFile, [hk]*")
    ),
    *(
        (operation, "sync", "file", f"{_COVERED} (`RecordFile, {twin}`)")
        for operation, twin in (
            ("RecordFile.append, new *", "killed in a new chunk"),
            ("RecordFile, made by a killed one", "killed in a new chunk"),
            ("RecordFile.append, after half a chunk", "killed while it grows"),
            ("RecordFile after a killed growth", "killed while it grows"),
            ("RecordFile, killed in a new chunk", "killed while it grows"),
            ("RecordFile.update, unsure", "killed twice"),
            ("RecordFile after half a slot", "killed twice"),
            ("RecordFile after a failed sync", "killed twice"),
        )
    ),
    ("RecordFile after a failed sync", "sync_data", "file", f"{_COVERED} (`*, killed twice`)"),
)

NOT_PROVEN: tuple[Reason, ...] = (
    Reason(
        "*",
        "sync",
        "primitives/replacement.py Creation._settle",
        "keeper.sync()",
        "for btrfs, where the sync of a file that has no name yet does nothing that lasts; in the "
        "model it lasts, so the first sync is enough",
    ),
    Reason(
        "*",
        "sync_folder",
        "primitives/folders.py _make",
        "child.sync()",
        "for the attributes of the new folder (an inherited access list); the model takes a folder "
        "and its attributes for one, and the name in it is covered by a later sync",
    ),
    Reason(
        "write_many",
        "sync_folder",
        "primitives/folders.py _make",
        "parent.sync()",
        "the batch has other files in that folder, and syncs it once more at the end; where it has "
        "none this sync bites (`write_bytes, new folders`)",
    ),
    Reason(
        "[LD]*",
        "sync_folder",
        "primitives/line_log_file.py LineFile._make_sure",
        "folder.sync()",
        _FOUND := "the log was there before, durably; whether that is so nobody can see, and where "
        "it is not, this sync bites (`line log, made by who was killed`)",
    ),
    Reason(
        "line log, [ar]*",
        "sync_folder",
        "primitives/line_log_file.py LineFile._make_sure",
        "folder.sync()",
        _FOUND,
    ),
    Reason(
        "LineLog.append, new *",
        "sync_folder",
        "primitives/line_log_file.py LineFile._settle",
        "folder.sync()",
        "nothing had the name of the log before; where somebody has just renamed what had it, this "
        "sync bites (`line log, renamed meanwhile`)",
    ),
    Reason(
        "[LD]*",
        "sync_folder",
        "primitives/line_log_rotation.py _settle",
        "folder.sync()",
        "no rotation was cut short here; after one that was, this sync bites (`line log, a "
        "rotation cut short`)",
    ),
    Reason(
        "atomicwrites: replace_atomic",
        "sync_folder",
        "compat/atomicwrites.py _settle",
        "folder.sync()",
        "old and new name are in one folder here, which is synced twice, and once is enough; from "
        "another folder both bite",
    ),
    Reason(
        "atomicwrites: AtomicWriter, own folder",
        "sync_folder",
        "compat/atomicwrites.py _settle",
        "folder.sync()",
        "`replace_atomic`, a public function that promises it on its own, syncs the folder, and "
        "`commit` does so for subclasses that replace it; the folder that the temporary file "
        "leaves holds nothing that was promised",
    ),
    Reason(
        "Stream, [abf]*",
        "sync",
        "primitives/stream_file.py StreamFile.sync",
        "self._file.sync()",
        "the file was there before, durably; whether that is so nobody can see, and where it is "
        "not, this sync bites (`Stream, left by a killed one`)",
    ),
    Reason(
        "Stream, [abfl]*",
        "sync_folder",
        "primitives/stream_file.py StreamFile.sync",
        "target.folder.sync()",
        "the name was there before, durably; where it is not, this sync bites (`Stream, made by a "
        "killed one`)",
    ),
    Reason(
        "Log.repair",
        "sync",
        "primitives/log_copying.py Target.open",
        "guard.sync()",
        "what the file says is for people; its name alone keeps readers away",
    ),
    Reason(
        "Log.append, new log*",
        "sync",
        "primitives/log_open.py _lay_out",
        "lock.sync()",
        "the words of the file are hints; synced, it has blocks of its own, and no store into them "
        "can fail because the disk is full",
    ),
    Reason(
        "Log.append, after a*",
        "sync_data",
        "primitives/log_recovery.py *",
        "segment.file.sync_data()",
        "what a crash has left lies on the disk already; what a killed writer has left does not "
        "(`Log after half a frame`)",
    ),
    Reason(
        "Log after an unsynced name*",
        "sync_data",
        "primitives/log_recovery.py *",
        "segment.file.sync_data()",
        "the new segment has no frames yet, and was synced before it got its name",
    ),
    Reason(
        "Log.append, after a*",
        "sync_folder",
        "primitives/log_recovery.py *",
        "maker.folder.sync()",
        "the name of the segment lies on the disk already; where it does not, this bites "
        "(`Log after an unsynced name`)",
    ),
    Reason(
        "Log after half a frame*",
        "sync_folder",
        "primitives/log_recovery.py *",
        "maker.folder.sync()",
        "the same",
    ),
    *(
        reason
        for function, line in (("folders.py _make", "parent"), ("settling.py sync_name", "above"))
        for reason in _of_journals(
            "sync_folder",
            f"primitives/{function}",
            f"{line}.sync()",
            operations=("Log.append, new log*", "Journal.commit, new *", "Store put, new *"),
            why="who made the folder syncs its name, and so does whoever finds nothing in it yet, "
            "as its maker may have been killed; here both are one, and once is enough",
        )
    ),
    *_of_journals(
        "sync",
        "primitives/log_open.py _lay_out",
        "lock.sync()",
        operations=("Journal.commit, new *", "Store put, new *"),
        why="the words of the file are hints, as with a log",
    ),
    *_of_journals(
        "sync_data",
        "primitives/log_recovery.py *",
        "segment.file.sync_data()",
        operations=("Journal.commit, after *", "Store put, after *"),
        why="what a crash has left lies on the disk already",
    ),
    *_of_journals(
        "sync_folder",
        "primitives/log_recovery.py *",
        "maker.folder.sync()",
        operations=("Journal.commit, after *", "Store put, after *"),
        why="the name of the segment lies on the disk already",
    ),
    *_of_journals(
        "sync_data",
        "state/checkpoints.py Checkpoints._sync_slot",
        "file.sync_data()",
        operations=(
            "Journal.[ac]*",
            "Journal after half a slot",
            "Journal after a failed checkpoint",
            "Journal after an unsynced commit",
            "Store.*",
        ),
        why="the slot was written before, durably; whether that is so nobody can see, and where it "
        "is not, this sync bites (`Journal after an unsynced slot`)",
    ),
    *_of_journals(
        "sync_folder",
        "state/checkpoints.py Checkpoints._settle",
        "self._folder.sync()",
        operations=(
            "Journal.[ac]*",
            "Journal after half a slot",
            "Journal after a failed checkpoint",
            "Journal after an unsynced [cs]*",
            "Store.*",
        ),
        why="the name was there before, durably; where it was not, this sync bites (`Journal after "
        "an unsynced name`)",
    ),
    *_of_journals(
        "sync_data",
        "state/checkpoint_writing.py overwrite_slot",
        "file.sync_data()",
        operations=(
            "Journal.acommit",
            "Journal.checkpoint, in turn",
            "Journal.checkpoint, over the older",
            "Journal.checkpoint, unsynced",
            "Journal after a failed checkpoint",
            "Journal after an unsynced commit",
            "Journal after an unsynced slot",
            "Store.aput",
            "Store.checkpoint",
            "Store.checkpoint, with a put meanwhile",
        ),
        why="nothing is dropped for this checkpoint; where something is, the sync bites "
        "(`Journal.checkpoint, dropping segments`)",
    ),
    *_of_journals(
        "sync_folder",
        "state/checkpoint_writing.py make_file",
        "folder.sync()",
        operations=("Journal.checkpoint, keep=1", "Store.checkpoint, keep=1"),
        why="the checkpoint before is kept, with the log since",
    ),
    *_of_journals(
        "sync_folder",
        "primitives/log_segment.py remove_before",
        "folder.sync()",
        operations=(
            "Journal.checkpoint, *",
            "Journal after half a slot",
            "Journal after an unsynced slot*",
            "Journal after an unsynced name",
            "Store.aput",
            "Store.checkpoint*",
        ),
        why="a segment that comes back is skipped; where several go, the sync keeps their order "
        "(`Journal after an unsynced name`)",
    ),
    Reason(
        "InPlaceFile*",
        "sync_folder",
        "primitives/in_place_journal.py PatchJournal.[wc]*",
        "self._folder.sync()",
        "the name of the journal was there before, durably; where it was not, or may not have "
        "been, this sync bites (`InPlaceFile.patch, new journal`, `after an unsynced name`)",
    ),
    Reason(
        "InPlaceFile after *",
        "sync_data",
        "primitives/in_place_journal.py PatchJournal.confirm",
        "file.sync_data()",
        "the journal lies on the disk already; where its writer died before his sync, this one "
        "bites (`InPlaceFile after an unsynced journal`)",
    ),
    Reason(
        "InPlaceFile*",
        "sync_data",
        "primitives/in_place_journal.py PatchJournal.drop",
        "file.sync_data()",
        "a patch that comes back is finished once more, which changes nothing; where somebody else "
        "has written there since, this sync bites (`InPlaceFile.patch, before another program`)",
    ),
    Reason(
        "InPlaceFile after a failed sync, of the [je]*",
        "sync_folder",
        "primitives/in_place_journal.py PatchJournal.discard",
        "self._folder.sync()",
        "a journal that comes back under its old name is finished or dropped; the next one has the "
        "name before anything is committed in it",
    ),
    *(
        Reason(
            operation,
            kind,
            "primitives/record_place.py RecordPlace.sync",
            f"self.{line}.{kind.removesuffix('_folder')}()",
            why,
        )
        for operation, kind, line, why in _OF_RECORDS
    ),
    Reason(
        "RecordFile.append, new file",
        "sync_folder",
        "primitives/replacement.py Replacement.commit",
        "self.target.folder.sync()",
        "the first sync of the file covers its name as well, whoever has made it",
    ),
)


def reason_for(tooth: Tooth) -> Reason | None:
    """The reason for a call that does not bite."""
    return next((reason for reason in NOT_PROVEN if reason.covers(tooth)), None)


ONCE_IS_ENOUGH = (
    "replace_atomic, from another folder",
    "RecordFile after a failed sync",  # the last of its syncs, and of its own one nothing
    "primitives/log_segment.py remove_before",  # where two go, the first
    "primitives/in_place_journal.py PatchJournal.drop",  # where others write, or half a head is
    "primitives/in_place_journal.py PatchJournal.write: self._folder.sync()",  # of a new journal
    "primitives/in_place_journal.py PatchJournal.confirm: file.sync_data()",  # as its reason says
)
"""Where a line makes several calls of which one is needed, and a reason is about the others."""


def misused_reasons(teeth: Sequence[Tooth]) -> Iterator[str]:
    """A reason that is about no idle call (any more), and one that hides what bites."""
    used = Counter(reason_for(tooth) for tooth in teeth if tooth.bites is None)
    for reason in NOT_PROVEN:
        if not used[reason]:
            yield f"{reason.operation}, {reason.kind}, {reason.line}: no such call is idle"
    for tooth in teeth:
        is_hidden = tooth.bites is not None and reason_for(tooth) is not None
        if is_hidden and not any(part in str(tooth) for part in ONCE_IS_ENOUGH):
            yield f"{tooth}: {tooth.bites} without it, and a reason says that nothing is"
