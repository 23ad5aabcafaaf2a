"""Salvage a damaged journal or store into a new one; the old one is only read.

Guarantee: when `repair_journal` returns, the new journal is whole and durable, and its state is
    that after one commit: of the newest checkpoint that is whole and that the log goes on from, and
    of every commit that follows without a gap. Commits behind a gap are in a plain log beside it,
    and nothing applies them. The old journal was not touched.
Not guaranteed: a consistent state where the log ends before what the one whole checkpoint holds:
    some keys may be newer than others then, and the report says so. Older checkpoints that were
    kept (`keep=`) are not carried over.

How the new journal is written, and refused until it is done: `journal_copying`.
"""

from __future__ import annotations

import os
import stat

from holdfast.errors import Corruption
from holdfast.formats.journal_format import IDENTITY, LOG, Identity
from holdfast.primitives.check_report import Lost, RepairReport
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.log_known import known_of
from holdfast.primitives.log_repair import Salvage
from holdfast.primitives.log_survey import survey
from holdfast.primitives.target import look
from holdfast.state.checkpoint_reading import read_found
from holdfast.state.journal_copying import REST, NewJournal
from holdfast.state.journal_runs import Plan, Runs, choose
from holdfast.state.journal_survey import decode_body, survey_journal
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NamedTuple

    from holdfast.formats.log_format import FrameHead
    from holdfast.formats.log_search import Read
    from holdfast.primitives.log_survey import Lying
    from holdfast.state.checkpoint_reading import Found
    from holdfast.state.journal_survey import Standing
    from holdfast.vfs import VFS, Folder
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["repair_journal"]


def repair_journal(
    path: str,
    to: str,
    *,
    kind: str | None = None,
    codec: str | None = None,
    vfs: VFS = SYSTEM,
) -> RepairReport:
    """Salvage a journal into a new one at `to`; `path` is not touched.

    Nobody should write to the old one meanwhile.

    Args:
        path: the journal or store.
        to: where the new one goes; not there yet, or an empty folder.
        kind: what it is, if its identity is damaged: "journal" or "store". None: a store of JSON,
            if every entry and checkpoint is of one.
        codec: the name of its codec, in the same case; None: that of the kind.
        vfs: the filesystem.

    Raises:
        FileExistsError: there is something at `to`; nothing was done.
        Corruption: the identity is damaged, and what it was cannot be told; nothing was done.
        UnknownFormat: a part is of a later format; nothing is left at `to`.
        CommittedNotDurable: the last sync failed: the new journal is whole, and a power cut may
            leave it refused.
        OSError: it cannot be read or written; nothing is left at `to`.
    """
    source = vfs.folder(path, readable=True)
    try:
        repair = _Repair(source, path, vfs)
        identity = repair.identify(kind, codec)
        new = NewJournal(to, identity, vfs=vfs)
        try:
            repair.fill(new)
            new.finish()
        finally:
            new.end()
        return repair.report(to)
    finally:
        close_quietly(source)


class _Log(NamedTuple):
    """What the log of the old journal was found to hold."""

    runs: Runs
    lost: tuple[Lost, ...]
    is_there: bool


class _Repair:
    def __init__(self, source: Folder, path: str, vfs: VFS) -> None:
        self.source = source
        self.path = path
        self.vfs = vfs
        self.standing: Standing = survey_journal(source)
        self.notes: list[str] = []
        self._log_folder = _folder_or_none(f"{path}/{LOG}", vfs)

    # ------------------------------------------------------------ what it is

    def identify(self, kind: str | None, codec: str | None) -> Identity:
        """The identity, of the old one or made anew; then it is known what the log holds.

        Raises:
            Corruption: it is damaged, and nobody tells what it was.
        """
        found = self.standing.identity
        if found is None:
            found = self._made_anew(kind, codec)
        self.identity = found
        self.log = self._read_log(is_store=found.kind == "store")
        self.plan = choose(self.standing.whole, self.log.runs.runs)
        return found

    def _made_anew(self, kind: str | None, codec: str | None) -> Identity:
        whole = self.standing.whole
        number = whole[0].head.journal if whole else int(self.vfs.token(), 16) or 1
        if kind is None:
            self._refuse_unless_store()
            kind = "store"
        if codec is None:
            codec = "json" if kind == "store" else ""
        said = f"a {kind} of the codec {codec!r}" if codec else f"a {kind}"
        self.notes.append(f"the identity was damaged or missing, and is made anew: {said}")
        return Identity(number, kind, codec, CLOCK.now_ns())

    def _refuse_unless_store(self) -> None:
        """Raise unless all that there is can be decoded as that of a store of JSON values."""
        log = self._read_log(is_store=True, are_values_read=True)
        is_store = log.runs.bad is None and bool(log.runs.runs or self.standing.whole)
        if not is_store or not all(map(self._is_of_store, self.standing.whole)):
            raise Corruption(
                f"{self.path}/{IDENTITY}: is damaged or missing, and what is beside it does not "
                "tell what this is a journal of. Nothing was made. Say its kind and its codec.",
                path=f"{self.path}/{IDENTITY}",
            )

    def _is_of_store(self, found: Found) -> bool:
        from holdfast.formats.value_codec import keeper_for

        keeper = keeper_for("json")

        def read(pieces: Iterator[bytes]) -> None:
            for _, value in decode_body(pieces, where=found.name):
                if value is not None:
                    keeper.decode(value)

        try:
            read_found(self.source, found, read)
        except (ValueError, Corruption):
            return False
        return True

    # ------------------------------------------------------------ what there is

    def _read_log(self, *, is_store: bool, are_values_read: bool = False) -> _Log:
        """Go through the whole log once, to see which commits there are."""
        runs = Runs(is_store=is_store, are_values_read=are_values_read)
        folder = self._log_folder
        if folder is None:
            return _Log(runs, (), is_there=False)
        lying = survey(folder)
        salvage = Salvage(folder, runs)
        salvage.run(lying)
        salvage.compare(known_of(folder.path, vfs=self.vfs))
        return _Log(runs, tuple(salvage.lost), is_there=bool(lying))

    # ------------------------------------------------------------ making the new one

    def fill(self, new: NewJournal) -> None:
        """Write the checkpoint and the logs of the new journal."""
        new.open(*self._modes())
        plan, found = self.plan, self.plan.found
        if found is not None:

            def copy(pieces: Iterator[bytes]) -> None:
                new.checkpoint(pieces, sequence=plan.start, through=min(plan.end, plan.through))

            read_found(self.source, found, copy)
        sink = _Split(new, plan)
        if self._log_folder is not None:
            Salvage(self._log_folder, sink).run(survey(self._log_folder))
        if not sink.applied and plan.start:
            new.log().begin_at(plan.start + 1, permissions=self._modes()[1])
        self.applied, self.beside = plan.end - plan.start, sink.beside

    def _modes(self) -> tuple[int, int]:
        folder = stat.S_IMODE(self.source.stat(os.curdir).st_mode)
        info = look(self.source, IDENTITY)
        is_file = info is not None and stat.S_ISREG(info.st_mode)
        return folder, stat.S_IMODE(info.st_mode) if info is not None and is_file else 0o600

    # ------------------------------------------------------------ telling

    def report(self, to: str) -> RepairReport:
        """What was done."""
        plan = self.plan
        state = f"the state is that after commit {plan.end}: "
        if plan.found is None:
            state += f"of {self.applied} entries from the first on"
        else:
            state += f"of {plan.found.name}, and {self.applied} entries that follow"
        notes = [*self.notes, state]
        if self.beside:
            notes.append(
                f"{self.beside} entries behind a loss are in {to}/{REST}, a plain log; they are "
                "not in the state, and nothing applies them by itself"
            )
        standing = self.standing
        is_log_gone = not self.log.is_there and bool(plan.start or standing.ill)
        lost = plan.losses(self.log.lost, self.log.runs, is_log_gone=is_log_gone)
        return RepairReport(self.path, to, self.applied, tuple(lost), tuple(notes))


class _Split:
    """Gives each frame to the new log, or to that of what cannot be applied."""

    def __init__(self, new: NewJournal, plan: Plan) -> None:
        self._new = new
        self._plan = plan
        self._like: Lying | None = None
        self.applied = self.beside = 0

    def begin(self, like: Lying) -> None:
        """The frames of another segment follow."""
        self._like = like

    def add(self, read: Read, head: FrameHead) -> None:
        """Copy a frame to where it belongs; what the checkpoint holds is left out."""
        last = head.first + head.count - 1
        if last <= self._plan.start:
            return
        is_applied = last <= self._plan.end
        target = self._new.log() if is_applied else self._new.log(REST)
        if self._like is not None:
            target.begin(self._like)
        target.add(read, head)
        if is_applied:
            self.applied += head.count
        else:
            self.beside += head.count


def _folder_or_none(path: str, vfs: VFS) -> Folder | None:
    try:
        return vfs.folder(path, readable=True)
    except (FileNotFoundError, NotADirectoryError):
        return None
