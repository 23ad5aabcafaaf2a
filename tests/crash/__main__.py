"""`python -m tests.crash`: all proofs of all operations, with a larger budget than the tests have.

Prints the result page and, with `--write FILE`, writes it. Exit code 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import holdfast
from tests.crash import seam
from tests.crash.operations import OPERATIONS
from tests.crash.proving import Budget, prove
from tests.crash.table import Proof, Run, page, totals
from tests.crash.teeth import misused_reasons

SLOW = ("holdfast", "write_many", "awrite_many", "replacing", "areplacing", "sweep", "asweep")
DISKS = "crash-results-disks.md"


def main() -> int:
    """Prove everything, on all processors."""
    options = _parser().parse_args()
    began_s = time.monotonic()
    chosen = [op.name for op in OPERATIONS if options.only in op.name]
    proofs = list(_prove_all(chosen, options))
    proofs.sort(key=lambda proof: chosen.index(proof.operation))
    run = Run(
        time.strftime("%d %B %Y", time.gmtime()),
        platform.release().partition("-")[0],
        platform.python_version(),
        time.monotonic() - began_s,
    )
    target = None if options.write is None else Path(options.write)
    disks = DISKS if target is not None and target.with_name(DISKS).exists() else None
    text = page(proofs, run, disks=disks)
    print(text)
    if target is not None:
        holdfast.write_text(target, text, newline="\n")
    complaints = [complaint for proof in proofs for complaint in proof.complaints()]
    if len(chosen) == len(OPERATIONS):
        complaints += misused_reasons([tooth for proof in proofs for tooth in proof.teeth])
    for complaint in complaints:
        print(f"NOT AS IT MUST BE: {complaint}", file=sys.stderr)
    print(f"{totals(proofs)} ({run.seconds:.0f} s)", file=sys.stderr)
    return int(bool(complaints) or not all(proof.ok for proof in proofs))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    add = parser.add_argument
    add("--write", metavar="FILE", help="write the page there")
    add("--only", default="", metavar="TEXT", help="operations with this in their name")
    add("--budget-s", type=float, default=5.0, help="of one exploration")
    add("--errnos", nargs="+", default=list(seam.ERRNOS), help="what each call fails with")
    add("--kills", type=int, default=20, help="at random, of each operation")
    add("--processes", type=int, default=os.cpu_count() or 1)
    return parser


def _prove_all(names: list[str], options: argparse.Namespace) -> list[Proof]:
    """Prove each in a process of a pool; those that take long come first."""
    todo = sorted(names, key=lambda name: not name.startswith(SLOW))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        budget = Budget(options.budget_s, tuple(options.errnos), options.kills)
        running = [pool.submit(prove, name, budget) for name in todo]
        proofs = []
        for done, future in enumerate(as_completed(running), 1):
            proof = future.result()
            proofs.append(proof)
            took_s = sum(result.seconds for result in (*proof.seam, *proof.real))
            print(f"{done}/{len(names)} {proof.operation} ({took_s:.1f} s)", file=sys.stderr)
        return proofs


if __name__ == "__main__":
    sys.exit(main())
