"""What a check has found, and what a repair has saved: plain values, for people and programs."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NamedTuple
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["CheckReport", "Finding", "Lost", "RepairReport"]


class Finding(NamedTuple):
    """One thing that is not as a writer at rest leaves it.

    `torn`, `hole`: what a crash left of writes that were not synced; the next writer cuts it off.
    `damage`: something that was acknowledged has changed or is gone. `leftover`: a file that a
    killed writer has left. `offset` is in bytes, None where it is no place in a file; `message`
    says in three sentences what is found, what is on disk, and what to do.
    """

    kind: Literal["torn", "hole", "damage", "leftover"]
    path: str
    offset: int | None
    message: str

    def as_dict(self) -> dict[str, object]:
        """Return the fields by name, for JSON."""
        return self._asdict()


class CheckReport(NamedTuple):
    """What a check has read and found; it changed nothing.

    `kind` of the thing ("log", "line log"), `records` that are whole, `size_bytes` of its files.
    """

    path: str
    kind: str
    records: int
    size_bytes: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True if nothing is damaged; what a crash may leave of unsynced writes is no damage."""
        return all(finding.kind != "damage" for finding in self.findings)

    def __str__(self) -> str:
        """Return a line on the whole, and one for each finding."""
        verdict = "ok" if self.ok else "DAMAGED"
        numbers = f"{_counted(self.records, 'record')} in {self.size_bytes:,} bytes"
        lines = [f"{self.path}: {verdict} ({self.kind}, {numbers})"]
        return "\n".join(lines + [f"  {found.kind}: {found.message}" for found in self.findings])

    def as_dict(self) -> dict[str, object]:
        """Return the fields and `ok` by name, for JSON."""
        findings = [finding.as_dict() for finding in self.findings]
        return {**self._asdict(), "ok": self.ok, "findings": findings}


class Lost(NamedTuple):
    """Records that could not be saved: those after this sequence, why, and how many if known."""

    after_sequence: int
    reason: str
    records: int | None = None

    def __str__(self) -> str:
        """Return a line for people."""
        what = "" if self.records is None else f"{_counted(self.records, 'record')} lost: "
        return f"after record {self.after_sequence}: {what}{self.reason}"


class RepairReport(NamedTuple):
    """What a repair has written to `target`; the source is as it was.

    `records` were saved, under the sequences that they had. `lost` has an entry for each place
    where records are missing, or may be. `notes` say what else there is to know of the target.
    """

    source: str
    target: str
    records: int
    lost: tuple[Lost, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return a line on the whole, and one for each note and each loss."""
        lines = [f"{self.target}: {_counted(self.records, 'record')} saved from {self.source}"]
        lines += [f"  {line}" for line in (*self.notes, *self.lost)]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """Return the fields by name, for JSON."""
        return {
            **self._asdict(),
            "lost": [loss._asdict() for loss in self.lost],
            "notes": [*self.notes],
        }


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
