"""One peer under the tester: what it loses, and the smallest state that shows it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import chdir, contextmanager, redirect_stderr
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.crash.explorer import explore
from holdfast.crash.recorders import record_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.crash.explorer import Report
    from holdfast.crash.recording import Recording
    from holdfast.vfs.micro import Model

__all__ = ["PROGRAMS", "Peer", "Result", "Verdict", "measure", "peers"]

PROGRAMS = ("files", "writers", "ours", "stores", "queues", "logs", "sqlite")
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_PACKAGES = {
    "writers/atomicwrites": "atomicwrites",
    "writers/boltons": "boltons",
    "writers/safer": "safer",
    "stores/tinydb": "tinydb",
    "stores/lmdb": "lmdb",
    "stores/diskcache": "diskcache",
    "queues/": "persist-queue",
}
_BUDGET_S = 60.0
_LIMIT = 128  # combinations at one point, and the page says who has more


class Peer(NamedTuple):
    """One way to save: a variant of a program."""

    program: str
    variant: str
    how: str

    @property
    def name(self) -> str:
        """What to call it on the command line."""
        return f"{self.program}/{self.variant}"

    @property
    def package(self) -> str | None:
        """The distribution that it needs."""
        return next((_PACKAGES[key] for key in _PACKAGES if self.name.startswith(key)), None)

    @property
    def version(self) -> str | None:
        """The version of that distribution; empty if it needs none, None if it is not installed."""
        if self.package is None:
            return ""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


class Verdict(NamedTuple):
    """One promise: the strongest model that breaks it (None: kept), the smallest state, counts."""

    model: Model | None
    finding: dict[str, Any] | None
    states: int
    bad: int
    exhaustive: bool
    stopped: bool


class Result(NamedTuple):
    """`whole`: what is there is a saved state. `kept`: at least the one acknowledged last."""

    peer: Peer
    whole: Verdict
    kept: Verdict


def peers() -> list[Peer]:
    """Return all of them, in the order of the page."""
    return [
        Peer(program, variant, how)
        for program in PROGRAMS
        for variant, how in _module(program).VARIANTS.items()
    ]


def measure(peer: Peer) -> Result:
    """Record a peer in a new folder, and try its states twice, once for each promise."""
    with tempfile.TemporaryDirectory(prefix="crash-peers-") as folder:
        recording = _record(peer, folder)
    load = _module(peer.program).load

    def whole(state: str, _acked: list[str]) -> None:
        _load(load, peer.variant, state)

    def kept(state: str, acked: list[str]) -> None:
        if acked:
            newest, found = max(map(int, acked)), _load(load, peer.variant, state)
            assert found >= newest, f"state {newest} was acknowledged, state {found} is there"

    with _no_complaints():
        return Result(peer, *(_verdict(_explore(recording, one)) for one in (whole, kept)))


def _explore(recording: Recording, check: Callable[[str, list[str]], None]) -> Report:
    # In this process: each `load` closes what it has opened, and there are thousands.
    return explore(recording, check, isolation="process", budget_s=_BUDGET_S, limit=_LIMIT)


@contextmanager
def _no_complaints() -> Iterator[None]:
    """Be still about objects of a peer that are dropped half made, when it finds damage."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = hook


def _module(program: str) -> Any:
    return import_module(f"benchmarks.crash_peers.programs.{program}")


def _load(load: Callable[[str], int], variant: str, folder: str) -> int:
    with chdir(folder), redirect_stderr(StringIO()):
        return load(variant)


def _verdict(report: Report) -> Verdict:
    facts: Any = report.as_json()
    finding = facts["findings"][0] if facts["findings"] else None
    model = finding["model"] if finding is not None else None
    return Verdict(model, finding, report.tried, report.bad, report.exhaustive, report.stopped)


def _record(peer: Peer, folder: str) -> Recording:
    command = [sys.executable, "-m", "benchmarks.crash_peers.run", peer.program, peer.variant]
    environment = {**os.environ, "PYTHONPATH": _ROOT, "PYTHONDONTWRITEBYTECODE": "1"}
    quiet = subprocess.DEVNULL  # what is logged goes to the file alone
    subprocess.run(
        [*command, "prepare"], cwd=folder, env=environment, check=True, timeout=60, stdout=quiet
    )
    recording = record_command([*command, "work"], root=folder, env=environment)
    if recording.status != 0:
        raise RuntimeError(f"{peer.name} ended with {recording.status}")
    return recording
