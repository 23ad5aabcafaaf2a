"""All three proofs of one operation: in memory, as real processes, and the teeth of its checks."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NamedTuple

from holdfast.crash.recorders import RecorderUnavailable
from tests.crash import seam
from tests.crash.operations import BY_NAME
from tests.crash.promises import FEW, Operation
from tests.crash.seam import Result
from tests.crash.table import Proof
from tests.crash.teeth import teeth_of


class Budget(NamedTuple):
    """How much to try: `explore_s` is for one exploration, `kills` are those at random."""

    explore_s: float
    errnos: tuple[str, ...]
    kills: int


def prove(name: str, budget: Budget) -> Proof:
    """Find out all about one operation."""
    operation = BY_NAME[name]
    proof = Proof(name, operation.model, (), (), (), None)
    try:
        proof = proof._replace(
            seam=(
                seam.every_crash(operation, budget_s=budget.explore_s),
                seam.crash_in_recovery(operation, budget_s=budget.explore_s),
                seam.crash_after_fault(operation, errnos=budget.errnos, torn={"": {}}),
            ),
            teeth=tuple(teeth_of(operation)) if operation.states > FEW else (),
        )
        return _prove_real(proof, operation, budget) if sys.platform == "linux" else proof
    except Exception:
        return proof._replace(failure=traceback.format_exc())


def _prove_real(proof: Proof, operation: Operation, budget: Budget) -> Proof:
    from tests.crash import real

    folder = Path(tempfile.mkdtemp(prefix="holdfast-crash-")).resolve()
    try:
        same = real.kinds(real.record(operation, folder / "kinds"))
        results: list[Result] = [
            real.every_crash(operation, folder / "crash", budget_s=budget.explore_s),
            real.killed_at_each_call(operation, folder / "kill"),
            real.killed_at_random(operation, folder / "random", times=budget.kills),
            real.full_disk(operation, folder / "full"),
        ]
        if os.geteuid() == 0:
            results.append(_on_a_small_disk(operation, folder / "small"))
    except RecorderUnavailable as error:
        print(f"{operation.name}: level 2 is left out: {error}", file=sys.stderr)
        return proof
    finally:
        shutil.rmtree(folder)
    same_kinds = same == real.kinds_in_memory(operation)
    return proof._replace(real=tuple(results), same_kinds=same_kinds)


def _on_a_small_disk(operation: Operation, point: Path) -> Result:
    from tests.crash import real
    from tests.support.mounts import mounted

    point.mkdir()
    with mounted(point, "-t", "tmpfs", "-o", "size=64k", "holdfast-crash") as place:
        return real.full_filesystem(operation, place)
