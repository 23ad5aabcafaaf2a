"""What `doctor` found, as data and as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.vfs.probe import Facts

__all__ = ["Finding", "Pattern", "Report", "Verdict", "duration", "size"]

Verdict = Literal["yes", "only against process crash", "no"]
"""What acknowledged changes outlast: a power cut; the death of a process; not even that."""

_LEAST_COLUMNS = 72


class Finding(NamedTuple):
    """One thing to know about the folder, and what to do about it."""

    level: Literal["error", "warning", "note"]
    sentence: str
    remedy: str


class Pattern(NamedTuple):
    """One row of the decision table: for this change, use that; `here` is what it costs here.

    `available`: whether this version has it. `fits`: whether its promises hold in this folder.
    """

    change: str
    use: str
    here: str
    available: bool
    fits: bool


class Report(NamedTuple):
    """What `doctor` found. `str(report)` is the text for people, 80 columns wide.

    `durable` says whether the verdict is "yes", and `why` why it is what it is. `leftovers` are the
    names of temporary files here whose writers are dead.
    """

    path: str
    verdict: Verdict
    why: str
    facts: Facts
    findings: tuple[Finding, ...]
    patterns: tuple[Pattern, ...]
    leftovers: tuple[str, ...]

    @property
    def durable(self) -> bool:
        """Whether an acknowledged change survives a power cut."""
        return self.verdict == "yes"

    @property
    def exit_code(self) -> int:
        """0 if it is durable, else 1: the answer is no."""
        return 0 if self.durable else 1

    @property
    def figures(self) -> dict[str, Any]:
        """What was measured and read, by name, in numbers, texts and None."""
        facts = self.facts
        latencies = {"append": facts.append, "overwrite": facts.overwrite, "replace": facts.replace}
        found: dict[str, Any] = {"filesystem": facts.promises.filesystem}
        for name, latency in latencies.items():
            found[f"{name}_p50_us"] = round(latency.p50_us, 1)
            found[f"{name}_p99_us"] = round(latency.p99_us, 1)
            found[f"{name}_samples"] = latency.samples
        found["replaces_per_s"] = round(facts.replace.per_s, 1)
        found["zero_fill_ratio"] = round(facts.zero_fill_ratio, 2)
        yes_or_no = ("is_synced", "unnamed", "hard_links", "no_clobber", "locks_exclude")
        for name in (*yes_or_no, "attributes", "folds_case", "name_max_bytes"):
            found[name] = getattr(facts, name)
        found["folder_sync"] = facts.promises.folder_sync
        found["free_bytes"] = facts.space.size_bytes if facts.space else None
        found["free_files"] = facts.space.files if facts.space else None
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold, under stable names."""
        return {
            "path": self.path,
            "verdict": self.verdict,
            "durable": self.durable,
            "why": self.why,
            "figures": self.figures,
            "findings": [finding._asdict() for finding in self.findings],
            "patterns": [pattern._asdict() for pattern in self.patterns],
            "leftovers": list(self.leftovers),
            "exit_code": self.exit_code,
        }

    def text(self, *, columns: int = 80) -> str:
        """Return the text for people, no line wider than so many columns (72 at least)."""
        return "\n".join(_lines(self, max(_LEAST_COLUMNS, columns)))

    def __str__(self) -> str:
        return self.text()


def _lines(report: Report, columns: int) -> Iterator[str]:
    facts = report.facts
    yield f"{_printable(report.path)} ({facts.promises.filesystem})"
    yield f"DURABLE: {report.verdict}"
    yield from _wrapped(f"  {report.why}", columns)
    yield ""
    yield f"{'Measured here':<44}{'median':>10}{'99 %':>10}"
    measured = (
        ("append 128 bytes, sync", facts.append),
        ("overwrite 512 zero-filled bytes, sync", facts.overwrite),
        ("replace 4 KiB: sync, rename, sync folder", facts.replace),
    )
    for what, latency in measured:
        times = f"{duration(latency.p50_us):>10}{duration(latency.p99_us):>10}"
        yield f"  {what:<42}{times}"
    if facts.space:
        count = "" if facts.space.files is None else f", room for {facts.space.files:,} files"
        yield f"  {size(facts.space.size_bytes)} free{count}"
    yield ""
    yield "To know about this folder" if report.findings else "Nothing was found amiss"
    for level, sentence, remedy in report.findings:
        yield from _wrapped(f"  {level}: {_printable(sentence)} {remedy}".rstrip(), columns)
    yield ""
    yield from _table(report.patterns, columns)


def _table(patterns: tuple[Pattern, ...], columns: int) -> Iterator[str]:
    """Yield a line a pattern, or two where it does not fit into one; what is missing comes last."""
    width = columns * 3 // 8
    yield f"{'What changes':<{width}} {'Use':<{width}} Here"
    for row in patterns:
        if row.available:
            here = row.here if row.fits else "does not fit"
            cells = [_cell(row.change, width - 1), _cell(row.use, width - 1)]
            cells.append(_cell(here, columns - 2 * width - 2))
            for number in range(max(map(len, cells))):
                left, middle, right = (c[number] if number < len(c) else "" for c in cells)
                yield f"{left:<{width}} {middle:<{width}} {right}".rstrip()
    yield ""
    yield "Not in this version"
    for row in patterns:
        if not row.available:
            yield from _wrapped(f"  {row.change}", columns)


def _cell(text: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, width, subsequent_indent="  ")


def _wrapped(text: str, columns: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, columns, subsequent_indent="    ", drop_whitespace=True)


def _printable(text: str) -> str:
    """Replace what would steer the terminal, or cannot be encoded."""
    return "".join(char if char.isprintable() else "?" for char in text)


def duration(us: float) -> str:
    """Return microseconds as people write them."""
    for limit, unit in ((1e3, "us"), (1e6, "ms")):
        if us < limit:
            value = us / (limit / 1e3)
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{us / 1e6:.1f} s"


def size(size_bytes: int) -> str:
    """Return bytes as people write them."""
    value = float(size_bytes)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
