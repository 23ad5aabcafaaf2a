"""The check of a journal or store: reads all of it, takes no lock and changes nothing.

Guarantee: the identity, every checkpoint and every frame of the log are held against their
    checksums; whether the checkpoint and the log give a state is decided; the entries of a store
    are decoded. What living writers do meanwhile is no finding.
Not guaranteed: what docs/reference/log-format.md says cannot be decided of a log.

I1  The log's beginning is looked at before the checkpoints and its end after them: a checkpoint is
    durable before what it replaces is dropped, and the log is durable up to what a checkpoint
    holds. What does not fit is looked at again, and told when two looks say the same.
I2  A slot that is not whole is what a crash leaves while it is written over. It is damage only if
    no state can be had without it.
"""

from __future__ import annotations

from holdfast.errors import BadFrame, Corruption, Truncated
from holdfast.formats.journal_format import IDENTITY, LOG, SLOTS
from holdfast.primitives.check_report import CheckReport, Finding
from holdfast.primitives.folders import close_quietly
from holdfast.primitives.leftovers import leftovers, unheld
from holdfast.primitives.log_check import check_log, segments_of
from holdfast.primitives.log_reading import LogReading
from holdfast.primitives.log_segment import firsts_of
from holdfast.state.journal_survey import survey_journal
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.state.journal_survey import Ill, Standing
    from holdfast.vfs import VFS, Folder

__all__ = ["check_journal"]

_LOOKS = 10
_ADVICE = "Salvage what is whole with `holdfast repair`, or take the journal from a backup."


def check_journal(path: str, *, vfs: VFS = SYSTEM) -> CheckReport:
    """Return what is found in a journal or store.

    An empty folder, or one in which a journal was about to be made, is ok: it has no commits yet.

    Raises:
        FileNotFoundError: there is no folder.
        UnknownFormat: a part is of a later format.
        OSError: the folder cannot be read at all.
    """
    folder = vfs.folder(path, readable=True)
    try:
        return _Check(folder, path, vfs).run()
    finally:
        close_quietly(folder)


class _Check:
    def __init__(self, folder: Folder, path: str, vfs: VFS) -> None:
        self.folder = folder
        self.path = path
        self.log_path = f"{path}/{LOG}"
        self.vfs = vfs
        self.records = self.size_bytes = 0
        self.findings: list[Finding] = []

    def run(self) -> CheckReport:
        """Look at the parts, then whether they give a state."""
        left = unheld(self.folder, vfs=self.vfs)
        standing, gap = self._steady()
        kind = "journal" if standing.identity is None else standing.identity.kind
        self.size_bytes = standing.size_bytes
        self._tell_identity(standing)
        for ill in standing.ill:
            self._tell_checkpoint(ill, standing, is_needed=bool(gap))
        if gap:
            self._damage(self.log_path, f"{self.log_path}: {gap}. Nothing was changed. {_ADVICE}")
        self._log(standing)
        if kind == "store":
            self._entries()
        self.findings += leftovers(self.folder, left, what=kind, vfs=self.vfs)
        return CheckReport(self.path, kind, self.records, self.size_bytes, tuple(self.findings))

    # ------------------------------------------------------------ checkpoints

    def _steady(self) -> tuple[Standing, str]:
        """The parts, and what keeps them from giving a state; looked at again as long (I1)."""
        seen = self._look()
        for _ in range(_LOOKS):
            standing, gap = seen
            if not (gap or standing.ill or standing.ill_identity):
                break
            seen = self._look()
            if seen[1] == gap and _same(seen[0], standing):
                break
        return seen

    def _look(self) -> tuple[Standing, str]:
        first = self._first()
        standing = survey_journal(self.folder)
        return standing, _gap(standing, first)

    def _first(self) -> int:
        """The first sequence of the log by its names; 0 if it has no segment."""
        try:
            folder = self.vfs.folder(self.log_path)
        except (FileNotFoundError, NotADirectoryError):
            return 0
        try:
            firsts = firsts_of(folder)
            return firsts[0] if firsts else 0
        finally:
            close_quietly(folder)

    def _tell_identity(self, standing: Standing) -> None:
        ill = standing.ill_identity
        if standing.is_incomplete:
            message = (
                f"{self.path}: the journal is not complete: a repair is writing it, or was killed. "
                "What it was made from is untouched. Remove the whole folder, and repair again."
            )
            self._damage(self.path, message)
        elif ill is not None:
            self._damage(ill.path, ill.why, offset=ill.offset)

    def _tell_checkpoint(self, ill: Ill, standing: Standing, *, is_needed: bool) -> None:
        """Tell one that is not whole; of a slot, that a crash may have left it (I2)."""
        if is_needed or ill.name not in SLOTS or standing.identity is None:
            self._damage(ill.path, ill.why, offset=ill.offset)
            return
        if self._is_being_written():
            return
        newest = standing.newest
        whole = "The log has every commit"
        if newest is not None:
            whole = f"{newest.name} has the state up to commit {newest.head.sequence}, and the log "
            whole += "what follows"
        message = (
            f"{ill.path}: holds no whole checkpoint: a crash has torn it while it was written "
            f"over, as far as can be told. {whole}. A later checkpoint takes its place."
        )
        self.findings.append(Finding("torn", ill.path, ill.offset, message))

    def _is_being_written(self) -> bool:
        """Whether somebody is writing a checkpoint just now."""
        file = self.folder.open(IDENTITY, "read")
        try:
            return self.vfs.holder(file) is not None
        finally:
            close_quietly(file)

    # ------------------------------------------------------------ the log

    def _log(self, standing: Standing) -> None:
        """Check the log, and that it reaches what the newest checkpoint holds."""
        try:
            report = check_log(self.log_path, vfs=self.vfs)
        except (FileNotFoundError, NotADirectoryError):
            return  # a journal that is about to be made; else it is told as a gap
        self.records = report.records
        self.size_bytes += report.size_bytes
        self.findings += report.findings
        newest = standing.newest
        if newest is None or not report.ok:
            return
        try:
            last = max(segment.last for segment in segments_of(self.log_path, vfs=self.vfs))
        except (Corruption, ValueError):
            return  # it is told already
        if last < newest.head.through:
            self._damage(
                self.log_path,
                f"{self.log_path}: commits up to {newest.head.through} were durable when "
                f"{newest.name} was written, and the log ends after {last}. Nothing was changed. "
                f"{_ADVICE}",
            )

    def _entries(self) -> None:
        """Decode every entry; where the log itself is damaged it was told."""
        reading = LogReading(self.log_path, only_durable=False, vfs=self.vfs)
        for _ in range(_LOOKS):
            try:
                self._decode(reading)
                break
            except Truncated:
                continue  # what was to be read next was dropped meanwhile
            except Corruption:
                break

    def _decode(self, reading: LogReading) -> None:
        from holdfast.formats.store_format import split_changes

        for record in reading.read():
            where = f"{self.log_path}: commit {record.sequence}"
            try:
                split_changes(record.data, where=where)
            except BadFrame as error:
                self._damage(self.log_path, str(error))
                return  # nothing behind it can be applied

    def _damage(self, path: str, message: str, *, offset: int | None = None) -> None:
        self.findings.append(Finding("damage", path, offset, message))


def _gap(standing: Standing, first: int) -> str:
    """Why the checkpoints and the log give no state; empty if they do."""
    newest = standing.newest
    known = 0 if newest is None else newest.head.sequence
    whole = "no checkpoint is whole" if newest is None else f"{newest.name} ends with {known}"
    if not first:
        if standing.ill or (newest is not None and newest.head.through):
            return "the log is gone, and it was there when a checkpoint was written"
        return ""
    if first > known + 1:
        return f"it begins with commit {first}, and {whole}"
    return ""


def _same(one: Standing, other: Standing) -> bool:
    return one.whole == other.whole and _complaints(one) == _complaints(other)


def _complaints(standing: Standing) -> list[str]:
    return [ill.why for ill in (standing.ill_identity, *standing.ill) if ill is not None]
