"""What the proofs came to, as a page. Pure: results in, text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tests.crash.seam import Result
from tests.crash.teeth import Tooth, reason_for

CRASH, RECOVERY, FAULT = "crash", "crash during the recovery", "fault, then crash"
KILLED, AT_RANDOM, FULL = "kill at each call", "kill at random", "full disk"


class Proof(NamedTuple):
    """All that was found out about one operation; `same_kinds`: None where it was not compared."""

    operation: str
    model: str
    seam: tuple[Result, ...]
    real: tuple[Result, ...]
    teeth: tuple[Tooth, ...]
    same_kinds: bool | None
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether no promise was broken, and every call is needed or has a reason."""
        unexplained = [t for t in self.teeth if t.bites is None and reason_for(t) is None]
        bad = any(result.violations for result in (*self.seam, *self.real))
        return not (bad or unexplained or self.failure or self.same_kinds is False)

    def complaints(self) -> Iterator[str]:
        """What is not as it must be."""
        if self.failure:
            yield f"{self.operation}: {self.failure}"
        if self.same_kinds is False:
            yield f"{self.operation}: what the kernel saw is not what was done in memory"
        yield from (str(result) for result in (*self.seam, *self.real) if result.violations)
        for tooth in self.teeth:
            if tooth.bites is None and reason_for(tooth) is None:
                yield f"{tooth}: nothing breaks without it, and no reason is listed"


class Run(NamedTuple):
    """Where and when."""

    day: str
    kernel: str
    python: str
    seconds: float


def totals(proofs: Sequence[Proof]) -> str:
    """One line for a terminal."""
    results = [result for proof in proofs for result in (*proof.seam, *proof.real)]
    explored = [r for r in results if r.proof in {CRASH, RECOVERY, FAULT}]
    states = sum(result.states for result in explored)
    runs = sum(result.runs for result in results if result.proof not in {CRASH, RECOVERY, FAULT})
    samples = sum(not result.exhaustive for result in explored)
    bad = sum(len(result.violations) for result in results)
    teeth = [tooth for proof in proofs for tooth in proof.teeth]
    idle = sum(tooth.bites is None for tooth in teeth)
    unproven = sum(tooth.bites is None and reason_for(tooth) is None for tooth in teeth)
    failed = sum(bool(proof.failure) for proof in proofs)
    return (
        f"{len(proofs)} operations, {states:,} states and {runs:,} killed or full runs, {bad} "
        f"violations under the models named; {samples} of {len(explored)} explorations are "
        f"samples; {len(teeth)} calls switched off one by one, {len(teeth) - idle} noticed, "
        f"{idle - unproven} listed with a reason, {unproven} neither"
        + (f"; **{failed} proofs did not come to an end**" if failed else "")
    )


def page(proofs: Sequence[Proof], run: Run, *, disks: str | None = None) -> str:
    """The whole page; `disks` is the page about real filesystems, where there is one."""
    third = "Level 3, real filesystems with the power cut, is `make crash-disks`"
    third += "." if disks is None else f": [{disks}]({disks})."
    parts = [_HEAD.format(**run._asdict(), totals=totals(proofs), third=third)]
    parts += [_SEAM, _seam_table(proofs)]
    if any(proof.real for proof in proofs):
        parts += [_REAL.format(kernel=run.kernel), _real_table(proofs)]
    parts += [_TEETH, _teeth_table(proofs), _IDLE, _idle_table(proofs)]
    return "\n".join(parts)


_HEAD = """\
# What the crash tests came to

Made by `make crash` on {day}, Linux {kernel}, Python {python}, in {seconds:.0f} s:
{totals}.

A row reads "so many states tried, so many violations, under this model".
Within one setting of one proof no state is counted twice.
The model is that of [What a crash may leave](../explanation/crash-model.md): `posix`, the weakest,
in which every change that no sync covers is there or not on its own; or `prefix`,
where the promise is for a kill alone.
*All* says that no state which the model allows was left out.
*Some* says that there were too many: a part was tried, first those that lose least,
then a seeded sample, until the limit or the time was over.
A violation is a file that holds what it never held, a file that is missing,
a change that is gone after the operation had returned, another mode or attribute,
something changed that has nothing to do with it, a leftover that `sweep` does not remove,
or an operation that cannot be done once more.
{third}
"""
_SEAM = """\
## Level 1: in memory

*Crash*: at every call; blocks of 4096 and 512 bytes; lost new blocks show zeros, or old contents
of the disk; with and without files that have no name.
*In the recovery*: sweep and do it again, and crash at every call of that.
*After a fault*: each call fails with each errno (the *faulty runs*), each such run is crashed at
every call, and of the states those are counted that no run before had shown.
"""
_REAL = """\

## Level 2: real processes

The same, from what the kernel saw of a process on a real folder (Linux {kernel}).
*Same*: its writes, syncs and changes of names are those of level 1, in the same order,
so nothing goes past the seam.
*Crash*: with blocks of 4096 bytes; `linux`, what ext4, xfs and btrfs have in common, is tried
before `posix`, whose states contain its own.
*Killed*: by SIGKILL in place of each of its calls that change something, and after random times.
*Full*: runs in which no file may grow beyond 0, 1, 77, 300, 600, 4096 bytes; as root also on a
full disk of 64 KiB.
"""
_TEETH = """\

## Teeth

Each sync, each rename and each setting of attributes was switched off alone
(a rename became a copy in place), and a check had to fail.
In brackets: how many times, over all operations.
No crash shows what a lock is for: that needs two writers at once, and is tested by name
(`test_without_the_lock_a_sweeper_takes_the_temp_of_the_living`,
`test_no_update_is_lost_and_that_needs_the_lock`).
"""
_IDLE = """\

### Calls that no check needs

They are not proven to be necessary. Why they are made:
"""


def _seam_table(proofs: Sequence[Proof]) -> str:
    rows = [
        [
            *("operation", "model", "crash", "all?", "in the recovery", "all?"),
            *("after a fault", "faulty runs", "violations"),
        ]
    ]
    for proof in proofs:
        found = {result.proof: result for result in proof.seam}
        rows.append(
            [
                *(proof.operation, proof.model),
                *(*_states(found.get(CRASH)), *_states(found.get(RECOVERY))),
                *(_after_fault(found.get(FAULT)), _runs(found.get(FAULT)), _verdict(proof)),
            ]
        )
    return _table(rows)


def _real_table(proofs: Sequence[Proof]) -> str:
    rows = [
        ["operation", "crash", "all?", "same", "killed at calls", "at random", "full", "violations"]
    ]
    for proof in proofs:
        found = {result.proof: result for result in proof.real}
        full = [result for result in proof.real if result.proof.startswith(FULL)]
        if found:
            rows.append(
                [
                    *(proof.operation, *_states(found.get(CRASH))),
                    {None: "", True: "yes", False: "**no**"}[proof.same_kinds],
                    *(_runs(found.get(name)) for name in (KILLED, AT_RANDOM)),
                    *(str(sum(result.runs for result in full)), _violations(proof.real)),
                ]
            )
    return _table(rows)


def _teeth_table(proofs: Sequence[Proof]) -> str:
    rows = [["call", "in", "without it"]]
    by_site: dict[tuple[str, str], Counter[str]] = {}
    for tooth in (tooth for proof in proofs for tooth in proof.teeth if tooth.bites is not None):
        key = (_code(tooth.site.line), f"{tooth.site.module}, {_code(tooth.site.function)}")
        by_site.setdefault(key, Counter())[str(tooth.bites)] += 1
    for (line, where), broken in sorted(by_site.items(), key=lambda item: item[0][::-1]):
        shown = ", ".join(f"{promise} ({count})" for promise, count in broken.most_common())
        rows.append([line, where, shown])
    return _table(rows)


def _idle_table(proofs: Sequence[Proof]) -> str:
    rows = [["call", "in", "operations", "reason"]]
    by_reason: dict[tuple[str, str, str], list[str]] = {}
    for tooth in (tooth for proof in proofs for tooth in proof.teeth if tooth.bites is None):
        reason = reason_for(tooth)
        why = "**none is listed**" if reason is None else reason.why
        where = f"{tooth.site.module}, {_code(tooth.site.function)}"
        by_reason.setdefault((_code(tooth.site.line), where, why), []).append(tooth.operation)
    for (line, where, why), operations in by_reason.items():
        rows.append([line, where, ", ".join(dict.fromkeys(operations)), why])
    return _table(rows)


def _states(result: Result | None) -> list[str]:
    if result is None:
        return ["", ""]
    return [f"{result.states:,}", "all" if result.exhaustive else "some"]


def _runs(result: Result | None) -> str:
    return "" if result is None else str(result.runs)


def _after_fault(result: Result | None) -> str:
    return "" if result is None else f"{result.states:,}"


def _verdict(proof: Proof) -> str:
    return "**not proven**" if proof.failure else _violations(proof.seam)


def _violations(results: Iterable[Result]) -> str:
    count = sum(len(result.violations) for result in results)
    return f"**{count}**" if count else "0"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body]) + "\n"
